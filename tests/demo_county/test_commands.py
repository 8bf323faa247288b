"""The commands: generate into a folder, then score it."""

from datetime import date
from pathlib import Path

from typer.testing import CliRunner

from demo_county.commands import demo_commands
from demo_county.score import Figures, Scored
from tests.demo_county.small_county import VILLAGES

SCORED = Scored(Figures(4, 1, 2, 40), Figures(8, 1, 2, 40))
APP = demo_commands(lambda: VILLAGES, lambda: date(2026, 11, 22), lambda _, sheet: SCORED)


def test_generate_then_score_print_their_figures(tmp_path: Path) -> None:
    made = CliRunner().invoke(APP, ["generate", "--out", str(tmp_path), "--households", "40", "--seed", "5"])
    assert made.exit_code == 0
    assert "households=40" in made.output
    scored = CliRunner().invoke(APP, ["score", str(tmp_path)])
    assert scored.exit_code == 0
    assert scored.output.count("precision=") == 4
    running = "policy: 预警 warned=4 占户 share=10.00% 属实 confirmed=1 查准 precision=25.00% 查全 recall=50.0%"
    assert running in scored.output
    assert "policy_from_cold（首年启用）: 预警 warned=8 占户 share=20.00%" in scored.output


def test_a_draft_has_two_lines_of_its_own(tmp_path: Path) -> None:
    CliRunner().invoke(APP, ["generate", "--out", str(tmp_path), "--households", "5"])
    sheet = tmp_path / "draft.csv"
    sheet.write_text("参数,取值,生效日期,文号\n", encoding="utf-8")
    scored = CliRunner().invoke(APP, ["score", str(tmp_path), "--policy", str(sheet)])
    assert scored.output.count("precision=") == 6
    assert "draft_from_cold" in scored.output


def test_until_is_a_date(tmp_path: Path) -> None:
    arguments = ["generate", "--out", str(tmp_path), "--households", "5", "--until"]
    assert CliRunner().invoke(APP, [*arguments, "2025-03-31"]).exit_code == 0
    assert (tmp_path / "medical_settlement_202503.csv").exists()
    assert CliRunner().invoke(APP, [*arguments, "31.3.2025"]).exit_code == 2
