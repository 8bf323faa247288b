"""The sheets a county fills in (名册、请假、结对): their columns, and what each line says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.alerts.domain.officer_list import (
    ALL_COLUMNS,
    COLUMNS,
    EXAMPLES,
    LineError,
    common_errors,
    read_day,
)
from shared.vocabulary.division import DivisionCodeError, DivisionLevel, covers, level_of, parse_division
from shared.vocabulary.terms import BaseGroup


class Sheet(StrEnum):
    """Which list a file is."""

    OFFICERS = "officers"
    ABSENCES = "absences"
    PAIRINGS = "pairings"


TITLES = {Sheet.OFFICERS: "责任人名册", Sheet.ABSENCES: "请假登记", Sheet.PAIRINGS: "结对帮扶"}
_ABSENCES = {"officer_no": "工号", "first_day": "请假起", "last_day": "请假止", "reason": "原因"}
_PAIRINGS = {
    "household_no": "户编号",
    "officer_no": "帮扶责任人工号",
    "division": "行政区划代码",
    "since": "结对起",
    "until": "结对止",
    "base_group": "户类型",
    "reason": "原因",
}
COLUMNS_OF: dict[Sheet, dict[str, str]] = {
    Sheet.OFFICERS: ALL_COLUMNS,
    Sheet.ABSENCES: _ABSENCES,
    Sheet.PAIRINGS: _PAIRINGS,
}
REQUIRED_OF: dict[Sheet, tuple[str, ...]] = {
    Sheet.OFFICERS: ("officer_no", "name", "role", "division"),
    Sheet.ABSENCES: ("officer_no", "first_day", "last_day"),
    Sheet.PAIRINGS: ("household_no", "officer_no", "division"),
}
# A header that must be there, though its cells may be blank.
HEADERS_OF: dict[Sheet, tuple[str, ...]] = {**REQUIRED_OF, Sheet.OFFICERS: tuple(COLUMNS)}
_GROUPS = {name: group for group in BaseGroup for name in (group.value, group.zh)}

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    line: int
    officer_no: str
    first_day: date
    last_day: date
    reason: str | None


@dataclass(frozen=True, slots=True)
class PairingLine:
    line: int
    household_no: str
    officer_no: str
    division: str
    since: date | None
    until: date | None
    base_group: BaseGroup | None
    reason: str | None


def read_absences(lines: Sequence[tuple[int, Cells]]) -> tuple[list[AbsenceLine], list[LineError]]:
    """Days off, each line with the number it has in its file."""
    read: list[AbsenceLine] = []
    errors: list[LineError] = []
    for number, line in lines:
        found = common_errors(number, line, _ABSENCES, REQUIRED_OF[Sheet.ABSENCES])
        first, last = (read_day(number, _ABSENCES[name], line.get(name, "")) for name in ("first_day", "last_day"))
        found += [day for day in (first, last) if isinstance(day, LineError)]
        if isinstance(first, date) and isinstance(last, date) and last < first:
            found.append(LineError(number, _ABSENCES["last_day"], "ends_before", "请假止不能早于请假起"))
        if not found and isinstance(first, date) and isinstance(last, date):
            read.append(AbsenceLine(number, line["officer_no"], first, last, line.get("reason") or None))
        errors += found
    return read, errors


def read_pairings(lines: Sequence[tuple[int, Cells]], scope: str) -> tuple[list[PairingLine], list[LineError]]:
    """Pairings of households within the division `scope`, each line with the number it has in its file."""
    read: list[PairingLine] = []
    errors: list[LineError] = []
    for number, line in lines:
        found = _read_pairing(number, line, scope)
        if isinstance(found, PairingLine):
            read.append(found)
        else:
            errors += found
    return read, errors


def _read_pairing(number: int, line: Cells, scope: str) -> PairingLine | list[LineError]:
    errors = common_errors(number, line, _PAIRINGS, REQUIRED_OF[Sheet.PAIRINGS])
    since, until = (read_day(number, _PAIRINGS[name], line.get(name, "")) for name in ("since", "until"))
    errors += [day for day in (since, until) if isinstance(day, LineError)]
    if isinstance(since, date) and isinstance(until, date) and until <= since:
        errors.append(LineError(number, _PAIRINGS["until"], "ends_before", "结对止应晚于结对起"))
    group = line.get("base_group", "")
    if group and group not in _GROUPS:
        expected = "、".join(group.zh for group in BaseGroup)
        errors.append(
            LineError(number, _PAIRINGS["base_group"], "unknown_group", "没有这个户类型", expected, "脱贫户")
        )
    place = _village(number, line.get("division", ""), scope)
    errors += [place] if isinstance(place, LineError) else []
    if errors or isinstance(since, LineError) or isinstance(until, LineError) or isinstance(place, LineError):
        return errors
    texts = line["household_no"], line["officer_no"], place
    return PairingLine(number, *texts, since, until, _GROUPS.get(group), line.get("reason") or None)


def _village(number: int, text: str, scope: str) -> str | LineError:
    column = _PAIRINGS["division"]
    try:
        code = parse_division(text)
    except DivisionCodeError:
        return LineError(number, column, "division_format", "区划代码不正确", "12 位数字", EXAMPLES["division"])
    if not covers(scope, code):
        return LineError(number, column, "out_of_range", "超出您的行政区划范围", scope)
    if level_of(code) is not DivisionLevel.VILLAGE:
        return LineError(number, column, "not_a_village", "应填农户居住的村", "村级代码", EXAMPLES["division"])
    return code
