"""Each kind of mistake in a package is refused with file, line and the right words; one file per mistake."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.monitoring.domain.policy_reader import read_policy
from services.monitoring.domain.stored_measures import MOST_MEASURES
from shared.policies import PolicyMistake, read_package
from shared.policies.package import HOME

BROKEN = Path(__file__).parent / "broken_packages"
PLACES = {
    "region": "regions/130624.yaml",
    "regime": "regions/130728.yaml",
    "one_class": "one_class/package.yaml",
}


def _broken(name: str, folder: Path) -> dict[str, Any]:
    """A copy of the shipped package with one mistake made in it."""
    mistake: dict[str, Any] = yaml.safe_load((BROKEN / f"{name}.yaml").read_text(encoding="utf-8"))
    for each in ("national", "one_class", "regions"):
        shutil.copytree(HOME / each, folder / each)
    path = folder / PLACES.get(mistake["document"], f"national/{mistake['document']}.yaml")
    text = path.read_text(encoding="utf-8")
    if change := mistake.get("change"):
        assert change["from"] in text, "the shipped package no longer says what this mistake changes"
        text = text.replace(change["from"], change["to"], 1)
    path.write_text(text + mistake.get("append", ""), encoding="utf-8")
    return mistake


def _read_both(folder: Path) -> None:
    for package in ("national", "one_class"):
        read_policy(read_package(folder / package, folder / "regions"))


@pytest.mark.parametrize("name", sorted(path.stem for path in BROKEN.glob("*.yaml")))
def test_mistake_is_refused_in_the_right_words(name: str, tmp_path: Path) -> None:
    mistake = _broken(name, tmp_path)
    with pytest.raises(PolicyMistake) as refused:
        _read_both(tmp_path)
    for words in mistake["says"]:
        assert words in refused.value.detail
    assert refused.value.line >= 1
    assert "正确写法：" in refused.value.detail
    assert "例如：" in refused.value.detail


def test_missing_document_is_named(tmp_path: Path) -> None:
    shutil.copytree(HOME / "national", tmp_path / "national")
    (tmp_path / "national" / "classes.yaml").unlink()
    with pytest.raises(PolicyMistake, match=r"national/classes\.yaml.*缺少此文件"):
        read_package(tmp_path / "national")


def test_line_is_that_of_the_expression(tmp_path: Path) -> None:
    _broken("division", tmp_path)
    path = tmp_path / "national" / "derived.yaml"
    with pytest.raises(PolicyMistake) as refused:
        read_policy(read_package(tmp_path / "national", tmp_path / "regions"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "rigid_outlay / persons" in lines[refused.value.line - 1]


def test_a_package_that_measures_more_than_can_be_kept_is_refused(tmp_path: Path) -> None:
    for each in ("national", "one_class", "regions"):
        shutil.copytree(HOME / each, tmp_path / each)
    measure = "{label_zh: 多余, kinds: [income.wage], window: account, aggregate: count}"
    with (tmp_path / "national/measures.yaml").open("a", encoding="utf-8") as measures:
        measures.writelines(f"too_many_{number}: {measure}\n" for number in range(MOST_MEASURES))
    with pytest.raises(PolicyMistake, match=f"合计不超过 {MOST_MEASURES} 个") as refused:
        _read_both(tmp_path)
    assert refused.value.file.endswith("measures.yaml")
