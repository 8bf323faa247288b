"""How warnings were answered and what came to light without one, in the database."""

from datetime import date

import asyncpg

# A day of the county, of the moment a visitor answered.
_DAY = "(v.verified_at AT TIME ZONE 'Asia/Shanghai')::date"
_PLACE = "h.living_division >= $1 AND h.living_division < $2"

ANSWERS = f"""
SELECT i.name AS indicator, v.policy_version, rpad(left(h.living_division, 9), 12, '0') AS township,
       count(*) AS verified, count(*) FILTER (WHERE v.outcome = 'identify') AS identified,
       count(*) FILTER (WHERE v.outcome = 'need_met') AS need_met,
       count(*) FILTER (WHERE v.outcome = 'data_wrong') AS data_wrong
FROM verification v JOIN household h USING (household_id) CROSS JOIN LATERAL unnest(v.indicators) AS i (name)
WHERE {_PLACE} AND {_DAY} >= $3 AND {_DAY} < $4
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

# A household that came onto the list: entered by a person's decision, or told by the national list.
LISTED = f"""
WITH listed AS (
    SELECT DISTINCT ON (h.household_id) h.household_id, h.household_no, h.living_division, found.on_day,
           found.listed_as
    FROM household h CROSS JOIN LATERAL (
        SELECT d.decided_on AS on_day, d.listed_as FROM decision d
        WHERE d.household_id = h.household_id AND d.action = 'enter' AND d.decided_on >= $3 AND d.decided_on < $4
        UNION ALL
        SELECT f.occurred_on, f.value FROM fact f
        WHERE f.county = h.county AND f.household_id = h.household_id AND f.kind = 'state.national_list'
          AND f.superseded_at IS NULL AND f.occurred_on >= $3 AND f.occurred_on < $4
    ) found
    WHERE {_PLACE} ORDER BY h.household_id, found.on_day
)
SELECT l.household_no, l.living_division, l.on_day, l.listed_as,
       EXISTS (SELECT FROM warning_opened w WHERE w.household_id = l.household_id
                 AND (w.opened_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN l.on_day - $5::int AND l.on_day
       ) AS warned,
       (SELECT f.source FROM fact f
        WHERE f.household_id = l.household_id AND f.kind = 'event.hardship_report'
          AND f.occurred_on BETWEEN l.on_day - $5::int AND l.on_day
        ORDER BY f.occurred_on DESC LIMIT 1) AS reported_by,
       EXISTS (SELECT FROM decision d WHERE d.household_id = l.household_id AND d.action = 'enter'
                 AND d.decided_on = l.on_day) AS decided
FROM listed l ORDER BY l.household_no
"""


async def answers(scoped: asyncpg.Connection, lo: str, hi: str, first: date, end: date) -> list[asyncpg.Record]:
    """Answers given on [first, end) in [lo, hi), by indicator, policy version and township."""
    return await scoped.fetch(ANSWERS, lo, hi, first, end)


async def listed(
    scoped: asyncpg.Connection, lo: str, hi: str, first: date, end: date, days: int
) -> list[asyncpg.Record]:
    """Households that came onto the list on [first, end), whether a warning opened in the `days` before, and how."""
    return await scoped.fetch(LISTED, lo, hi, first, end, days)
