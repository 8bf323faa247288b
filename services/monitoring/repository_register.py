"""The household register in the database: who belongs where since when, where households live, what was entered."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.monitoring.domain.tag import TAG_KINDS
from services.monitoring.domain.timeline import Span
from services.monitoring.domain.warning import MOVED
from services.monitoring.tables_register import NAME_KEY

_HOME = """household_id, county, household_no, registered_division, living_division, head_name, phone, listed_as,
    ended_on"""
_HOMES_OF = f"""
    SELECT {_HOME} FROM household WHERE household_id IN (
        SELECT household_id FROM household_member
        WHERE resident_id = {{}} AND superseded_at IS NULL AND valid_to IS NULL)
"""
# Whom a number names: the person it was given to, unless a decision says that he is another.
NAMED = """coalesce((SELECT resident_id FROM number_alias WHERE number_index = $1),
    (SELECT resident_id FROM resident WHERE number_index = $1))"""
# The normal form of a name that is looked for, as the beginning of a pattern.
_PREFIX = (
    r"replace(replace(replace(" + NAME_KEY.replace("(name,", "($1::text,") + r", '\', '\\'), '%', '\%'), '_', '\_')"
    " || '%'"
)


class Belonging(NamedTuple):
    """How a resident belongs to a household."""

    relation: str
    status: str


class NewHousehold(NamedTuple):
    """A household that a split makes."""

    household_no: str
    county: str
    registered_division: str
    living_division: str
    head_name: str
    phone: str | None


async def visible(scoped: asyncpg.Connection, household_no: str) -> asyncpg.Record | None:
    """The household, if the caller's scope shows it."""
    return await scoped.fetchrow(f"SELECT {_HOME} FROM household WHERE household_no = $1", household_no)


async def homes_of_person(scoped: asyncpg.Connection, number_index: bytes) -> list[asyncpg.Record]:
    """The households in the caller's scope that a person belongs to, or will."""
    return await scoped.fetch(_HOMES_OF.format(NAMED), number_index)


async def homes_of_resident(scoped: asyncpg.Connection, resident_id: int | None) -> list[asyncpg.Record]:
    """The same of a person who is named by our own id."""
    return await scoped.fetch(_HOMES_OF.format("$1"), resident_id)


async def homes(connection: asyncpg.Connection, household_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Households by their id, as they are now."""
    rows = await connection.fetch(
        f"SELECT {_HOME} FROM household WHERE household_id = ANY ($1::bigint[])", household_ids
    )
    return {row["household_id"]: dict(row) for row in rows}


async def remember_key(
    connection: asyncpg.Connection, client: str, key: str, fingerprint: bytes, change_id: UUID, now: datetime
) -> tuple[UUID, bytes] | None:
    """Take an idempotency key; what it was used for before, and with what payload, or None if it was not.

    Waits for another request with the key that is under way.
    """
    taken = await connection.fetchval(
        """
        INSERT INTO idempotency_key (client, key, fingerprint, status, answer, created_at)
        VALUES ($1, $2, $3, 201, jsonb_build_object('id', $4::text), $5)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        client,
        key,
        fingerprint,
        str(change_id),
        now,
    )
    if taken:
        return None
    row = await connection.fetchrow(
        "SELECT answer ->> 'id' AS id, fingerprint FROM idempotency_key WHERE client = $1 AND key = $2", client, key
    )
    assert row is not None
    return UUID(row["id"]), row["fingerprint"]


async def resident_of(connection: asyncpg.Connection, number_index: bytes) -> asyncpg.Record | None:
    return await connection.fetchrow(
        f"SELECT resident_id, name, died_on FROM resident WHERE resident_id = {NAMED}", number_index
    )


async def name_of(connection: asyncpg.Connection, resident_id: int) -> str:
    name: str = await connection.fetchval("SELECT name FROM resident WHERE resident_id = $1", resident_id)
    return name


async def set_death(connection: asyncpg.Connection, resident_id: int, died_on: date | None) -> None:
    await connection.execute("UPDATE resident SET died_on = $2 WHERE resident_id = $1", resident_id, died_on)


# --- membership ----------------------------------------------------------------------------------------------


async def belongings(connection: asyncpg.Connection, household_id: int) -> dict[int, list[Span[Belonging]]]:
    """Who belonged to a household when, as known now: by resident."""
    rows = await connection.fetch(
        """
        SELECT resident_id, relation, status, valid_from, valid_to FROM household_member
        WHERE household_id = $1 AND superseded_at IS NULL ORDER BY valid_from, member_id
        """,
        household_id,
    )
    found: dict[int, list[Span[Belonging]]] = {}
    for row in rows:
        span = Span(Belonging(row["relation"], row["status"]), row["valid_from"], row["valid_to"])
        found.setdefault(row["resident_id"], []).append(span)
    return found


async def rewrite_belonging(
    connection: asyncpg.Connection,
    home: Mapping[str, Any],
    resident_id: int,
    spans: Sequence[Span[Belonging]],
    at: datetime,
) -> None:
    """Let exactly `spans` be what is known from `at` on; rows that say otherwise are superseded, none is changed."""
    wanted = [(s.value.relation, s.value.status, s.valid_from, s.valid_to) for s in spans]
    rows = await connection.fetch(
        """
        SELECT member_id, relation, status, valid_from, valid_to FROM household_member
        WHERE household_id = $1 AND resident_id = $2 AND superseded_at IS NULL
        """,
        home["household_id"],
        resident_id,
    )
    stands = {tuple(row.values())[1:]: row["member_id"] for row in rows}
    wrong = [member_id for said, member_id in stands.items() if said not in wanted]
    await connection.execute(
        "UPDATE household_member SET superseded_at = greatest($2, recorded_at) WHERE member_id = ANY ($1::bigint[])",
        wrong,
        at,
    )
    await connection.executemany(
        """
        INSERT INTO household_member
            (household_id, resident_id, county, relation, status, valid_from, valid_to, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        [(home["household_id"], resident_id, home["county"], *said, at) for said in wanted if said not in stands],
    )


# --- places --------------------------------------------------------------------------------------------------


async def places(connection: asyncpg.Connection, household_id: int, role: str) -> list[Span[str]]:
    """Where a household was registered or lived when, as known now; empty before its first move."""
    rows = await connection.fetch(
        """
        SELECT division, valid_from, valid_to FROM household_place
        WHERE household_id = $1 AND role = $2 AND superseded_at IS NULL
        """,
        household_id,
        role,
    )
    return [Span(row["division"], row["valid_from"], row["valid_to"]) for row in rows]


async def rewrite_places(
    connection: asyncpg.Connection,
    household_id: int,
    role: str,
    spans: Sequence[Span[str]],
    origin: str,
    at: datetime,
) -> None:
    """Let exactly `spans` be what is known of a household's place from `at` on."""
    wanted = [(s.value, s.valid_from, s.valid_to) for s in spans]
    rows = await connection.fetch(
        """
        SELECT place_id, division, valid_from, valid_to FROM household_place
        WHERE household_id = $1 AND role = $2 AND superseded_at IS NULL
        """,
        household_id,
        role,
    )
    stands = {tuple(row.values())[1:]: row["place_id"] for row in rows}
    await connection.execute(
        "UPDATE household_place SET superseded_at = greatest($2, recorded_at) WHERE place_id = ANY ($1::bigint[])",
        [place_id for said, place_id in stands.items() if said not in wanted],
        at,
    )
    await connection.executemany(
        """
        INSERT INTO household_place (household_id, role, division, valid_from, valid_to, origin, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [(household_id, role, *said, origin, at) for said in wanted if said not in stands],
    )


# As `warning.MOVED` says; of a household without an open warning nothing is told anew.
MOVED_RISK = f"""CASE WHEN warned_at IS NULL THEN risk ELSE risk || '{{"{MOVED}": true}}' END"""


async def set_places(connection: asyncpg.Connection, household_id: int, *, living: str, registered: str) -> None:
    """Write where the household is now; of its open warning it is told anew (`MOVED`)."""
    await connection.execute(
        "UPDATE household SET living_division = $2, registered_division = $3::text, county = left($3::text, 6),"
        f" risk = {MOVED_RISK} WHERE household_id = $1",
        household_id,
        living,
        registered,
    )


# --- households ----------------------------------------------------------------------------------------------


async def add_household(connection: asyncpg.Connection, new: NewHousehold) -> int | None:
    """Add a household; None if its number is taken."""
    household_id: int | None = await connection.fetchval(
        """
        INSERT INTO household (household_no, county, registered_division, living_division, head_name, phone)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (household_no) DO NOTHING RETURNING household_id
        """,
        *new,
    )
    return household_id


async def set_head(connection: asyncpg.Connection, household_id: int, name: str) -> None:
    await connection.execute("UPDATE household SET head_name = $2 WHERE household_id = $1", household_id, name)


async def end_household(connection: asyncpg.Connection, household_id: int, on: date, into: int) -> None:
    """The household goes on in another; those that went on in it before do so too."""
    await connection.execute(
        "UPDATE household SET ended_on = $2, merged_into = $3 WHERE household_id = $1", household_id, on, into
    )
    await connection.execute("UPDATE household SET merged_into = $2 WHERE merged_into = $1", household_id, into)


async def standing_states(
    connection: asyncpg.Connection, household_id: int, county: str, kinds: Iterable[str], on: date
) -> list[asyncpg.Record]:
    """The states of these kinds that hold on a day, of the household and its members."""
    return await connection.fetch(
        """
        SELECT kind, value, attributes, resident_id, occurred_on, data_set, record_key FROM fact
        WHERE county = $1 AND household_id = $2 AND kind = ANY ($3::text[]) AND superseded_at IS NULL
          AND occurred_on <= $4 AND (ended_on IS NULL OR $4 < ended_on)
        ORDER BY occurred_on DESC, fact_id DESC
        """,
        county,
        household_id,
        list(kinds),
        on,
    )


# --- changes and history -------------------------------------------------------------------------------------


async def add_changes(connection: asyncpg.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    names = ", ".join(rows[0])
    binds = ", ".join(f"${i}" for i in range(1, len(rows[0]) + 1))
    await connection.executemany(
        f"INSERT INTO household_change ({names}) VALUES ({binds})", [tuple(row.values()) for row in rows]
    )


_CHANGE = """
    SELECT c.*, o.household_no AS other_household_no FROM household_change c
    LEFT JOIN household o ON o.household_id = c.other_household_id
"""


async def change(scoped: asyncpg.Connection, change_id: UUID, household_id: int) -> dict[str, Any] | None:
    row = await scoped.fetchrow(f"{_CHANGE} WHERE c.change_id = $1 AND c.household_id = $2", change_id, household_id)
    return dict(row) if row is not None else None


async def changes(scoped: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    rows = await scoped.fetch(
        f"{_CHANGE} WHERE c.household_id = $1 ORDER BY c.change_id DESC LIMIT 200", household_id
    )
    return [dict(row) for row in rows]


async def membership_rows(scoped: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    """Every membership ever written down, the newest first."""
    rows = await scoped.fetch(
        """
        SELECT m.resident_id AS member_id, r.name, m.relation, m.status, m.valid_from, m.valid_to, m.recorded_at,
               m.superseded_at
        FROM household_member m JOIN resident r USING (resident_id)
        WHERE m.household_id = $1 ORDER BY m.member_id DESC LIMIT 200
        """,
        household_id,
    )
    return [dict(row) for row in rows]


async def place_rows(scoped: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    """Every place ever written down, the newest first."""
    rows = await scoped.fetch(
        """
        SELECT role, division, valid_from, valid_to, recorded_at, superseded_at FROM household_place
        WHERE household_id = $1 ORDER BY place_id DESC LIMIT 200
        """,
        household_id,
    )
    return [dict(row) for row in rows]


async def tag_rows(
    scoped: asyncpg.Connection, household_id: int, county: str, *, on: date | None = None
) -> list[dict[str, Any]]:
    """The facts behind tags: those that hold on a day, or all ever known, the newest first."""
    rows = await scoped.fetch(
        """
        SELECT kind, value, resident_id, occurred_on, ended_on, recorded_at, superseded_at FROM fact
        WHERE county = $1 AND household_id = $2 AND kind = ANY ($3::text[])
          AND ($4::date IS NULL OR (superseded_at IS NULL AND occurred_on <= $4
                                    AND (ended_on IS NULL OR $4 < ended_on)))
        ORDER BY fact_id DESC LIMIT 200
        """,
        county,
        household_id,
        list(TAG_KINDS),
        on,
    )
    return [dict(row) for row in rows]


async def people_named(scoped: asyncpg.Connection, name: str, lo: str, hi: str, limit: int) -> list[dict[str, Any]]:
    """Households in [lo, hi) with a member whose name begins so, in normal form."""
    rows = await scoped.fetch(
        f"""
        SELECT h.household_id, h.household_no, h.living_division, h.registered_division, h.head_name, h.phone,
               h.listed_as, h.listed_on, h.recommendation, h.severity, h.last_outcome,
               CASE WHEN EXISTS (SELECT FROM standing s WHERE s.household_id = h.household_id
                                 AND s.assessment_id IS NOT NULL) THEN h.score END AS score
        FROM household h WHERE h.ended_on IS NULL
          AND ((h.living_division >= $2 AND h.living_division < $3)
               OR (h.registered_division >= $2 AND h.registered_division < $3))
          AND EXISTS (
            SELECT FROM household_member m JOIN resident r USING (resident_id)
            WHERE m.household_id = h.household_id AND m.superseded_at IS NULL AND m.valid_to IS NULL
              AND r.name_key LIKE {_PREFIX})
        ORDER BY h.household_id LIMIT $4
        """,
        name,
        lo,
        hi,
        limit,
    )
    return [dict(row) for row in rows]
