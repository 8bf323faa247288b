"""SQL of departments' own codes (本部门编码), under the worker's role: sets of codes, never one statement a row."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.intake.domain.feed_layout import FeedLayout, Kind, Owner
from services.intake.domain.own_code import OWNERS, TWO_OWNERS, Code
from services.intake.pack_rows import NO_SHELF
from shared.vocabulary.division import county_of


class SaidCode(NamedTuple):
    """What the row on a line says of a code."""

    line: int
    owner_kind: str
    code: bytes
    owner: str
    on: date


class CodedRow(NamedTuple):
    """A row that waits for the end of its file: its line, and its cells, sealed."""

    line: int
    sealed: bytes


def cells_place(feed_id: UUID, line: int) -> tuple[str, str, str]:
    """Table, column and row that the cells of a waiting row are sealed for."""
    return "feed_row_coded", "sealed_cells", f"{feed_id}/{line}"


async def stage_codes(connection: asyncpg.Connection, feed_id: UUID, said: Sequence[SaidCode]) -> None:
    """Keep what rows say of codes until their feed is recorded."""
    if said:
        columns = ("feed_id", "line", "owner_kind", "code", "owner", "learnt_on")
        await connection.copy_records_to_table(
            "feed_code_staged", records=((feed_id, *each) for each in said), columns=columns
        )


async def add_coded(connection: asyncpg.Connection, feed_id: UUID, rows: Sequence[CodedRow]) -> None:
    """Let rows wait."""
    if rows:
        await connection.execute(
            """
            INSERT INTO feed_row_coded (feed_id, line, sealed_cells)
            SELECT $1, line, sealed FROM unnest($2::bigint[], $3::bytea[]) AS w (line, sealed)
            """,
            feed_id,
            *map(list, zip(*rows, strict=True)),
        )


async def take_coded(connection: asyncpg.Connection, feed_id: UUID, limit: int) -> list[CodedRow]:
    """The next rows that wait; they wait no more."""
    rows = await connection.fetch(
        """
        DELETE FROM feed_row_coded w USING (
            SELECT line FROM feed_row_coded WHERE feed_id = $1 ORDER BY line LIMIT $2
        ) next WHERE w.feed_id = $1 AND w.line = next.line
        RETURNING w.line, w.sealed_cells
        """,
        feed_id,
        limit,
    )
    return sorted(CodedRow(*row) for row in rows)


# Whom codes stand for, by what is recorded and by the file itself; the newest first: of one day what came last.
_SAID = """
SELECT owner_kind, code, owner, learnt_on, NULL::bigint AS line FROM crosswalk
WHERE department = $2 AND county = $3 AND (owner_kind, code) IN (SELECT owner_kind, code FROM asked)
UNION ALL
SELECT c.owner_kind, c.code, c.owner, CASE WHEN $4::bool THEN $5::date ELSE c.learnt_on END, c.line
FROM feed_code_staged c WHERE c.feed_id = $1 AND (c.owner_kind, c.code) IN (SELECT owner_kind, code FROM asked)
"""
_NEWEST = "owner_kind, code, learnt_on DESC, line DESC NULLS LAST"


async def owners_of(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, codes: Iterable[Code]
) -> Mapping[Code, str]:
    """Whose these codes are, as far as the department ever said, in this file or before."""
    asked = sorted({(owner.value, code) for owner, code in codes})
    rows = await connection.fetch(
        f"""
        WITH asked AS MATERIALIZED (SELECT * FROM unnest($6::text[], $7::bytea[]) AS a (owner_kind, code))
        SELECT DISTINCT ON (owner_kind, code) owner_kind, code, owner FROM ({_SAID}) said ORDER BY {_NEWEST}
        """,
        *_of(feed, layout),
        [owner for owner, _ in asked],
        [code for _, code in asked],
    )
    return {(Owner(row["owner_kind"]), row["code"]): row["owner"] for row in rows}


async def learn(
    connection: asyncpg.Connection,
    feed: asyncpg.Record,
    layout: FeedLayout,
    after: int = -1,
    last: int | None = None,
) -> None:
    """Remember what the staged rows behind line `after` up to `last` say of codes; what is newer stands."""
    if not layout.crosswalk:
        return
    await connection.execute(
        f"""
        INSERT INTO crosswalk AS c (department, county, owner_kind, code, owner, learnt_on, layout, record, feed_id,
            received_at)
        SELECT DISTINCT ON (owner_kind, code) $2, $3, owner_kind, code, owner, learnt_on, $6, record, $1, $7
        FROM (
            SELECT s.owner_kind, s.code, s.owner, CASE WHEN $4::bool THEN $5::date ELSE s.learnt_on END AS learnt_on,
                s.line, r.record
            FROM feed_code_staged s JOIN feed_row_staged r USING (feed_id, line)
            WHERE s.feed_id = $1 AND r.shelf = {NO_SHELF} AND s.line > $8 AND ($9::bigint IS NULL OR s.line <= $9)
        ) said
        ORDER BY owner_kind, code, learnt_on DESC, line DESC
        ON CONFLICT (department, county, owner_kind, code) DO UPDATE
        SET owner = excluded.owner, learnt_on = excluded.learnt_on, layout = excluded.layout,
            record = excluded.record, feed_id = excluded.feed_id, received_at = excluded.received_at
        WHERE (excluded.learnt_on, excluded.feed_id) >= (c.learnt_on, c.feed_id)
        """,
        *_of(feed, layout),
        layout.name,
        feed["received_at"],
        after,
        last,
    )


async def note_two_owners(connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout) -> int:
    """Tell the rows of which the code is given to another than they say, or was so before; how many codes."""
    headers = {each.owner: layout.column(each.column).header for each in layout.crosswalk}
    if not headers:
        return 0
    codes = await connection.fetchval(
        f"""
        WITH asked AS MATERIALIZED (SELECT DISTINCT owner_kind, code FROM feed_code_staged WHERE feed_id = $1),
        said AS MATERIALIZED ({_SAID}),
        stands AS MATERIALIZED (
            SELECT DISTINCT ON (owner_kind, code) * FROM said
            WHERE (owner_kind, code) IN (
                SELECT owner_kind, code FROM said GROUP BY owner_kind, code HAVING count(DISTINCT owner) > 1
            ) ORDER BY {_NEWEST}
        ), told AS (
            INSERT INTO feed_row_error (feed_id, line, header, code, level, reason, expected, record)
            SELECT $1, d.line, h.header, $6, 'warning',
                CASE WHEN d.owner = s.owner THEN replace($7, '%', h.owner) ELSE replace($8, '%', h.owner) END, $9,
                r.record
            FROM stands s JOIN said d USING (owner_kind, code)
            JOIN unnest($10::text[], $11::text[], $12::text[]) AS h (owner_kind, header, owner) USING (owner_kind)
            JOIN feed_row_staged r ON r.feed_id = $1 AND r.shelf = {NO_SHELF} AND r.line = d.line
        )
        SELECT count(*) FROM stands
        """,
        *_of(feed, layout),
        TWO_OWNERS,
        "同一编码此前或在本批另一行中对应另一个%，以本行为准",
        "同一编码有更新的数据对应另一个%，以更新的为准",
        "一个编码只对应一个，请核对",
        list(headers),
        list(headers.values()),
        [OWNERS[owner] for owner in headers],
    )
    return int(codes)


async def drop_codes(connection: asyncpg.Connection, layouts: Mapping[str, int], now: Any, limit: int) -> int:
    """Forget codes that no file said for as long as its raw bytes are kept (days by layout); how many."""
    status = await connection.execute(
        """
        DELETE FROM crosswalk c USING (
            SELECT department, county, owner_kind, code
            FROM crosswalk o JOIN unnest($1::text[], $2::int[]) AS l (name, days) ON l.name = o.layout
            WHERE o.received_at < $3::timestamptz - make_interval(days => l.days) LIMIT $4
        ) over
        WHERE (c.department, c.county, c.owner_kind, c.code)
            = (over.department, over.county, over.owner_kind, over.code)
        """,
        list(layouts),
        list(layouts.values()),
        now,
        limit,
    )
    return int(status.rsplit(" ", 1)[1])


def _of(feed: asyncpg.Record, layout: FeedLayout) -> tuple[Any, ...]:
    """Which feed, whose codes; and whether its rows speak of the day of their list."""
    county = county_of(feed["division"])
    return feed["feed_id"], feed["department"], county, layout.kind is Kind.SNAPSHOT, feed["snapshot_on"]
