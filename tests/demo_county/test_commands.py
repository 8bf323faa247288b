"""The commands: generate into a folder, then score it."""

from datetime import date
from pathlib import Path

from typer.testing import CliRunner

from demo_county.commands import demo_commands
from demo_county.score import Figures
from tests.demo_county.small_county import VILLAGES

APP = demo_commands(lambda: VILLAGES, lambda: date(2026, 11, 22), lambda _, sheet: Figures(4, 1, 2))


def test_generate_then_score_print_their_figures(tmp_path: Path) -> None:
    made = CliRunner().invoke(APP, ["generate", "--out", str(tmp_path), "--households", "40", "--seed", "5"])
    assert made.exit_code == 0
    assert "households=40" in made.output
    scored = CliRunner().invoke(APP, ["score", str(tmp_path)])
    assert scored.exit_code == 0
    assert scored.output.count("precision=") == 3
    assert "policy: 预警 warned=4 属实 confirmed=1 查准 precision=25.00% 查全 recall=50.0%" in scored.output


def test_until_is_a_date(tmp_path: Path) -> None:
    arguments = ["generate", "--out", str(tmp_path), "--households", "5", "--until"]
    assert CliRunner().invoke(APP, [*arguments, "2025-03-31"]).exit_code == 0
    assert (tmp_path / "medical_settlement_202503.csv").exists()
    assert CliRunner().invoke(APP, [*arguments, "31.3.2025"]).exit_code == 2
