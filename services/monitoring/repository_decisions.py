"""Decisions in the database."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import asyncpg


async def hold(connection: asyncpg.Connection, household_no: str) -> asyncpg.Record | None:
    """Lock a household in the caller's range, with the record by which it is listed now."""
    await connection.execute("SELECT 1 FROM household WHERE household_no = $1 FOR NO KEY UPDATE", household_no)
    return await connection.fetchrow(
        """
        SELECT h.*, s.assessment_id, f.record_key AS listed_record FROM household h
        LEFT JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN fact f ON f.county = h.county AND f.household_id = h.household_id AND f.kind = 'state.monitored'
             AND f.data_set = 'decision' AND f.superseded_at IS NULL AND f.ended_on IS NULL
        WHERE h.household_no = $1
        """,
        household_no,
    )


async def add(connection: asyncpg.Connection, decision: Mapping[str, Any]) -> None:
    names = ", ".join(decision)
    binds = ", ".join(f"${i}" for i in range(1, len(decision) + 1))
    await connection.execute(f"INSERT INTO decision ({names}) VALUES ({binds})", *decision.values())


async def list_household(connection: asyncpg.Connection, household_id: int, listed_as: str | None, on: date) -> None:
    """Write what the household is listed as; removed households keep the day."""
    await connection.execute(
        "UPDATE household SET listed_as = $2, listed_on = $3 WHERE household_id = $1", household_id, listed_as, on
    )
