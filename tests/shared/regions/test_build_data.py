"""Building the shipped lists: same bytes each time, and no guess about what one list lacks."""

import gzip
import json
from pathlib import Path

import pytest

from shared.regions.build_data import build

LISTS = {
    "provinces": ["13,河北省", "44,广东省"],
    "cities": ["1306,保定市", "4419,东莞市"],
    "areas": ["130624,阜平县", "130671,保定高新技术产业开发区", "441900,东莞市"],
    "streets": ["130624100,阜平镇", "441900003,东城街道"],
    "villages": ["130624100200,城厢村村民委员会", "441900003001,岗贝社区居民委员会"],
}
NEWER = {
    "130000": "河北省",
    "130600": "保定市",
    "130624": "阜平县",
    "130699": "新县",
    "440000": "广东省",
    "441900": "东莞市",
}


def write_lists(folder: Path, newer: dict[str, str]) -> None:
    for name, rows in LISTS.items():
        (folder / f"{name}.csv").write_text("\n".join(["code,name", *rows]), "utf-8")
    listed = [{"code": code, "name": name} for code, name in newer.items()]
    (folder / "data.json").write_text(json.dumps(listed), "utf-8")


def built(folder: Path, name: str) -> list[str]:
    return gzip.decompress((folder / name).read_bytes()).decode().splitlines()[1:]


def test_lists_are_joined_and_repetitions_of_the_city_left_out(tmp_path: Path) -> None:
    write_lists(tmp_path, NEWER)
    build(tmp_path, tmp_path, tmp_path)
    assert built(tmp_path, "divisions.csv.gz") == [
        "13,河北省,nbs-2023,,",
        "1306,保定市,nbs-2023,,",
        "130624,阜平县,nbs-2023,,",
        "130671,保定高新技术产业开发区,nbs-2023,,",
        "130699,新县,mca-2024,,",
        "44,广东省,nbs-2023,,",
        "4419,东莞市,nbs-2023,,",
    ]
    assert built(tmp_path, "villages_130624.csv.gz") == ["130624100200,城厢村村民委员会"]


def test_the_same_lists_give_the_same_bytes(tmp_path: Path) -> None:
    write_lists(tmp_path, NEWER)
    build(tmp_path, tmp_path, tmp_path)
    first = (tmp_path / "divisions.csv.gz").read_bytes()
    build(tmp_path, tmp_path, tmp_path)
    assert (tmp_path / "divisions.csv.gz").read_bytes() == first


def test_a_county_that_vanished_unexplained_stops_the_build(tmp_path: Path) -> None:
    write_lists(tmp_path, {code: name for code, name in NEWER.items() if code != "130624"})
    with pytest.raises(SystemExit, match="130624 is in the older list only"):
        build(tmp_path, tmp_path, tmp_path)
