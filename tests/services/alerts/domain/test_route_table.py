"""Tables of routes: what the root says holds below it, and no table whatsoever breaks the reader."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.clocks import ClockUnit, Length
from services.alerts.domain.route import matching, nodes_of
from services.alerts.domain.route_difference import difference
from services.alerts.domain.route_table import COLUMNS, DEEPEST, MOST_LINES, read_routes
from shared.vocabulary.terms import Role

ROOT = {
    "node": "全县",
    "tell": "网格员",
    "escalate": "村书记>第一书记/分管领导>县级专班",
    "group_by": "村",
    "group_wait": "0",
    "group_interval": "5分钟",
    "repeat_interval": "1天",
    "calendar": "工作日历",
}


def numbered(*rows: dict[str, str]) -> list[tuple[int, dict[str, str]]]:
    return list(enumerate(rows, 1))


def codes(*rows: dict[str, str]) -> list[str]:
    return [error.code for error in read_routes(numbered(*rows), None).errors]


def test_what_a_line_leaves_open_it_takes_from_above() -> None:
    child = {"node": "红", "parent": "全县", "match": "等级=红色", "group_wait": "2小时", "urgent": "是"}
    grandchild = {"node": "村", "parent": "红", "match": "村=130624100201", "tell": "村书记"}
    root = read_routes(numbered(ROOT, child, grandchild), None).root
    assert root is not None
    plans = {node.name: node.plan for node in nodes_of(root)}
    assert plans["全县"].escalate == (
        (Role.VILLAGE_SECRETARY,),
        (Role.FIRST_SECRETARY, Role.TOWNSHIP_DEPUTY),
        (Role.COUNTY_ADMIN,),
    )
    assert (plans["红"].tell, plans["村"].tell) == ((Role.GRID_WORKER,), (Role.VILLAGE_SECRETARY,))
    assert (plans["村"].group_wait, plans["村"].repeat_interval) == (timedelta(hours=2), timedelta(days=1))
    assert [plans[name].is_urgent for name in ("全县", "红", "村")] == [False, True, True]


def test_a_table_has_its_bounds() -> None:
    lines = [{"node": f"n{i}", "parent": "全县"} for i in range(MOST_LINES)]
    assert codes() == codes(ROOT, *lines) == ["line_count"]
    assert codes(ROOT, *lines[: MOST_LINES - 1]) == []
    deep = [{"node": f"n{i}", "parent": f"n{i - 1}" if i else "全县"} for i in range(DEEPEST)]
    assert codes(ROOT, *deep) == ["too_deep"]
    assert codes(ROOT, *deep[:-1]) == []


def test_durations_up_to_their_bound() -> None:
    assert codes({**ROOT, "repeat_interval": "31天"}) == []
    for wrong in ("32天", "1", "-1秒", "1.5小时", "一天", "9999999秒"):
        assert codes({**ROOT, "repeat_interval": wrong}) == ["value_refused"], wrong


def test_what_is_otherwise_between_two_tables() -> None:
    child = {"node": "红", "parent": "全县", "match": "等级=红色"}
    assert difference([ROOT, child], [ROOT, child]).changed == {}
    found = difference([ROOT, child], [{**ROOT, "calendar": "全天"}])
    assert (found.added, found.removed, found.is_reordered) == ((), ("红",), False)
    assert found.changed == {"全县": {"日历": ("工作日历", "全天")}}


CELLS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "全县", "a", "b", "等级=红色", "是", "否", "网格员", "村书记>县级专班", "1天", "0", "村", "原因=~因病"]
    ),
)
LINES = st.lists(st.dictionaries(st.sampled_from(list(COLUMNS)), CELLS), max_size=6)


@given(LINES)
def test_any_table_is_read_or_refused(lines: Any) -> None:
    read = read_routes(numbered(*lines), "130624000000")
    assert (read.root is None) == bool(read.errors)


@given(LINES, st.sampled_from(["red", "yellow"]))
def test_any_table_below_a_sound_root_sends_every_alert_somewhere(lines: Any, severity: str) -> None:
    read = read_routes(numbered(ROOT, *lines), "130624000000")
    if read.root is not None:
        nodes = matching(read.root, {"severity": (severity,)})
        assert nodes
        assert all(node.plan.tell for node in nodes)


def waits_of(table: list[dict[str, str]], name: str) -> tuple[Length, ...]:
    root = read_routes(numbered(*table), None).root
    assert root is not None
    return next(node.plan.waits for node in nodes_of(root) if node.name == name)


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("", ()),
        ("4小时、2小时", (Length(4, ClockUnit.HOURS), Length(2, ClockUnit.HOURS))),
        ("8 工作小时, 1个工作日", (Length(8, ClockUnit.WORKING_HOURS), Length(1, ClockUnit.WORKING_DAYS))),
        ("1天>12h", (Length(1, ClockUnit.DAYS), Length(12, ClockUnit.HOURS))),
        ("744小时、31个工作日", (Length(744, ClockUnit.HOURS), Length(31, ClockUnit.WORKING_DAYS))),
    ],
)
def test_waits_are_read_in_their_units(text: str, waits: tuple[Length, ...]) -> None:
    assert waits_of([{**ROOT, "waits": text}], "全县") == waits


def test_waits_have_their_bounds() -> None:
    for wrong in (
        "0小时",
        "745小时",
        "745工作小时",
        "0天",
        "32天",
        "32工作日",
        "4",
        "四小时",
        "1.5小时",
        "4小时、",
        "4周",
    ):
        assert codes({**ROOT, "waits": wrong}) == ["value_refused"], wrong


def test_each_step_waits_but_the_last() -> None:
    assert codes({**ROOT, "waits": "4小时、2小时"}) == []
    assert codes({**ROOT, "waits": "4小时、2小时、1小时"}) == ["too_many_waits"]
    short = {"node": "红", "parent": "全县", "match": "等级=红色", "escalate": "村书记>县级专班"}
    assert codes(ROOT, {**short, "waits": "4小时"}) == []
    assert codes(ROOT, {**short, "waits": "4小时、2小时"}) == ["too_many_waits"]
    assert codes(ROOT, short, {"node": "村", "parent": "红", "waits": "4小时、2小时"}) == ["too_many_waits"]
    assert codes({**ROOT, "escalate": "县级专班", "waits": "4小时"}) == ["too_many_waits"]


def test_waits_are_taken_from_above() -> None:
    red = {"node": "红", "parent": "全县", "match": "等级=红色"}
    table = [{**ROOT, "waits": "4小时、2小时"}, red, {"node": "村", "parent": "红", "waits": "1小时"}]
    assert waits_of(table, "红") == (Length(4, ClockUnit.HOURS), Length(2, ClockUnit.HOURS))
    assert waits_of(table, "村") == (Length(1, ClockUnit.HOURS),)
    assert waits_of([table[0], {**red, "escalate": "村书记>县级专班"}], "红") == (Length(4, ClockUnit.HOURS),)
    assert waits_of([table[0], {**red, "escalate": "县级专班"}], "红") == ()
