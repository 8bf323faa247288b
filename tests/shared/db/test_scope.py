"""A transaction sees the rows of its division, and nothing is left behind for the next one."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db.pool import open_pool
from shared.db.scope import scoped, transaction
from shared.runtime import Runtime
from shared.vocabulary.division import DivisionCodeError

VILLAGES = [f"130624{town}0020{n}" for town in (1, 2) for n in range(1, 6)] + ["130625100201", "140624100201"]


@pytest.fixture(autouse=True)
async def _villages(small_admin: asyncpg.Connection) -> None:
    await small_admin.executemany("INSERT INTO place VALUES ($1, $2)", list(enumerate(VILLAGES)))


@pytest.fixture
async def single(small_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool of one connection, which every transaction therefore uses again."""
    pool = await open_pool(small_url, role="fangpin_intake", schema="intake", size=1)
    yield pool
    await pool.close()


async def seen(connection: asyncpg.Connection, table: str = "place") -> list[str]:
    return [row["division"] for row in await connection.fetch(f"SELECT division FROM {table} ORDER BY place_id")]


def below(prefix: str) -> list[str]:
    return [code for code in VILLAGES if code.startswith(prefix)]


async def test_without_a_scope_nothing_is_seen(single: asyncpg.Pool) -> None:
    async with transaction(single) as connection:
        assert await seen(connection) == []


async def test_after_a_scope_nothing_is_seen_again(single: asyncpg.Pool) -> None:
    async with scoped(single, "130624000000") as connection:
        assert await seen(connection) == below("130624")
    async with transaction(single) as connection:
        # The setting now reads as an empty text, no longer as null: the trap that opens everything.
        assert await connection.fetchval("SELECT current_setting('app.lo', true)") == ""
        assert await seen(connection) == []


async def test_two_hundred_scopes_take_turns_on_one_connection(single: asyncpg.Pool) -> None:
    chance = random.Random(7)
    for _ in range(200):
        village = chance.choice([*VILLAGES, "130624100000", "130624000000", "130699000000"])
        prefix = village.rstrip("0") if village not in VILLAGES else village
        async with scoped(single, village) as connection:
            assert await seen(connection) == below(prefix)


async def test_an_exception_leaves_no_scope_behind(single: asyncpg.Pool) -> None:
    async def fail() -> None:
        async with scoped(single, "130000000000") as connection:
            assert len(await seen(connection)) == 11
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with transaction(single) as connection:
        assert await seen(connection) == []


async def test_an_error_of_the_database_leaves_no_scope_behind(single: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with scoped(single, "130000000000") as connection:
            await connection.execute("SELECT * FROM nothing")
    async with transaction(single) as connection:
        assert await seen(connection) == []


async def test_a_cancelled_transaction_leaves_no_scope_behind(single: asyncpg.Pool) -> None:
    begun = asyncio.Event()

    async def slow() -> None:
        async with scoped(single, "130000000000") as connection:
            begun.set()
            await connection.execute("SELECT pg_sleep(5)")

    task = asyncio.create_task(slow())
    await begun.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with transaction(single) as connection:
        assert await seen(connection) == []
    async with scoped(single, "140000000000") as connection:
        assert await seen(connection) == below("14")


async def test_a_savepoint_undone_keeps_the_scope(single: asyncpg.Pool) -> None:
    async with scoped(single, "130625000000") as connection:
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                raise ZeroDivisionError
        assert await seen(connection) == below("130625")


async def test_a_prepared_plan_follows_the_scope(single: asyncpg.Pool) -> None:
    for _ in range(12):  # After five executions PostgreSQL may keep a plan for good.
        for prefix in ("130624", "130625"):
            async with scoped(single, prefix.ljust(12, "0")) as connection:
                assert await connection.fetchval("SELECT count(*) FROM place WHERE place_id >= $1", 0) == len(
                    below(prefix)
                )


async def test_a_view_shows_no_more_than_its_table(single: asyncpg.Pool) -> None:
    async with transaction(single) as connection:
        assert await seen(connection, "place_view") == []
    async with scoped(single, "130625000000") as connection:
        assert await seen(connection, "place_view") == below("130625")


async def test_a_row_outside_can_be_neither_written_nor_changed(single: asyncpg.Pool) -> None:
    async with scoped(single, "130625000000") as connection:
        assert await connection.execute("UPDATE place SET place_id = place_id + 100") == "UPDATE 1"
        assert await connection.execute("DELETE FROM place WHERE division < '130625'") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute("INSERT INTO place VALUES (99, '130624100201')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE place SET division = '130624100201'")


@pytest.mark.parametrize("division", ["", "13", "1306", "130624", "%", "000000000000", "130624100201x"])
async def test_what_is_no_division_opens_nothing(single: asyncpg.Pool, division: str) -> None:
    with pytest.raises(DivisionCodeError):
        async with scoped(single, division):
            pass


async def test_the_officer_is_known_inside_the_transaction_only(single: asyncpg.Pool) -> None:
    async with scoped(single, "130625000000", officer_no="GB0001") as connection:
        assert await connection.fetchval("SELECT current_setting('app.officer')") == "GB0001"
    async with scoped(single, "130625000000") as connection:
        assert await connection.fetchval("SELECT current_setting('app.officer')") == ""


async def test_a_worker_sees_all_rows_by_a_policy_of_its_own(intake: Runtime) -> None:
    async with transaction(intake.worker_pool) as connection:
        assert await seen(connection) == VILLAGES
