"""Each of the eighty checks fires on the doubtful household of its case, and on nobody who is right."""

from collections import defaultdict
from typing import Any

import pytest

from services.monitoring.check_quality import check_due
from services.monitoring.domain.quality_check import Level
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.quality_book import quality_book
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import assess_all, deliver, observed
from tests.services.monitoring.quality_cases import (
    CASES,
    DOUBTFUL,
    OTHER_VILLAGE,
    RIGHT,
    TODAY,
    Case,
    cases,
    read,
    rows_of,
    told,
)

Found = dict[str, set[str]]


@pytest.fixture
async def found(monitoring_runtime: Runtime) -> Found:
    """All households of the cases in one county, assessed and checked: the codes found, by household."""
    runtime = monitoring_runtime
    line = await _line(runtime)
    groups, relations, events = {}, {}, []
    for case in cases():
        rows = rows_of(case, line)
        groups[case.household_no] = read(rows, runtime.keys)
        relations[case.household_no] = case.said.get("登记关系", {})
        events += _besides(case, rows, groups, runtime)
    numbers = list(groups)
    for first in range(0, len(numbers), 150):
        await deliver(runtime, told({no: groups[no] for no in numbers[first : first + 150]}, runtime.keys, relations))
    await deliver(runtime, *events)
    await runtime.worker_pool.execute(
        "UPDATE household SET registered_division = $1, living_division = $1 WHERE household_no = 'OTHER'",
        OTHER_VILLAGE,
    )
    for case in cases():
        if "户主死亡" in case.said:
            await runtime.worker_pool.execute(
                "UPDATE household_member m SET status = 'deceased' FROM household h WHERE relation = '户主'"
                " AND h.household_id = m.household_id AND h.household_no = $1",
                case.household_no,
            )
    await assess_all(runtime)
    while await check_due(runtime):
        pass
    rows = await runtime.worker_pool.fetch(
        "SELECT household_no, check_code FROM quality_finding JOIN household USING (household_id)"
    )
    by_household: Found = defaultdict(set)
    for row in rows:
        by_household[row["household_no"]].add(row["check_code"])
    return by_household


def _besides(case: Case, rows: list[dict[str, str]], groups: dict[str, Any], runtime: Runtime) -> list[Any]:
    """What a case needs beside its own household: another one, or a department's word."""
    said = case.said
    if "同一人也在另一户" in said:
        other = dict(rows[said["同一人也在另一户"] - 1], 户编号="TWICE", 与户主关系="户主", 户类型="一般农户")
        groups["TWICE"] = read([other], runtime.keys)
    if "另一户电话相同" in said:
        other_case = Case("other", RIGHT, {}, 400)
        others = rows_of(other_case, 0)
        for row in others:
            row["户编号"] = "OTHER"
        others[0]["联系电话"] = rows[0]["联系电话"]
        groups["OTHER"] = read(others, runtime.keys)
    if "公安死亡" in said:
        number = rows[said["公安死亡"] - 1]["证件号码"]
        death = {
            "record": "D1",
            "person": runtime.keys.blind_index(number).hex(),
            "kind": "event.death",
            "occurred_on": "2026-02-01",
        }
        return [observed([death], data_set="deaths", department="公安")]
    return []


async def _line(runtime: Runtime) -> int:
    async with transaction(runtime.worker_pool) as connection:
        in_force = await policy_in_force(connection, "130624", TODAY)
    number: int = in_force.parameters.number("monitoring_line")
    return number // 100


async def test_every_check_fires_on_its_case_and_not_on_the_right_one(found: Found) -> None:
    wrong = {}
    for case in cases():
        if (case.code in found[case.household_no]) != (case.side == DOUBTFUL):
            wrong[f"{case.code}/{case.side}"] = sorted(found[case.household_no])
    assert wrong == {}


async def test_a_household_that_is_right_raises_no_doubt_at_all(found: Found) -> None:
    plain = {case.household_no for case in cases() if not case.said}
    assert plain
    assert {no: found[no] for no in plain if found[no]} == {}


def test_all_eighty_are_there_and_each_has_a_case() -> None:
    book = quality_book()
    assert {check.number for check in book.checks.values() if check.number} == set(range(1, 81))
    tested = {**CASES["算例"], **CASES["拒收"], **CASES["村"]}
    assert set(tested) == set(book.checks)
    by_level = {"拒收": Level.INTAKE, "村": Level.VILLAGE}
    for part, level in by_level.items():
        assert {book.checks[code].level for code in CASES[part]} == {level}
