"""Verify the sealed log of one service: whether it is whole, or what was altered, removed or inserted where.

The public key is enough; whoever has the roots of an earlier export finds a log that was rewritten as a whole.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

import asyncpg

from shared.security.merkle import MerkleTree
from shared.security.seal_log import day_of, entry_of, signed_day_of
from shared.security.sealed_log import (
    AUDIT,
    BEGINNING,
    EXPIRED,
    KEPT,
    Entry,
    SealedTable,
    SignedDay,
    digest_of,
    head_statement,
    is_signed,
)

ENTRIES_A_STEP = 5_000


class Broken(StrEnum):
    """What is wrong with a sealed log; the value is the stable code."""

    ROW_ALTERED = "row_altered"
    ROW_REMOVED = "row_removed"
    ROW_INSERTED = "row_inserted"
    ENTRY_ALTERED = "entry_altered"
    ENTRY_REMOVED = "entry_removed"
    HEAD_ALTERED = "head_altered"
    DAY_ALTERED = "day_altered"
    DAY_REMOVED = "day_removed"
    ROOT_DIFFERS = "root_differs"
    FOREIGN_KEY = "foreign_key"


SENTENCES: Mapping[Broken, str] = {
    Broken.ROW_ALTERED: "记录被改动 row altered",
    Broken.ROW_REMOVED: "记录被删除 row removed",
    Broken.ROW_INSERTED: "记录是事后插入的，不在链上 row inserted afterwards",
    Broken.ENTRY_ALTERED: "链条条目被改动或调换 entry altered or swapped",
    Broken.ENTRY_REMOVED: "链条条目被删除 entry removed",
    Broken.HEAD_ALTERED: "链条末端与签名不符 end of the chain differs from its signature",
    Broken.DAY_ALTERED: "当日签名的根与条目不符 signed root of the day does not fit its entries",
    Broken.DAY_REMOVED: "缺少已签名的日根 signed day removed",
    Broken.ROOT_DIFFERS: "与此前导出的日根不一致 differs from the exported root",
    Broken.FOREIGN_KEY: "由另一套系统的密钥签名 signed with the key of another installation",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One break, and where: an entry, a row, a day."""

    what: Broken
    day: date | None = None
    seq: int | None = None
    source: str | None = None
    row_key: str | None = None


@dataclass(slots=True)
class Verified:
    """What a walk through the log came to; `expired` rows went when their time was over."""

    service: str
    entries: int = 0
    days: list[tuple[SignedDay, bytes, bytes]] = field(default_factory=list)
    expired: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.findings


async def verify_log(
    connection: asyncpg.Connection,
    service: str,
    tables: Sequence[SealedTable],
    trusted: Collection[bytes],
    roots: Mapping[date, bytes] | None = None,
) -> Verified:
    """Walk the chain from its beginning; `trusted` public keys, `roots` as exported earlier. Inside one snapshot."""
    verified = Verified(service)
    walk = _Walk({table.name: table for table in tables}, verified)
    await walk.through(connection)
    walk.settle_missing()
    await _check_days(connection, walk, trusted)
    await _check_head(connection, walk, trusted)
    for table in tables:
        verified.findings += await _inserted(connection, table)
    _compare_roots(verified, roots or {})
    return verified


@dataclass(slots=True)
class _Walk:
    """The walk over the entries: one tree a day, the chain's value where a day was signed, what is missing."""

    tables: Mapping[str, SealedTable]
    verified: Verified
    trees: dict[date, MerkleTree] = field(default_factory=lambda: defaultdict(MerkleTree))
    chain: bytes = BEGINNING
    seq: int = 0
    signed_at: set[int] = field(default_factory=set)
    chains: dict[int, bytes] = field(default_factory=dict)
    missing: list[Entry] = field(default_factory=list)
    expired_before: dict[str, date] = field(default_factory=dict)

    async def through(self, connection: asyncpg.Connection) -> None:
        signed = await connection.fetch("SELECT seq FROM seal_day UNION SELECT seq FROM seal_head")
        self.signed_at = {row["seq"] for row in signed}
        after = 0
        while True:
            rows = await connection.fetch(
                "SELECT * FROM seal_entry WHERE seq > $1 ORDER BY seq LIMIT $2", after, ENTRIES_A_STEP
            )
            if not rows:
                return
            kept = await _rows_of(connection, self.tables, rows)
            for row in rows:
                self._pass(row, kept.get((row["source"], row["row_key"])))
            after = rows[-1]["seq"]

    def _pass(self, stored: asyncpg.Record, row: asyncpg.Record | None) -> None:
        entry = entry_of(stored)
        if entry.seq != self.seq + 1:
            self._found(Broken.ENTRY_REMOVED, entry, seq=self.seq + 1)
        elif entry.chained_to(self.chain) != stored["chain"]:
            self._found(Broken.ENTRY_ALTERED, entry)
        # One break is told once: the walk goes on from what is stored.
        self.chain, self.seq = stored["chain"], entry.seq
        if entry.seq in self.signed_at:
            self.chains[entry.seq] = self.chain
        self.trees[entry.day].add(entry.leaf())
        self.verified.entries += 1
        self._compare(entry, row)

    def _compare(self, entry: Entry, row: asyncpg.Record | None) -> None:
        table = self.tables.get(entry.source)
        if row is None or table is None:
            self.missing.append(entry)
        elif digest_of(entry.source, row, table.columns) != entry.digest:
            self._found(Broken.ROW_ALTERED, entry)
        elif entry.source == AUDIT.name and row["action"] == EXPIRED:
            self._expire(entry, row["detail"])

    def _expire(self, entry: Entry, detail: Mapping[str, Any]) -> None:
        """Rows of earlier days may be missing; whoever removed one too early cannot excuse it by such an entry."""
        try:
            source, before = str(detail["source"]), date.fromisoformat(str(detail["before"]))
        except (KeyError, ValueError):
            return
        if before <= entry.day - KEPT:
            self.expired_before[source] = max(before, self.expired_before.get(source, before))

    def settle_missing(self) -> None:
        """A row may be missing if an entry of the log says that its time was over."""
        for entry in self.missing:
            before = self.expired_before.get(entry.source)
            if before is not None and entry.day < before:
                self.verified.expired += 1
            else:
                self._found(Broken.ROW_REMOVED, entry)

    def _found(self, what: Broken, entry: Entry, *, seq: int | None = None) -> None:
        where = (entry.source, entry.row_key) if seq is None else (None, None)
        self.verified.findings.append(Finding(what, entry.day, seq or entry.seq, *where))


async def _rows_of(
    connection: asyncpg.Connection, tables: Mapping[str, SealedTable], entries: Sequence[asyncpg.Record]
) -> dict[tuple[str, str], asyncpg.Record]:
    """The rows that entries stand for, as far as they are there."""
    found: dict[tuple[str, str], asyncpg.Record] = {}
    for name, table in tables.items():
        named = (table.key_from(entry["row_key"]) for entry in entries if entry["source"] == name)
        keys = [key for key in named if key is not None]
        if keys:
            rows = await connection.fetch(
                f"SELECT {', '.join(table.columns)} FROM {name} WHERE {table.key} = ANY ($1)", keys
            )
            found.update({(name, str(row[table.key])): row for row in rows})
    return found


async def _check_days(connection: asyncpg.Connection, walk: _Walk, trusted: Collection[bytes]) -> None:
    """Each signed day: its number, the day before it, its signature, its root, the chain where it was signed."""
    previous, number, findings = BEGINNING, 0, walk.verified.findings
    for row in await connection.fetch("SELECT * FROM seal_day ORDER BY number"):
        day = signed_day_of(walk.verified.service, row)
        walk.verified.days.append((day, row["public_key"], row["signature"]))
        if day.number != number + 1:
            findings.append(Finding(Broken.DAY_REMOVED, day.day))
        elif row["public_key"] not in trusted:
            findings.append(Finding(Broken.FOREIGN_KEY, day.day))
        elif (
            day.previous != previous
            or not is_signed(row["public_key"], row["signature"], day.statement())
            or not _fits(day, walk)
        ):
            findings.append(Finding(Broken.DAY_ALTERED, day.day))
        previous, number = day.digest(), day.number
    unsigned = set(walk.trees) - {day.day for day, _, _ in walk.verified.days}
    last = max((day.day for day, _, _ in walk.verified.days), default=None)
    findings += [Finding(Broken.DAY_REMOVED, day) for day in sorted(unsigned) if last is not None and day < last]


def _fits(day: SignedDay, walk: _Walk) -> bool:
    """Whether the entries of a day are those that were signed."""
    tree = walk.trees.get(day.day, MerkleTree())
    return (tree.leaves, tree.root(), walk.chains.get(day.seq)) == (day.entries, day.root, day.chain)


async def _check_head(connection: asyncpg.Connection, walk: _Walk, trusted: Collection[bytes]) -> None:
    """The chain ends where its end was signed: what comes after it was put in, what is missing was removed."""
    head = await connection.fetchrow("SELECT * FROM seal_head")
    if head is None:
        if walk.seq:
            walk.verified.findings.append(Finding(Broken.HEAD_ALTERED, seq=walk.seq))
        return
    statement = head_statement(walk.verified.service, head["seq"], head["chain"])
    if head["public_key"] not in trusted:
        walk.verified.findings.append(Finding(Broken.FOREIGN_KEY, seq=head["seq"]))
    elif walk.seq < head["seq"]:
        walk.verified.findings.append(Finding(Broken.ENTRY_REMOVED, seq=walk.seq + 1))
    elif (walk.seq, walk.chain) != (head["seq"], head["chain"]) or not is_signed(
        head["public_key"], head["signature"], statement
    ):
        walk.verified.findings.append(Finding(Broken.HEAD_ALTERED, seq=head["seq"]))


async def _inserted(connection: asyncpg.Connection, table: SealedTable) -> list[Finding]:
    """Rows dated on a day that is signed, without a place in the chain."""
    rows = await connection.fetch(
        f"""
        SELECT t.at, t.{table.key}::text AS row_key FROM {table.name} t
        WHERE t.at < (SELECT (max(day) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM seal_day)
          AND NOT EXISTS (SELECT FROM seal_entry e WHERE e.source = $1 AND e.row_key = t.{table.key}::text)
        ORDER BY t.at
        """,
        table.name,
    )
    return [
        Finding(Broken.ROW_INSERTED, day_of(row["at"]), source=table.name, row_key=row["row_key"]) for row in rows
    ]


def _compare_roots(verified: Verified, roots: Mapping[date, bytes]) -> None:
    """The roots of an earlier export must still be there: a log rewritten as a whole has others."""
    found: dict[date, Any] = {day.day: day.root for day, _, _ in verified.days}
    for day, root in sorted(roots.items()):
        if day not in found:
            verified.findings.append(Finding(Broken.DAY_REMOVED, day))
        elif found[day] != root:
            verified.findings.append(Finding(Broken.ROOT_DIFFERS, day))
