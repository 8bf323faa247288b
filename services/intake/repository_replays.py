"""SQL of replays: by which version a file was read before."""

import asyncpg


async def version_before(connection: asyncpg.Connection, feed: asyncpg.Record) -> int | None:
    """The newest older version of its layout by which this very file was read; None if it never was."""
    found: int | None = await connection.fetchval(
        """
        SELECT max(layout_version) FROM feed
        WHERE (layout, division, department, digest) = ($1, $2, $3, $4) AND layout_version < $5
          AND status <> 'failed' AND problem->>'code' IS DISTINCT FROM 'template_outdated'
        """,
        feed["layout"],
        feed["division"],
        feed["department"],
        feed["digest"],
        feed["layout_version"],
    )
    return found
