"""The national system's monitored list (监测对象名单): its columns in their order, and what a row of it says."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from shared.vocabulary.identity_number import IdentityNumberError, holds_identity_number, parse_identity_number
from shared.vocabulary.terms import Cause, RiskClass

RISKS = tuple(f"致贫/返贫风险{i}" for i in range(1, 6))
COLUMNS = (
    *("省", "市", "县", "乡(镇)", "行政村", "自然村", "户编号", "户主姓名", "户主证件号码", "人数", "户类型"),
    *("监测对象类别", "首次识别时间", "识别监测时间", "风险是否已消除", "消除监测时间", "风险消除方式"),
    *RISKS,
    *("其他备注", "是否危房户", "住房面积", "是否解决安全饮用水", "是否通生活用电", "入户道路是否硬化"),
    *("与村主干路距离", "耕地面积", "林地面积", "退耕还林面积", "林果面积", "牧草地面积", "水面面积"),
    *("是否有卫生厕所", "户联系电话", "识别标准", "易地搬迁", "整户无劳动能力兜底保障户"),
    *(
        "是否义务教育阶段适龄儿童少年失学辍学",
        "是否有家庭成员未参加城乡居民(职工)基本医疗保险",
        "住房保障",
        "饮水保障",
    ),
    *("工资性收入", "生产经营性收入", "财产性收入", "转移性收入", "生产经营性支出", "理赔收入", "合规自付支出"),
    *("人均纯收入", "信息采集人", "信息采集人电话"),
)
"""The order of the national export, in which ours is written too."""

# What is read -> the headers it goes by; the first is the export's own.
SYNONYMS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "household_no": ("户编号", "户编码", "家庭编号"),
        "head_name": ("户主姓名", "户主"),
        "identity_number": ("户主证件号码", "户主身份证号", "户主身份证号码", "证件号码"),
        "listed_as": ("监测对象类别", "监测对象类型", "监测类别"),
        "first_identified": ("首次识别时间", "首次纳入时间"),
        "identified": ("识别监测时间", "识别时间", "纳入监测时间"),
        "is_removed": ("风险是否已消除", "风险是否消除", "是否消除风险"),
        "removed": ("消除监测时间", "风险消除时间", "消除时间"),
        "removal_mode": ("风险消除方式", "消除方式"),
        **{
            f"risk{i}": (f"致贫/返贫风险{i}", f"致贫返贫风险{i}", f"返贫致贫风险{i}", f"风险{i}") for i in range(1, 6)
        },
    }
)
REQUIRED = ("household_no", "head_name", "listed_as", "is_removed")
MODES = ("帮扶消除", "自然消除")
FIRST_DAY = date(2014, 1, 1)
_YES, _NO = ("是", "已消除", "1"), ("否", "未消除", "0")
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})(?:[-/.月]?(?:(\d{1,2})日?)?)?月?")
_CAUSES = MappingProxyType(
    {each.zh: each for each in Cause}
    | {"因灾": Cause.DISASTER, "因缺劳力": Cause.LABOUR_SHORTAGE, "因务工就业不稳定": Cause.JOB_INSTABILITY}
)


@dataclass(frozen=True, slots=True)
class MonitoredRow:
    """A household as the national list has it; `removed_on` None: its risk is not removed."""

    line: int
    household_no: str
    head_name: str
    identity_number: str | None
    listed_as: str
    identified_on: date | None
    removed_on: date | None
    removal_mode: str | None
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowMistake:
    """What is wrong in one cell, and what is right."""

    line: int
    column: str
    code: str
    message: str
    expected: str | None = None


class _Wrong(Exception):
    def __init__(self, column: str, code: str, message: str, expected: str | None = None) -> None:
        super().__init__(message)
        self.mistake = (column, code, message, expected)


def columns_of(headers: Sequence[str]) -> dict[str, int]:
    """Where each thing that is read stands in the table; the first column of several synonyms."""
    plain = [_plain(header) for header in headers]
    found = {}
    for name, synonyms in SYNONYMS.items():
        places = [plain.index(_plain(each)) for each in synonyms if _plain(each) in plain]
        if places:
            found[name] = places[0]
    return found


def unknown_columns(headers: Sequence[str]) -> list[str]:
    """Headers that stand for nothing of the list."""
    known = {_plain(each) for each in COLUMNS} | {_plain(each) for names in SYNONYMS.values() for each in names}
    return [header.strip() for header in headers if header.strip() and _plain(header) not in known]


def read_rows(
    lines: Sequence[Sequence[str]],
    columns: Mapping[str, int],
    *,
    classes: Mapping[str, str],
    today: date,
    first_line: int = 2,
) -> tuple[list[MonitoredRow], list[RowMistake]]:
    """The rows, and what is wrong with those that cannot be read. `classes`: the code of each class name.

    Lines are counted as a spreadsheet does, from `first_line`, the one below the header. Empty ones are passed over.
    """
    rows: list[MonitoredRow] = []
    mistakes: list[RowMistake] = []
    seen: set[str] = set()
    for line, cells in enumerate(lines, start=first_line):
        if not any(cell.strip() for cell in cells):
            continue
        said = {name: _cell(cells, at) for name, at in columns.items()}
        try:
            row = _row(line, said, classes, today)
            if row.household_no in seen:
                raise _Wrong("户编号", "repeated", "户编号在文件中重复", "每户一行")
            seen.add(row.household_no)
            rows.append(row)
        except _Wrong as wrong:
            mistakes.append(RowMistake(line, *wrong.mistake))
    return rows, mistakes


def class_codes(labels: Mapping[str, str]) -> dict[str, str]:
    """The code of each class by its name: the regime's own, and the three national classes."""
    return {each.zh: str(each) for each in RiskClass} | {label: code for code, label in labels.items()}


def _row(line: int, said: Mapping[str, str], classes: Mapping[str, str], today: date) -> MonitoredRow:
    for name in REQUIRED:
        if not said.get(name):
            raise _Wrong(SYNONYMS[name][0], "missing", f"{SYNONYMS[name][0]}为空", "必填")
    for name, text in said.items():
        if name != "identity_number" and holds_identity_number(text):
            raise _Wrong(SYNONYMS[name][0], "identity_number_misplaced", "此处是身份证号，请核对各列是否错位")
        if len(text) > 60:
            raise _Wrong(SYNONYMS[name][0], "too_long", "超过 60 个字", "不超过 60 个字")
    removed_on = _removed(said, today)
    identified_on = _day(said, "identified", today) or _day(said, "first_identified", today)
    if removed_on is not None and identified_on is not None and removed_on < identified_on:
        raise _Wrong("消除监测时间", "before_identified", "消除早于识别", f"{identified_on} 或以后")
    mode = said.get("removal_mode") or None
    if mode is not None and mode not in MODES:
        raise _Wrong("风险消除方式", "mode_unknown", f"没有“{mode}”这种方式", "、".join(MODES))
    return MonitoredRow(
        line=line,
        household_no=said["household_no"],
        head_name=said["head_name"],
        identity_number=_number(said.get("identity_number", ""), today),
        listed_as=_one_of(said["listed_as"], classes, "监测对象类别"),
        identified_on=identified_on,
        removed_on=removed_on,
        removal_mode=mode,
        causes=tuple(_causes(said)),
    )


def _removed(said: Mapping[str, str], today: date) -> date | None:
    text = said["is_removed"]
    if text not in (*_YES, *_NO):
        raise _Wrong("风险是否已消除", "not_yes_or_no", f"看不懂“{text}”", "是 或 否")
    day = _day(said, "removed", today)
    if text in _YES and day is None:
        raise _Wrong("消除监测时间", "missing", "风险已消除须有消除监测时间", "年月，例如 202603")
    if text in _NO and day is not None:
        raise _Wrong("消除监测时间", "not_removed", "风险未消除，却有消除监测时间", "留空")
    return day


def _day(said: Mapping[str, str], name: str, today: date) -> date | None:
    """A day, or the first of a month."""
    text = said.get(name, "")
    if not text:
        return None
    column, expected = SYNONYMS[name][0], "年月或年月日，例如 202603 或 2026-03-15"
    found = _DATE.fullmatch(text)
    if found is None:
        raise _Wrong(column, "date_format", f"“{text}”不是日期", expected)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3] or 1))
    except ValueError:
        raise _Wrong(column, "date_format", f"“{text}”不是日期", expected) from None
    if not FIRST_DAY <= day <= today:
        raise _Wrong(column, "day_out_of_range", "日期超出范围", f"{FIRST_DAY} 至 {today}")
    return day


def _number(text: str, today: date) -> str | None:
    if not text:
        return None
    try:
        return parse_identity_number(text, today).number
    except IdentityNumberError as error:
        raise _Wrong("户主证件号码", error.code, error.message_zh, "18 位居民身份证号") from None


def _causes(said: Mapping[str, str]) -> Iterator[str]:
    for i in range(1, 6):
        text = said.get(f"risk{i}", "")
        if text:
            yield str(_one_of(text, _CAUSES, f"致贫/返贫风险{i}"))


def _one_of(text: str, known: Mapping[str, str], column: str) -> str:
    if text not in known:
        raise _Wrong(column, "unknown", f"没有“{text}”", "、".join(_few(known)))
    return known[text]


def _few(known: Collection[str]) -> list[str]:
    return list(known)[:12]


def _cell(cells: Sequence[str], at: int) -> str:
    """What a cell says, without blanks, and without the apostrophe or ="..." of a spreadsheet's texts."""
    text = cells[at].strip() if at < len(cells) else ""
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


def _plain(header: str) -> str:
    return re.sub(r"[\s*＊\ufeff]", "", header).replace("（", "(").replace("）", ")").replace("／", "/")
