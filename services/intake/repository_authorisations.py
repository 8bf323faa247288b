"""SQL of authorisations and of who lives with whom, under the worker's role."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg


class Authorisation(NamedTuple):
    """What one row says of one scope of a form; taken back, it holds for nobody whatever else is said."""

    record: str
    scope: str | None
    household_no: str | None
    signed_on: str
    ended_on: str | None
    taken_back: bool


async def note_members(connection: asyncpg.Connection, county: str, members: Sequence[tuple[str, str]]) -> None:
    """Let these be the members of their households: (household number, hex of the blind index)."""
    numbers, persons = [no for no, _ in members], [bytes.fromhex(person) for _, person in members]
    await connection.execute(
        "DELETE FROM household_person WHERE county = $1 AND household_no = ANY ($2::text[])", county, numbers
    )
    await connection.execute(
        """
        INSERT INTO household_person (county, person, household_no)
        SELECT DISTINCT $1, m.person, m.household_no FROM unnest($2::text[], $3::bytea[]) AS m (household_no, person)
        ON CONFLICT DO NOTHING
        """,
        county,
        numbers,
        persons,
    )


async def note(connection: asyncpg.Connection, county: str, said: Sequence[Authorisation]) -> None:
    """Let the forms be what is said of them now; one taken back stays so, in whatever order it is heard."""
    for one in said:
        await connection.execute(
            """
            INSERT INTO authorisation AS a (county, record, scope, household_no, signed_on, ended_on, taken_back)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (county, record) DO UPDATE SET scope = excluded.scope, household_no = excluded.household_no,
                signed_on = excluded.signed_on, ended_on = excluded.ended_on,
                taken_back = a.taken_back OR excluded.taken_back
            """,
            county,
            one.record,
            one.scope,
            one.household_no,
            date.fromisoformat(one.signed_on),
            date.fromisoformat(one.ended_on) if one.ended_on else None,
            one.taken_back,
        )


async def discard(connection: asyncpg.Connection, feed_id: UUID, county: str, scope: str, on: date) -> int:
    """Delete the staged rows that no live form of that scope allows, with what was noted of them; how many rows."""
    lines = await connection.fetch(
        """
        DELETE FROM feed_row_staged s WHERE s.feed_id = $1 AND NOT EXISTS (
            SELECT FROM household_person p JOIN authorisation a USING (county, household_no)
            WHERE p.county = $2 AND p.person = decode(
                coalesce(s.content::json #>> '{observations,0,person}', s.content::json ->> 'person'), 'hex')
              AND a.scope = $3 AND NOT a.taken_back AND a.signed_on <= $4 AND (a.ended_on IS NULL OR a.ended_on > $4)
        ) RETURNING s.line
        """,
        feed_id,
        county,
        scope,
        on,
    )
    discarded = [row["line"] for row in lines]
    await connection.execute(
        "DELETE FROM feed_row_error WHERE feed_id = $1 AND line = ANY ($2::bigint[])", feed_id, discarded
    )
    # What is wrong with a row that was refused is said by its place alone: whom it is about was never settled.
    await connection.execute("UPDATE feed_row_error SET record = NULL, echo = NULL WHERE feed_id = $1", feed_id)
    return len(discarded)
