"""Writing a roster: residents, households and who belongs to whom, in sets."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import asyncpg

from services.monitoring.repository_register import MOVED_RISK


class Person(NamedTuple):
    """A resident to be written; the number is sealed already."""

    number_index: bytes
    sealed_number: bytes | None
    name: str
    sex: str
    birth_date: date
    no_id_reason: str | None = None


class Home(NamedTuple):
    """A household to be written."""

    household_no: str
    county: str
    division: str
    head_name: str
    phone: str | None


class Membership(NamedTuple):
    """A resident that a roster lists in a household."""

    household_id: int
    resident_id: int
    relation: str


async def put_residents(connection: asyncpg.Connection, people: Sequence[Person]) -> None:
    """Add people not known yet."""
    await connection.execute(
        """
        INSERT INTO resident (number_index, sealed_number, name, sex, birth_date, no_id_reason)
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::date[], $6::text[])
        ON CONFLICT (number_index) DO NOTHING
        """,
        *_transposed(people, 6),
    )


async def correct_residents(connection: asyncpg.Connection, people: Sequence[tuple[bytes, str, str, date]]) -> None:
    """Write what a newer roster says otherwise of known people: index, name, sex, birth date."""
    await connection.execute(
        """
        UPDATE resident r SET name = n.name, sex = n.sex, birth_date = n.birth_date
        FROM unnest($1::bytea[], $2::text[], $3::text[], $4::date[]) AS n (number_index, name, sex, birth_date)
        WHERE r.number_index = n.number_index
          AND (r.name, r.sex, r.birth_date) IS DISTINCT FROM (n.name, n.sex, n.birth_date)
        """,
        *_transposed(people, 4),
    )


async def resident_ids(connection: asyncpg.Connection, indices: Sequence[bytes]) -> dict[bytes, int]:
    """Whom each number names: the person it was given to, or the one a decision says it is."""
    rows = await connection.fetch(
        "SELECT number_index, resident_id FROM resident WHERE number_index = ANY ($1::bytea[])"
        " UNION ALL SELECT number_index, resident_id FROM number_alias WHERE number_index = ANY ($1::bytea[])",
        indices,
    )
    return {row["number_index"]: row["resident_id"] for row in rows}


async def counties_of(connection: asyncpg.Connection, numbers: Sequence[str]) -> list[asyncpg.Record]:
    """The county of each of these households that is known."""
    return await connection.fetch(
        "SELECT household_no, county FROM household WHERE household_no = ANY ($1::text[])", numbers
    )


async def put_households(
    connection: asyncpg.Connection, homes: Sequence[Home], *, on: date, received_at: datetime
) -> list[asyncpg.Record]:
    """Add or correct households; returns of each its number, its place and whether this roster is its newest.

    The living place follows the registered one unless it was set apart. An older roster corrects nothing, and none
    takes back a move that the register knows from a later day. A household that had merged by then is one again.
    """
    await connection.execute(
        """
        INSERT INTO household (household_no, county, registered_division, living_division, head_name, phone)
        SELECT n.household_no, n.county, n.division, n.division, n.head_name, n.phone
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
             AS n (household_no, county, division, head_name, phone)
        ON CONFLICT (household_no) DO NOTHING
        """,
        *_transposed(homes, 5),
    )
    await connection.execute(
        "SELECT 1 FROM household WHERE household_no = ANY ($1::text[]) ORDER BY household_id FOR NO KEY UPDATE",
        [home.household_no for home in homes],
    )
    return await connection.fetch(
        f"""
        WITH n AS (
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                 AS n (household_no, county, division, head_name, phone)
        ), told AS (
            SELECT h.household_no, n.head_name, n.phone,
                   CASE WHEN p.role IS NULL THEN n.division ELSE h.registered_division END AS division,
                   CASE WHEN p.role IS NULL THEN n.county ELSE h.county END AS county
            FROM n JOIN household h USING (household_no)
            LEFT JOIN LATERAL (
                SELECT role FROM household_place WHERE household_id = h.household_id AND role = 'registered'
                  AND superseded_at IS NULL AND valid_from > $6 LIMIT 1
            ) p ON true
        ), corrected AS (
            UPDATE household h SET registered_division = n.division, county = n.county, head_name = n.head_name,
                   living_division = CASE WHEN h.living_division = h.registered_division
                                          THEN n.division ELSE h.living_division END,
                   -- Of a household that moved its open warning is told anew.
                   risk = CASE WHEN h.registered_division = n.division THEN h.risk ELSE {MOVED_RISK} END,
                   phone = coalesce(n.phone, h.phone), roster_on = $6, roster_received_at = $7,
                   ended_on = CASE WHEN h.ended_on > $6 THEN h.ended_on END,
                   merged_into = CASE WHEN h.ended_on > $6 THEN h.merged_into END
            FROM told n WHERE h.household_no = n.household_no
              AND (h.roster_on IS NULL OR (h.roster_on, h.roster_received_at) < ($6, $7))
            RETURNING h.household_id
        )
        SELECT h.household_id, h.household_no, n.county, h.county AS former_county,
               h.roster_on AS former_roster_on, h.facts_version, n.division AS registered_division,
               h.registered_division AS former_registered, h.living_division AS former_living,
               EXISTS (SELECT 1 FROM corrected c WHERE c.household_id = h.household_id) AS newest
        FROM household h JOIN told n USING (household_no)
        """,
        *_transposed(homes, 5),
        on,
        received_at,
    )


async def put_members(
    connection: asyncpg.Connection,
    members: Sequence[Membership],
    household_ids: Sequence[int],
    *,
    on: date,
    at: datetime,
) -> set[tuple[int, int]]:
    """Let exactly `members` belong to these households from `on` on; returns what changed: household and resident.

    Who was a member already stays so since the earlier day; who is not listed any more was one until `on`. What the
    register knows from a later day stands: who joined since stays, who left since does not come back.
    """
    # OFFSET 0 below: one look-up for each member, where a join would read the whole table for want of statistics.
    left = await connection.fetch(
        """
        UPDATE household_member m SET superseded_at = $5 WHERE m.household_id = ANY ($4::bigint[])
          AND m.superseded_at IS NULL AND m.valid_to IS NULL AND m.valid_from <= $6
          AND NOT EXISTS (
            SELECT 1 FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS n (household_id, resident_id, relation)
            WHERE (n.household_id, n.resident_id, n.relation) = (m.household_id, m.resident_id, m.relation))
        RETURNING m.household_id, m.resident_id, m.county, m.relation, m.status, m.valid_from
        """,
        *_transposed(members, 3),
        household_ids,
        at,
        on,
    )
    listed = {(member.household_id, member.resident_id) for member in members}
    gone = [row for row in left if (row["household_id"], row["resident_id"]) not in listed]
    await _end_memberships(connection, gone, on, at)
    since = {(r["household_id"], r["resident_id"]): (r["valid_from"], r["status"]) for r in left}
    joined = await connection.fetch(
        """
        INSERT INTO household_member
            (household_id, resident_id, county, relation, status, valid_from, recorded_at)
        SELECT n.household_id, n.resident_id,
               (SELECT h.county FROM household h WHERE h.household_id = n.household_id),
               n.relation, n.status, n.valid_from, $6
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::date[], $5::text[])
             AS n (household_id, resident_id, relation, valid_from, status)
        WHERE NOT EXISTS (
            SELECT 1 FROM household_member m WHERE m.household_id = n.household_id
              AND m.resident_id = n.resident_id AND m.superseded_at IS NULL
              AND (m.valid_to IS NULL OR m.valid_to > $7) OFFSET 0)
        RETURNING household_id, resident_id
        """,
        *_transposed(members, 3),
        [since.get(m[:2], (on, ""))[0] for m in members],
        [since.get(m[:2], (on, "living"))[1] for m in members],
        at,
        on,
    )
    return {(row["household_id"], row["resident_id"]) for row in (*left, *joined)}


async def _end_memberships(
    connection: asyncpg.Connection, left: Sequence[asyncpg.Record], on: date, at: datetime
) -> None:
    # A membership that would end before it began never was: the roster of its first day was corrected.
    await connection.executemany(
        """
        INSERT INTO household_member
            (household_id, resident_id, county, relation, status, valid_from, valid_to, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [(*row.values(), on, at) for row in left if row["valid_from"] < on],
    )


async def reach_back(
    connection: asyncpg.Connection,
    members: Sequence[Membership],
    until: Mapping[int, date],
    *,
    on: date,
    at: datetime,
) -> set[tuple[int, int]]:
    """Fill the past from a roster that came late: its members belong from `on` on, at least until the newer roster.

    `until` is the date of each household's newest roster. A membership known to begin by then begins earlier now;
    what is known of other days is left as it is.
    """
    rows = await connection.fetch(
        """
        WITH n AS (
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::date[])
                 AS n (household_id, resident_id, relation, until)
        ), gap AS (
            SELECT n.household_id, n.resident_id, n.until, later.member_id,
                   coalesce(later.status, 'living') AS status, coalesce(later.relation, n.relation) AS relation,
                   CASE WHEN later.member_id IS NULL THEN n.until ELSE later.valid_to END AS valid_to
            FROM n LEFT JOIN LATERAL (
                SELECT m.* FROM household_member m WHERE m.household_id = n.household_id
                  AND m.resident_id = n.resident_id AND m.superseded_at IS NULL
                  AND m.valid_from > $5 AND m.valid_from <= n.until
                ORDER BY m.valid_from LIMIT 1
            ) later ON true
            WHERE NOT EXISTS (
                SELECT 1 FROM household_member m WHERE m.household_id = n.household_id
                  AND m.resident_id = n.resident_id AND m.superseded_at IS NULL
                  AND m.valid_from <= $5 AND (m.valid_to IS NULL OR $5 < m.valid_to))
        ), replaced AS (
            UPDATE household_member m SET superseded_at = $6 FROM gap WHERE m.member_id = gap.member_id
        )
        INSERT INTO household_member
            (household_id, resident_id, county, relation, status, valid_from, valid_to, recorded_at)
        SELECT household_id, resident_id, h.county, gap.relation, gap.status, $5, gap.valid_to, $6
        FROM gap JOIN household h USING (household_id)
        RETURNING household_id, resident_id
        """,
        *_transposed(members, 3),
        [until[m.household_id] for m in members],
        on,
        at,
    )
    return {(row["household_id"], row["resident_id"]) for row in rows}


async def move_to_county(
    connection: asyncpg.Connection, household_ids: Sequence[int], counties: Sequence[str]
) -> None:
    """Let the facts and members of households that moved lie in their new county."""
    for table in ("fact", "household_member"):
        await connection.execute(
            f"""
            UPDATE {table} t SET county = n.county FROM unnest($1::bigint[], $2::text[]) AS n (household_id, county)
            WHERE t.household_id = n.household_id AND t.county <> n.county
            """,
            household_ids,
            counties,
        )


def _transposed(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
