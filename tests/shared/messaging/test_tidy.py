"""What has done its duty goes after 35 days; what waits, failed or may still be repeated stays."""

import hashlib
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.contracts.envelope import Event
from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.contracts.progress import MONITORING_PROGRESS
from shared.db.scope import transaction
from shared.messaging import tidy as tidying
from shared.messaging.inbox import KEPT, MessageTooOld, accept_new
from shared.messaging.tidy import tidy
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.conftest import House

LONG_AGO, JUST_KEPT = KEPT + timedelta(seconds=1), KEPT


async def send(runtime: Runtime, age: timedelta, *states: str) -> UUID:
    """A message said so long ago, with a delivery in each of the states."""
    message, said_at = new_id(), runtime.clock.now() - age
    await runtime.worker_pool.execute(
        """
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, created_at)
        VALUES ($1, 'feed', '1', $2, '{}', $3)
        """,
        message,
        OBSERVATIONS_RECORDED,
        said_at,
    )
    for state in states:
        await runtime.worker_pool.execute(
            "INSERT INTO outbox_delivery (outbox_id, subscription_id, state) VALUES ($1, $2, $3)",
            message,
            new_id(),
            state,
        )
    return message


async def remaining(runtime: Runtime, column: str, table: str) -> set[object]:
    return {row[0] for row in await runtime.worker_pool.fetch(f"SELECT {column} FROM {table}")}


async def test_a_message_that_reached_everybody_goes_with_its_deliveries(intake: Runtime) -> None:
    await send(intake, LONG_AGO, "delivered", "delivered")
    await send(intake, LONG_AGO)
    assert await tidy(intake) == 2
    assert await remaining(intake, "id", "outbox") == set()
    assert await remaining(intake, "outbox_id", "outbox_delivery") == set()


async def test_a_message_that_waits_or_failed_stays_whole_however_old(intake: Runtime) -> None:
    kept = {
        await send(intake, timedelta(days=400), "due"),
        await send(intake, timedelta(days=400), "dead"),
        await send(intake, timedelta(days=400), "delivered", "dead"),
        await send(intake, JUST_KEPT, "delivered"),
    }
    assert await tidy(intake) == 0
    assert await remaining(intake, "id", "outbox") == kept
    assert len(await intake.worker_pool.fetch("SELECT FROM outbox_delivery")) == 5


async def take_in(runtime: Runtime, age: timedelta) -> Event:
    """A message taken in when it was new, so long ago."""
    event = Event.make("fangpin/monitoring", MONITORING_PROGRESS, None, {"items": []}, runtime.clock.now() - age)
    async with transaction(runtime.worker_pool) as connection:
        assert await accept_new(connection, [event], event.time)
    return event


async def test_a_message_taken_in_is_remembered_as_long_as_a_repeat_of_it_is_taken(intake: Runtime) -> None:
    old, young = await take_in(intake, LONG_AGO), await take_in(intake, JUST_KEPT)
    assert await tidy(intake) == 1
    async with transaction(intake.worker_pool) as connection:
        assert not await accept_new(connection, [young], intake.clock.now())
        with pytest.raises(MessageTooOld):
            await accept_new(connection, [old], intake.clock.now())


async def answer(connection: asyncpg.Connection, schema: str, key: str, runtime: Runtime, age: timedelta) -> None:
    await connection.execute(
        f"""
        INSERT INTO {schema}.idempotency_key (client, key, fingerprint, status, answer, created_at)
        VALUES ('yibao', $1, '', 200, '{{}}', $2)
        """,
        key,
        runtime.clock.now() - age,
    )


async def test_answers_kept_for_repeats_go(intake: Runtime, small_admin: asyncpg.Connection) -> None:
    await answer(small_admin, "intake", "old", intake, LONG_AGO)
    await answer(small_admin, "intake", "young", intake, JUST_KEPT)
    assert await tidy(intake) == 1
    assert await remaining(intake, "key", "idempotency_key") == {"young"}


@pytest.mark.parametrize("messages", [0, 1, 2, 3, 4, 5])
async def test_much_goes_in_steps(intake: Runtime, monkeypatch: pytest.MonkeyPatch, messages: int) -> None:
    monkeypatch.setattr(tidying, "ROWS_A_STEP", 2)
    for _ in range(messages):
        await send(intake, LONG_AGO, "delivered")
        await take_in(intake, LONG_AGO)
    assert await tidy(intake) == 2 * messages
    assert await tidy(intake) == 0


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
async def test_the_worker_of_each_service_may_tidy_its_own_tables(
    house: House, admin: asyncpg.Connection, service: str
) -> None:
    runtime = await house.runtime(service)
    await send(runtime, LONG_AGO, "delivered")
    digest, old = hashlib.sha256(b"{}").digest(), runtime.clock.now() - LONG_AGO
    await admin.execute(
        f"INSERT INTO {service}.inbox VALUES ('fangpin/intake', $1, $2, $3, $4, $4)",
        new_id(),
        MONITORING_PROGRESS,
        digest,
        old,
    )
    await answer(admin, service, "old", runtime, LONG_AGO)
    assert await tidy(runtime) == 3
    for table in ("outbox", "outbox_delivery", "inbox", "idempotency_key"):
        assert await admin.fetchval(f"SELECT count(*) FROM {service}.{table}") == 0, table
