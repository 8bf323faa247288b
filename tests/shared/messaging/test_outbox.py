"""A message is written with its cause, once for each subscriber to its type."""

import asyncpg
import pytest

from shared.contracts.envelope import Event
from shared.contracts.intake import DATA_NOTICE, HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, OWN_RECORD_ASKED
from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id


def event(runtime: Runtime, type_: str = OBSERVATIONS_RECORDED, **data: object) -> Event:
    return Event.make("fangpin/intake", type_, "feed:1", data, runtime.clock.now())


async def subscribe(runtime: Runtime, name: str, *types: str, active: bool = True) -> None:
    await runtime.worker_pool.execute(
        """
        INSERT INTO subscription (subscription_id, name, url, types, secret, active, created_at)
        VALUES ($1, $2, 'http://127.0.0.1:9/', $3, ''::bytea, $4, $5)
        """,
        new_id(),
        name,
        list(types),
        active,
        runtime.clock.now(),
    )


async def deliveries(runtime: Runtime) -> list[asyncpg.Record]:
    return await runtime.worker_pool.fetch(
        """
        SELECT s.name, d.* FROM outbox_delivery d JOIN subscription s USING (subscription_id)
        ORDER BY s.name
        """
    )


async def test_each_active_subscriber_to_the_type_gets_one_delivery(intake: Runtime) -> None:
    await subscribe(intake, "province", OBSERVATIONS_RECORDED, HOUSEHOLDS_RECORDED)
    await subscribe(intake, "other type", HOUSEHOLDS_RECORDED)
    await subscribe(intake, "stopped", OBSERVATIONS_RECORDED, active=False)
    async with transaction(intake.pool) as connection:
        await enqueue(connection, event(intake), aggregate="feed")
    rows = await deliveries(intake)
    assert [row["name"] for row in rows] == ["internal:monitoring", "province"]
    assert {(row["state"], row["priority"], row["attempts"], row["due_at"]) for row in rows} == {
        ("due", 5, 0, intake.clock.now())
    }


async def test_a_message_without_subscribers_is_kept_all_the_same(intake: Runtime) -> None:
    async with transaction(intake.pool) as connection:
        await enqueue(connection, event(intake, "cn.fangpin.intake.unheard.v1"), aggregate="feed")
    assert await intake.worker_pool.fetchval("SELECT count(*) FROM outbox") == 1
    assert await deliveries(intake) == []


async def test_the_message_is_stored_as_it_was_said(intake: Runtime) -> None:
    said = event(intake, village="大台村", nothing=None, deep={"list": [1, "二", None]})
    async with transaction(intake.pool) as connection:
        await enqueue(connection, said, aggregate="feed")
        row = await connection.fetchrow("SELECT * FROM outbox")
    assert row is not None
    stored = (row["id"], row["type"], row["aggregatetype"], row["aggregateid"], row["payload"], row["created_at"])
    assert stored == (said.id, said.type, "feed", "feed:1", said.data, said.time)


async def test_a_message_goes_with_its_cause(intake: Runtime) -> None:
    async def fail() -> None:
        async with transaction(intake.pool) as connection:
            await enqueue(connection, event(intake), aggregate="feed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await intake.worker_pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_a_subscriber_outside_never_stands_before_a_service(intake: Runtime) -> None:
    await subscribe(intake, "province", OBSERVATIONS_RECORDED)
    async with transaction(intake.pool) as connection:
        await enqueue(connection, event(intake), aggregate="report", priority=0)
        await enqueue(connection, event(intake), aggregate="feed", priority=9)
    found = sorted((row["name"], row["priority"]) for row in await deliveries(intake))
    assert found == [("internal:monitoring", 0), ("internal:monitoring", 9), ("province", 5), ("province", 9)]


async def test_peers_subscribe_at_every_start_and_once(intake: Runtime, small_url: str) -> None:
    from shared.messaging.subscription import register_peers

    moved = intake.settings.model_copy(update={"monitoring_url": "http://moved.test"})
    for _ in range(2):
        async with transaction(intake.worker_pool) as connection:
            await register_peers(connection, "intake", moved, intake.clock.now())
    rows = await intake.worker_pool.fetch("SELECT name, url, types FROM subscription ORDER BY name DESC")
    assert [tuple(row) for row in rows] == [
        (
            "internal:monitoring",
            "http://moved.test/monitoring/v1/events",
            [HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, OWN_RECORD_ASKED],
        ),
        ("internal:alerts", "http://alerts.test/alerts/v1/events", [DATA_NOTICE]),
    ]
