"""The list of officers as a county keeps it (责任人名册): one line per post, read strictly, line by line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_REQUIRED = ("officer_no", "name", "role", "division")

LEVEL_OF_ROLE = {
    Role.GRID_WORKER: DivisionLevel.VILLAGE,
    Role.VILLAGE_SECRETARY: DivisionLevel.VILLAGE,
    Role.FIRST_SECRETARY: DivisionLevel.VILLAGE,
    Role.TOWNSHIP_LEADER: DivisionLevel.TOWNSHIP,
    Role.COUNTY_ADMIN: DivisionLevel.COUNTY,
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
    "乡镇长": Role.TOWNSHIP_LEADER,
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


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong in one line (from 1, the header of a file not counted) and column."""

    line: int
    column: str
    code: str
    message: str
    expected: str | None = None


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
    blank = [name for name in _REQUIRED if not line.get(name)]
    errors = [LineError(number, COLUMNS[name], "missing", f"{COLUMNS[name]}不能为空") for name in blank]
    too_long = [name for name in COLUMNS if len(line.get(name, "")) > 100 or "\x00" in line.get(name, "")]
    errors += [LineError(number, COLUMNS[name], "unreadable", "内容过长或含有控制字符") for name in too_long]
    named = [name for name in COLUMNS if holds_identity_number(line.get(name, ""))]
    errors += [LineError(number, COLUMNS[name], "identity_number_misplaced", "不得填写身份证号") for name in named]
    email = line.get("email") or None
    if email and not is_address(email):
        errors.append(LineError(number, COLUMNS["email"], "email_format", "邮箱格式不正确", "name@example.gov.cn"))
    if errors:
        return errors
    role, division = _ROLES.get(line["role"]), _division(line["division"])
    errors = _post_errors(number, role, division, scope)
    if errors or role is None or division is None:
        return errors
    return OfficerLine(number, line["officer_no"], line["name"], role, division, line.get("phone") or None, email)


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
        errors.append(LineError(number, COLUMNS["role"], "unknown_role", "没有这个角色", expected))
    if division is None:
        errors.append(LineError(number, COLUMNS["division"], "division_format", "区划代码不正确", "12 位数字"))
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
