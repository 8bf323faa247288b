"""What-if: who enters, who leaves, how many visits; every number with its list, parents the sum of their parts."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring import compare_policies
from services.monitoring.compare_policies import compare_due
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.workload import FIGURES, Group, by_division
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    COUNTY,
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    answered,
    assess_all,
    deliver,
    rostered,
)
from tests.services.monitoring.policies import POLICIES, TODAY, Bearer, Office, beside_the_line, line

TOWNSHIP, OTHER_TOWNSHIP = "130624100000", "130624101000"
MARGINAL = "marginal_at_risk"


@pytest.fixture
async def office(monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Office:
    await beside_the_line(monitoring_runtime)
    return Office(monitoring_client, bearer)


@pytest.fixture
def for_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No area is small, and a part is two households."""
    monkeypatch.setattr(compare_policies, "INLINE", 0)
    monkeypatch.setattr(compare_policies, "PART", 2)


def figures(shown: dict[str, Any], division: str = COUNTY) -> dict[str, int]:
    [found] = [each for each in shown["result"]["by_division"] if each["division"] == division]
    return {name: found[name]["households"] for name in FIGURES}


def kinds(shown: dict[str, Any], by: str) -> dict[str, tuple[int, ...]]:
    sides = ("before", "after", "entered", "left")
    found = {each["key"]: tuple(each[side]["households"] for side in sides) for each in shown["result"][by]}
    return {key: numbers for key, numbers in found.items() if any(numbers)}


async def test_a_higher_line_brings_in_who_stands_below_it(office: Office) -> None:
    shown = await office.compared(await office.draft())
    assert (shown["state"], shown["households"], shown["done"]) == ("finished", 3, 3)
    found = figures(shown)
    assert (found["listed_before"], found["listed_after"]) == (1, 2)
    assert (found["entered"], found["left"], found["changed"]) == (1, 0, 0)
    assert kinds(shown, "by_class")[MARGINAL] == (1, 2, 1, 0)
    assert kinds(shown, "by_indicator")["income_below_line"] == (1, 2, 1, 0)


async def test_a_lower_line_lets_go_who_stands_above_it(office: Office) -> None:
    shown = await office.compared(await office.draft(line("4000.00")))
    found = figures(shown)
    assert found["listed_before"] - found["left"] + found["entered"] == found["listed_after"]
    assert kinds(shown, "by_class")[MARGINAL] == (1, 0, 0, 1)
    assert kinds(shown, "by_indicator")["income_below_line"] == (1, 0, 0, 1)


async def test_the_same_values_change_nothing(office: Office) -> None:
    shown = await office.compared(await office.draft(line("9500.00")))
    found = figures(shown)
    assert found["listed_before"] == found["listed_after"] == 1
    assert not any(found[name] for name in ("entered", "left", "changed", "visits_new", "visits_spared"))


async def test_a_value_of_next_year_is_compared_as_if_it_held(office: Office) -> None:
    version = await office.draft(line("10000.00", "2027-01-01"))
    assert figures(await office.compared(version))["entered"] == 1


async def test_another_day_is_judged_by_the_values_of_that_day(office: Office) -> None:
    """In 2025 the line is 9,000 yuan and the register of 2025 tells of 2025's income, which nobody knew then."""
    shown = await office.compared(await office.draft(), on="2025-12-31")
    assert shown["on"] == "2025-12-31"
    assert figures(shown)["households"] == 3


async def test_parents_are_the_sum_of_their_parts(office: Office, monitoring_runtime: Runtime) -> None:
    shown = await office.compared(await office.draft())
    villages = [figures(shown, code) for code in (VILLAGE, OTHER_VILLAGE)]
    townships = [figures(shown, code) for code in (TOWNSHIP, OTHER_TOWNSHIP)]
    assert villages == townships
    assert {name: sum(each[name] for each in townships) for name in FIGURES} == figures(shown)
    rows = {each["division"]: each for each in shown["result"]["by_division"]}
    for side in ("minutes_before", "minutes_after"):
        assert rows[TOWNSHIP][side] + rows[OTHER_TOWNSHIP][side] == rows[COUNTY][side]
    assert rows[COUNTY]["minutes_after"] == rows[COUNTY]["visits_after"]["households"] * 90
    assert rows[COUNTY]["hours_after"] == rows[COUNTY]["minutes_after"] / 60


def test_figures_of_any_groups_add_up() -> None:
    codes = ["130624100201", "130624100202", "130624101201", "130625100201"]
    classes = [None, "a", "b"]
    groups = [
        Group(code, before, after, before is not None, bool(index % 2), 3 + index)
        for code in codes
        for before in classes
        for index, after in enumerate(classes)
    ]
    found = by_division("130600000000", dict.fromkeys(codes, 100), groups)
    for parent, parts in (
        ("130600000000", ["130624000000", "130625000000"]),
        ("130624000000", ["130624100000", "130624101000"]),
        ("130624100000", codes[:2]),
    ):
        assert found[parent] == {name: sum(found[part][name] for part in parts) for name in FIGURES}
    everyone = found["130600000000"]
    assert everyone["listed_before"] + everyone["entered"] - everyone["left"] == everyone["listed_after"]
    assert everyone["visits_before"] + everyone["visits_new"] - everyone["visits_spared"] == everyone["visits_after"]


# --- lists ---------------------------------------------------------------------------------------------------


def numbers(found: Any) -> Iterator[tuple[int, str]]:
    """Every number of an answer that has a query."""
    if isinstance(found, dict) and found.keys() == {"households", "query"}:
        yield found["households"], found["query"]
    elif isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            yield from numbers(each)


@pytest.mark.parametrize("value", ["10000.00", "4000.00"])
async def test_a_list_stands_behind_every_number(office: Office, value: str) -> None:
    shown = await office.compared(await office.draft(line(value)))
    queries = list(numbers(shown["result"]))
    assert len(queries) > 60
    for households, query in queries:
        answer = await office.client.get(query, headers=office.author)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == households, query


async def test_a_list_shows_both_sides_and_is_paged(office: Office) -> None:
    shown = await office.compared(await office.draft())
    address = f"/{shown['version']}/comparisons/{shown['comparison_id']}/households"
    [entered] = (await office.get(f"{address}?figure=entered"))["items"]
    assert (entered["household_no"], entered["before"]["recommendation"]) == ("F002", None)
    assert entered["after"]["recommendation"] == MARGINAL
    assert "income_below_line" in set(entered["after"]["fired"]) - set(entered["before"]["fired"])
    assert "*" in entered["head_name"]
    first = await office.get(f"{address}?limit=1&figure=listed_after")
    second = await office.get(f"{address}?limit=1&figure=listed_after&cursor={first['next_cursor']}")
    assert [each["household_no"] for each in first["items"] + second["items"]] == ["F001", "F002"]
    assert second["next_cursor"] is None
    assert (await office.get(f"{address}?figure=entered&division={VILLAGE}"))["items"] == []
    await office.get(f"{address}?figure=whatever", 422)


async def test_the_overlap_tells_which_indicators_fire_together(office: Office) -> None:
    shown = await office.compared(await office.draft())
    pairs = {tuple(each["indicators"]): (each["before"], each["after"]) for each in shown["result"]["overlap"]}
    before, after = pairs["dwelling_unsafe", "income_below_line"]
    assert (before["households"], after["households"]) == (0, 1)


# --- visits --------------------------------------------------------------------------------------------------


async def test_visits_are_for_what_is_not_listed_yet_and_for_grave_findings(office: Office) -> None:
    """F002 is visited for its house under either line; F001 for its class."""
    found = figures(await office.compared(await office.draft()))
    assert (found["visits_before"], found["visits_after"], found["visits_new"]) == (2, 2, 0)
    assert figures(await office.compared(await office.draft(line("50000.00"))), OTHER_VILLAGE)["visits_before"] == 1


async def test_the_usual_visits_are_those_that_were_made(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection
) -> None:
    household_no = await admin.fetchval("SELECT household_no FROM monitoring.household ORDER BY 1 LIMIT 1")
    for index in range(4):
        item = {
            "subject": f"household:{household_no}",
            "household_no": household_no,
            "living_division": VILLAGE,
            "facts_version": 1,
            "findings": [],
        }
        await deliver(monitoring_runtime, answered(item, alert=f"A{index}"))
    [load] = (await office.compared(await office.draft()))["result"]["load"]
    assert (load["county"], load["usual"], load["expected"], load["above"]) == ("130624", 2, 2 + load["new"], False)


async def visit(runtime: Runtime, admin: asyncpg.Connection, minutes: list[int], place: str = VILLAGE) -> None:
    """Visits to a household of a village, each of which took so long."""
    household_no = await admin.fetchval(
        "SELECT household_no FROM monitoring.household WHERE living_division = $1 ORDER BY 1 LIMIT 1", place
    )
    item = {
        "subject": f"household:{household_no}",
        "household_no": household_no,
        "living_division": place,
        "facts_version": 1,
        "findings": [],
    }
    for index, took in enumerate(minutes):
        await deliver(runtime, answered(item, alert=f"{place}-{took}-{index}", visit_minutes=took))


async def test_hours_are_visits_times_what_visits_took(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection
) -> None:
    """The median of twenty; nineteen are too few, and what is assumed counts."""
    draft = await office.draft()
    await visit(monitoring_runtime, admin, [30] * 10 + [61] * 9)
    assumed = (await office.compared(draft))["result"]
    assert (assumed["visit_minutes"], assumed["timed_visits"]) == (90, 0)
    await visit(monitoring_runtime, admin, [600])
    measured = (await office.compared(draft))["result"]
    # Between 30 and 61, half up; who took all day does not move it.
    assert (measured["visit_minutes"], measured["timed_visits"]) == (46, 20)
    for each in measured["by_division"]:
        assert each["minutes_after"] == each["visits_after"]["households"] * 46


async def test_a_township_counts_with_the_time_of_its_county(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection
) -> None:
    await visit(monitoring_runtime, admin, [40] * 20, OTHER_VILLAGE)
    shown = await office.compared(await office.draft(), division=TOWNSHIP)
    assert (shown["result"]["visit_minutes"], shown["result"]["timed_visits"]) == (40, 20)


async def test_visits_of_more_than_a_year_ago_say_nothing(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection
) -> None:
    await visit(monitoring_runtime, admin, [40] * 20)
    await admin.execute("UPDATE monitoring.verification SET verified_at = verified_at - interval '366 days'")
    shown = await office.compared(await office.draft())
    assert (shown["result"]["visit_minutes"], shown["result"]["timed_visits"]) == (90, 0)


# --- range, workers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("division", ["130625000000", "130600000000"])
async def test_an_area_out_of_range_is_not_compared(office: Office, division: str) -> None:
    await office.post(f"{await office.draft()}/compare", office.author, 403, json={"division": division})


async def test_a_comparison_is_seen_in_its_range_only(office: Office, bearer: Bearer) -> None:
    shown = await office.compared(await office.draft())
    address = f"{POLICIES}/{shown['version']}/comparisons/{shown['comparison_id']}"
    stranger = bearer("county_admin", "130625000000")
    for path in (address, f"{address}/households"):
        assert (await office.client.get(path, headers=office.author)).status_code == 200
        assert (await office.client.get(path, headers=stranger)).status_code == 404
    other = await office.draft()
    await office.get(f"/{other}/comparisons/{shown['comparison_id']}", 404)


async def test_unknown_versions_are_not_found(office: Office) -> None:
    await office.post("130624-20260315-00000000/compare", office.author, 404, json={})
    await office.post(f"{await office.draft()}/compare", office.author, 404, json={"against": "nothing"})


async def test_a_large_area_is_compared_part_by_part(
    office: Office, monitoring_runtime: Runtime, for_workers: None
) -> None:
    version = await office.draft()
    ordered = await office.post(f"{version}/compare", office.author, 202, json={})
    address = f"/{version}/comparisons/{ordered['comparison_id']}"
    assert (ordered["state"], ordered["done"], ordered["result"]) == ("running", 0, None)
    first = await compare_due(monitoring_runtime)
    assert first in {1, 2}, "parts are due at once: either may come first"
    assert ((await office.get(address))["done"], (await office.get(address))["state"]) == (first, "running")
    assert await compare_due(monitoring_runtime) == 3 - first
    finished = await office.get(address)
    assert (finished["done"], finished["state"], await compare_due(monitoring_runtime)) == (3, "finished", 0)
    inline = compare_policies.INLINE
    try:
        compare_policies.INLINE = 500
        at_once = await office.compared(version)
    finally:
        compare_policies.INLINE = inline
    assert kinds(finished, "by_indicator") == kinds(at_once, "by_indicator")
    assert figures(finished) == figures(at_once)


async def test_two_workers_end_with_the_result_of_one(
    office: Office, monitoring_runtime: Runtime, for_workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare_policies, "PART", 1)
    version = await office.draft()
    for _ in range(3):
        ordered = await office.post(f"{version}/compare", office.author, 202, json={})
        while sum(await asyncio.gather(*(compare_due(monitoring_runtime) for _ in range(3)))):
            pass
        finished = await office.get(f"/{version}/comparisons/{ordered['comparison_id']}")
        assert (finished["state"], finished["done"], figures(finished)["entered"]) == ("finished", 3, 1)


async def test_a_part_whose_worker_died_is_compared_again_once(
    office: Office, monitoring_runtime: Runtime, for_workers: None, admin: asyncpg.Connection
) -> None:
    version = await office.draft()
    ordered = await office.post(f"{version}/compare", office.author, 202, json={})
    await admin.execute(
        "UPDATE monitoring.policy_comparison_part SET lease_until = $1, lease_token = gen_random_uuid()",
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    while await compare_due(monitoring_runtime):
        pass
    finished = await office.get(f"/{version}/comparisons/{ordered['comparison_id']}")
    assert (finished["state"], figures(finished)["entered"]) == ("finished", 1)


async def test_a_comparison_can_be_stopped(office: Office, monitoring_runtime: Runtime, for_workers: None) -> None:
    version = await office.draft()
    ordered = await office.post(f"{version}/compare", office.author, 202, json={})
    address = f"{version}/comparisons/{ordered['comparison_id']}"
    await compare_due(monitoring_runtime)
    assert (await office.post(f"{address}/cancel", office.author, 200))["state"] == "cancelled"
    assert await compare_due(monitoring_runtime) == 0
    await office.post(f"{address}/cancel", office.author, 409)
    assert (await office.get(f"/{address}"))["result"] is None


async def test_what_is_published_meanwhile_does_not_move_a_comparison(
    office: Office, monitoring_runtime: Runtime, for_workers: None
) -> None:
    version, other = await office.draft(), await office.approved(line("11000.00"))
    compare_policies.INLINE = 500
    await office.compared(other)
    compare_policies.INLINE = 0
    ordered = await office.post(f"{version}/compare", office.author, 202, json={})
    await office.publish(other)
    while await compare_due(monitoring_runtime):
        pass
    finished = await office.get(f"/{version}/comparisons/{ordered['comparison_id']}")
    assert figures(finished)["entered"] == 1


async def test_two_shipped_versions_can_be_compared(office: Office) -> None:
    shown = await office.post(
        "in_force/compare", office.author, 200, json={"division": COUNTY, "against": load_policy().version}
    )
    assert figures(shown)["entered"] == figures(shown)["left"] == 0


async def test_an_empty_area_is_counted_too(office: Office) -> None:
    shown = await office.compared(await office.draft(), division="130624200000")
    assert (shown["state"], shown["households"], figures(shown, "130624200000")["households"]) == ("finished", 0, 0)


async def test_who_moved_is_counted_where_he_lives(office: Office, monitoring_runtime: Runtime) -> None:
    await deliver(
        monitoring_runtime,
        rostered(monitoring_runtime.keys, Home(no="F009", people=(9,), wage_fen=960_000, grade="D")),
    )
    await assess_all(monitoring_runtime)
    shown = await office.compared(await office.draft())
    assert (figures(shown, VILLAGE)["entered"], figures(shown)["entered"], shown["on"]) == (1, 2, TODAY)
