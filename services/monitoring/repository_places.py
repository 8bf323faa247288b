"""Whom statements concern, in the database: residents by blind index, households by number.

A number that an officer gave to somebody (an alias) names him before anybody who has it as his own.
"""

from collections.abc import Collection

import asyncpg

from services.monitoring.domain.ledger import Place
from services.monitoring.domain.whereabouts import Whereabouts

# What is known of a person belongs to the household he is in now, else to the last he was in: a household's sums are
# over the members it has, so that what stayed behind where he left would be counted nowhere. As known before he moved
# it lies where it lay. Of somebody two rosters list, the one that listed him last has him. What merged goes on in
# another household.
HOME_FIRST = "(m.valid_to IS NULL) DESC, m.valid_from DESC, m.household_id DESC"

_GOES_ON = """
LEFT JOIN LATERAL (SELECT household_id, county FROM household WHERE household_id = h.merged_into LIMIT 1) t ON true
"""

# One look-up in an index for each key. A freshly filled table has no statistics, and the planner left to itself would
# read it whole: an array made by a subquery is taken to be short, and OFFSET 0 keeps the look-ups from becoming a
# join, and from an index of current memberships that would have to be read whole for each person.
PEOPLE = f"""
WITH person AS MATERIALIZED (
    SELECT resident_id, number_index, name FROM resident r WHERE number_index = ANY ($1::bytea[])
      AND NOT EXISTS (SELECT FROM number_alias a WHERE a.number_index = r.number_index)
    UNION ALL
    SELECT a.resident_id, a.number_index, r.name
    FROM number_alias a
    CROSS JOIN LATERAL (SELECT name FROM resident WHERE resident_id = a.resident_id LIMIT 1) r
    WHERE a.number_index = ANY ($1::bytea[])
), member AS MATERIALIZED (
    SELECT DISTINCT ON (m.resident_id) m.resident_id, m.household_id
    FROM person p
    CROSS JOIN LATERAL (SELECT * FROM household_member WHERE resident_id = p.resident_id OFFSET 0) m
    WHERE m.superseded_at IS NULL
    ORDER BY m.resident_id, {HOME_FIRST}
), home AS MATERIALIZED (
    SELECT h.household_id AS was, coalesce(t.household_id, h.household_id) AS household_id,
           coalesce(t.county, h.county) AS county
    FROM (SELECT * FROM household WHERE household_id = ANY (ARRAY(SELECT household_id FROM member)) OFFSET 0) h
    {_GOES_ON}
    WHERE h.merged_into IS NULL OR t.household_id IS NOT NULL
)
SELECT encode(p.number_index, 'hex') AS person, p.resident_id, p.name, h.household_id, h.county
FROM person p LEFT JOIN (member m JOIN home h ON h.was = m.household_id) USING (resident_id)
"""

HOMES = f"""
SELECT h.household_no, coalesce(t.household_id, h.household_id) AS household_id,
       coalesce(t.county, h.county) AS county
FROM household h {_GOES_ON}
WHERE h.household_no = ANY ($1::text[]) AND (h.merged_into IS NULL OR t.household_id IS NOT NULL)
"""


async def whereabouts(
    connection: asyncpg.Connection, persons: Collection[str], household_nos: Collection[str]
) -> Whereabouts:
    """Where these people (hex of their blind index) and households are."""
    people, homes = [], []
    if persons:
        people = await connection.fetch(PEOPLE, [bytes.fromhex(person) for person in persons])
    if household_nos:
        homes = await connection.fetch(HOMES, list(household_nos))
    return Whereabouts(
        {row["person"]: row["resident_id"] for row in people},
        {row["person"]: row["name"] for row in people},
        {
            row["person"]: Place(row["household_id"], row["county"], row["resident_id"])
            for row in people
            if row["household_id"] is not None
        },
        {row["household_no"]: Place(row["household_id"], row["county"]) for row in homes},
    )
