"""Keep what intake itself must know of two data sets: who lives together, and which households allowed a comparison.

Asset data (存款、车辆、不动产、工商) are taken only of people whose household has a live 承诺授权. Whom a row is
about must be known before anything of it is kept, so intake cannot leave that to monitoring.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import asyncpg

from services.intake import repository_authorisations as repository
from services.intake.domain.feed_layout import FeedLayout
from services.intake.repository_authorisations import Authorisation
from shared.vocabulary.division import county_of

KIND = "state.authorisation"


async def note_authorisations(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, rows: Sequence[asyncpg.Record]
) -> None:
    """Note what new or changed rows of a roster, or of authorisations, say; in the transaction that records them."""
    county = county_of(feed["division"])
    if layout.household is not None:
        await repository.note_members(connection, county, list(_members(rows)))
    elif any(fact.kind == KIND for fact in layout.facts):
        await repository.note(connection, county, list(_authorisations(rows)))


async def discard_unauthorised(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, on: date
) -> int:
    """Remove the staged rows of asset data about people whose household allows it on no live form; how many."""
    if not layout.needs_authorisation:
        return 0
    return await repository.discard(connection, feed["feed_id"], county_of(feed["division"]), layout.name, on)


def _members(rows: Iterable[asyncpg.Record]) -> Iterator[tuple[str, str]]:
    """(household, blind index) of each member."""
    for row in rows:
        yield row["record"], json.loads(row["content"])["member"]["index"]


def _authorisations(rows: Iterable[asyncpg.Record]) -> Iterator[Authorisation]:
    for row in rows:
        for said in json.loads(row["content"])["observations"]:
            if said["kind"] == KIND:
                yield Authorisation(
                    record=said["record"],
                    scope=said.get("value"),
                    household_no=said.get("household_no"),
                    signed_on=said["occurred_on"],
                    ended_on=said.get("ended_on"),
                    taken_back=said.get("op", "put") != "put",
                )
