"""The monthly comparison of lists: each check finds whom it should and nobody else, beside last month's counts."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.monitoring.compare_lists import compare_lists_due, list_checks, order_comparison
from services.monitoring.domain.list_check import ListChecksInvalid, read_list_checks
from shared.clock import SHANGHAI, FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    COUNTY,
    OTHER_VILLAGE,
    SENT,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    facts,
    number,
    observed,
    rostered,
    settled,
)

PATH = "/monitoring/v1/list-comparisons"
THE_20TH = datetime(2026, 3, 20, 9, tzinfo=SHANGHAI)  # A Friday; of June 2026 it is a Saturday.
Bearer = Callable[..., dict[str, str]]


def state(runtime: Runtime, person: int | None, kind: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"record": f"{kind}/{person}/{value}", "kind": kind, "occurred_on": "2026-01-01", **more}
    if person is not None:
        one["person"] = runtime.keys.blind_index(number(person)).hex()
    return one | ({"value": value} if value is not None else {})


async def say(runtime: Runtime, *observations: dict[str, Any], feed: str = "f", sent: datetime = SENT) -> None:
    await deliver(runtime, observed(observations, data_set="lists", feed=feed, sent=sent))


@pytest.fixture
async def runtime(monitoring_runtime: Runtime) -> Runtime:
    """F001 (people 1 and 2) is poor and ill; F002 (3 and 4), in another village, is well off."""
    keys = monitoring_runtime.keys
    homes = (Home(wage_fen=1_000_000), Home(no="F002", people=(3, 4), division=OTHER_VILLAGE))
    await deliver(monitoring_runtime, rostered(keys, *homes), settled(keys, 1, 3_000_000))
    await assess_all(monitoring_runtime)
    return monitoring_runtime


def at(runtime: Runtime, moment: datetime) -> Runtime:
    return dataclasses.replace(runtime, clock=FixedClock(moment))


async def compare(runtime: Runtime, moment: datetime = THE_20TH) -> set[tuple[str, str, str | None]]:
    """Compare; whom each check found: (check, household, member's serial)."""
    assert await compare_lists_due(at(runtime, moment)) == 1
    rows = await runtime.worker_pool.fetch(
        """
        SELECT l.check_code, h.household_no, r.number_index FROM list_finding l JOIN household h USING (household_id)
        LEFT JOIN resident r USING (resident_id)
        WHERE comparison_id = (SELECT comparison_id FROM list_comparison ORDER BY compared_at DESC LIMIT 1)
        """
    )
    serials = {runtime.keys.blind_index(number(i)): str(i) for i in range(1, 9)}
    return {(row["check_code"], row["household_no"], serials.get(row["number_index"])) for row in rows}


async def list_(runtime: Runtime, no: str, listed_as: str | None) -> None:
    await runtime.worker_pool.execute("UPDATE household SET listed_as = $2 WHERE household_no = $1", no, listed_as)


async def test_recommended_and_not_listed(runtime: Runtime) -> None:
    assert ("recommended_unlisted", "F001", None) in await compare(runtime)
    await list_(runtime, "F001", "marginal_at_risk")
    async with transaction(runtime.worker_pool) as connection:
        await order_comparison(connection, "130624", "C1", today=THE_20TH.date(), now=THE_20TH)
    assert ("recommended_unlisted", "F001", None) not in await compare(runtime, THE_20TH.replace(hour=10))


# What is said of people 1..4, and whom that makes a check find, or not.
CASES: dict[str, tuple[list[tuple[int, str, str | None, dict[str, Any]]], str, bool]] = {
    "severe disability in a listed household, no relief": (
        [(1, "state.disability", "41", {"attributes": {"grade": "1"}}), (3, "state.assistance", "dibao", {})],
        "severely_disabled_unassisted",
        True,
    ),
    "severe disability with relief": (
        [(1, "state.disability", "41", {"attributes": {"grade": "1"}}), (1, "state.assistance", "dibao", {})],
        "severely_disabled_unassisted",
        False,
    ),
    "a lighter grade": (
        [(1, "state.disability", "43", {"attributes": {"grade": "3"}}), (3, "state.assistance", "dibao", {})],
        "severely_disabled_unassisted",
        False,
    ),
    "severe disability, and no list of relief ever came": (
        [(1, "state.disability", "41", {"attributes": {"grade": "1"}})],
        "severely_disabled_unassisted",
        False,
    ),
    "serious illness in a recommended household, no relief": (
        [(1, "state.health", "serious", {}), (3, "state.assistance", "dibao", {})],
        "seriously_ill_unassisted",
        True,
    ),
    "chronic illness": (
        [(1, "state.health", "chronic", {}), (3, "state.assistance", "dibao", {})],
        "seriously_ill_unassisted",
        False,
    ),
    "on relief and not insured": (
        [(1, "state.assistance", "dibao", {}), (1, "state.insured", "none", {"occurred_on": "2026-02-01"})],
        "assisted_uninsured",
        False,  # The roster says insured: one who is on both lists is for the department's own check.
    ),
    "dead and still a member": ([(2, "event.death", None, {})], "deceased_member", True),
    "dead and on relief": (
        [(2, "event.death", None, {}), (2, "state.assistance", "tekun", {})],
        "deceased_assisted",
        True,
    ),
    "alive and on relief": ([(2, "state.assistance", "tekun", {})], "deceased_assisted", False),
    "dead and relief ended": (
        [(2, "event.death", None, {}), (2, "state.assistance", "tekun", {"ended_on": "2026-02-01"})],
        "deceased_assisted",
        False,
    ),
    "dead with a certificate": (
        [(2, "event.death", None, {}), (2, "state.disability", "42", {"attributes": {"grade": "2"}})],
        "deceased_disabled",
        True,
    ),
    "two kinds of relief": (
        [(1, "state.assistance", "dibao", {}), (1, "state.assistance", "tekun", {})],
        "dibao_and_tekun",
        True,
    ),
    "two kinds in one household, not of one person": (
        [(1, "state.assistance", "dibao", {}), (2, "state.assistance", "tekun", {})],
        "dibao_and_tekun",
        False,
    ),
    "relief and its margin": (
        [(1, "state.assistance", "dibao", {}), (1, "state.assistance", "dibao_edge", {})],
        "dibao_and_edge",
        True,
    ),
    "a public employee on relief": (
        [(1, "state.public_employee", None, {}), (1, "state.assistance", "dibao", {})],
        "employee_on_dibao",
        True,
    ),
    "a vehicle and relief": (
        [(1, "asset.vehicle", None, {}), (1, "state.assistance", "dibao", {})],
        "vehicle_on_dibao",
        True,
    ),
    "a vehicle in the household of one on relief": (
        [(1, "asset.vehicle", None, {}), (2, "state.assistance", "dibao", {})],
        "vehicle_on_dibao",
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_check_finds_whom_it_should(name: str, runtime: Runtime) -> None:
    said, check, finds = CASES[name]
    await list_(runtime, "F001", "marginal_at_risk")
    await say(runtime, *(state(runtime, person, kind, value, **more) for person, kind, value, more in said))
    found = {(household, person) for code, household, person in await compare(runtime) if code == check}
    assert found == ({("F001", str(said[0][0]))} if finds else set())


async def test_uninsured_people_of_listed_households(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(insured=False), Home(no="F002", people=(3,), insured=False)))
    await list_(runtime, "F001", "marginal_at_risk")
    found = await compare(runtime)
    assert {one for one in found if one[0] == "monitored_uninsured"} == {
        ("monitored_uninsured", "F001", "1"),
        ("monitored_uninsured", "F001", "2"),
    }


async def test_a_person_in_two_households(runtime: Runtime) -> None:
    await runtime.worker_pool.execute(
        """
        INSERT INTO household_member (household_id, resident_id, county, relation, valid_from, recorded_at, born)
        SELECT h.household_id, m.resident_id, m.county, '其他', m.valid_from, m.recorded_at, m.born
        FROM household h, household_member m JOIN household o ON o.household_id = m.household_id
        JOIN resident r USING (resident_id)
        WHERE h.household_no = 'F002' AND o.household_no = 'F001' AND r.number_index = $1
        """,
        runtime.keys.blind_index(number(1)),
    )
    assert ("two_households", "F001", "1") in await compare(runtime)


async def test_the_national_list_against_ours(runtime: Runtime) -> None:
    await say(runtime, state(runtime, None, "state.national_list", "marginal_at_risk", household_no="F002"))
    await list_(runtime, "F001", "marginal_at_risk")
    found = await compare(runtime)
    assert {("national_unlisted", "F002", None), ("monitored_not_national", "F001", None)} <= found


async def test_listed_without_risk_and_listed_without_anybody(runtime: Runtime) -> None:
    await list_(runtime, "F002", "marginal_at_risk")
    await runtime.worker_pool.execute(
        "UPDATE household_member SET status = 'deceased' WHERE household_id ="
        " (SELECT household_id FROM household WHERE household_no = 'F002')"
    )
    found = await compare(runtime)
    assert {("monitored_without_risk", "F002", None), ("emptied_monitored", "F002", None)} <= found


def test_every_check_is_tried_both_ways_or_on_its_own() -> None:
    alone = {
        "recommended_unlisted",
        "national_unlisted",
        "monitored_not_national",
        "monitored_uninsured",
        "monitored_without_risk",
        "emptied_monitored",
        "two_households",
    }
    assert {check for _, check, _ in CASES.values()} | alone == set(list_checks().checks)


async def test_it_is_made_once_a_month_on_the_20th_whatever_the_weekday(runtime: Runtime) -> None:
    assert await compare_lists_due(at(runtime, THE_20TH.replace(day=19))) == 0
    assert await compare_lists_due(at(runtime, THE_20TH)) == 1
    assert await compare_lists_due(at(runtime, THE_20TH.replace(day=31))) == 0
    assert await compare_lists_due(at(runtime, THE_20TH.replace(month=6))) == 1


async def test_what_is_found_is_evidence_until_it_is_not_found_any_more(runtime: Runtime) -> None:
    relief = state(runtime, 2, "state.assistance", "tekun")
    await say(runtime, state(runtime, 2, "event.death"), relief)
    await compare(runtime)
    ended = {**relief, "op": "end", "ended_on": "2026-04-01"}
    await say(runtime, ended, feed="g", sent=datetime(2026, 4, 2, tzinfo=UTC))
    await compare(runtime, THE_20TH.replace(month=4))
    evidence = {
        fact["value"]: (fact["occurred_on"].month, fact["ended_on"] and fact["ended_on"].month)
        for fact in await facts(runtime)
        if fact["kind"] == "state.list_mismatch" and fact["resident_id"] is not None
    }
    assert evidence == {"deceased_member": (3, None), "deceased_assisted": (3, 4)}


async def test_the_months_stand_beside_each_other(
    runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin", COUNTY)
    before = (await monitoring_client.get(PATH, headers=headers)).json()
    assert (before["month"], {one["findings"] for one in before["counts"]}) == (None, {0})
    await compare(runtime)
    await say(runtime, state(runtime, 2, "event.death"))
    await compare(runtime, THE_20TH.replace(month=4))
    view = (await monitoring_client.get(PATH, headers=headers)).json()
    counts = {one["check"]: (one["findings"], one["last_month"]) for one in view["counts"]}
    assert view["month"] == "2026-04"
    assert (counts["deceased_member"], counts["recommended_unlisted"]) == ((1, 0), (1, 1))
    assert sum(sum(one["findings"].values()) for one in view["by_division"]) == sum(n for n, _ in counts.values())
    march = (await monitoring_client.get(PATH, params={"month": "2026-03"}, headers=headers)).json()
    assert {one["last_month"] for one in march["counts"]} == {None}


async def test_each_sees_his_own_range_and_names_by_his_post(
    runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await say(runtime, state(runtime, 2, "event.death"), state(runtime, 4, "event.death"))
    await compare(runtime)

    async def found(role: str | None, division: str) -> list[Any]:
        params = {"check": "deceased_member", "owner": "village"}
        answer = await monitoring_client.get(f"{PATH}/findings", params=params, headers=bearer(role, division))
        assert answer.status_code == 200, answer.text
        return [(one["household_no"], one["member_name"]) for one in answer.json()["items"]]

    assert await found("village_secretary", VILLAGE) == [("F001", "测试丙")]
    assert await found("village_secretary", OTHER_VILLAGE) == [("F002", "测试戊")]
    assert await found(None, COUNTY) == [("F001", "测*丙"), ("F002", "测*戊")]
    wrong = await monitoring_client.get(
        f"{PATH}/findings", params={"check": "x"}, headers=bearer("county_admin", COUNTY)
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "check_unknown")


async def test_ordered_twice_it_waits_once(
    runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin", COUNTY)
    for _ in range(2):
        assert (await monitoring_client.post(PATH, headers=headers)).status_code == 202
    assert await runtime.worker_pool.fetchval("SELECT count(*) FROM list_comparison") == 1
    assert await compare_lists_due(runtime) == 1
    foreign = await monitoring_client.post(PATH, params={"division": "440981000000"}, headers=headers)
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"present": ["nobody"]}, "没有名单 nobody"),
        ({"present": []}, "至少要有一个名单"),
        ({"present": ["monitored"], "of": "person"}, "逐人"),
        ({"colour": "red"}, "不认识的键"),
    ],
)
def test_a_wrong_check_is_named(change: dict[str, Any], said: str) -> None:
    lists = {
        "monitored": {"label_zh": "x", "of": "household", "register": "listed"},
        "dead": {"label_zh": "x", "of": "person", "kinds": ["event.death"]},
    }
    check = {"label_zh": "x", "kind": "deceased", "of": "person", "present": ["dead"], "owner": "village", **change}
    with pytest.raises(ListChecksInvalid, match=said):
        read_list_checks({"lists": lists, "checks": {"one": check}})
