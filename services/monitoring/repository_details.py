"""What rosters say of households and members beyond facts: the newest stands, the earlier stays readable."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import asyncpg


class Detail(NamedTuple):
    """What a roster says of a household (no resident), or of a member in it."""

    household_id: int
    resident_id: int | None
    details: dict[str, Any]


async def put(
    connection: asyncpg.Connection,
    details: Sequence[Detail],
    *,
    on: date,
    received_at: datetime,
    origin: str,
    at: datetime,
) -> set[int]:
    """Let exactly these details stand of the households they name; returns those of which something changed.

    A roster without a single detail of a household, as of an older form, says nothing about them.
    """
    ended = await connection.fetch(
        """
        UPDATE roster_detail d SET superseded_at = $5
        WHERE d.household_id = ANY ($4::bigint[]) AND d.superseded_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM unnest($1::bigint[], $2::bigint[], $3::jsonb[]) AS n (household_id, resident_id, details)
            WHERE n.household_id = d.household_id AND n.resident_id IS NOT DISTINCT FROM d.resident_id
              AND n.details = d.details)
        RETURNING d.household_id
        """,
        *_columns(details),
        sorted({each.household_id for each in details}),
        at,
    )
    joined = await connection.fetch(
        """
        INSERT INTO roster_detail (household_id, resident_id, details, valid_from, received_at, origin, recorded_at)
        SELECT n.household_id, n.resident_id, n.details, $4, $5, $6, $7
        FROM unnest($1::bigint[], $2::bigint[], $3::jsonb[]) AS n (household_id, resident_id, details)
        WHERE NOT EXISTS (
            SELECT 1 FROM roster_detail d WHERE d.household_id = n.household_id
              AND d.resident_id IS NOT DISTINCT FROM n.resident_id AND d.superseded_at IS NULL)
        RETURNING household_id
        """,
        *_columns(details),
        on,
        received_at,
        origin,
        at,
    )
    return {row["household_id"] for row in (*ended, *joined)}


async def of_household(connection: asyncpg.Connection, household_id: int) -> dict[int | None, dict[str, Any]]:
    """What stands of a household (under null) and of its members, by resident."""
    rows = await connection.fetch(
        "SELECT resident_id, details FROM roster_detail WHERE household_id = $1 AND superseded_at IS NULL",
        household_id,
    )
    return {row["resident_id"]: row["details"] for row in rows}


def _columns(details: Sequence[Detail]) -> tuple[list[int], list[int | None], list[dict[str, Any]]]:
    return (
        [each.household_id for each in details],
        [each.resident_id for each in details],
        [each.details for each in details],
    )
