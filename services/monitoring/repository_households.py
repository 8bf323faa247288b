"""Households, residents and membership in the database."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

# Rosters change who belongs where; what is observed of people must not be matched meanwhile. Per county.
_ROSTER_LOCK = 0x726F73
_TURN_LOCK = 0x74726E
_DATA_SET_LOCK = 0x646174

A_FEW = 50


async def lock_rosters(connection: asyncpg.Connection, counties: Sequence[str]) -> None:
    """Wait until nobody matches people of these counties; until the end of the transaction nobody can.

    Rosters queue before a lock of their own: whoever matches a household's own report waits for one of them at most.
    """
    places = sorted({int(county) for county in counties})
    for lock in (_TURN_LOCK, _ROSTER_LOCK):
        await connection.execute("SELECT pg_advisory_xact_lock($1, c) FROM unnest($2::int[]) AS c", lock, places)


async def share_rosters(connection: asyncpg.Connection, counties: Sequence[str]) -> None:
    """Wait until no roster of these counties is being written; until the end of the transaction none is."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock_shared($1, c) FROM unnest($2::int[]) AS c",
        _ROSTER_LOCK,
        sorted({int(county) for county in counties}),
    )


async def lock_data_set(connection: asyncpg.Connection, county: str, data_set: str) -> None:
    """One message of a data set of a county at a time: two may correct the same record."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _DATA_SET_LOCK, f"{county}/{data_set}")


async def share_data_set(connection: asyncpg.Connection, county: str, data_set: str) -> None:
    """Wait until nobody has the data set for himself; until the end of the transaction nobody can."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock_shared($1, hashtext($2))", _DATA_SET_LOCK, f"{county}/{data_set}"
    )


async def a_feed_speaks(connection: asyncpg.Connection) -> bool:
    """Whether a message of a data set is being taken in at this moment, or waits for its turn."""
    speaks: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = $1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        _DATA_SET_LOCK,
    )
    return speaks


async def ensure_counties(connection: asyncpg.Connection, counties: Sequence[str]) -> None:
    """Make room for facts of these counties."""
    for county in sorted(set(counties)):
        await connection.execute("SELECT ensure_county($1)", county)


async def plan_afresh(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction, plan each statement for the very keys it is given.

    For sets of hundreds: a plan made once for any number of keys, on a table that has grown since, reads it whole.
    """
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")


async def look_up(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction, find each key in an index, whatever a table without statistics looks like.

    In the order of the keys, so that households are changed in the order in which everybody else locks them.
    """
    await connection.execute(
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = off;"
        " SET LOCAL enable_bitmapscan = off"
    )


async def database_time(connection: asyncpg.Connection) -> datetime:
    """The time by which known time is told."""
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment


async def lock(connection: asyncpg.Connection, household_ids: Sequence[int]) -> None:
    """Hold these households until the end of the transaction; always in the order of their numbers."""
    await connection.execute(
        "SELECT household_id FROM household WHERE household_id = ANY ($1::bigint[]) ORDER BY household_id"
        " FOR NO KEY UPDATE",
        household_ids,
    )


async def count_later(connection: asyncpg.Connection, *, later: bool = True) -> None:
    """Until the transaction ends, or until it is taken back, no change is noted for the dashboard row by row."""
    await connection.execute("SELECT set_config('fangpin.figures', $1, true)", "later" if later else "")


async def mark_changed(
    connection: asyncpg.Connection, household_ids: Sequence[int], *, now: datetime, priority: int
) -> dict[int, int]:
    """Raise the facts_version of households and make them due; returns the new versions.

    The dashboard hears of many by one statement for all, of a few by their trigger.
    """
    are_many = len(household_ids) > A_FEW
    if are_many:
        await count_later(connection)
    rows = await connection.fetch(
        """
        WITH changed AS (
            UPDATE household SET facts_version = facts_version + 1, due_at = least(due_at, $2),
                   priority = CASE WHEN due_at IS NULL THEN $3 ELSE least(priority, $3) END
            WHERE household_id = ANY ($1::bigint[]) RETURNING household_id, facts_version, living_division
        ), noted AS (
            INSERT INTO dashboard_touch (village, what) SELECT DISTINCT living_division, 'facts' FROM changed WHERE $4
        ), to_check AS (
            -- A check that runs meanwhile loses its lease, and the household is checked again. What waits already is
            -- left alone: a check that begins now will find the household locked by us, and leave it due.
            INSERT INTO quality_due AS q (household_id, due_at, priority)
            SELECT household_id, $2, $3 FROM changed c
            WHERE NOT EXISTS (
                SELECT FROM quality_due d WHERE d.household_id = c.household_id AND d.lease_token IS NULL)
            ORDER BY household_id
            ON CONFLICT (household_id) DO UPDATE SET due_at = excluded.due_at, lease_until = NULL, lease_token = NULL
            WHERE q.lease_token IS NOT NULL
        )
        SELECT household_id, facts_version FROM changed
        """,
        household_ids,
        now,
        priority,
        are_many,
    )
    if are_many:
        await count_later(connection, later=False)
    return {row["household_id"]: row["facts_version"] for row in rows}


async def mark_due(
    connection: asyncpg.Connection, household_ids: Sequence[int], *, now: datetime, priority: int
) -> None:
    """Make households due whose facts did not change."""
    await connection.execute(
        """
        UPDATE household SET due_at = least(due_at, $2),
               priority = CASE WHEN due_at IS NULL THEN $3 ELSE least(priority, $3) END
        WHERE household_id = ANY ($1::bigint[])
        """,
        household_ids,
        now,
        priority,
    )
