"""SQL of what a person may be told about his own record."""

import asyncpg


async def resident_of(connection: asyncpg.Connection, number_index: bytes) -> int | None:
    found: int | None = await connection.fetchval(
        "SELECT resident_id FROM resident WHERE number_index = $1", number_index
    )
    return found


async def holdings_of(connection: asyncpg.Connection, resident_id: int, limit: int) -> list[asyncpg.Record]:
    """Kinds of facts that stand about a person, by department: his own only, not the other members'."""
    return await connection.fetch(
        """
        SELECT kind, department, source, count(*)::int AS facts, min(occurred_on) AS first_on,
               max(occurred_on) AS last_on
        FROM fact WHERE resident_id = $1 AND superseded_at IS NULL
        GROUP BY kind, department, source ORDER BY kind, department LIMIT $2
        """,
        resident_id,
        limit,
    )


async def looks_at(connection: asyncpg.Connection, resident_id: int, limit: int) -> list[asyncpg.Record]:
    """Who read of a household while the person belonged to it, the newest first."""
    return await connection.fetch(
        """
        SELECT a.at, a.actor_kind, a.action, a.purpose, a.detail
        FROM (
            SELECT DISTINCT h.household_no, m.valid_from, m.valid_to
            FROM household_member m JOIN household h USING (household_id)
            WHERE m.resident_id = $1 AND m.superseded_at IS NULL
        ) mine JOIN audit_log a ON a.object = 'household:' || mine.household_no AND a.object LIKE 'household:%'
        WHERE a.action LIKE '%.read' AND a.at >= mine.valid_from
          AND (mine.valid_to IS NULL OR a.at < mine.valid_to)
        ORDER BY a.at DESC LIMIT $2
        """,
        resident_id,
        limit,
    )
