"""Files of divisions: what is read, and how each wrong row says what would be right."""

from datetime import date
from pathlib import Path

import pytest

from shared.regions.region import Region
from shared.regions.region_file import RegionFile, RegionFileUnreadable, RegionRowError

EXTRACT = Path(__file__).with_name("villages_extract.csv")
DAY = date(2023, 6, 30)


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[Region | RegionRowError]:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    return list(RegionFile(path, DAY, "test").rows())


def only_error(tmp_path: Path, text: str) -> RegionRowError:
    (error,) = [row for row in read(tmp_path, text) if isinstance(row, RegionRowError)]
    return error


def test_the_published_villages_file_is_read_as_it_is() -> None:
    rows = list(RegionFile(EXTRACT, DAY, "test").rows())
    assert len(rows) == 16
    assert all(isinstance(row, Region) and row.parent == "520526101000" for row in rows)
    assert all(isinstance(row, Region) and row.valid_from == DAY for row in rows)


def test_dates_and_successor_are_read_where_given(tmp_path: Path) -> None:
    text = "code,name,valid_from,valid_to,successor\n130624100,甲镇,2020-01-01,2024-07-01,130624101\n"
    assert read(tmp_path, text) == [
        Region(
            code="130624100000",
            name="甲镇",
            valid_from=date(2020, 1, 1),
            valid_to=date(2024, 7, 1),
            successor="130624101000",
            source="test",
        )
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_spreadsheets_encoding_does_not_matter(tmp_path: Path, encoding: str) -> None:
    (region,) = read(tmp_path, "代码,名称\r\n130624100,阜平镇\r\n\r\n", encoding)
    assert isinstance(region, Region)
    assert region.name == "阜平镇"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1306241002,甲村", "区划代码是10位"),
        (",甲村", "区划代码为空"),
        ("1.30624E+11,甲村", "区划代码被表格软件改成了小数或科学计数法"),
        ("130624100200.0,甲村", "区划代码被表格软件改成了小数或科学计数法"),
        ("13062410020O,甲村", "区划代码只能是数字（文本格式）"),
        ("130624000200,甲村", "不是有效的12位区划代码结构"),
        ("130624100200,", "名称为空"),
        ("130624100200", "名称为空"),
        ("130624100200," + "甲" * 61, "名称超过60字或含有不可见字符"),
        ("130624100200,甲\x00村", "名称超过60字或含有不可见字符"),
    ],
)
def test_a_wrong_row_says_line_code_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    error = only_error(tmp_path, f"code,name\n130624100201,乙村\n{row}\n")
    assert (error.line, error.code, error.reason) == (3, row.partition(",")[0], reason)
    assert error.expected
    assert str(error).startswith("第3行")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("130624100,甲镇,2024-13-01,,", "日期写法不正确"),
        ("130624100,甲镇,2024-01-01,2024-01-01,", "停用日期不晚于启用日期"),
        ("130624100,甲镇,,,13062", "变更后代码不是有效的区划代码"),
        ("130624100,甲镇,,,130624100", "变更后代码就是本代码"),
    ],
)
def test_wrong_dates_and_successors_are_refused(tmp_path: Path, row: str, reason: str) -> None:
    assert only_error(tmp_path, f"code,name,valid_from,valid_to,successor\n{row}\n").reason == reason


def test_a_code_that_contradicts_the_code_above_is_refused(tmp_path: Path) -> None:
    error = only_error(tmp_path, "code,name,streetCode\n130624100200,甲村,130624101\n")
    assert error.reason == "代码不以streetCode列的“130624101”开头"


def test_a_repeated_code_is_refused_but_not_another_day_of_it(tmp_path: Path) -> None:
    text = "code,name,valid_from\n130624100,甲镇,\n130624100000,甲镇,\n130624100,乙镇,2025-01-01\n"
    rows = read(tmp_path, text)
    assert [type(row) for row in rows] == [Region, RegionRowError, Region]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "缺少列"), ("a,b\n1,2\n", "缺少列 code、name"), ('code,name\n13,"甲\n', "引号没有成对")],
)
def test_a_file_that_is_no_list_is_refused_as_a_whole(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RegionFileUnreadable, match=words):
        read(tmp_path, text)


def test_a_missing_file_and_a_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionFileUnreadable, match="无法打开"):
        RegionFile(tmp_path / "none.csv", DAY, "test")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xff\xff\x00\xff")
    with pytest.raises(RegionFileUnreadable, match="编码"):
        RegionFile(tmp_path / "picture.csv", DAY, "test")
