"""A county's or the country's list of divisions in a file, read row by row.

Understood are the published villages file (villages.csv of china-division: code, name and the codes above) and
any CSV with the columns code and name, optionally valid_from, valid_to and successor. UTF-8 or GB 18030.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from shared.errors import Unprocessable
from shared.regions.region import Region
from shared.vocabulary.division import EXPECTED, DivisionCode, DivisionCodeError, parse_division

LONGEST_NAME = 60
CHUNK = 1 << 20
COLUMNS = {
    "code": ("code", "代码", "区划代码", "统计用区划代码"),
    "name": ("name", "名称", "区划名称"),
    "valid_from": ("valid_from", "启用日期"),
    "valid_to": ("valid_to", "停用日期"),
    "successor": ("successor", "变更后代码"),
}
CODES_ABOVE = ("provinceCode", "cityCode", "areaCode", "streetCode")

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffd]")
_LOST_DIGITS = re.compile(r"[0-9.]+[eE]\+?[0-9]+|[0-9]+\.0+")


class RegionFileUnreadable(Unprocessable):
    """The file as a whole cannot be read."""

    code, title = "region_file_unreadable", "区划文件无法读取"


@dataclass(frozen=True, slots=True)
class RegionRowError:
    """One row that is not taken over: where, which code, what is wrong, what would be right."""

    line: int
    code: str
    reason: str
    expected: str

    def __str__(self) -> str:
        return f"第{self.line}行 代码“{self.code}”：{self.reason}；正确写法：{self.expected}"


@dataclass(slots=True)
class RegionFile:
    """A file of divisions; `valid_from` is the day of rows that name none. Rows are read as they are asked for."""

    path: Path
    valid_from: date
    source: str
    encoding: str = field(init=False)
    lines: int = field(init=False)

    def __post_init__(self) -> None:
        self.encoding, self.lines = _encoding_and_lines(self.path)

    def rows(self) -> Iterator[Region | RegionRowError]:
        """Each data row as a region or as what is wrong with it; blank lines are passed over."""
        seen = _SeenCodes()
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                columns = _columns(next(reader, []))
                for row in reader:
                    if any(row):
                        values = {name: row[i].strip() for name, i in columns.items() if i < len(row)}
                        yield self._read(values, reader.line_num, seen)
            except csv.Error as error:
                raise RegionFileUnreadable(f"第{reader.line_num}行不是完整的CSV：引号没有成对或字段过长") from error

    def _read(self, values: Mapping[str, str], line: int, seen: "_SeenCodes") -> Region | RegionRowError:
        written = values.get("code", "")
        try:
            region = self._region(values)
            if not seen.add(region.code, region.valid_from):
                raise _Refused("与前面的行重复", "同一代码、同一启用日期只写一行")
        except DivisionCodeError as error:
            return RegionRowError(line, written[:32], error.message.partition("，应为")[0], EXPECTED)
        except _Refused as refused:
            return RegionRowError(line, written[:32], refused.reason, refused.expected)
        return region

    def _region(self, values: Mapping[str, str]) -> Region:
        code = _code(values)
        region = Region(
            code=code,
            name=_name(values.get("name", "")),
            valid_from=_day(values.get("valid_from", "")) or self.valid_from,
            valid_to=_day(values.get("valid_to", "")),
            successor=_successor(values.get("successor", "")),
            source=self.source,
        )
        if region.valid_to is not None and region.valid_to <= region.valid_from:
            raise _Refused("停用日期不晚于启用日期", f"晚于 {region.valid_from} 的日期")
        if region.successor == code:
            raise _Refused("变更后代码就是本代码", "合并或拆分后另一个区划的代码，或留空")
        return region


class _Refused(Exception):
    """Why a row is not taken over; never leaves this module."""

    def __init__(self, reason: str, expected: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expected = expected


class _SeenCodes:
    """Which codes were read, as one bit each: a whole country takes some ten megabytes."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, date], int] = {}

    def add(self, code: str, valid_from: date) -> bool:
        """Remember a code; False if it was there."""
        key, bit = (code[:9], valid_from), 1 << int(code[9:])
        known = self._bits.get(key, 0)
        self._bits[key] = known | bit
        return not known & bit


def _encoding_and_lines(path: Path) -> tuple[str, int]:
    """UTF-8 if the whole file is, else GB 18030 (a spreadsheet's "CSV" in China)."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                lines = sum(chunk.count("\n") for chunk in iter(lambda: file.read(CHUNK), ""))
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise RegionFileUnreadable(f"无法打开文件 {path.name}：{error.strerror}") from error
        return encoding, lines
    raise RegionFileUnreadable(f"文件 {path.name} 既不是UTF-8也不是GB18030编码，请另存为UTF-8的CSV")


def _columns(header: list[str]) -> dict[str, int]:
    """Where the known columns are; code and name must be."""
    places = {title.strip(): place for place, title in enumerate(header)}
    found = {name: places[t] for name, titles in COLUMNS.items() for t in titles if t in places}
    missing = [name for name in ("code", "name") if name not in found]
    if missing:
        raise RegionFileUnreadable(f"第1行缺少列 {'、'.join(missing)}；首行应为列名，例如 code,name")
    return found | {title: places[title] for title in CODES_ABOVE if title in places}


def _code(values: Mapping[str, str]) -> DivisionCode:
    written = values.get("code", "")
    if not written:
        raise _Refused("区划代码为空", EXPECTED)
    if _LOST_DIGITS.fullmatch(written):
        raise _Refused("区划代码被表格软件改成了小数或科学计数法", "把该列设为文本后重新导出，" + EXPECTED)
    for title in CODES_ABOVE:
        if not written.startswith(values.get(title, "")):
            raise _Refused(f"代码不以{title}列的“{values[title][:32]}”开头", "下级代码以上级代码开头")
    return parse_division(written)


def _successor(written: str) -> DivisionCode | None:
    try:
        return parse_division(written) if written else None
    except DivisionCodeError:
        raise _Refused("变更后代码不是有效的区划代码", EXPECTED + "，或留空") from None


def _name(written: str) -> str:
    if not written:
        raise _Refused("名称为空", "区划全称，例如 城厢村村民委员会")
    if len(written) > LONGEST_NAME or _UNPRINTABLE.search(written):
        raise _Refused(f"名称超过{LONGEST_NAME}字或含有不可见字符", "区划全称，例如 城厢村村民委员会")
    return written


def _day(written: str) -> date | None:
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise _Refused("日期写法不正确", "年-月-日，例如 2024-12-31") from None
