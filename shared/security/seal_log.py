"""Seal the log: chain what was written since the last time, and sign the root of each day that is over.

Rows are written by business transactions that never wait for it. A row joins the chain once it is visible, so that
no order of commits is lost; a day is signed when its rows can only have been committed: no transaction of that day
is running any more.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import asyncpg

from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.logs import log
from shared.runtime import Runtime
from shared.security.merkle import MerkleTree
from shared.security.sealed_log import (
    BEGINNING,
    Entry,
    SealedTable,
    SignedDay,
    digest_of,
    head_statement,
    public_bytes,
    sealing_key,
)

# So few that the worker's other tasks wait no longer than some hundredths of a second.
ROWS_A_STEP = 2_000
# A long task dates its rows by when it began: by then none that began on the day before is still at work.
AFTER_MIDNIGHT = timedelta(hours=2)
# What is committed later than this after it was dated waits for the end of its day.
LATE = timedelta(hours=1)
_DAY = timedelta(days=1)


async def seal_log(runtime: Runtime, tables: Sequence[SealedTable]) -> int:
    """Chain the rows that are not sealed yet and sign the days that are over; how many rows. Safe to run twice."""
    sealed = 0
    for table in tables:
        sealed += await _seal_table(runtime, table)
    async with transaction(runtime.worker_pool) as connection:
        if await _is_alone(connection, runtime.service) and await _is_settled(connection, runtime):
            late = await _chain_late(connection, runtime, tables)
            sealed += late
            if late < ROWS_A_STEP:
                await _sign_days(connection, runtime)
    return sealed


async def _seal_table(runtime: Runtime, table: SealedTable) -> int:
    """Chain a table's rows step by step, each step in a transaction of its own."""
    sealed, since = 0, None
    while True:
        async with transaction(runtime.worker_pool) as connection:
            if not await _is_alone(connection, runtime.service):
                return sealed
            rows = await _unsealed(connection, table, since or await _looked_through(connection, runtime))
            await _chain(connection, runtime, table, rows)
        sealed += len(rows)
        if len(rows) < ROWS_A_STEP:
            return sealed
        since = rows[-1]["at"]


async def _looked_through(connection: asyncpg.Connection, runtime: Runtime) -> datetime | None:
    """Before when nothing new is expected; None while a day waits to be signed: then all of it is looked through."""
    head = await connection.fetchrow("SELECT sealed_at, (SELECT max(day) FROM seal_day) AS signed FROM seal_head")
    if head is None or head["signed"] is None or head["signed"] < _signable_until(runtime) - _DAY:
        return None
    sealed_at: datetime = head["sealed_at"]
    return sealed_at - LATE


async def _chain_late(connection: asyncpg.Connection, runtime: Runtime, tables: Sequence[SealedTable]) -> int:
    """Chain what was committed since the rows were read, before the day is signed; how many rows."""
    sealed = 0
    for table in tables:
        rows = await _unsealed(connection, table, None)
        await _chain(connection, runtime, table, rows)
        sealed += len(rows)
    return sealed


async def _is_alone(connection: asyncpg.Connection, service: str) -> bool:
    """One sealer at a time; another comes back in a minute."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"{service}.sealed_log"
        )
    )


async def _unsealed(
    connection: asyncpg.Connection, table: SealedTable, since: datetime | None
) -> list[asyncpg.Record]:
    """Rows that have no place in the chain, in order of time.

    A row dated on a day that is signed stays outside: it was put in afterwards, and verifying says so.
    """
    last = await connection.fetchval("SELECT max(day) FROM seal_day")
    floor = day_begin(last + _DAY) if last else None
    after = max((moment for moment in (floor, since) if moment), default=None)
    return await connection.fetch(
        f"""
        SELECT {", ".join(table.columns)} FROM {table.name} t
        WHERE ($1::timestamptz IS NULL OR t.at >= $1) AND NOT EXISTS (
            SELECT FROM seal_entry e WHERE e.source = $2 AND e.row_key = t.{table.key}::text)
        ORDER BY t.at, t.{table.key} LIMIT $3
        """,
        after,
        table.name,
        ROWS_A_STEP,
    )


async def _chain(
    connection: asyncpg.Connection, runtime: Runtime, table: SealedTable, rows: Sequence[asyncpg.Record]
) -> None:
    """Give rows the next places in the chain, and sign its new end."""
    if not rows:
        return
    head = await connection.fetchrow("SELECT seq, chain FROM seal_head")
    seq, chain = (head["seq"], head["chain"]) if head else (0, BEGINNING)
    entries: list[tuple[Any, ...]] = []
    for row in rows:
        seq += 1
        entry = Entry(
            seq, table.name, str(row[table.key]), day_of(row["at"]), digest_of(table.name, row, table.columns)
        )
        chain = entry.chained_to(chain)
        entries.append((entry.seq, entry.source, entry.row_key, entry.day, entry.digest, chain))
    columns = ["seq", "source", "row_key", "day", "digest", "chain"]
    await connection.copy_records_to_table("seal_entry", records=entries, columns=columns)
    await _sign_head(connection, runtime, seq, chain)


async def _sign_head(connection: asyncpg.Connection, runtime: Runtime, seq: int, chain: bytes) -> None:
    key = sealing_key(runtime.keys)
    await connection.execute(
        """
        INSERT INTO seal_head AS h (head_id, seq, chain, sealed_at, public_key, signature)
        VALUES (1, $1, $2, $3, $4, $5)
        ON CONFLICT (head_id) DO UPDATE SET seq = excluded.seq, chain = excluded.chain,
            sealed_at = excluded.sealed_at, public_key = excluded.public_key, signature = excluded.signature
        """,
        seq,
        chain,
        runtime.clock.now(),
        public_bytes(key),
        key.sign(head_statement(runtime.service, seq, chain)),
    )


async def _is_settled(connection: asyncpg.Connection, runtime: Runtime) -> bool:
    """Whether all that was begun before today is committed or gone; false, too, if nothing is left to sign.

    The first time it only marks which transactions are older than the new day.
    """
    today = _signable_until(runtime)
    head = await connection.fetchrow(
        "SELECT marked_day, marked_xact, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,"
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next FROM seal_head"
    )
    last = await connection.fetchval("SELECT max(day) FROM seal_day")
    if head is None or (last is not None and last >= today - _DAY):
        return False
    # A mark higher than any transaction is of another server, from which this database was restored.
    if head["marked_day"] == today and head["marked_xact"] <= head["next"]:
        return bool(head["oldest"] >= head["marked_xact"])
    await connection.execute("UPDATE seal_head SET marked_day = $1, marked_xact = $2", today, head["next"])
    return False


def _signable_until(runtime: Runtime) -> date:
    """The first day that is not over."""
    return day_of(runtime.clock.now() - AFTER_MIDNIGHT)


async def _sign_days(connection: asyncpg.Connection, runtime: Runtime) -> None:
    """Sign the root of each day that is over, in order; of a day without entries too, which says that it had none."""
    last = await connection.fetchrow("SELECT * FROM seal_day ORDER BY number DESC LIMIT 1")
    head = await connection.fetchrow("SELECT seq, chain FROM seal_head")
    first = last["day"] + _DAY if last else await connection.fetchval("SELECT min(day) FROM seal_entry")
    previous = signed_day_of(runtime.service, last) if last else None
    assert head is not None, "what is settled has a chain"
    for day in _days(first, _signable_until(runtime)):
        tree = await _tree(connection, day)
        signed = SignedDay(
            runtime.service,
            day,
            previous.number + 1 if previous else 1,
            tree.leaves,
            tree.root(),
            head["seq"],
            head["chain"],
            previous.digest() if previous else BEGINNING,
        )
        await _write_day(connection, runtime, signed)
        previous = signed


def _days(first: date, end: date) -> Iterator[date]:
    return (first + timedelta(days=after) for after in range((end - first).days))


async def _tree(connection: asyncpg.Connection, day: date) -> MerkleTree:
    tree = MerkleTree()
    async for row in connection.cursor("SELECT * FROM seal_entry WHERE day = $1 ORDER BY seq", day):
        tree.add(entry_of(row).leaf())
    return tree


async def _write_day(connection: asyncpg.Connection, runtime: Runtime, signed: SignedDay) -> None:
    key = sealing_key(runtime.keys)
    await connection.execute(
        "INSERT INTO seal_day (day, number, entries, root, seq, chain, previous, public_key, signature, signed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *(getattr(signed, name) for name in SignedDay.__slots__ if name != "service"),
        public_bytes(key),
        key.sign(signed.statement()),
        runtime.clock.now(),
    )
    # The program's own log usually leaves the machine: a second place that remembers the root.
    told = {"day": str(signed.day), "entries": signed.entries, "root": signed.root.hex()}
    log.info("log.day_sealed", service=runtime.service, **told)


def entry_of(row: Any) -> Entry:
    """An entry as it is stored."""
    return Entry(row["seq"], row["source"], row["row_key"], row["day"], row["digest"])


def signed_day_of(service: str, row: Any) -> SignedDay:
    """What a stored day says; whether it was signed is another question."""
    return SignedDay(service, *(row[name] for name in SignedDay.__slots__ if name != "service"))


def day_of(moment: datetime) -> date:
    """The day in China on which a moment falls."""
    return moment.astimezone(SHANGHAI).date()


def day_begin(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
