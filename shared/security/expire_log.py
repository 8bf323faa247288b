"""Let rows of the log go whose time is over: the chain stays, and says itself that they went."""

from datetime import date, datetime

import asyncpg

from shared.security.audit import audit
from shared.security.seal_log import day_begin
from shared.security.sealed_log import EXPIRED, SealedTable


async def expire_log(
    connection: asyncpg.Connection, table: SealedTable, before: date, *, actor: str, now: datetime
) -> int:
    """Delete sealed rows of days before `before`; how many. Only the owner of the tables may.

    The deletion is an entry of the log itself: verifying knows by it which rows may be missing.
    """
    done = await connection.execute(
        f"DELETE FROM {table.name} t USING seal_entry e"
        f" WHERE e.source = $1 AND e.row_key = t.{table.key}::text AND e.day < $2 AND t.at < $3",
        table.name,
        before,
        day_begin(before),
    )
    gone = int(done.rsplit(" ", 1)[1])
    if gone:
        detail = {"source": table.name, "before": before.isoformat(), "rows": gone}
        await audit(connection, actor, EXPIRED, f"log:{table.name}", now=now, detail=detail)
    return gone
