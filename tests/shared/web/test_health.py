"""Ready means: the database answers and is not older than the program."""

import asyncio

import asyncpg
import pytest

from shared.db import scope
from shared.db.scope import scoped, transaction
from tests.shared.web.conftest import Edge


async def test_ready_when_the_database_answers(edge: Edge) -> None:
    assert (await edge.http.get("/readyz")).json() == {"status": "ready", "service": "intake"}


async def test_not_ready_on_an_older_schema(edge: Edge, small_admin: asyncpg.Connection) -> None:
    head = await small_admin.fetchval("SELECT version_num FROM alembic_version")
    await small_admin.execute("UPDATE alembic_version SET version_num = '0000_before'")
    answer = await edge.http.get("/readyz")
    await small_admin.execute("UPDATE alembic_version SET version_num = '9999_after'")
    newer = await edge.http.get("/readyz")
    await small_admin.execute("UPDATE alembic_version SET version_num = $1", head)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert newer.status_code == 200  # The program before the migration keeps serving.


async def test_not_ready_and_still_alive_while_the_pool_is_exhausted(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "ACQUIRE_SECONDS", 0.1)
    pool = edge.runtime.pool
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    try:
        ready, waiting, alive = await asyncio.gather(
            edge.http.get("/readyz"),
            edge.http.get("/intake/v1/places", headers=edge.bearer()),
            edge.http.get("/livez"),
        )
    finally:
        for connection in held:
            await pool.release(connection)
    assert (ready.status_code, waiting.status_code, alive.status_code) == (503, 503, 200)
    assert waiting.headers["retry-after"] == "2"
    assert (await edge.http.get("/readyz")).status_code == 200


async def test_waiting_for_a_connection_has_an_end(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "ACQUIRE_SECONDS", 0.05)
    pool = edge.runtime.worker_pool
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    try:
        with pytest.raises(TimeoutError):
            async with transaction(pool):
                pass
        with pytest.raises(TimeoutError):
            async with scoped(pool, "130624000000"):
                pass
    finally:
        for connection in held:
            await pool.release(connection)


async def test_metrics_tell_what_waits(edge: Edge, small_admin: asyncpg.Connection) -> None:
    await small_admin.execute(
        """
        INSERT INTO outbox_delivery (outbox_id, subscription_id, due_at, state)
        SELECT gen_random_uuid(), gen_random_uuid(), $1::timestamptz - interval '90 s', s
        FROM unnest(ARRAY['due', 'due', 'dead', 'delivered']) s
        """,
        edge.runtime.clock.now(),
    )
    text = (await edge.http.get("/metrics")).text
    assert 'fangpin_outbox_waiting{service="intake"} 2.0' in text
    assert 'fangpin_outbox_dead{service="intake"} 1.0' in text
    assert 'fangpin_outbox_oldest_seconds{service="intake"} 90.0' in text
