"""Households and observations become facts, once, in whatever order they come."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.monitoring.tell_counts import tell_counts
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RISK_CHANGED
from shared.contracts.progress import MONITORING_PROGRESS
from shared.errors import Unprocessable
from shared.runtime import Runtime
from tests.conftest import empty_tables
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    Home,
    assess_all,
    deliver,
    facts,
    number,
    observed,
    reported,
    rostered,
    sent_at,
    settled,
    told,
    with_people,
)


async def one(runtime: Runtime, sql: str, *args: Any) -> Any:
    return await runtime.worker_pool.fetchval(sql, *args)


async def test_a_roster_makes_households_members_and_facts(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    kinds = sorted({fact["kind"] for fact in await facts(runtime)})
    assert kinds == [
        "cost.production",
        "income.business_sales",
        "income.property",
        "income.transfer_regular",
        "income.wage",
        "state.base_group",
        "state.dwelling",
        "state.insured",
    ]
    assert await one(runtime, "SELECT count(*) FROM household_member WHERE valid_to IS NULL") == 2
    assert await one(runtime, "SELECT head_name FROM household") == "测试乙"
    assert await one(runtime, "SELECT due_at IS NOT NULL FROM household")


async def test_an_identity_number_is_resealed_under_our_own_key(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(people=(1,))))
    row = await runtime.worker_pool.fetchrow("SELECT number_index, sealed_number FROM resident")
    opened = runtime.keys.open(row["sealed_number"], "resident", "sealed_number", row["number_index"].hex())
    assert opened == number(1)


async def test_a_number_that_does_not_fit_its_index_is_refused(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    event = rostered(runtime.keys, Home(people=(1,)))
    event.data["households"][0]["members"][0]["index"] = runtime.keys.blind_index(number(2)).hex()
    with pytest.raises(Unprocessable):
        await deliver(runtime, event)
    assert await one(runtime, "SELECT count(*) FROM household") == 0


async def test_the_same_roster_again_changes_nothing(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    await assess_all(runtime)
    before = await _state(runtime), await facts(runtime, standing=False)
    later = rostered(runtime.keys, Home(), on="2026-02-01", sent=sent_at(5))
    for household in later.data["households"]:
        household["income_year"] = 2025
    await deliver(runtime, later)
    after = await _state(runtime), await facts(runtime, standing=False)
    ignoring = {"received_at", "origin"}
    assert [{k: v for k, v in f.items() if k not in ignoring} for f in after[1]] == [
        {k: v for k, v in f.items() if k not in ignoring} for f in before[1]
    ]
    assert after[0] == before[0]
    assert await one(runtime, "SELECT due_at IS NULL FROM household")


async def test_a_changed_dwelling_ends_the_state_before_it(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home()),
        rostered(runtime.keys, Home(grade="D"), on="2026-03-01", sent=sent_at(2)),
    )
    dwellings = [f for f in await facts(runtime) if f["kind"] == "state.dwelling"]
    assert sorted((f["value"], str(f["occurred_on"]), str(f["ended_on"])) for f in dwellings) == [
        ("A", "2026-01-01", "2026-03-01"),
        ("D", "2026-03-01", "None"),
    ]


async def test_a_settlement_finds_its_household_and_raises_its_version(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    version = await one(runtime, "SELECT facts_version FROM household")
    await deliver(runtime, settled(runtime.keys, 2, 1_200_000))
    [fact] = [f for f in await facts(runtime) if f["kind"] == "expense.medical"]
    assert (fact["household_no"], fact["compliant_fen"]) == ("F001", 1_200_000)
    assert await one(runtime, "SELECT facts_version FROM household") == version + 1 == fact["facts_version"]
    await tell_counts(runtime)
    [progress] = [i for i in await told(runtime, MONITORING_PROGRESS) if i.get("feed_id") == "medical-1"]
    assert progress["counts"] == {"matched": 1, "unmatched": 0, "changed": 1}


async def test_the_same_message_and_the_same_record_write_nothing(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    event = settled(runtime.keys, 1, 500_000)
    await deliver(runtime, rostered(runtime.keys, Home()), event)
    version = await one(runtime, "SELECT facts_version FROM household")
    await deliver(runtime, event, settled(runtime.keys, 1, 500_000, sent=sent_at(9), feed="medical-2"))
    assert await one(runtime, "SELECT facts_version FROM household") == version
    assert len([f for f in await facts(runtime, standing=False) if f["kind"] == "expense.medical"]) == 1


async def test_a_correction_supersedes_and_keeps_what_was_known(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home()),
        settled(runtime.keys, 1, 500_000),
        settled(runtime.keys, 1, 700_000, sent=sent_at(9), feed="medical-2"),
    )
    old, new = [f for f in await facts(runtime, standing=False) if f["kind"] == "expense.medical"]
    assert (old["compliant_fen"], new["compliant_fen"]) == (500_000, 700_000)
    assert old["superseded_at"] == new["recorded_at"]
    assert new["superseded_at"] is None


async def test_an_ended_record_ends_its_fact_on_that_day(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home()),
        settled(runtime.keys, 1, 0, kind="state.disability"),
        settled(
            runtime.keys, 1, 0, kind="state.disability", op="end", ended_on="2026-03-05", sent=sent_at(6), feed="m2"
        ),
    )
    [fact] = [f for f in await facts(runtime) if f["kind"] == "state.disability"]
    assert str(fact["ended_on"]) == "2026-03-05"


async def test_what_fits_nobody_waits_for_the_roster(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, settled(runtime.keys, 1, 900_000))
    assert await one(runtime, "SELECT count(*) FROM unmatched_observation") == 1
    await tell_counts(runtime)
    [progress] = await told(runtime, MONITORING_PROGRESS)
    assert (progress["stage"], progress["counts"]["unmatched"]) == ("unmatched", 1)
    await deliver(runtime, rostered(runtime.keys, Home()))
    assert await one(runtime, "SELECT count(*) FROM unmatched_observation") == 0
    assert [f["household_no"] for f in await facts(runtime) if f["kind"] == "expense.medical"] == ["F001"]


async def test_facts_follow_a_person_who_turns_out_to_live_elsewhere(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home(people=(1, 2))),
        settled(runtime.keys, 2, 900_000, on="2026-02-10"),
        settled(runtime.keys, 2, 0, record="D", kind="state.disability", on="2020-05-05"),
        settled(runtime.keys, 2, 100_000, record="S2", on="2026-01-10"),
        rostered(
            runtime.keys,
            Home(people=(1,)),
            Home(no="F002", people=(2,), division=OTHER_VILLAGE),
            on="2026-02-01",
            sent=sent_at(3),
        ),
    )
    settlements = [f for f in await facts(runtime) if f["data_set"] == "medical_settlement"]
    where = {f["record_key"]: f["household_no"] for f in settlements}
    assert where == {"130624/S1": "F002", "130624/D": "F002", "130624/S2": "F002"}


async def test_two_counties_offices_may_number_alike(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    foreign = settled(runtime.keys, 2, 200_000)
    foreign.data["division"] = "130600000000"
    await deliver(runtime, rostered(runtime.keys, Home()), settled(runtime.keys, 1, 100_000), foreign)
    assert sorted(f["compliant_fen"] for f in await facts(runtime) if f["compliant_fen"]) == [100_000, 200_000]


async def test_a_report_that_fits_nobody_reaches_a_person_at_once(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, reported(runtime.keys, 7))
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["subject"], item["reason"], item["opens"]) == ("report:R1", "hardship_report", True)
    assert item["contact"] == {"name": "测试丁", "phone": "19900000009"}
    assert item["living_division"] == "130624100201"
    assert [p["stage"] for p in await told(runtime, MONITORING_PROGRESS)] == ["unmatched"]


async def test_a_report_that_waited_is_assessed_with_the_household(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, reported(runtime.keys, 1), rostered(runtime.keys, Home()))
    await assess_all(runtime)
    item = (await told(runtime, RISK_CHANGED))[-1]
    assert (item["subject"], item["report_ids"], item["opens"]) == ("household:F001", ["R1"], True)


async def test_a_report_for_a_newborn_fits_by_the_household_number(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()), reported(runtime.keys, 77, household_no="F001"))
    assert await one(runtime, "SELECT waiting_reports->0->>'report_id' FROM household") == "R1"


def _story(runtime: Runtime) -> list[Event]:
    """A month of messages: two rosters, a move, corrections, an end, a report, people nobody lists yet."""
    keys, home = runtime.keys, Home()
    return [
        rostered(keys, with_people(home, 1, 2), on="2026-01-01", sent=sent_at(1)),
        rostered(
            keys,
            Home(no="F002", people=(2, 3), division=OTHER_VILLAGE),
            with_people(home, 1),
            on="2026-02-01",
            sent=sent_at(4),
        ),
        settled(keys, 1, 800_000, record="A", sent=sent_at(2), feed="m1"),
        settled(keys, 1, 900_000, record="A", sent=sent_at(5), feed="m2"),
        settled(keys, 2, 300_000, record="B", on="2026-01-20", sent=sent_at(2), feed="m1"),
        settled(keys, 2, 0, record="C", kind="state.disability", on="2019-01-01", sent=sent_at(2), feed="d1"),
        settled(
            keys,
            2,
            0,
            record="C",
            kind="state.disability",
            op="end",
            ended_on="2026-03-06",
            sent=sent_at(6),
            feed="d2",
        ),
        observed(
            [{"record": "E", "household_no": "F002", "kind": "event.disaster", "occurred_on": "2026-02-20"}],
            sent=sent_at(3),
            feed="e1",
            data_set="disaster",
        ),
        reported(keys, 3),
    ]


async def _outcome(runtime: Runtime) -> list[tuple[Any, ...]]:
    """What holds at the end, without the numbers and times of our own."""
    standing = [
        tuple(f[name] for name in ("household_no", "kind", "record_key", "occurred_on", "ended_on", "compliant_fen"))
        for f in await facts(runtime)
        if not f["kind"].startswith("state.") or f["kind"] == "state.disability"
    ]
    members = await runtime.worker_pool.fetch(
        """
        SELECT h.household_no, r.number_index, m.valid_from, m.valid_to FROM household_member m
        JOIN household h USING (household_id) JOIN resident r USING (resident_id) WHERE m.superseded_at IS NULL
        """
    )
    assessed = await runtime.worker_pool.fetch(
        "SELECT household_no, recommendation, severity, score, risk FROM household ORDER BY household_no"
    )
    return [*sorted(standing, key=str), *sorted(map(tuple, members), key=str), *map(tuple, assessed)]


@hypothesis_settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6))
async def test_the_order_of_arrival_is_no_matter(monitoring_runtime: Runtime, database: str, seed: int) -> None:
    runtime = monitoring_runtime
    outcomes = []
    for shuffled in (False, True):
        await empty_tables(database)
        events = _story(runtime)
        if shuffled:
            random.Random(seed).shuffle(events)
        await deliver(runtime, *events)
        await assess_all(runtime)
        assert await one(runtime, "SELECT count(*) FROM unmatched_observation") == 0
        outcomes.append(await _outcome(runtime))
    assert outcomes[0] == outcomes[1]


async def _state(runtime: Runtime) -> list[Any]:
    row = await runtime.worker_pool.fetchrow(
        "SELECT facts_version, due_at, living_division, head_name FROM household"
    )
    return list(row)
