"""`fangpin policy check` reads every package, region and variant, and runs the worked cases."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.monitoring.check_policies import check_policies
from services.monitoring.read_cases import read_cases
from shared.policies import PolicyMistake
from shared.policies.package import HOME


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for each in ("national", "one_class", "regions", "variants"):
        shutil.copytree(HOME / each, tmp_path / each)
    return tmp_path


def test_shipped_policies_are_sound_and_all_cases_green() -> None:
    result = CliRunner().invoke(app, ["policy", "check"])
    assert result.exit_code == 0, result.output
    assert "政策包有效 policy=national-" in result.output
    assert "政策包有效 policy=one_class-" in result.output
    assert f"算例 {len(read_cases())} 个" in result.output


def test_a_mistake_in_a_region_is_named(folder: Path) -> None:
    path = folder / "regions" / "130727.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "half"), encoding="utf-8")
    with pytest.raises(PolicyMistake, match=r"regions/130727\.yaml 第\d+行"):
        check_policies(folder)


def test_a_mistake_in_a_variant_is_named(folder: Path) -> None:
    path = folder / "variants" / "single_stay.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("single_stay\n", "one_stay\n"), encoding="utf-8")
    with pytest.raises(PolicyMistake, match=r"variants/single_stay\.yaml"):
        check_policies(folder)


def test_a_mistake_in_a_regime_is_named(folder: Path) -> None:
    path = folder / "one_class" / "classes.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("sudden\n", "suddenly\n", 1), encoding="utf-8")
    with pytest.raises(PolicyMistake, match=r"one_class/classes\.yaml"):
        check_policies(folder)


def test_a_value_that_breaks_cases_turns_them_red(folder: Path) -> None:
    path = folder / "national" / "parameters.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('value: "9500.00"', 'value: "9600.00"'), encoding="utf-8")
    result = CliRunner().invoke(app, ["policy", "check", str(folder)])
    assert result.exit_code == 1
    assert "算例不符：监测线：人均纯收入恰好等于监测线，不算低于" in result.output


def test_a_folder_without_the_national_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyMistake, match="没有名为 national 的政策包"):
        check_policies(tmp_path)
