"""SQL of retention, under the worker's role: a stretch of a county's facts at a time."""

from typing import Any, NamedTuple

import asyncpg

from services.monitoring.domain.retention import HOLDING, Retention
from shared.clock import SHANGHAI

_BILL = "expense.medical"


class Gone(NamedTuple):
    """How many facts of a data set went: those that had been superseded, those whose time was over."""

    data_set: str
    superseded: int
    expired: int


async def last_of_stretch(connection: asyncpg.Connection, county: str, after: int, length: int) -> int | None:
    """The number of the last fact of the next stretch; None if there is none after `after`."""
    found: int | None = await connection.fetchval(
        "SELECT max(fact_id) FROM"
        " (SELECT fact_id FROM fact WHERE county = $1 AND fact_id > $2 ORDER BY fact_id LIMIT $3) f",
        county,
        after,
        length,
    )
    return found


async def drop_facts(
    connection: asyncpg.Connection, county: str, kept: Retention, after: int, last: int
) -> list[Gone]:
    """Delete the facts in (after, last] that are kept no longer.

    A fact that was superseded goes when its time has passed since then; one that stands when it is over and was
    received before that time, unless a window still looks at it: at a bill, as long as at any of its stay. What
    somebody holds just now is left for the next night.
    """
    rows = await connection.fetch(
        f"""
        WITH over AS (
            SELECT f.fact_id
            FROM fact f JOIN unnest($4::text[], $5::date[]) AS k (data_set, kept_from) USING (data_set)
            WHERE f.county = $1 AND f.fact_id > $2 AND f.fact_id <= $3 AND CASE
                WHEN f.superseded_at IS NOT NULL THEN (f.superseded_at AT TIME ZONE $9)::date < k.kept_from
                WHEN f.ended_on IS NULL AND (f.kind LIKE ANY ($7::text[]) OR f.kind = ANY ($8::text[])) THEN false
                ELSE greatest(f.occurred_on, f.period_to, f.ended_on) < CASE
                     WHEN f.kind LIKE ANY ($7) AND f.kind <> ALL ($10::text[]) THEN k.kept_from
                     ELSE least(k.kept_from, $6::date) END
                 AND (f.received_at AT TIME ZONE $9)::date < k.kept_from
                 AND NOT (f.kind = '{_BILL}' AND f.stay IS NOT NULL AND EXISTS (
                     SELECT FROM fact b WHERE b.county = $1 AND b.household_id = f.household_id AND b.kind = '{_BILL}'
                       AND b.stay = f.stay AND b.superseded_at IS NULL AND b.occurred_on >= $6)) END
            FOR UPDATE OF f SKIP LOCKED
        ), gone AS (
            DELETE FROM fact f USING over WHERE f.county = $1 AND f.fact_id = over.fact_id
            RETURNING f.data_set, f.superseded_at
        )
        SELECT data_set, count(superseded_at), count(*) - count(superseded_at) FROM gone GROUP BY 1 ORDER BY 1
        """,
        county,
        after,
        last,
        *_columns(kept),
        kept.seen_from,
        [f"{prefix}%" for prefix in HOLDING],
        sorted(kept.holding),
        str(SHANGHAI),
        sorted(kept.windowed),
    )
    return [Gone(*row.values()) for row in rows]


def _columns(kept: Retention) -> list[list[Any]]:
    return [list(kept.kept_from), list(kept.kept_from.values())]
