"""Rows are claimed once, held by a lease, and finished by their holder only."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.db.scope import transaction
from shared.queue.claim import LeaseLost, Queue, claim, extend, finish, postpone
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

JOBS = Queue("job", ("job_id",))
MINUTE = timedelta(minutes=1)
GONE = timedelta(seconds=-1)


async def put(runtime: Runtime, job_id: int, *, due: datetime | None, priority: int = 5) -> None:
    await runtime.worker_pool.execute(
        "INSERT INTO job (job_id, due_at, priority) VALUES ($1, $2, $3)", job_id, due, priority
    )


async def take(runtime: Runtime, limit: int = 10, lease: timedelta = MINUTE, **options: Any) -> list[asyncpg.Record]:
    async with transaction(runtime.worker_pool) as connection:
        return await claim(connection, JOBS, now=runtime.clock.now(), limit=limit, lease=lease, **options)


async def job(runtime: Runtime, job_id: int) -> asyncpg.Record:
    row = await runtime.worker_pool.fetchrow("SELECT * FROM job WHERE job_id = $1", job_id)
    assert row is not None
    return row


async def test_the_most_urgent_and_then_the_oldest_come_first(intake: Runtime) -> None:
    now = intake.clock.now()
    await put(intake, 1, due=now - 2 * MINUTE, priority=9)
    await put(intake, 2, due=now - MINUTE)
    await put(intake, 3, due=now - 2 * MINUTE)
    await put(intake, 4, due=now, priority=0)
    assert [row["job_id"] for row in await take(intake)] == [4, 3, 2, 1]


async def test_the_limit_takes_the_most_urgent(intake: Runtime) -> None:
    for job_id in range(20):
        await put(intake, job_id, due=intake.clock.now(), priority=job_id % 10)
    assert {row["job_id"] for row in await take(intake, limit=4)} == {0, 10, 1, 11}


async def test_what_is_not_due_is_left(intake: Runtime) -> None:
    await put(intake, 1, due=None)
    await put(intake, 2, due=intake.clock.now() + MINUTE)
    assert await take(intake) == []


async def test_a_further_condition_and_its_binds_limit_a_claim(intake: Runtime) -> None:
    for job_id in range(4):
        await put(intake, job_id, due=intake.clock.now())
    rows = await take(intake, extra="job_id > $5", args=(2,), returning="job_id, lease_token")
    assert [tuple(row.keys()) for row in rows] == [("job_id", "lease_token")]
    assert rows[0]["job_id"] == 3


async def test_two_workers_never_hold_the_same_row(intake: Runtime) -> None:
    for job_id in range(40):
        await put(intake, job_id, due=intake.clock.now())
    async with transaction(intake.worker_pool) as one, transaction(intake.worker_pool) as other:
        first = await claim(one, JOBS, now=intake.clock.now(), limit=25, lease=MINUTE)
        # The first claim is not committed: its rows are locked, and skipped instead of waited for.
        second = await asyncio.wait_for(claim(other, JOBS, now=intake.clock.now(), limit=25, lease=MINUTE), 2)
    assert (len(first), len(second)) == (25, 15)
    assert {row["job_id"] for row in first}.isdisjoint({row["job_id"] for row in second})
    assert first[0]["lease_token"] != second[0]["lease_token"]


async def test_many_workers_at_once_take_each_row_once(intake: Runtime) -> None:
    for job_id in range(60):
        await put(intake, job_id, due=intake.clock.now())
    taken = await asyncio.gather(*(take(intake, limit=7) for _ in range(12)))
    ids = [row["job_id"] for rows in taken for row in rows]
    assert len(ids) == len(set(ids))


async def test_a_held_row_is_not_due_until_its_lease_runs_out(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake)
    assert await take(intake) == []
    await intake.worker_pool.execute("UPDATE job SET lease_until = clock_timestamp() - interval '1 second'")
    (again,) = await take(intake)
    assert (held["attempts"], again["attempts"]) == (1, 2)
    assert again["lease_token"] != held["lease_token"]


async def test_a_finish_after_the_lease_was_taken_over_is_refused_and_undone(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (late,) = await take(intake, lease=GONE)
    (holder,) = await take(intake)

    async def finish_late() -> None:
        async with transaction(intake.worker_pool) as connection:
            await connection.execute("INSERT INTO job (job_id) VALUES (99)")
            await finish(connection, JOBS, (1,), late["lease_token"])

    with pytest.raises(LeaseLost):
        await finish_late()
    assert await intake.worker_pool.fetchval("SELECT count(*) FROM job WHERE job_id = 99") == 0
    assert (await job(intake, 1))["lease_token"] == holder["lease_token"]


async def test_finishing_frees_the_row_and_forgets_its_attempts(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake)
    await finish(intake.worker_pool, JOBS, (1,), held["lease_token"])
    row = await job(intake, 1)
    assert (row["due_at"], row["lease_until"], row["lease_token"], row["attempts"]) == (None, None, None, 0)


async def test_finishing_twice_is_refused(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake)
    await finish(intake.worker_pool, JOBS, (1,), held["lease_token"])
    with pytest.raises(LeaseLost):
        await finish(intake.worker_pool, JOBS, (1,), held["lease_token"])


async def test_finishing_sets_what_it_is_told(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake)
    await finish(
        intake.worker_pool, JOBS, (1,), held["lease_token"], set_sql="priority = $1, due_at = $2", args=(3, None)
    )
    assert (await job(intake, 1))["priority"] == 3


async def test_a_postponed_row_comes_back_with_its_attempts(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake)
    later = intake.clock.now() + MINUTE
    await postpone(intake.worker_pool, JOBS, (1,), held["lease_token"], later)
    assert await take(intake) == []
    intake.clock.at = later  # type: ignore[attr-defined]
    (again,) = await take(intake)
    assert again["attempts"] == 2


async def test_an_extended_lease_holds_longer(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    (held,) = await take(intake, lease=timedelta(seconds=1))
    await extend(intake.worker_pool, JOBS, (1,), held["lease_token"], 10 * MINUTE)
    assert (await job(intake, 1))["lease_until"] > held["lease_until"] + 5 * MINUTE


async def test_only_the_holder_extends_or_postpones(intake: Runtime) -> None:
    await put(intake, 1, due=intake.clock.now())
    await take(intake)
    with pytest.raises(LeaseLost):
        await extend(intake.worker_pool, JOBS, (1,), uuid4(), MINUTE)
    with pytest.raises(LeaseLost):
        await postpone(intake.worker_pool, JOBS, (1,), uuid4(), intake.clock.now())


async def test_a_key_of_two_columns_names_one_row(intake: Runtime) -> None:
    deliveries = Queue("outbox_delivery", ("outbox_id", "subscription_id"), where="state = 'due'")
    outbox_id, subscribers, now = new_id(), (new_id(), new_id()), intake.clock.now()
    for subscriber in subscribers:
        await intake.worker_pool.execute(
            "INSERT INTO outbox_delivery (outbox_id, subscription_id, due_at) VALUES ($1, $2, $3)",
            outbox_id,
            subscriber,
            now,
        )
    async with transaction(intake.worker_pool) as connection:
        held = await claim(connection, deliveries, now=now, limit=5, lease=MINUTE)
        await finish(connection, deliveries, (outbox_id, subscribers[0]), held[0]["lease_token"])
    left = await intake.worker_pool.fetch("SELECT subscription_id FROM outbox_delivery WHERE due_at IS NOT NULL")
    assert [row["subscription_id"] for row in left] == [subscribers[1]]
