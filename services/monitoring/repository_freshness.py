"""How new the newest data of each data set is, by county."""

from datetime import date, datetime

import asyncpg

from shared.clock import SHANGHAI
from shared.contracts.intake import Observation, ObservationsRecorded
from shared.vocabulary.division import county_of


async def record_observed(connection: asyncpg.Connection, told: ObservationsRecorded, today: date) -> None:
    """Remember the newest day this message tells about: of its observations, or of the period it covers.

    A period covers no day after it was sent; a file that came in the middle of a month says nothing of its end.
    """
    received_on = told.received_at.astimezone(SHANGHAI).date()
    days = {_speaks_of(one, received_on) for one in told.observations}
    if told.period_to is not None:
        days.add(min(told.period_to, received_on))
    newest = max(min(day, today) for day in days)
    await record(connection, told.division, told.data_set, newest, told.received_at)


async def record(
    connection: asyncpg.Connection, division: str, data_set: str, newest_on: date, received_at: datetime
) -> None:
    """Remember the newest thing a data set said of a county, unless something newer is known.

    Looked at first: even an insertion that changes nothing would let the messages of a feed wait for each other.
    """
    known = await connection.fetchrow(
        "SELECT newest_on, received_at FROM feed_freshness WHERE (county, data_set) = ($1, $2)",
        county_of(division),
        data_set,
    )
    if known is not None and known["newest_on"] >= newest_on and known["received_at"] >= received_at:
        return
    await connection.execute(
        """
        INSERT INTO feed_freshness AS f (county, data_set, newest_on, received_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (county, data_set) DO UPDATE
        SET newest_on = greatest(f.newest_on, excluded.newest_on),
            received_at = greatest(f.received_at, excluded.received_at)
        WHERE (f.newest_on, f.received_at) < (excluded.newest_on, excluded.received_at)
           OR f.received_at < excluded.received_at
        """,
        county_of(division),
        data_set,
        newest_on,
        received_at,
    )


async def is_speaking(connection: asyncpg.Connection, county: str, data_set: str, feed_id: str) -> bool:
    """Whether this feed's messages may be taken in side by side."""
    speaking = await connection.fetchval(
        "SELECT speaking FROM feed_freshness WHERE (county, data_set) = ($1, $2)", county, data_set
    )
    return bool(speaking == feed_id)


async def let_speak(connection: asyncpg.Connection, county: str, data_set: str, feed_id: str | None) -> None:
    """Let this feed's messages be taken in side by side; the caller has the data set for himself."""
    await connection.execute(
        "UPDATE feed_freshness SET speaking = $3 WHERE (county, data_set) = ($1, $2)", county, data_set, feed_id
    )


async def newest_by_data_set(connection: asyncpg.Connection, county: str) -> dict[str, date]:
    """The newest date of each data set that ever came from a county."""
    rows = await connection.fetch("SELECT data_set, newest_on FROM feed_freshness WHERE county = $1", county)
    return {row["data_set"]: row["newest_on"] for row in rows}


def _speaks_of(one: Observation, received_on: date) -> date:
    """The day an observation tells about: a register of states or assets tells how things are when it is sent."""
    return received_on if one.kind.startswith(("state.", "asset.")) else one.period_to or one.occurred_on
