"""Findings as they are read: lists and counts within the caller's range, and closing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

COLUMNS = """
q.finding_id, q.check_code, q.owner, q.severity, q.division, q.state, q.opened_on, q.due_on, q.closed_at,
q.closed_by_name, q.closed_reason, h.household_no, h.head_name, r.name AS member_name,
(SELECT m.relation FROM household_member m WHERE m.household_id = q.household_id AND m.resident_id = q.resident_id
 AND m.superseded_at IS NULL ORDER BY m.valid_from DESC LIMIT 1) AS relation
"""
JOINED = """
quality_finding q LEFT JOIN household h ON h.household_id = q.household_id
LEFT JOIN resident r ON r.resident_id = q.resident_id
"""


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """The filters of a list; a finding fits if it fits all. `area` is a half-open range of codes."""

    area: tuple[str, str]
    owner: str | None = None
    check: str | None = None
    state: str | None = "open"
    overdue_on: date | None = None
    severity: int | None = None

    @property
    def binds(self) -> tuple[Any, ...]:
        return *self.area, self.owner, self.check, self.state, self.overdue_on, self.severity


WANTED = """
q.division >= $1 AND q.division < $2 AND ($3::text IS NULL OR q.owner = $3)
AND ($4::text IS NULL OR q.check_code = $4)
AND ($5::text IS NULL OR q.state = $5) AND ($6::date IS NULL OR (q.state = 'open' AND q.due_on < $6))
AND ($7::smallint IS NULL OR q.severity = $7)
"""


async def findings(
    connection: asyncpg.Connection, query: FindingQuery, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """The findings that fit, in the order in which they were opened."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE {WANTED} AND ($8::uuid IS NULL OR q.finding_id > $8)"
        " ORDER BY q.finding_id LIMIT $9",
        *query.binds,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def count(connection: asyncpg.Connection, query: FindingQuery, most: int) -> int:
    """How many fit; counting stops behind `most`."""
    number: int = await connection.fetchval(
        f"SELECT count(*) FROM (SELECT FROM quality_finding q WHERE {WANTED} LIMIT {most + 1}) n", *query.binds
    )
    return number


async def counts(
    connection: asyncpg.Connection, area: tuple[str, str], owner: str | None, digits: int, today: date
) -> list[Mapping[str, Any]]:
    """Findings by the division of so many digits, by owner and by check."""
    rows = await connection.fetch(
        """
        SELECT left(q.division, $4) AS division, q.owner, q.check_code,
               count(*) FILTER (WHERE q.state = 'open')::integer AS open,
               count(*) FILTER (WHERE q.state = 'open' AND q.due_on < $5)::integer AS overdue,
               count(*) FILTER (WHERE q.state = 'accepted')::integer AS accepted,
               count(*) FILTER (WHERE q.state = 'mended')::integer AS mended
        FROM quality_finding q WHERE q.division >= $1 AND q.division < $2 AND ($3::text IS NULL OR q.owner = $3)
        GROUP BY 1, 2, 3
        """,
        *area,
        owner,
        digits,
        today,
    )
    return [dict(row) for row in rows]


async def find(connection: asyncpg.Connection, finding_id: UUID, owner: str | None) -> dict[str, Any] | None:
    """A finding in the caller's range, if it is his to mend."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE q.finding_id = $1 AND ($2::text IS NULL OR q.owner = $2)",
        finding_id,
        owner,
    )
    return dict(row) if row is not None else None


async def accept(
    connection: asyncpg.Connection, finding_id: UUID, *, reason: str, by: str, by_name: str, now: datetime
) -> bool:
    """Close an open finding as right; False if it is open no more."""
    tag = await connection.execute(
        """
        UPDATE quality_finding SET state = 'accepted', closed_at = $2, closed_by = $3, closed_by_name = $4,
               closed_reason = $5
        WHERE finding_id = $1 AND state = 'open'
        """,
        finding_id,
        now,
        by,
        by_name,
        reason,
    )
    return tag == "UPDATE 1"


async def put_figures(
    connection: asyncpg.Connection,
    village: str,
    as_of: date,
    figures: Mapping[str, Any],
    *,
    by: str,
    by_name: str,
    now: datetime,
) -> None:
    """Keep what a village says of itself; older figures correct nothing."""
    await connection.execute(
        """
        INSERT INTO village_figure AS v (village, as_of, figures, recorded_by, recorded_by_name, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (village) DO UPDATE SET as_of = excluded.as_of, figures = excluded.figures,
            recorded_by = excluded.recorded_by, recorded_by_name = excluded.recorded_by_name,
            recorded_at = excluded.recorded_at
        WHERE v.as_of <= excluded.as_of
        """,
        village,
        as_of,
        dict(figures),
        by,
        by_name,
        now,
    )
