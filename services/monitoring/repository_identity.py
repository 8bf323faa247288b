"""Doubtful identities in the database: finding them in sets, the queue of pairs, and what numbers name whom."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring.domain.identity_pair import FEMALE, GENERATION_YEARS, MALE, OLDER, YOUNGER
from services.monitoring.domain.ledger import Key, Stored
from services.monitoring.domain.timeline import Span
from services.monitoring.repository_facts import stored_of
from services.monitoring.repository_register import Belonging
from services.monitoring.tables_register import NAME_KEY

# The household somebody is in now, else the last he was in; see `repository_facts`.
_HOME = """
SELECT m.household_id, m.relation, m.valid_from, m.valid_to
FROM (SELECT * FROM household_member WHERE resident_id = {person} OFFSET 0) m
WHERE m.superseded_at IS NULL ORDER BY (m.valid_to IS NULL) DESC, m.valid_from DESC, m.household_id DESC LIMIT 1
"""
MOST_NAMESAKES = 5

# Everything doubtful about some residents ($1), found from an index for each of them.
_DOUBTS = f"""
WITH subject AS (
    SELECT r.*, m.household_id, m.relation, m.valid_from, m.valid_to, h.living_division
    FROM unnest($1::bigint[]) AS x (resident_id)
    CROSS JOIN LATERAL (SELECT * FROM resident WHERE resident_id = x.resident_id LIMIT 1) r
    CROSS JOIN LATERAL ({_HOME.format(person="r.resident_id")}) m
    CROSS JOIN LATERAL (SELECT living_division FROM household WHERE household_id = m.household_id LIMIT 1) h
), namesake AS (
    SELECT CASE WHEN s.no_id_reason IS NOT NULL OR o.no_id_reason IS NOT NULL THEN 'no_number'
                WHEN s.household_id = om.household_id THEN 'number_changed' ELSE 'same_name_and_birth' END AS reason,
           least(s.resident_id, o.resident_id) AS resident_id, greatest(s.resident_id, o.resident_id) AS other_id,
           CASE WHEN s.resident_id < o.resident_id THEN s.household_id ELSE om.household_id END AS household_id,
           CASE WHEN s.resident_id < o.resident_id THEN om.household_id ELSE s.household_id END AS other_household_id
    FROM subject s
    CROSS JOIN LATERAL (
        SELECT resident_id, no_id_reason FROM resident
        WHERE birth_date = s.birth_date AND name_key = s.name_key AND resident_id <> s.resident_id
        ORDER BY resident_id LIMIT {MOST_NAMESAKES}
    ) o
    CROSS JOIN LATERAL ({_HOME.format(person="o.resident_id")}) om
    CROSS JOIN LATERAL (SELECT living_division FROM household WHERE household_id = om.household_id LIMIT 1) oh
    WHERE s.household_id = om.household_id
       OR (s.living_division = oh.living_division AND s.valid_to IS NULL AND om.valid_to IS NULL)
), twice AS (
    SELECT s.resident_id, min(m.household_id) AS household_id, max(m.household_id) AS other_household_id
    FROM subject s
    CROSS JOIN LATERAL (SELECT * FROM household_member WHERE resident_id = s.resident_id OFFSET 0) m
    JOIN household h ON h.household_id = m.household_id
    WHERE m.superseded_at IS NULL AND m.valid_to IS NULL AND h.ended_on IS NULL
    GROUP BY s.resident_id HAVING count(DISTINCT m.household_id) > 1
), unlike AS (
    SELECT s.resident_id, s.household_id FROM subject s
    LEFT JOIN LATERAL (
        SELECT r.birth_date FROM household_member m JOIN resident r USING (resident_id)
        WHERE m.household_id = s.household_id AND m.superseded_at IS NULL AND m.valid_to IS NULL
          AND m.relation = '户主' LIMIT 1
    ) head ON true
    WHERE s.valid_to IS NULL AND (
        (s.relation = ANY ($2::text[]) AND s.sex <> 'female') OR (s.relation = ANY ($3::text[]) AND s.sex <> 'male')
        OR (s.relation = ANY ($4::text[]) AND s.birth_date < head.birth_date + interval '{GENERATION_YEARS} years')
        OR (s.relation = ANY ($5::text[]) AND s.birth_date > head.birth_date - interval '{GENERATION_YEARS} years'))
), doubt AS (
    SELECT DISTINCT reason, resident_id, 'resident:' || other_id AS other, other_id, household_id,
           other_household_id FROM namesake
    UNION ALL
    SELECT 'two_households', resident_id, 'households:' || household_id || '-' || other_household_id, NULL,
           household_id, other_household_id FROM twice
    UNION ALL
    SELECT 'relation_mismatch', resident_id, 'household:' || household_id, NULL, household_id, NULL FROM unlike
)
"""
_WORDS = (list(FEMALE), list(MALE), list(YOUNGER), list(OLDER))

# A pair that was decided stays decided; one whose cause went away and came back is open again.
_PUT = """
ON CONFLICT (reason, resident_id, other) DO UPDATE
    SET state = 'open', proposed_at = excluded.proposed_at, household_id = excluded.household_id,
        other_household_id = excluded.other_household_id
    WHERE identity_pair.state = 'gone'
RETURNING pair_id, reason
"""


async def propose(connection: asyncpg.Connection, residents: Sequence[int], at: datetime) -> list[asyncpg.Record]:
    """Put what is doubtful about these residents into the queue, once; returns what was not in it."""
    return await connection.fetch(
        f"""
        {_DOUBTS}
        INSERT INTO identity_pair
            (reason, resident_id, other, other_resident_id, household_id, other_household_id, proposed_at)
        SELECT reason, resident_id, other, other_id, household_id, other_household_id, $6 FROM doubt {_PUT}
        """,
        residents,
        *_WORDS,
        at,
    )


async def settle_gone(connection: asyncpg.Connection, residents: Sequence[int]) -> None:
    """What is doubtful about these residents no more leaves the queue."""
    await connection.execute(
        f"""
        {_DOUBTS}
        UPDATE identity_pair p SET state = 'gone'
        WHERE p.resident_id = ANY ($1::bigint[]) AND p.state = 'open' AND p.reason NOT IN ('name_differs', 'waiting')
          AND NOT EXISTS (SELECT FROM doubt d WHERE (d.reason, d.resident_id, d.other)
                                                  = (p.reason, p.resident_id, p.other))
        """,
        residents,
        *_WORDS,
    )


async def propose_name(
    connection: asyncpg.Connection, rows: Sequence[tuple[int, int, str, str, str | None]], at: datetime
) -> None:
    """Put into the queue that a source told another name: resident, household, normal form, name, source."""
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(
        f"""
        INSERT INTO identity_pair (reason, resident_id, household_id, other, told_name, told_by, proposed_at)
        SELECT DISTINCT ON (n.resident_id, n.key) 'name_differs', n.resident_id, n.household_id, 'name:' || n.key,
               n.told, n.told_by, $6::timestamptz
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
             AS n (resident_id, household_id, key, told, told_by) {_PUT}
        """,
        *columns,
        at,
    )


async def other_names(
    connection: asyncpg.Connection, persons: Sequence[bytes], names: Sequence[str]
) -> list[asyncpg.Record]:
    """Of these people and the names told of them, those whose name in the register differs in normal form."""
    if not persons:
        return []
    return await connection.fetch(
        f"""
        WITH told AS MATERIALIZED (
            SELECT person, told, {NAME_KEY.replace("(name,", "(told,")} AS name_key
            FROM unnest($1::bytea[], $2::text[]) AS o (person, told)
        ), other AS MATERIALIZED (
            SELECT o.told, o.person, r.resident_id, r.name FROM told o
            CROSS JOIN LATERAL (SELECT * FROM resident WHERE number_index = o.person OFFSET 0) r
            WHERE r.name_key <> o.name_key
              AND NOT EXISTS (SELECT FROM number_alias a WHERE a.number_index = o.person)
            UNION ALL
            SELECT o.told, o.person, r.resident_id, r.name
            FROM number_alias a JOIN told o ON o.person = a.number_index JOIN resident r USING (resident_id)
            WHERE a.number_index = ANY ($1::bytea[]) AND r.name_key <> o.name_key
        )
        SELECT r.*, m.household_id FROM other r CROSS JOIN LATERAL ({_HOME.format(person="r.resident_id")}) m
        """,
        persons,
        names,
    )


# --- which number names whom ---------------------------------------------------------------------------------

SUBJECTS = """
WITH said AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[], $7::text[])
         AS s (data_set, record_key, kind, person, division, received_at, origin)
), gone AS (
    DELETE FROM record_subject r USING said s
    WHERE (r.data_set, r.record_key, r.kind) = (s.data_set, s.record_key, s.kind)
      AND NOT EXISTS (SELECT FROM number_alias a WHERE a.number_index = s.person)
      AND EXISTS (SELECT FROM fact f WHERE f.data_set = s.data_set AND f.record_key = s.record_key
                    AND f.kind = s.kind AND f.superseded_at IS NULL
                    AND (f.received_at, f.origin) = (s.received_at, s.origin))
)
INSERT INTO record_subject (data_set, record_key, kind, person, division)
SELECT s.data_set, s.record_key, s.kind, s.person, s.division
FROM said s JOIN number_alias a ON a.number_index = s.person
WHERE EXISTS (SELECT FROM fact f WHERE f.data_set = s.data_set AND f.record_key = s.record_key AND f.kind = s.kind
                AND f.superseded_at IS NULL AND (f.received_at, f.origin) = (s.received_at, s.origin))
ON CONFLICT (data_set, record_key, kind) DO UPDATE
    SET person = excluded.person, division = excluded.division, household_id = NULL
    WHERE record_subject.person <> excluded.person
"""


async def keeps_subjects(connection: asyncpg.Connection) -> bool:
    """Whether there is any alias, or anything kept of one: without, nothing is to be noted of any record."""
    keeps: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM number_alias) OR EXISTS (SELECT FROM record_subject)"
    )
    return keeps


async def note_subjects(connection: asyncpg.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep by which number the person of each record was named, where it is an alias and the record stands so."""
    if rows:
        await connection.execute(SUBJECTS, *(list(column) for column in zip(*rows, strict=True)))


async def keep_subjects(connection: asyncpg.Connection, facts: Sequence[Stored], person: bytes) -> None:
    """Keep that these facts were told of `person`, and where they lie, unless another number is kept already."""
    keys = [fact.entry.key for fact in facts]
    await connection.execute(
        """
        INSERT INTO record_subject (data_set, record_key, kind, household_id, division, person)
        SELECT n.*, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS n
        ON CONFLICT DO NOTHING
        """,
        *_keys(keys),
        [fact.entry.place.household_id if fact.entry.place else None for fact in facts],
        [fact.entry.division for fact in facts],
        person,
    )


async def numbers_of(connection: asyncpg.Connection, resident_id: int) -> list[bytes]:
    """The numbers that name somebody, his own first."""
    rows = await connection.fetch(
        "SELECT number_index, 0 AS rank FROM resident WHERE resident_id = $1"
        " UNION ALL SELECT number_index, 1 FROM number_alias WHERE resident_id = $1 ORDER BY rank, number_index",
        resident_id,
    )
    return [row["number_index"] for row in rows]


async def name_by(connection: asyncpg.Connection, numbers: Sequence[bytes], resident_id: int) -> None:
    """Let these numbers name a resident from now on; his own does so without being an alias."""
    await connection.execute("DELETE FROM number_alias WHERE number_index = ANY ($1::bytea[])", numbers)
    await connection.execute(
        """
        INSERT INTO number_alias (number_index, resident_id)
        SELECT n, $2 FROM unnest($1::bytea[]) AS n
        WHERE NOT EXISTS (SELECT FROM resident WHERE number_index = n AND resident_id = $2)
        """,
        numbers,
        resident_id,
    )


async def forget_alias(connection: asyncpg.Connection, number: bytes) -> None:
    """A number names whom it was given to, or nobody."""
    await connection.execute("DELETE FROM number_alias WHERE number_index = $1", number)


async def forget_subjects(connection: asyncpg.Connection, person: bytes) -> None:
    await connection.execute("DELETE FROM record_subject WHERE person = $1", person)


async def facts_of(connection: asyncpg.Connection, resident_id: int) -> list[Stored]:
    """What stands of a person."""
    rows = await connection.fetch(
        "SELECT * FROM fact WHERE resident_id = $1 AND superseded_at IS NULL ORDER BY fact_id", resident_id
    )
    return [stored_of(row) for row in rows]


async def subjects_of(
    connection: asyncpg.Connection, resident_id: int, numbers: Sequence[bytes]
) -> list[tuple[Stored, asyncpg.Record]]:
    """What stands of a resident and was told of one of these numbers, with what was kept of it."""
    rows = await connection.fetch(
        """
        SELECT f.*, s.person, s.division AS told_at, s.household_id AS lay_at
        FROM record_subject s CROSS JOIN LATERAL (
            SELECT * FROM fact WHERE data_set = s.data_set AND record_key = s.record_key AND kind = s.kind
              AND superseded_at IS NULL OFFSET 0
        ) f
        WHERE s.person = ANY ($2::bytea[]) AND f.resident_id = $1 ORDER BY f.fact_id
        """,
        resident_id,
        numbers,
    )
    return [(stored_of(row), row) for row in rows]


# --- persons -------------------------------------------------------------------------------------------------


async def home_of(connection: asyncpg.Connection, resident_id: int) -> asyncpg.Record | None:
    """The household that what is known of somebody belongs to: id and county."""
    return await connection.fetchrow(
        f"""
        SELECT h.household_id, h.county FROM ({_HOME.format(person="$1")}) m
        JOIN household was ON was.household_id = m.household_id
        JOIN household h ON h.household_id = coalesce(was.merged_into, was.household_id)
        """,
        resident_id,
    )


async def county_of_household(connection: asyncpg.Connection, household_id: int) -> str | None:
    """Its county; None of a household that goes on in another."""
    county: str | None = await connection.fetchval(
        "SELECT county FROM household WHERE household_id = $1 AND merged_into IS NULL", household_id
    )
    return county


async def counties(connection: asyncpg.Connection, residents: Sequence[int]) -> list[str]:
    """The counties these people belong to now or did."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT h.county FROM household_member m JOIN household h USING (household_id)
        WHERE m.resident_id = ANY ($1::bigint[]) AND m.superseded_at IS NULL ORDER BY 1
        """,
        residents,
    )
    return [row["county"] for row in rows]


async def belongings_of(connection: asyncpg.Connection, resident_id: int) -> dict[int, list[Span[Belonging]]]:
    """Where somebody belonged when, as known now: by household."""
    rows = await connection.fetch(
        """
        SELECT household_id, relation, status, valid_from, valid_to FROM household_member
        WHERE resident_id = $1 AND superseded_at IS NULL ORDER BY valid_from, member_id
        """,
        resident_id,
    )
    found: dict[int, list[Span[Belonging]]] = {}
    for row in rows:
        span = Span(Belonging(row["relation"], row["status"]), row["valid_from"], row["valid_to"])
        found.setdefault(row["household_id"], []).append(span)
    return found


async def residents(connection: asyncpg.Connection, ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """People, held until the end of the transaction; always in the order of their numbers."""
    rows = await connection.fetch(
        "SELECT * FROM resident WHERE resident_id = ANY ($1::bigint[]) ORDER BY resident_id FOR NO KEY UPDATE", ids
    )
    return {row["resident_id"]: row for row in rows}


async def next_residents(connection: asyncpg.Connection, after: int, limit: int) -> list[int]:
    rows = await connection.fetch(
        "SELECT resident_id FROM resident WHERE resident_id > $1 ORDER BY resident_id LIMIT $2", after, limit
    )
    return [row["resident_id"] for row in rows]


async def take_sweep(connection: asyncpg.Connection, on: date) -> int | None:
    """Where the day's look through the register goes on; None if it is done, or another worker is at it."""
    await connection.execute("INSERT INTO identity_sweep (sweep_id) VALUES (1) ON CONFLICT DO NOTHING")
    position: int | None = await connection.fetchval(
        "SELECT position FROM identity_sweep WHERE swept_on IS NULL OR swept_on < $1 FOR UPDATE SKIP LOCKED", on
    )
    return position


async def keep_sweep(connection: asyncpg.Connection, position: int, swept_on: date | None) -> None:
    await connection.execute(
        "UPDATE identity_sweep SET position = $1, swept_on = coalesce($2, swept_on)", position, swept_on
    )


# --- pairs and decisions -------------------------------------------------------------------------------------


async def pair(connection: asyncpg.Connection, pair_id: int) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM identity_pair WHERE pair_id = $1", pair_id)
    assert row is not None
    return row


async def hold_pair(connection: asyncpg.Connection, pair_id: int) -> dict[str, Any] | None:
    """A pair, held for the decision: whoever comes second sees what the first decided."""
    row = await connection.fetchrow("SELECT * FROM identity_pair WHERE pair_id = $1 FOR UPDATE", pair_id)
    return dict(row) if row is not None else None


async def set_state(connection: asyncpg.Connection, pair_id: int, state: str) -> None:
    await connection.execute("UPDATE identity_pair SET state = $2 WHERE pair_id = $1", pair_id, state)


async def withdraw_pairs(connection: asyncpg.Connection, resident_id: int) -> None:
    """Whoever is another person now is no question of his own any more."""
    await connection.execute(
        "UPDATE identity_pair SET state = 'gone'"
        " WHERE state = 'open' AND (resident_id = $1 OR other_resident_id = $1)",
        resident_id,
    )


async def add_waiting_pair(
    connection: asyncpg.Connection, resident_id: int, household_id: int, waiting: Mapping[str, Any], at: datetime
) -> int:
    """A pair of somebody who waits and a resident, as a person proposes it."""
    pair_id: int = await connection.fetchval(
        """
        INSERT INTO identity_pair
            (reason, resident_id, household_id, other, told_name, told_by, person, proposed_at)
        VALUES ('waiting', $1, $2, 'waiting:' || $3, $4, $5, $6, $7)
        ON CONFLICT (reason, resident_id, other) DO UPDATE SET told_name = excluded.told_name RETURNING pair_id
        """,
        resident_id,
        household_id,
        waiting["digest"],
        waiting["told_name"],
        waiting["told_by"],
        waiting["person"],
        at,
    )
    return pair_id


async def add_decision(connection: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    names, binds = ", ".join(row), ", ".join(f"${i}" for i in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO identity_decision ({names}) VALUES ({binds})", *row.values())


async def standing_decision(connection: asyncpg.Connection, pair_id: int) -> asyncpg.Record | None:
    """The decision of a pair that nobody took back."""
    return await connection.fetchrow(
        """
        SELECT d.* FROM identity_decision d WHERE d.pair_id = $1 AND d.decision <> 'undo'
          AND NOT EXISTS (SELECT FROM identity_decision u WHERE u.undoes = d.decision_id)
        ORDER BY d.decision_no DESC LIMIT 1
        """,
        pair_id,
    )


async def later_decision(connection: asyncpg.Connection, decision: asyncpg.Record) -> bool:
    """Whether a later decision about the same persons stands, which has to be taken back first."""
    ids = [each for each in (decision["survivor_id"], decision["absorbed_id"]) if each is not None]
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM identity_decision d WHERE d.decision IN ('same', 'moved') AND d.decision_no > $2
              AND (d.survivor_id = ANY ($1::bigint[]) OR d.absorbed_id = ANY ($1::bigint[]))
              AND NOT EXISTS (SELECT FROM identity_decision u WHERE u.undoes = d.decision_id))
        """,
        ids,
        decision["decision_no"],
    )
    return found


async def pair_visible(scoped: asyncpg.Connection, pair_id: int) -> bool:
    """Whether the caller's scope shows a pair."""
    found: bool = await scoped.fetchval("SELECT EXISTS (SELECT FROM identity_pair WHERE pair_id = $1)", pair_id)
    return found


PLACES = """
EXISTS (SELECT FROM household h WHERE h.household_id IN (p.household_id, p.other_household_id)
          AND ((h.living_division >= $1 AND h.living_division < $2)
               OR (h.registered_division >= $1 AND h.registered_division < $2)))
"""


async def pairs(
    scoped: asyncpg.Connection,
    lo: str,
    hi: str,
    *,
    state: str | None = None,
    reason: str | None = None,
    pair_id: int | None = None,
    after: int = 0,
    limit: int = 1,
) -> list[dict[str, Any]]:
    """Pairs with a household in [lo, hi), in the order in which they were proposed."""
    rows = await scoped.fetch(
        f"""
        SELECT p.pair_id, p.reason, p.resident_id, p.other_resident_id, p.household_id, p.other_household_id,
               p.told_name, p.told_by, p.state, p.proposed_at
        FROM identity_pair p WHERE {PLACES} AND ($3::text IS NULL OR p.state = $3)
          AND ($4::text IS NULL OR p.reason = $4) AND ($5::bigint IS NULL OR p.pair_id = $5) AND p.pair_id > $6
        ORDER BY p.pair_id LIMIT $7
        """,
        lo,
        hi,
        state,
        reason,
        pair_id,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def pair_counts(scoped: asyncpg.Connection, lo: str, hi: str) -> list[asyncpg.Record]:
    """Open pairs by township and reason, each under the place of its first household that the caller sees."""
    return await scoped.fetch(
        f"""
        SELECT rpad(left(s.living_division, 9), 12, '0') AS division, p.reason, count(*) AS pairs
        FROM identity_pair p
        CROSS JOIN LATERAL (
            SELECT living_division FROM household h WHERE h.household_id IN (p.household_id, p.other_household_id)
            ORDER BY h.household_id = p.household_id DESC LIMIT 1
        ) s
        WHERE p.state = 'open' AND {PLACES} GROUP BY 1, 2 ORDER BY 1, 2
        """,
        lo,
        hi,
    )


async def people(scoped: asyncpg.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """People that the caller's scope shows."""
    rows = await scoped.fetch("SELECT * FROM resident WHERE resident_id = ANY ($1::bigint[])", ids)
    return {row["resident_id"]: dict(row) for row in rows}


async def seen_homes(scoped: asyncpg.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Households that the caller's scope shows."""
    rows = await scoped.fetch(
        "SELECT household_id, household_no, living_division, registered_division FROM household"
        " WHERE household_id = ANY ($1::bigint[])",
        ids,
    )
    return {row["household_id"]: dict(row) for row in rows}


async def relations(scoped: asyncpg.Connection, ids: Sequence[int]) -> dict[tuple[int, int], str]:
    """How these people stand to the head of each household they belong to, or did."""
    rows = await scoped.fetch(
        "SELECT resident_id, household_id, relation FROM household_member WHERE resident_id = ANY ($1::bigint[])"
        " ORDER BY member_id",
        ids,
    )
    return {(row["resident_id"], row["household_id"]): row["relation"] for row in rows}


async def decisions(scoped: asyncpg.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The newest row about each pair: a decision, or that it was taken back."""
    rows = await scoped.fetch(
        """
        SELECT DISTINCT ON (pair_id) pair_id, decision, survivor_id, reason, notes, decided_by_name, decided_at
        FROM identity_decision WHERE pair_id = ANY ($1::bigint[]) ORDER BY pair_id, decision_no DESC
        """,
        ids,
    )
    return {row["pair_id"]: dict(row) for row in rows}


# --- who waits -----------------------------------------------------------------------------------------------


async def waiting_counts(scoped: asyncpg.Connection, lo: str, hi: str) -> list[asyncpg.Record]:
    """What waits in [lo, hi) by department and place, how many people it is of, and since when the oldest waits."""
    return await scoped.fetch(
        """
        SELECT division, entry ->> 'department' AS department, data_set, count(*) AS rows,
               count(DISTINCT person) AS persons, min(recorded_at) AS oldest
        FROM unmatched_observation WHERE op = 'put' AND division >= $1 AND division < $2
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        lo,
        hi,
    )


async def waiting_row(scoped: asyncpg.Connection, unmatched_id: int) -> asyncpg.Record | None:
    """What waits under a number of ours, if the caller's scope shows it."""
    return await scoped.fetchrow(
        "SELECT person, division, entry FROM unmatched_observation WHERE unmatched_id = $1", unmatched_id
    )


async def member_of(scoped: asyncpg.Connection, resident_id: int, household_no: str) -> asyncpg.Record | None:
    """A member of a household that the caller's scope shows."""
    return await scoped.fetchrow(
        """
        SELECT m.resident_id, h.household_id, h.living_division, h.registered_division
        FROM household_member m JOIN household h USING (household_id)
        WHERE m.resident_id = $1 AND h.household_no = $2 AND m.superseded_at IS NULL AND m.valid_to IS NULL LIMIT 1
        """,
        resident_id,
        household_no,
    )


async def is_known(connection: asyncpg.Connection, number: bytes) -> bool:
    """Whether a number names somebody already."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM resident WHERE number_index = $1)"
        " OR EXISTS (SELECT FROM number_alias WHERE number_index = $1)",
        number,
    )
    return found


async def certain_joins(connection: asyncpg.Connection, pair_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Of pairs just proposed, those in which a roster gave a member without a number his number: nobody is in doubt.

    One household, name, birth date and sex; the one without a number was listed until the other was, and no third
    person is like them.
    """
    return await connection.fetch(
        """
        SELECT p.pair_id, b.resident_id AS absorbed_id, s.resident_id AS survivor_id
        FROM identity_pair p
        JOIN resident b ON b.resident_id IN (p.resident_id, p.other_resident_id) AND b.no_id_reason IS NOT NULL
        JOIN resident s ON s.resident_id IN (p.resident_id, p.other_resident_id) AND s.no_id_reason IS NULL
        WHERE p.pair_id = ANY ($1::bigint[]) AND p.reason = 'no_number' AND p.state = 'open'
          AND p.household_id = p.other_household_id AND b.sex = s.sex
          AND EXISTS (
            SELECT FROM household_member was JOIN household_member now USING (household_id)
            WHERE was.resident_id = b.resident_id AND was.superseded_at IS NULL
              AND now.resident_id = s.resident_id AND now.superseded_at IS NULL AND now.valid_to IS NULL
              AND was.valid_to = now.valid_from)
          AND (SELECT count(DISTINCT r.resident_id) FROM resident r JOIN household_member m USING (resident_id)
               WHERE r.birth_date = s.birth_date AND r.name_key = s.name_key AND m.superseded_at IS NULL
                 AND m.household_id = p.household_id) = 2
        ORDER BY p.pair_id
        """,
        pair_ids,
    )


def _keys(keys: Sequence[Key]) -> tuple[list[str], list[str], list[str]]:
    return [k.data_set for k in keys], [k.record_key for k in keys], [k.kind for k in keys]


def decision_row(
    decision_id: UUID, pair_id: int, decision: str, by: tuple[str, str], at: datetime, **more: Any
) -> dict[str, Any]:
    """A row of `identity_decision`; what is not given is empty."""
    return {
        "decision_id": decision_id,
        "pair_id": pair_id,
        "decision": decision,
        "decided_by": by[0],
        "decided_by_name": by[1],
        "decided_at": at,
        "notes": [],
        "kept": {},
        **more,
    }
