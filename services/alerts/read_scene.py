"""Read what holds over some places today: posts, helpers, ways out, routes, calendars; once a transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels_in_use import channels_in_use
from services.alerts.dispatch import Desk
from services.alerts.domain.duty import Absence, Post, present
from services.alerts.read_calendar import Calendars, calendars_named, first_day, regions_of
from services.alerts.repository import Row
from services.alerts.repository_scene import Asked, read_scene
from services.alerts.rules_in_force import Routes, county_at, routes_named
from shared.vocabulary.division import lineage_of
from shared.vocabulary.terms import Role


@dataclass(frozen=True, slots=True)
class Scene:
    """What routing asks of the county's lists; by place, household or county.

    `families`: the officers of each household. `named`: which of the officers asked for there are. `endpoints`: the
    ways out of groups and of the people in `reachable`, whether they have any or not.
    """

    posts: Mapping[str, Sequence[Post]]
    paired: Mapping[str, Collection[str]]
    families: Mapping[str, Sequence[str]]
    named: frozenset[str]
    endpoints: Sequence[Row]
    reachable: frozenset[str]
    routes: Mapping[str, Routes]
    is_silenced: bool
    calendars: Calendars

    async def endpoints_with(
        self, connection: asyncpg.Connection, officers: Iterable[str], desk: Desk
    ) -> Sequence[Row]:
        """The ways out, with those of people who hold no post here."""
        others = set(officers) - self.reachable
        if not others:
            return self.endpoints
        found = await repository.endpoints_of(connection, others, (), channels_in_use(desk.settings))
        return [*self.endpoints, *found]


async def scene_over(
    connection: asyncpg.Connection,
    places: Collection[str],
    households: Collection[str],
    desk: Desk,
    *,
    named: Collection[str] = (),
) -> Scene:
    """The scene of warnings about some households that live, or are registered, in some places."""
    above = {division for place in places for division in lineage_of(place)}
    counties = {county_at(place) for place in places}
    first = first_day(desk.now)
    asked = Asked(
        above, places, counties, households, named, channels_in_use(desk.settings), regions_of({*places, *counties})
    )
    found = await read_scene(connection, asked, today=desk.today, now=desk.now, first_day=first)
    held, paired = found["posts"], _gathered(found["paired"])
    return Scene(
        _posts(places, held, desk.today),
        paired,
        _gathered(found["families"]),
        frozenset(row["officer_no"] for row in found["named"]),
        found["endpoints"],
        frozenset(
            {row[name] for row in held for name in ("officer_no", "deputy") if row[name]}.union(*paired.values())
        ),
        await routes_named(
            connection, counties, {r["division"]: (UUID(r["version_id"]), r["name"]) for r in found["routes"]}
        ),
        found["silenced"][0]["holds"],
        await calendars_named(connection, found["days"][0]["digest"], {*places, *counties}, desk.now),
    )


def _posts(places: Iterable[str], held: Sequence[Row], today: date) -> dict[str, list[Post]]:
    """The posts over each place as they are answered for today."""
    of_division: dict[str, list[Row]] = {}
    for row in held:
        of_division.setdefault(row["division"], []).append(row)
    posts = {
        place: [
            Post(place, row["officer_no"], Role(row["role"]), row["division"], row["deputy"])
            for above in lineage_of(place)
            for row in of_division.get(above, ())
        ]
        for place in places
    }
    away = {row["officer_no"] for row in held if row["is_away"]} | {
        row["deputy"] for row in held if row["is_deputy_away"]
    }
    if not away:
        return posts
    absences = [Absence(officer_no, today, today) for officer_no in away]
    return {place: present(of_place, absences, today) for place, of_place in posts.items()}


def _gathered(rows: Iterable[Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["household_no"], []).append(row["officer_no"])
    return found
