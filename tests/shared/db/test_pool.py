"""Connections act as the role of their service, and speak JSON."""

import asyncio

import asyncpg
import pytest

from shared.db.pool import alchemy_url, open_pool, plain_url, to_json
from shared.runtime import Runtime
from tests.shared.conftest import Open


async def test_the_role_survives_every_reset(small_url: str) -> None:
    pool = await open_pool(small_url, role="fangpin_intake", schema="intake", size=1)
    async with pool.acquire() as connection:
        for reset in ("RESET ALL", "RESET ROLE", "SET SESSION AUTHORIZATION DEFAULT"):
            await connection.execute(reset)
            assert await connection.fetchval("SELECT current_user") == "fangpin_intake", reset
            assert await connection.fetchval("SELECT current_schema") == "intake", reset
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT current_user") == "fangpin_intake"
    await pool.close()


async def test_each_pool_of_a_service_has_its_role(intake: Runtime) -> None:
    pools = (intake.pool, intake.worker_pool, intake.directory_pool)
    roles = [await pool.fetchval("SELECT current_user || ' ' || current_schema") for pool in pools]
    assert roles == ["fangpin_intake intake", "fangpin_intake_worker intake", "fangpin_directory directory"]


async def test_what_the_database_remembers_is_durable(intake: Runtime) -> None:
    async with intake.pool.acquire() as connection:
        source = await connection.fetchval("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")
    assert source not in {"session", "client", "database", "user"}  # Nobody but the operator turns it off.


async def test_json_comes_back_as_it_went(intake: Runtime) -> None:
    value = {"name": "大台村 𠮷", "list": [1, 2.5, None, True], "deep": {"a": {}}}
    for kind in ("json", "jsonb"):
        assert await intake.pool.fetchval(f"SELECT $1::{kind}", value) == value


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@db:5432/fangpin", "postgresql+asyncpg://u:p@db:5432/fangpin"),
        ("postgresql+asyncpg://u@db/fangpin", "postgresql+asyncpg://u@db/fangpin"),
        ("postgresql://u:@/f?host=/run/a b&port=5433", "postgresql+asyncpg://u:@/f?host=%2Frun%2Fa+b&port=5433"),
        ("postgresql://u@db/f?sslmode=verify-full", "postgresql+asyncpg://u@db/f?ssl=verify-full"),
    ],
)
def test_one_url_serves_both_libraries(url: str, expected: str) -> None:
    assert alchemy_url(url) == expected
    assert plain_url(expected).startswith("postgresql://")


async def test_wakes_are_gathered_and_sent_outside_of_transactions(intake: Runtime, small_url: str) -> None:
    heard: list[str] = []
    connection = await asyncpg.connect(small_url)
    await connection.add_listener("fangpin_intake", lambda *args: heard.append(str(args[-1])))
    for _ in range(50):
        intake.waker.wake("relay", "ingest")
    intake.waker.wake()
    await asyncio.sleep(0.1)
    await connection.close()
    assert heard == ["ingest,relay"]


async def test_a_wake_while_one_is_being_sent_is_sent_too(intake: Runtime, small_url: str) -> None:
    heard: set[str] = set()
    connection = await asyncpg.connect(small_url)
    await connection.add_listener("fangpin_intake", lambda *args: heard.update(str(args[-1]).split(",")))
    for number in range(30):
        intake.waker.wake(f"w{number}")
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    await connection.close()
    assert heard == {f"w{number}" for number in range(30)}


async def test_a_wake_without_a_database_is_lost_in_peace(open_small: Open) -> None:
    async with open_small("intake") as runtime:
        await runtime.worker_pool.close()
        runtime.waker.wake("relay")
        await asyncio.sleep(0.02)
        assert runtime.waker._task is not None
        assert runtime.waker._task.exception() is None
