"""The SQL of household pairing (帮扶责任人)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import asyncpg

from services.alerts.domain.pairing import Household
from services.alerts.repository import Connection, Row, insert_rows
from shared.vocabulary.terms import BaseGroup, Severity


async def put_pairings(connection: Connection, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """Write pairings; those that are new or changed. The same pairing from the same day gets what is told anew."""
    return await insert_rows(
        connection,
        "pairing",
        rows,
        returning="*",
        conflict="""
        ON CONFLICT (household_no, officer_no, since) DO UPDATE SET division = excluded.division,
            until = coalesce(excluded.until, pairing.until), reason = coalesce(excluded.reason, pairing.reason),
            base_group = coalesce(excluded.base_group, pairing.base_group), recorded_at = excluded.recorded_at
        WHERE (pairing.division, pairing.until, pairing.reason, pairing.base_group) IS DISTINCT FROM
              (excluded.division, coalesce(excluded.until, pairing.until),
               coalesce(excluded.reason, pairing.reason), coalesce(excluded.base_group, pairing.base_group))
        """,
    )


async def current_since(connection: Connection, households: Collection[str], on: date) -> dict[tuple[str, str], date]:
    """Since when each (household, officer) is paired that is so on a day."""
    rows = await connection.fetch(
        "SELECT household_no, officer_no, max(since) AS since FROM pairing "
        "WHERE household_no = ANY ($1) AND since <= $2 AND (until IS NULL OR until > $2) GROUP BY 1, 2",
        list(households),
        on,
    )
    return {(row["household_no"], row["officer_no"]): row["since"] for row in rows}


async def list_pairings(
    connection: Connection,
    lo: str,
    hi: str,
    *,
    household_no: str | None = None,
    officer_no: str | None = None,
    on: date | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[asyncpg.Record]:
    """Pairings of households in [lo, hi) with their helpers' names, of all times or `on` a day."""
    return await connection.fetch(
        """
        SELECT p.*, o.name FROM pairing p LEFT JOIN officer o USING (officer_no)
        WHERE p.division >= $1 AND p.division < $2 AND ($3::text IS NULL OR p.household_no = $3)
          AND ($4::text IS NULL OR p.officer_no = $4)
          AND ($5::date IS NULL OR (p.since <= $5 AND (p.until IS NULL OR p.until > $5)))
          AND ($6::bigint IS NULL OR p.pairing_id > $6)
        ORDER BY p.pairing_id LIMIT $7
        """,
        lo,
        hi,
        household_no,
        officer_no,
        on,
        after,
        limit,
    )


async def households_known(connection: Connection, households: Collection[str]) -> dict[str, Household]:
    """What the last warning says of each household that had one: whether it is listed, and how grave it was."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (household_no) household_no, living_division, listed_as, recommendation, severity "
        "FROM alert WHERE household_no = ANY ($1) ORDER BY household_no, opened_at DESC",
        list(households),
    )
    return {row["household_no"]: _household(row) for row in rows}


async def households_alone(
    connection: Connection, lo: str, hi: str, on: date, *, after: str | None, limit: int
) -> list[Household]:
    """Households in [lo, hi) with an open warning and no helper on a day, in the order of their numbers."""
    rows = await connection.fetch(
        """
        SELECT a.household_no, a.living_division, a.listed_as, a.recommendation, a.severity FROM alert a
        WHERE a.status <> 'closed' AND a.household_no IS NOT NULL
          AND a.living_division >= $1 AND a.living_division < $2 AND ($4::text IS NULL OR a.household_no > $4)
          AND NOT EXISTS (SELECT FROM pairing p WHERE p.household_no = a.household_no AND p.since <= $3
                          AND (p.until IS NULL OR p.until > $3))
        ORDER BY a.household_no LIMIT $5
        """,
        lo,
        hi,
        on,
        after,
        limit,
    )
    return [_household(row) for row in rows]


async def loads_of(connection: Connection, officers: Iterable[str], on: date) -> dict[str, int]:
    """How many households each of some officers helps on a day."""
    rows = await connection.fetch(
        "SELECT officer_no, count(*) AS n FROM pairing WHERE officer_no = ANY ($1) AND since <= $2 "
        "AND (until IS NULL OR until > $2) GROUP BY 1",
        list(set(officers)),
        on,
    )
    return {row["officer_no"]: row["n"] for row in rows}


async def families_of(connection: Connection, households: Collection[str]) -> dict[str, list[str]]:
    """The officers who belong to each household themselves."""
    rows = await connection.fetch(
        "SELECT household_no, array_agg(officer_no) AS officers FROM officer "
        "WHERE household_no = ANY ($1) GROUP BY 1",
        list(households),
    )
    return {row["household_no"]: row["officers"] for row in rows}


_GROUP_OF_CLASS = {"unstable_lifted_out": BaseGroup.LIFTED_OUT, "marginal_at_risk": BaseGroup.GENERAL}


def _household(row: Any) -> Household:
    return Household(
        row["household_no"],
        row["living_division"],
        is_listed=row["listed_as"] is not None,
        base_group=_GROUP_OF_CLASS.get(row["listed_as"] or row["recommendation"] or ""),
        severity=Severity(row["severity"]) if row["severity"] else None,
    )
