"""The list of officers as a county keeps it (责任人名册): one line per post, read strictly, line by line."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.vocabulary.division import DivisionCodeError, DivisionLevel, covers, level_of, parse_division
from shared.vocabulary.identity_number import holds_identity_number
from shared.vocabulary.terms import Role

COLUMNS = {
    "officer_no": "工号",
    "name": "姓名",
    "role": "角色",
    "phone": "手机",
    "email": "邮箱",
    "division": "行政区划代码",
}
# May be left out of a list; a blank cell leaves what is known as it is.
MORE_COLUMNS = {
    "valid_from": "任职起",
    "valid_to": "任职止",
    "deputy_no": "代理人工号",
    "households": "负责户数",
    "household_no": "本人户编号",
    "department": "部门",
}
ALL_COLUMNS = {**COLUMNS, **MORE_COLUMNS}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_DAY = re.compile(r"(\d{4})(?:[-/.年](?=\d+[-/.月])|(?=\d{4}$))(\d{1,2})[-/.月]?(\d{1,2})日?", re.ASCII)
EXAMPLES = {
    "officer_no": "GB0001",
    "name": "李四",
    "role": "村党支部书记",
    "division": "130624100201",
    "household_no": "H13062410020100001",
    "first_day": "2026-03-15",
    "last_day": "2026-03-20",
}
_REQUIRED = ("officer_no", "name", "role", "division")

LEVEL_OF_ROLE = {
    Role.GRID_WORKER: DivisionLevel.VILLAGE,
    Role.VILLAGE_SECRETARY: DivisionLevel.VILLAGE,
    Role.FIRST_SECRETARY: DivisionLevel.VILLAGE,
    Role.VILLAGE_CADRE: DivisionLevel.VILLAGE,
    Role.TOWNSHIP_DEPUTY: DivisionLevel.TOWNSHIP,
    Role.TOWNSHIP_LEADER: DivisionLevel.TOWNSHIP,
    Role.COUNTY_ADMIN: DivisionLevel.COUNTY,
    Role.LIAISON: DivisionLevel.COUNTY,
}
_LEVELS_ZH = {
    DivisionLevel.VILLAGE: "村",
    DivisionLevel.TOWNSHIP: "乡镇",
    DivisionLevel.COUNTY: "县",
}
_ROLES = {
    **{role.value: role for role in LEVEL_OF_ROLE},
    **{role.zh: role for role in LEVEL_OF_ROLE},
    "村书记": Role.VILLAGE_SECRETARY,
    "第一书记": Role.FIRST_SECRETARY,
    "分管领导": Role.TOWNSHIP_DEPUTY,
    "县级专班": Role.COUNTY_ADMIN,
}


@dataclass(frozen=True, slots=True)
class OfficerLine:
    """One officer with one of his posts, and the line (from 1, without the header) he was read from."""

    line: int
    officer_no: str
    name: str
    role: Role
    division: str
    phone: str | None = None
    email: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    deputy_no: str | None = None
    households: int | None = None
    household_no: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong in one line and column, what is right, an example.

    Lines count from 1, the header of a list sent as rows not counted; of a file they are the rows of the file.
    """

    line: int
    column: str
    code: str
    message: str
    expected: str | None = None
    example: str | None = None


def read_lines(lines: Sequence[Mapping[str, str | None]], scope: str) -> tuple[list[OfficerLine], list[LineError]]:
    """Read lines of named columns; only posts within the division `scope` are accepted."""
    read, errors = [], []
    for number, line in enumerate(lines, start=1):
        found = _read_line(number, {name: (value or "").strip() for name, value in line.items()}, scope)
        if isinstance(found, OfficerLine):
            read.append(found)
        else:
            errors += found
    return read, errors + _conflicts(read)


def _read_line(number: int, line: Mapping[str, str], scope: str) -> OfficerLine | list[LineError]:
    errors = common_errors(number, line, ALL_COLUMNS, _REQUIRED)
    email = line.get("email") or None
    if email and not is_address(email):
        errors.append(LineError(number, COLUMNS["email"], "email_format", "邮箱格式不正确", "name@example.gov.cn"))
    if errors:
        return errors
    role, division = _ROLES.get(line["role"]), _division(line["division"])
    more, errors = _more(number, line)
    errors += _post_errors(number, role, division, scope)
    if role is Role.LIAISON and not line.get("department"):
        errors.append(missing(number, MORE_COLUMNS["department"], "教育局"))
    if errors or role is None or division is None:
        return errors
    return OfficerLine(
        number, line["officer_no"], line["name"], role, division, line.get("phone") or None, email, **more
    )


def common_errors(
    number: int, line: Mapping[str, str], columns: Mapping[str, str], required: Iterable[str]
) -> list[LineError]:
    """What may be wrong in any cell: blank where something must stand, too long, a number that belongs nowhere."""
    errors = [missing(number, columns[name], EXAMPLES.get(name)) for name in required if not line.get(name)]
    too_long = [name for name in columns if len(line.get(name, "")) > 100 or "\x00" in line.get(name, "")]
    errors += [LineError(number, columns[name], "unreadable", "内容过长或含有控制字符") for name in too_long]
    named = [name for name in columns if holds_identity_number(line.get(name, ""))]
    return errors + [
        LineError(number, columns[name], "identity_number_misplaced", "不得填写身份证号") for name in named
    ]


def missing(number: int, column: str, example: str | None) -> LineError:
    return LineError(number, column, "missing", f"{column}不能为空", "必填", example)


def read_day(number: int, column: str, text: str) -> date | LineError | None:
    """A day as people write it; None for a blank cell."""
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else _no_day(number, column)
    except ValueError:
        return _no_day(number, column)


def _no_day(number: int, column: str) -> LineError:
    return LineError(number, column, "date_format", "日期不正确", "年-月-日", "2026-03-15")


def _more(number: int, line: Mapping[str, str]) -> tuple[dict[str, Any], list[LineError]]:
    """The columns that may be left out; a post that ends before it begins is a mistake."""
    days = {name: read_day(number, MORE_COLUMNS[name], line.get(name, "")) for name in ("valid_from", "valid_to")}
    errors = [day for day in days.values() if isinstance(day, LineError)]
    since, until = days["valid_from"], days["valid_to"]
    if isinstance(since, date) and isinstance(until, date) and until <= since:
        errors.append(LineError(number, MORE_COLUMNS["valid_to"], "ends_before", "任职止应晚于任职起"))
    count = line.get("households", "")
    if count and not (count.isascii() and count.isdigit() and len(count) <= 5):
        expected = "0 到 99999 的整数"
        errors.append(LineError(number, MORE_COLUMNS["households"], "count_format", "户数不正确", expected, "86"))
    if line.get("deputy_no") and line["deputy_no"] == line["officer_no"]:
        errors.append(
            LineError(number, MORE_COLUMNS["deputy_no"], "own_deputy", "代理人不能是本人", "另一位干部的工号")
        )
    if errors:
        return {}, errors
    texts = {name: line.get(name) or None for name in ("deputy_no", "household_no", "department")}
    return {**days, **texts, "households": int(count) if count else None}, []


def is_address(email: str) -> bool:
    """Whether a text can be a mail address; only the mail server knows whether it is one."""
    return _ADDRESS.fullmatch(email) is not None


def _division(text: str) -> str | None:
    try:
        return parse_division(text)
    except DivisionCodeError:
        return None


def _post_errors(number: int, role: Role | None, division: str | None, scope: str) -> list[LineError]:
    errors = []
    if role is None:
        expected = "、".join(role.zh for role in LEVEL_OF_ROLE)
        errors.append(LineError(number, COLUMNS["role"], "unknown_role", "没有这个角色", expected, "网格员"))
    if division is None:
        errors.append(
            LineError(number, COLUMNS["division"], "division_format", "区划代码不正确", "12 位数字", "130624100201")
        )
    elif not covers(scope, division):
        errors.append(LineError(number, COLUMNS["division"], "out_of_range", "超出您的行政区划范围", scope))
    if role and division and level_of(division) is not LEVEL_OF_ROLE[role]:
        expected = f"{role.zh}应填{_LEVELS_ZH[LEVEL_OF_ROLE[role]]}级代码"
        errors.append(LineError(number, COLUMNS["division"], "role_level", "角色与区划级别不符", expected))
    return errors


def _conflicts(lines: Sequence[OfficerLine]) -> list[LineError]:
    """The same number for two people is a mistake that must not choose by itself who is right."""
    names: dict[str, str] = {}
    return [
        LineError(line.line, COLUMNS["officer_no"], "conflict", "同一工号对应不同姓名")
        for line in lines
        if names.setdefault(line.officer_no, line.name) != line.name
    ]
