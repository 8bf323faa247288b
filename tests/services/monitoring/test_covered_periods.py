"""A file tells which days it covers: a quiet month is fresh, a month without a file is late."""

from datetime import date
from typing import Any

from services.monitoring import repository_freshness as freshness
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.staleness import stale_data_sets
from shared.contracts.envelope import Event
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, deliver, facts, observed, rostered, sent_at, settled

NAME = "medical_settlement"


def covering(first: str, last: str, **options: Any) -> Event:
    """The last message of a file that listed nothing more."""
    said = observed([], **options)
    said.data.update(period_from=first, period_to=last)
    return said


async def late(runtime: Runtime, today: date) -> bool:
    """Whether bills are late in the county, forty days being allowed."""
    newest = await freshness.newest_by_data_set(runtime.worker_pool, "130624")  # type: ignore[arg-type]
    return NAME in {each.name for each in stale_data_sets(load_policy(), newest, today, lambda _: 40)}


async def newest(runtime: Runtime) -> str:
    return str(await runtime.worker_pool.fetchval("SELECT newest_on FROM feed_freshness WHERE data_set = $1", NAME))


async def test_a_quiet_month_is_fresh_and_a_month_without_a_file_is_late(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()), settled(runtime.keys, 1, 100, on="2026-01-20"))
    assert await late(runtime, date(2026, 3, 12))
    await deliver(runtime, covering("2026-02-01", "2026-02-28", sent=sent_at(5), feed="february"))
    assert await newest(runtime) == "2026-02-28"
    assert not await late(runtime, date(2026, 3, 12))
    assert await late(runtime, date(2026, 4, 12))


async def test_a_period_alone_makes_no_fact_and_no_count(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, covering("2026-02-01", "2026-02-28"))
    assert await facts(runtime) == []
    assert await runtime.worker_pool.fetchval("SELECT count(*) FROM feed_count") == 0


async def test_a_file_covers_no_day_after_it_was_sent(monitoring_runtime: Runtime) -> None:
    await deliver(monitoring_runtime, covering("2026-03-01", "2026-03-31", sent=sent_at(10)))
    assert await newest(monitoring_runtime) == "2026-03-10"


async def test_an_older_period_that_comes_late_takes_nothing_back(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, covering("2026-02-01", "2026-02-28", sent=sent_at(5)))
    await deliver(runtime, covering("2025-12-01", "2025-12-31", sent=sent_at(6), feed="december"))
    assert await newest(runtime) == "2026-02-28"
