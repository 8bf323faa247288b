"""The table of routes as a county keeps it (路由表): one line per node, read strictly, into one tree."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from services.alerts.domain.alert_labels import LABELS
from services.alerts.domain.clocks import ClockUnit, Length
from services.alerts.domain.condition import EXAMPLE, read_condition
from services.alerts.domain.officer_list import LEVEL_OF_ROLE
from services.alerts.domain.route import Matcher, Node, Plan
from shared.vocabulary.identity_number import holds_identity_number
from shared.vocabulary.terms import Role

MOST_LINES = 500
DEEPEST = 10
LONGEST_CELL = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """A column's header, an example of a cell, and whether the root must fill it in; others take it from above."""

    zh: str
    example: str
    is_inherited: bool = True


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "node": Column("节点", "红色", False),
        "parent": Column("上级节点", "全县", False),
        "match": Column("条件", EXAMPLE, False),
        "continue": Column("继续匹配", "否", False),
        "tell": Column("通知角色", "网格员、村党支部书记"),
        "escalate": Column("升级链", "村党支部书记>乡镇分管领导>县级管理员"),
        "waits": Column("逐级等待", "4小时、2小时"),
        "group_by": Column("分组", "村"),
        "group_wait": Column("分组等待", "30秒"),
        "group_interval": Column("分组间隔", "5分钟"),
        "repeat_interval": Column("重复间隔", "1天"),
        "calendar": Column("日历", "工作日历"),
        "urgent": Column("紧急", "否"),
    }
)
INHERITED = tuple(name for name, column in COLUMNS.items() if column.is_inherited)
# What even the root may leave open.
_OPTIONAL = ("urgent", "waits")

Row = Mapping[str, str]
Parsed = tuple[Any, str | None]
"""A cell's value, or why there is none."""


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one line (from 1, the header not counted) and column; what is right, an example."""

    line: int
    column: str
    code: str
    message: str
    expected: str | None = None
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line as read: its own cells only."""

    number: int
    name: str
    parent: str
    matchers: tuple[Matcher, ...]
    continues: bool
    own: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """The tree, or what is wrong; `warnings` are of lines that can never apply."""

    root: Node | None
    errors: tuple[RowError, ...] = ()
    warnings: tuple[RowError, ...] = ()


def read_routes(rows: Sequence[tuple[int, Row]], scope: str | None) -> Read:
    """Read numbered rows of named cells; divisions within `scope` (None: anywhere)."""
    if not 0 < len(rows) <= MOST_LINES:
        return Read(None, (RowError(len(rows), "节点", "line_count", f"应有 1 至 {MOST_LINES} 行"),))
    lines, errors = [], []
    for number, row in rows:
        line, wrong = _line(number, row, scope)
        errors += wrong
        lines += [line] if line else []
    errors += [] if errors else [*_shape_errors(lines), *_root_errors(lines[0]), *_wait_errors(lines)]
    if errors:
        return Read(None, tuple(errors))
    return Read(_node(lines[0], lines, {}), (), tuple(_never_reached(lines)))


def is_blank(row: Row) -> bool:
    return not any(row.values())


def _line(number: int, row: Row, scope: str | None) -> tuple[Line | None, list[RowError]]:
    errors = [_error(number, name, "unreadable", "内容过长、含有控制字符或身份证号") for name in _unreadable(row)]
    if errors:
        return None, errors
    matchers, wrong = read_condition(row.get("match", ""), scope)
    errors = [RowError(number, COLUMNS["match"].zh, e.code, e.message, e.expected, e.example) for e in wrong]
    if not 0 < len(row.get("node", "")) <= 50:
        errors.append(_error(number, "node", "missing", "节点名称不能为空，且不超过 50 字"))
    own: dict[str, Any] = {}
    for name in ("continue", *INHERITED):
        if not row.get(name):
            continue
        value, problem = _READERS[name](row[name])
        if problem:
            errors.append(_error(number, name, "value_refused", problem))
        own[name] = value
    continues = bool(own.pop("continue", False))
    line = Line(number, row.get("node", ""), row.get("parent", ""), matchers, continues, own)
    return (None if errors else line), errors


def _unreadable(row: Row) -> Iterator[str]:
    for name, text in row.items():
        if len(text) > LONGEST_CELL or "\x00" in text or holds_identity_number(text):
            yield name


def _shape_errors(lines: Sequence[Line]) -> Iterator[RowError]:
    """One root, first; each other line below one that stands before it, so that there is no circle."""
    depths: dict[str, int] = {}
    for index, line in enumerate(lines):
        if line.name in depths:
            yield _error(line.number, "node", "repeated", f"节点“{line.name}”重复")
        if index == 0 and line.parent:
            yield _error(line.number, "parent", "root_has_parent", "第一行是根节点，不填上级节点")
        if index > 0 and line.parent not in depths:
            known = "、".join(depths)[:200]
            yield _error(line.number, "parent", "unknown_parent", "上级节点应在本行之前定义", known)
        depths[line.name] = depths.get(line.parent, 0) + 1
        if depths[line.name] > DEEPEST:
            yield _error(line.number, "parent", "too_deep", f"最多 {DEEPEST} 层")


def _root_errors(root: Line) -> Iterator[RowError]:
    """The root takes whatever nothing else takes, so nothing may be left open there."""
    if root.matchers:
        yield _error(root.number, "match", "root_has_condition", "根节点不填条件，它接收所有预警")
    if root.continues:
        yield _error(root.number, "continue", "root_continues", "根节点没有同级节点，不能继续匹配")
    for name in INHERITED:
        if name not in root.own and name not in _OPTIONAL:
            yield _error(root.number, name, "missing", f"根节点须填写{COLUMNS[name].zh}")


def _wait_errors(lines: Sequence[Line]) -> Iterator[RowError]:
    """Each step but the last waits; what a line's own chain leaves over of the waits from above is not used."""
    chains: dict[str, Sequence[Any]] = {}
    for line in lines:
        chain = chains[line.name] = line.own.get("escalate") or chains.get(line.parent, ())
        most = max(len(chain) - 1, 0)
        if len(line.own.get("waits", ())) > most:
            message = f"升级链有 {len(chain)} 级，最后一级之后不再升级，至多填 {most} 个等待"
            yield _error(line.number, "waits", "too_many_waits", message)


def _never_reached(lines: Sequence[Line]) -> Iterator[RowError]:
    taken: dict[str, str] = {}
    for line in lines[1:]:
        if line.parent in taken:
            message = f"同级的“{taken[line.parent]}”没有条件且不继续匹配，本节点永远不会生效"
            yield _error(line.number, "match", "never_reached", message)
        elif not line.matchers and not line.continues:
            taken[line.parent] = line.name


def _node(line: Line, lines: Sequence[Line], above: Mapping[str, Any]) -> Node:
    settings = {**above, **line.own}
    children = tuple(_node(child, lines, settings) for child in lines if child.parent == line.name)
    return Node(line.name, _plan(settings), line.matchers, line.continues, children)


def _plan(settings: Mapping[str, Any]) -> Plan:
    return Plan(
        tell=settings["tell"],
        escalate=settings["escalate"],
        group_by=settings["group_by"],
        group_wait=settings["group_wait"],
        group_interval=settings["group_interval"],
        repeat_interval=settings["repeat_interval"],
        calendar=settings["calendar"],
        is_urgent=settings.get("urgent", False),
        waits=settings.get("waits", ())[: len(settings["escalate"]) - 1],
    )


def _error(line: int, name: str, code: str, message: str, expected: str | None = None) -> RowError:
    column = COLUMNS.get(name)
    return RowError(
        line, column.zh if column else name[:40], code, message, expected, column.example if column else None
    )


# --- cells ---------------------------------------------------------------------------------------------------

_YES, _NO = frozenset({"是", "true", "yes", "1"}), frozenset({"否", "false", "no", "0"})
_BETWEEN = re.compile(r"[、,，/\s]+")
_DURATION = re.compile(r"([0-9]{1,6})\s*(秒|分钟|分|小时|时|天|日|s|m|h|d)")
_SECONDS = {
    **dict.fromkeys(("秒", "s"), 1),
    **dict.fromkeys(("分钟", "分", "m"), 60),
    **dict.fromkeys(("小时", "时", "h"), 3600),
    **dict.fromkeys(("天", "日", "d"), 86400),
}
LONGEST = timedelta(days=31)
_WAIT = re.compile(r"([0-9]{1,4})\s*个?(小时|时|h|工作小时|天|日|d|工作日)")
_UNITS = {
    **dict.fromkeys(("小时", "时", "h"), ClockUnit.HOURS),
    "工作小时": ClockUnit.WORKING_HOURS,
    **dict.fromkeys(("天", "日", "d"), ClockUnit.DAYS),
    "工作日": ClockUnit.WORKING_DAYS,
}
_MOST = {
    **dict.fromkeys((ClockUnit.HOURS, ClockUnit.WORKING_HOURS), LONGEST // timedelta(hours=1)),
    **dict.fromkeys((ClockUnit.DAYS, ClockUnit.WORKING_DAYS), LONGEST.days),
}
_ROLES = {
    **{role.value: role for role in LEVEL_OF_ROLE},
    **{role.zh: role for role in LEVEL_OF_ROLE},
    "村书记": Role.VILLAGE_SECRETARY,
    "第一书记": Role.FIRST_SECRETARY,
    "包村干部": Role.VILLAGE_CADRE,
    "分管领导": Role.TOWNSHIP_DEPUTY,
    "县级专班": Role.COUNTY_ADMIN,
}


def _truth(text: str) -> Parsed:
    word = text.lower()
    return (word in _YES, None) if word in _YES | _NO else (None, f"“{text[:20]}”应为“是”或“否”")


def _roles(text: str) -> Parsed:
    words = [word for word in _BETWEEN.split(text) if word]
    wrong = next((word for word in words if word not in _ROLES), None)
    if wrong is not None:
        return None, f"没有“{wrong[:20]}”这个角色，应为{'、'.join(role.zh for role in LEVEL_OF_ROLE)}"
    found = tuple(dict.fromkeys(_ROLES[word] for word in words))
    return (found, None) if found else (None, "至少一个角色")


def _steps(text: str) -> Parsed:
    steps = [_roles(step) for step in re.split(r"[>＞→]", text)]
    problem = next((problem for _, problem in steps if problem), None)
    return (None, problem) if problem else (tuple(step for step, _ in steps), None)


def _label_names(text: str) -> Parsed:
    known = {**{name: name for name in LABELS}, **{label.zh: name for name, label in LABELS.items()}}
    words = [word for word in _BETWEEN.split(text) if word]
    wrong = next((word for word in words if word not in known), None)
    if wrong is not None:
        return None, f"没有“{wrong[:20]}”这个标签，应为{'、'.join(label.zh for label in LABELS.values())}"
    return tuple(dict.fromkeys(known[word] for word in words)), None


def _duration(text: str) -> Parsed:
    if text == "0":
        return timedelta(0), None
    found = _DURATION.fullmatch(text)
    if found is None:
        return None, f"“{text[:20]}”应为数字加单位：秒、分钟、小时、天"
    value = timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    return (value, None) if value <= LONGEST else (None, f"最长 {LONGEST.days} 天")


def _waits(text: str) -> Parsed:
    """How long each step waits, from the first on."""
    waits = [_wait(word.strip()) for word in re.split(r"[、,，>＞→]", text)]
    problem = next((problem for _, problem in waits if problem), None)
    return (None, problem) if problem else (tuple(wait for wait, _ in waits), None)


def _wait(text: str) -> Parsed:
    found = _WAIT.fullmatch(text)
    if found is None:
        return None, f"“{text[:20]}”应为数字加单位：小时、工作小时、天、工作日"
    length = Length(int(found[1]), _UNITS[found[2]])
    most = _MOST[length.unit]
    return (length, None) if 1 <= length.number <= most else (None, f"“{text[:20]}”应在 1 与 {most} 之间")


def _calendar(text: str) -> Parsed:
    return (text, None) if len(text) <= 50 else (None, "日历名称不超过 50 字")


_READERS = {
    "continue": _truth,
    "tell": _roles,
    "escalate": _steps,
    "waits": _waits,
    "group_by": _label_names,
    "group_wait": _duration,
    "group_interval": _duration,
    "repeat_interval": _duration,
    "calendar": _calendar,
    "urgent": _truth,
}
