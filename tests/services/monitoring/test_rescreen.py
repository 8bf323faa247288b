"""Rescreens go over every household of an area in ranges, write only what changed, and survive whoever runs them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring import repository_assessments as assessments
from services.monitoring import repository_rescreens as repository
from services.monitoring import repository_screening as sets
from services.monitoring.assess_households import assess_due
from services.monitoring.begin_run import begin_run
from services.monitoring.domain.compiler import assessment_from_row, compile_policy
from services.monitoring.domain.screening import Chosen
from services.monitoring.domain.stored_outcome import outcome_of, row_of_outcome
from services.monitoring.measure_households import measure_households
from services.monitoring.pass_day import pass_day
from services.monitoring.rescreen import RescreenStatus, rescreen_status, screen_area
from services.monitoring.screen_ranges import COLUMNS, screen, screen_ranges
from shared.clock import SHANGHAI, FixedClock
from shared.contracts.monitoring import RISK_CHANGED
from shared.db.scope import transaction
from shared.queue.claim import claim
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.services.monitoring.build import (
    COUNTY,
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    observed,
    reported,
    rostered,
    settled,
    told,
)

POOR = 1_000_000
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""
Bearer = Callable[..., dict[str, str]]


async def one(runtime: Runtime, sql: str, *args: Any) -> Any:
    return await runtime.worker_pool.fetchval(sql, *args)


async def written(runtime: Runtime) -> tuple[int, int]:
    """How many assessments and how many risks were ever written."""
    return await one(runtime, "SELECT count(*) FROM assessment"), len(await told(runtime, RISK_CHANGED))


async def order(runtime: Runtime, division: str = COUNTY, *, size: int = 4) -> RescreenStatus:
    async with transaction(runtime.worker_pool) as connection:
        return await screen_area(connection, division, "抽查", "测试", now=runtime.clock.now(), range_size=size)


async def status(runtime: Runtime, ordered: RescreenStatus) -> RescreenStatus:
    async with transaction(runtime.worker_pool) as connection:
        return await rescreen_status(connection, ordered.rescreen_id)


@pytest.fixture
async def ten_homes(monitoring_runtime: Runtime) -> Runtime:
    """Ten households, the first three of them poor and one of these ill; assessed."""
    runtime = monitoring_runtime
    homes = [
        Home(no=f"F{i:03d}", people=(2 * i, 2 * i + 1), wage_fen=POOR if i < 3 else 9_000_000) for i in range(10)
    ]
    await deliver(runtime, rostered(runtime.keys, *homes), settled(runtime.keys, 1, 1_200_000))
    await assess_all(runtime)
    return runtime


async def forget(runtime: Runtime) -> None:
    """As after a change that concerns everybody: what stands is no longer what would be said."""
    await runtime.worker_pool.execute(
        "UPDATE standing SET digest = NULL, gist = NULL; UPDATE household SET risk = NULL, warned_at = NULL"
    )


async def test_rescreening_writes_nothing_when_nothing_changed(ten_homes: Runtime) -> None:
    before = await written(ten_homes)
    rows = await ten_homes.worker_pool.fetch("SELECT xmin::text, household_id FROM household ORDER BY household_id")
    for _ in range(2):
        ordered = await order(ten_homes)
        assert await assess_all(ten_homes) == 10
        after = await status(ten_homes, ordered)
        assert (after.state, after.remaining, after.changed, after.told) == ("finished", 0, 0, 0)
    assert await written(ten_homes) == before
    assert rows == await ten_homes.worker_pool.fetch(
        "SELECT xmin::text, household_id FROM household ORDER BY household_id"
    )


async def test_a_rescreen_says_what_assessing_one_by_one_says(ten_homes: Runtime) -> None:
    by_due = await ten_homes.worker_pool.fetch("SELECT household_id, digest, outcome FROM assessment ORDER BY 1")
    await forget(ten_homes)
    await ten_homes.worker_pool.execute("DELETE FROM measure")
    await order(ten_homes)
    await assess_all(ten_homes)
    by_range = await ten_homes.worker_pool.fetch(
        "SELECT DISTINCT ON (household_id) household_id, digest, outcome FROM assessment"
        " ORDER BY household_id, assessment_id DESC"
    )
    assert sorted(map(tuple, by_range)) == sorted(map(tuple, by_due))


async def test_a_fact_that_arrives_while_a_range_is_measured_is_not_lost(ten_homes: Runtime) -> None:
    """Measures say of which facts they are; what came after the run began, before they were read, is among them."""
    async with transaction(ten_homes.worker_pool) as connection:
        run = await begin_run(connection, COUNTY[:6], ten_homes.clock.today())
        await deliver(ten_homes, settled(ten_homes.keys, 8, 1_200_000, record="S2"))
        await measure_households(connection, run, Chosen(1, 100))
    await assess_all(ten_homes)
    sql = "SELECT fired <> 0 FROM assessment JOIN household USING (household_id) WHERE household_no = 'F004'"
    assert await one(ten_homes, f"{sql} ORDER BY assessment_id DESC LIMIT 1")


async def test_stored_measures_and_the_whole_statement_decide_the_same(ten_homes: Runtime) -> None:
    async with transaction(ten_homes.worker_pool) as connection:
        run = await begin_run(connection, COUNTY[:6], ten_homes.clock.today())
        policy, parameters = compile_policy(run.reading.package), run.reading.parameters
        binds = policy.bind_range(
            county=COUNTY[:6], first=1, last=100, on=run.reading.on, known_at=run.known_at, parameters=parameters
        )
        whole = await assessments.evaluate(connection, policy.range_sql, binds)
    package = run.reading.package
    rows = await ten_homes.worker_pool.fetch("SELECT household_id, outcome, confidence_percent FROM assessment")
    assert len(rows) == 10
    for row in rows:
        found = row_of_outcome(package, row["outcome"])
        direct = {name: whole[row["household_id"]][name] for name in found}
        assert found == direct
        assert outcome_of(package, direct) == row["outcome"]
        assessment = assessment_from_row(package, direct, parameters, run.reading.on)
        assert assessment.confidence_percent == row["confidence_percent"]


async def test_a_change_for_all_is_written_for_all_and_told_for_those_whose_risk_it_changed(
    ten_homes: Runtime,
) -> None:
    before = await written(ten_homes)
    await ten_homes.worker_pool.execute("UPDATE standing SET digest = NULL")
    ordered = await order(ten_homes)
    await assess_all(ten_homes)
    assert (await status(ten_homes, ordered)).changed == 10
    assert await written(ten_homes) == (before[0] + 10, before[1])


async def versions_of_households(runtime: Runtime) -> list[asyncpg.Record]:
    """They change when a row is written or locked."""
    return await runtime.worker_pool.fetch("SELECT xmin::text, xmax::text, household_id FROM household ORDER BY 3")


async def test_households_are_left_alone_where_class_severity_and_score_are_the_same(ten_homes: Runtime) -> None:
    before = await versions_of_households(ten_homes)
    await ten_homes.worker_pool.execute("UPDATE standing SET digest = NULL")
    ordered = await order(ten_homes)
    await assess_all(ten_homes)
    assert (await status(ten_homes, ordered)).changed == 10
    assert await versions_of_households(ten_homes) == before
    sql = "SELECT count(*) FROM standing JOIN assessment USING (household_id, assessment_id, digest)"
    assert await one(ten_homes, sql) == 10


async def test_class_severity_and_score_of_households_follow_what_stands(ten_homes: Runtime) -> None:
    sql = "SELECT household_id, recommendation, severity, score FROM household ORDER BY 1"
    before = await ten_homes.worker_pool.fetch(sql)
    await ten_homes.worker_pool.execute("UPDATE household SET recommendation = NULL, severity = NULL, score = 0")
    assert await ten_homes.worker_pool.fetch(sql) != before
    await forget(ten_homes)
    await order(ten_homes)
    await assess_all(ten_homes)
    assert await ten_homes.worker_pool.fetch(sql) == before


async def test_another_reading_that_says_the_same_is_noted_and_appends_nothing(ten_homes: Runtime) -> None:
    households, before = await versions_of_households(ten_homes), await written(ten_homes)
    sql = "SELECT household_id, facts_version, reading FROM standing ORDER BY 1"
    stood = await ten_homes.worker_pool.fetch(sql)
    assert len({row["reading"] for row in stood} - {None}) == 1
    await ten_homes.worker_pool.execute("UPDATE standing SET reading = reading - 1")
    ordered = await order(ten_homes)
    await assess_all(ten_homes)
    assert (await status(ten_homes, ordered)).changed == 0
    assert await ten_homes.worker_pool.fetch(sql) == stood
    assert (await versions_of_households(ten_homes), await written(ten_homes)) == (households, before)


async def somebody_waits(runtime: Runtime) -> None:
    """Until a lock of this database is waited for."""
    async with asyncio.timeout(20):
        while not await one(runtime, WAITING):
            await asyncio.sleep(0.01)


async def test_what_somebody_answers_while_a_range_is_judged_is_not_lost(ten_homes: Runtime) -> None:
    """The range waits for whoever holds a household of which there may be news, and reads what he left."""
    await forget(ten_homes)
    await order(ten_homes, size=10)
    answered = {
        "outcome": "no_risk",
        "facts_version": 9,
        "risk": {"recommendation": None, "severity": None, "fired": []},
    }
    async with transaction(ten_homes.worker_pool) as visitor:
        await visitor.execute("UPDATE household SET answered = $1 WHERE household_no = 'F000'", answered)
        screening = asyncio.create_task(screen_ranges(ten_homes))
        await somebody_waits(ten_homes)
    await screening
    remembered = await one(ten_homes, "SELECT answered FROM household WHERE household_no = 'F000'")
    assert remembered["outcome"] == "no_risk"


async def test_what_stands_is_locked_before_households(ten_homes: Runtime) -> None:
    """Whoever waits for what stands holds no household: those who append facts go on."""
    runtime, ids = ten_homes, [1, 2, 3]
    async with transaction(runtime.worker_pool) as area:
        await area.execute("UPDATE standing SET reading = 1 WHERE household_id = 2")
        async with transaction(runtime.worker_pool) as due:
            holding = asyncio.create_task(sets.hold(due, ids, new_id()))
            await somebody_waits(runtime)
            assert len(await area.fetch("SELECT 1 FROM household FOR NO KEY UPDATE NOWAIT")) == 10
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)


async def test_the_dashboard_counts_who_is_assessed_for_the_first_time(ten_homes: Runtime) -> None:
    runtime = ten_homes
    await runtime.worker_pool.execute("UPDATE standing SET digest = NULL")
    await runtime.worker_pool.execute("UPDATE household SET due_at = $1", runtime.clock.now())
    await runtime.worker_pool.execute("DELETE FROM dashboard_touch")
    assert await assess_due(runtime) == 10
    noted = await runtime.worker_pool.fetch("SELECT DISTINCT village, what FROM dashboard_touch")
    assert [tuple(row) for row in noted] == [(VILLAGE, "household")]


async def test_two_workers_share_a_rescreen_and_give_the_result_of_one(ten_homes: Runtime) -> None:
    before = await written(ten_homes)
    await forget(ten_homes)
    ordered = await order(ten_homes, size=2)
    await asyncio.gather(*(_screen_all(ten_homes) for _ in range(2)))
    after = await status(ten_homes, ordered)
    assert (after.state, after.changed) == ("finished", 10)
    assert await written(ten_homes) == (before[0] + 10, 2 * before[1])
    assert await one(ten_homes, "SELECT count(DISTINCT household_id) FROM assessment WHERE assessment_id > 1") == 10


async def _screen_all(runtime: Runtime) -> None:
    while await screen_ranges(runtime):
        pass


async def _claim(runtime: Runtime, lease: timedelta) -> Any:
    async with transaction(runtime.worker_pool) as connection:
        [claimed] = await claim(
            connection, repository.RANGES, now=runtime.clock.now(), limit=1, lease=lease, returning=COLUMNS
        )
    return claimed


async def test_what_a_killed_worker_left_is_taken_up_and_its_late_result_is_not_written(ten_homes: Runtime) -> None:
    before = await written(ten_homes)
    await forget(ten_homes)
    ordered = await order(ten_homes)
    dead = await _claim(ten_homes, timedelta(seconds=-1))
    await assess_all(ten_homes)
    assert (await status(ten_homes, ordered)).state == "finished"
    await forget(ten_homes)
    await screen(dead, ten_homes)
    assert await written(ten_homes) == (before[0] + 10, 2 * before[1])


async def test_a_range_in_work_is_not_taken_by_another(ten_homes: Runtime) -> None:
    ordered = await order(ten_homes, size=10)
    await _claim(ten_homes, timedelta(minutes=1))
    assert await screen_ranges(ten_homes) == 0
    assert (await status(ten_homes, ordered)).remaining == 10


async def test_a_rescreen_is_cancelled_between_ranges(
    ten_homes: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    ordered = await order(ten_homes, size=2)
    await screen(await _claim(ten_homes, timedelta(minutes=1)), ten_homes)
    path, county = f"/monitoring/v1/rescreens/{ordered.rescreen_id}", bearer("county_admin")
    elsewhere = bearer("county_admin", "130625000000")
    assert (await monitoring_client.post(f"{path}/cancel", headers=elsewhere)).status_code == 404
    for _ in range(2):
        cancelled = await monitoring_client.post(f"{path}/cancel", headers=county)
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        assert cancelled.json()["remaining"] == 8
    assert await screen_ranges(ten_homes) == 0
    assert (await monitoring_client.get(path, headers=county)).json()["remaining"] == 8
    assert await admin.fetchval("SELECT count(*) FROM monitoring.audit_log WHERE action = 'rescreen.cancel'") == 1


async def test_a_cancelled_rescreen_goes_on_where_it_stopped(
    ten_homes: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    await forget(ten_homes)
    before = await written(ten_homes)
    ordered = await order(ten_homes, size=2)
    await screen(await _claim(ten_homes, timedelta(minutes=1)), ten_homes)
    path, county = f"/monitoring/v1/rescreens/{ordered.rescreen_id}", bearer("county_admin")
    running = await monitoring_client.post(f"{path}/resume", headers=county)
    assert (running.status_code, running.json()["code"]) == (409, "rescreen_not_cancelled")
    await monitoring_client.post(f"{path}/cancel", headers=county)
    elsewhere = bearer("county_admin", "130625000000")
    assert (await monitoring_client.post(f"{path}/resume", headers=elsewhere)).status_code == 404
    resumed = await monitoring_client.post(f"{path}/resume", headers=county)
    assert (resumed.status_code, resumed.json()["state"], resumed.json()["remaining"]) == (200, "running", 8)
    await _screen_all(ten_homes)
    after = (await monitoring_client.get(path, headers=county)).json()
    assert (after["state"], after["remaining"], after["changed"]) == ("finished", 0, 10)
    assert (await written(ten_homes))[0] == before[0] + 10, "nobody twice"
    over = await monitoring_client.post(f"{path}/resume", headers=county)
    assert (over.status_code, over.json()["code"]) == (409, "rescreen_over")
    assert await admin.fetchval("SELECT count(*) FROM monitoring.audit_log WHERE action = 'rescreen.resume'") == 1


async def test_a_range_that_runs_while_it_is_cancelled_and_resumed_is_done_once(
    ten_homes: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await forget(ten_homes)
    before = await written(ten_homes)
    ordered = await order(ten_homes, size=2)
    running = await _claim(ten_homes, timedelta(minutes=1))
    path, county = f"/monitoring/v1/rescreens/{ordered.rescreen_id}", bearer("county_admin")
    for verb in ("cancel", "resume"):
        assert (await monitoring_client.post(f"{path}/{verb}", headers=county)).status_code == 200
    await _screen_all(ten_homes)
    assert (await status(ten_homes, ordered)).remaining == 2, "whoever holds it has it"
    await screen(running, ten_homes)
    assert (await status(ten_homes, ordered)).state == "finished"
    assert (await written(ten_homes))[0] == before[0] + 10


async def test_a_finished_rescreen_is_not_cancelled(
    ten_homes: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    ordered = await order(ten_homes)
    await assess_all(ten_homes)
    path = f"/monitoring/v1/rescreens/{ordered.rescreen_id}/cancel"
    answer = await monitoring_client.post(path, headers=bearer("county_admin"))
    assert (answer.status_code, answer.json()["code"]) == (409, "rescreen_over")


async def test_a_rescreen_covers_who_lives_in_the_area_and_nobody_else(ten_homes: Runtime) -> None:
    runtime = ten_homes
    await deliver(runtime, rostered(runtime.keys, Home(no="F900", people=(90,), division=OTHER_VILLAGE), feed="r2"))
    await assess_all(runtime)
    await forget(runtime)
    ordered = await order(runtime, OTHER_VILLAGE)
    await assess_all(runtime)
    after = await status(runtime, ordered)
    assert (after.households, after.changed) == (1, 1)


async def test_households_that_are_due_are_left_to_their_own_turn(ten_homes: Runtime) -> None:
    runtime = ten_homes
    await deliver(runtime, settled(runtime.keys, 8, 2_000_000, record="S8", feed="m8"))
    ordered = await order(runtime)
    await _screen_all(runtime)
    assert (await status(runtime, ordered)).changed == 0
    assert await assess_due(runtime) == 1
    assert await one(runtime, "SELECT count(*) FROM assessment") == 11


async def test_stale_feeds_rewrite_no_assessment(ten_homes: Runtime) -> None:
    before = await written(ten_homes)
    await ten_homes.worker_pool.execute("UPDATE feed_freshness SET newest_on = newest_on - 3000")
    await order(ten_homes)
    await ten_homes.worker_pool.execute(
        "UPDATE household SET due_at = $1 WHERE household_no < 'F004'", ten_homes.clock.now()
    )
    assert await assess_all(ten_homes) == 14
    assert await written(ten_homes) == before


async def test_who_reported_goes_before_everybody_else(ten_homes: Runtime) -> None:
    runtime = ten_homes
    await runtime.worker_pool.execute("UPDATE household SET due_at = $1, priority = 9", runtime.clock.now())
    await order(runtime)
    await deliver(runtime, reported(runtime.keys, 19))
    async with transaction(runtime.worker_pool) as connection:
        _, by_county = await assessments.claim_due(
            connection, now=runtime.clock.now(), limit=1, lease=timedelta(minutes=1)
        )
    number = await one(
        runtime, "SELECT household_no FROM household WHERE household_id = $1", by_county[COUNTY[:6]][0]
    )
    assert number == "F009"


async def test_measures_are_kept_until_facts_change(ten_homes: Runtime) -> None:
    runtime = ten_homes
    before = await runtime.worker_pool.fetch("SELECT xmin::text, * FROM measure ORDER BY household_id")
    await order(runtime)
    await assess_all(runtime)
    assert before == await runtime.worker_pool.fetch("SELECT xmin::text, * FROM measure ORDER BY household_id")
    await deliver(runtime, settled(runtime.keys, 8, 2_000_000, record="S8", feed="m8"))
    await assess_all(runtime)
    after = await runtime.worker_pool.fetch("SELECT xmin::text, * FROM measure ORDER BY household_id")
    assert [row["household_id"] for row, was in zip(after, before, strict=True) if row != was] == [5]


async def test_a_state_that_ends_makes_its_household_due_that_day(ten_homes: Runtime, clock: FixedClock) -> None:
    runtime = ten_homes
    help_until = {
        "record": "A1",
        "household_no": "F003",
        "kind": "state.assistance",
        "value": "dibao",
        "occurred_on": "2025-01-01",
        "ended_on": "2026-03-18",
    }
    await deliver(runtime, observed([help_until], feed="a1", data_set="assistance", department="民政局"))
    await assess_all(runtime)
    assert str(await one(runtime, "SELECT changes_on FROM measure WHERE changes_on IS NOT NULL")) == "2026-03-18"
    clock.at = _day(17)
    assert await pass_day(runtime) == 0
    clock.at = _day(18)
    assert (await pass_day(runtime), await pass_day(runtime)) == (1, 0)
    assert await assess_all(runtime) == 1
    assert await one(runtime, "SELECT count(*) FROM measure WHERE changes_on IS NOT NULL") == 0


def _day(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("quiet", "busy", "kind"),
    [
        (_day(19), _day(20), "monthly"),
        (_day(31), _day(1, 4), "time"),
        (_day(9, 4), _day(10, 4), "quarterly"),
    ],
)
async def test_the_calendar_orders_a_rescreen_once_on_its_day(
    ten_homes: Runtime, clock: FixedClock, quiet: datetime, busy: datetime, kind: str
) -> None:
    clock.at = quiet
    await pass_day(ten_homes)
    await assess_all(ten_homes)
    assert kind not in await _ran(ten_homes, busy)
    clock.at = busy
    assert sorted(await asyncio.gather(pass_day(ten_homes), pass_day(ten_homes))) == [0, 10]
    assert await _ran(ten_homes, busy) == {kind}
    assert await assess_all(ten_homes) == 10
    assert await pass_day(ten_homes) == 0


async def _ran(runtime: Runtime, on: datetime) -> set[str]:
    rows = await runtime.worker_pool.fetch("SELECT kind FROM calendar_run WHERE day = $1", on.date())
    return {row["kind"] for row in rows}


async def test_the_start_of_a_month_measures_everybody_again(ten_homes: Runtime, clock: FixedClock) -> None:
    clock.at = _day(1, 4)
    await pass_day(ten_homes)
    await assess_all(ten_homes)
    days = await ten_homes.worker_pool.fetch("SELECT DISTINCT measured_on::text FROM measure")
    assert [row["measured_on"] for row in days] == ["2026-04-01"]
