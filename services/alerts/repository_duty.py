"""The SQL of absences, and of what is wrong with who is on duty."""

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.alerts.domain.duty import Absence
from services.alerts.domain.gaps import DutyGap, GapKind, HeldPost
from services.alerts.repository import Connection, Row, insert_rows
from shared.vocabulary.terms import Role


async def put_absences(connection: Connection, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """Write absences; those that are new or changed. One that begins on the same day gets the new end."""
    return await insert_rows(
        connection,
        "absence",
        rows,
        returning="*",
        conflict="""
        ON CONFLICT (officer_no, first_day) DO UPDATE SET last_day = excluded.last_day,
            reason = coalesce(excluded.reason, absence.reason), recorded_at = excluded.recorded_at
        WHERE (absence.last_day, absence.reason) IS DISTINCT FROM
              (excluded.last_day, coalesce(excluded.reason, absence.reason))
        """,
    )


async def list_absences(
    connection: Connection, lo: str, hi: str, *, on: date | None, after: int | None, limit: int
) -> list[asyncpg.Record]:
    """Absences of officers of [lo, hi) with their names, of all times or `on` a day."""
    return await connection.fetch(
        """
        SELECT x.*, o.name FROM absence x JOIN officer o USING (officer_no)
        WHERE o.division >= $1 AND o.division < $2 AND ($3::date IS NULL OR $3 BETWEEN x.first_day AND x.last_day)
          AND ($4::bigint IS NULL OR x.absence_id > $4)
        ORDER BY x.absence_id LIMIT $5
        """,
        lo,
        hi,
        on,
        after,
        limit,
    )


async def absences_from(connection: Connection, lo: str, hi: str, on: date) -> list[Absence]:
    """Absences that last on a day or later, of whoever holds a post or is a deputy in [lo, hi)."""
    rows = await connection.fetch(
        """
        SELECT x.officer_no, x.first_day, x.last_day FROM absence x
        WHERE x.last_day >= $3 AND EXISTS (SELECT FROM duty d WHERE x.officer_no IN (d.officer_no, d.deputy_no)
                                           AND d.division >= $1 AND d.division < $2)
        ORDER BY x.officer_no, x.first_day
        """,
        lo,
        hi,
        on,
    )
    return [Absence(row["officer_no"], row["first_day"], row["last_day"]) for row in rows]


async def held_posts(connection: Connection, lo: str, hi: str, on: date) -> list[HeldPost]:
    """The posts held in [lo, hi) on a day by officers in service, away or not."""
    rows = await connection.fetch(
        """
        SELECT d.officer_no, d.role, d.division, s.officer_no AS deputy, d.households FROM duty d
        JOIN officer o ON o.officer_no = d.officer_no AND o.active
        LEFT JOIN officer s ON s.officer_no = d.deputy_no AND s.active
             AND s.division <= d.division AND d.division < s.division_hi
        WHERE d.division >= $1 AND d.division < $2 AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3)
        ORDER BY d.division, d.role, d.officer_no
        """,
        lo,
        hi,
        on,
    )
    return [
        HeldPost(row["officer_no"], Role(row["role"]), row["division"], row["deputy"], row["households"])
        for row in rows
    ]


async def unrouted_by_place(connection: Connection, lo: str, hi: str) -> list[DutyGap]:
    """How many warnings of each village in [lo, hi) no person answers for."""
    rows = await connection.fetch(
        "SELECT living_division, count(*) AS n FROM alert WHERE routed_at IS NULL AND status <> 'closed' "
        "AND living_division >= $1 AND living_division < $2 GROUP BY 1",
        lo,
        hi,
    )
    return [
        DutyGap(
            GapKind.UNROUTED,
            row["living_division"],
            number=row["n"],
            detail=f"{row['n']} 条预警没有任何可以办理的责任人",
        )
        for row in rows
    ]
