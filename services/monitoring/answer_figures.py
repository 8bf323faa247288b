"""Answer with the figures of a board: bytes kept in the process until the figures are counted again.

Twenty times a second at most the database is asked what was counted since; answers of places that were are forgotten,
the others are given as they are. A count by this very process is known at once.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import asyncpg

from services.monitoring import repository_figures as repository
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.domain.policy_diff import value_or_none
from services.monitoring.draw_boards import BoardKind
from services.monitoring.draw_figures import Drawing, Reader
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_figures import Figures, read_figures, read_hidden
from services.monitoring.read_household import CLASS
from services.monitoring.refresh_figures import LAST
from services.monitoring.repository_figures import Version
from services.monitoring.repository_lists import within
from shared.db.scope import scoped
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, code_range, covers, level_of

ROWS = "monitoring:read"
MOST_BYTES = 64 * 2**20
MOST_MILLISECONDS = 5_000
SECONDS_TRUSTED = 0.05

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it goes out, and its fingerprint."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A board of a division, and who asks. Two who see the same get the same bytes."""

    kind: BoardKind
    division: str
    home: str
    reader: Reader
    today: date

    @classmethod
    def by(cls, caller: Principal, kind: BoardKind, division: str, today: date) -> "Asked":
        reader = Reader(CLASS in field_classes(caller), ROWS in caller.scopes)
        return cls(kind, division, caller.division, reader, today)

    @property
    def key(self) -> tuple[Any, ...]:
        """Whoever may list all households of the division sees the same, wherever he is at home."""
        sees_all = self.reader.sees_rows and covers(self.home, self.division)
        return (self.kind.name, self.division, "" if sees_all else self.home, self.reader, self.today)


@dataclass(slots=True)
class OneAtATime:
    """Lets all who want the same thing at the same moment wait for one who fetches it."""

    _under_way: dict[Any, "asyncio.Task[Any]"] = field(default_factory=dict)

    async def get(self, key: object, fetch: Callable[[], Awaitable[T]]) -> T:
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(fetch))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Shielded: whoever hangs up does not take the answer away from the others.
        found: T = await asyncio.shield(task)
        return found


@dataclass(slots=True)
class FigureCache:
    """The answers of one process, none older than the last count of a place in it."""

    version: Version = field(default_factory=Version)
    answers: dict[Any, Answered] = field(default_factory=dict)
    size: int = 0
    checked_at: float = 0.0
    fetching: OneAtATime = field(default_factory=OneAtATime)

    async def answer(self, asked: Asked, runtime: Runtime) -> Answered:
        found = await self.kept(asked, runtime)
        if found is not None:
            return found
        version = self.version
        made = await self.fetching.get((version.number, asked.key), lambda: make_answer(asked, version, runtime))
        if version.number == self.version.number and self.size < MOST_BYTES and asked.key not in self.answers:
            self.answers[asked.key] = made
            self.size += len(made.body)
        return made

    async def kept(self, asked: Asked, runtime: Runtime) -> Answered | None:
        """The answer, if nothing in it was counted again since it was made."""
        if not max(LAST.counted_at, time.monotonic() - SECONDS_TRUSTED) < self.checked_at:
            await self.fetching.get("version", lambda: self._catch_up(runtime))
        return self.answers.get(asked.key)

    async def _catch_up(self, runtime: Runtime) -> None:
        """Forget the answers of places that were counted again."""
        started = time.monotonic()
        await self._forget(runtime)
        self.checked_at = started

    async def _forget(self, runtime: Runtime) -> None:
        since = await repository.versions_since(runtime.pool, self.version.number)
        new = since[-1] if since else Version()
        if new.number == self.version.number:
            return
        if not since or since[0].number != self.version.number:
            self.answers = {}
        else:
            places = {place for version in since[1:] for place in version.places}
            self.answers = {key: one for key, one in self.answers.items() if not _touches(places, key[1])}
        self.version, self.size = new, sum(len(one.body) for one in self.answers.values())


def _touches(places: Iterable[str], division: str) -> bool:
    """Whether one of the places lies in the division, or is a county that holds it: how new its data are changed."""
    lo, hi = code_range(division)
    return any(lo <= place < hi or (place[6:] == "000000" and place[:6] == division[:6]) for place in places)


async def make_answer(asked: Asked, version: Version, runtime: Runtime) -> Answered:
    """Read the figures within the caller's range and draw them."""
    async with scoped(runtime.pool, asked.home) as connection:
        await within(connection, MOST_MILLISECONDS)
        package = await _package(connection, asked)
        figures = await _figures(connection, asked, package)
        freshness = await _freshness(connection, asked, package)
    codes = [asked.division, *(child.division for child in figures.children)]
    places = await name_places(runtime.directory_pool, codes, asked.today)
    drawing = Drawing(asked.kind.name, asked.reader, figures, package, places, asked.today, freshness)
    head = {
        "division": asked.division,
        "label": places[asked.division],
        "policy_version": package.version,
        "counted_at": version.counted_at,
    }
    body = asked.kind.draw(drawing, head).model_dump_json().encode()
    return Answered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


async def _package(connection: asyncpg.Connection, asked: Asked) -> PolicyPackage:
    """The policy that judges the place; above counties there is none but the shipped one."""
    if level_of(asked.division) < DivisionLevel.COUNTY:
        return load_policy()
    return (await policy_in_force(connection, asked.division, asked.today)).package


async def _figures(connection: asyncpg.Connection, asked: Asked, package: PolicyPackage) -> Figures:
    kind = asked.kind
    if asked.reader.sees_rows:
        return await read_figures(connection, asked.division, kind.figures)
    return await read_hidden(
        connection,
        asked.division,
        kind.figures,
        lambda counts: kind.groups(package, counts, asked.today),
        asked.home,
    )


async def _freshness(connection: asyncpg.Connection, asked: Asked, package: PolicyPackage) -> list[dict[str, Any]]:
    """How new each data set is, by whatever file it came; one that a county never sent is stale there."""
    if asked.kind.name != "coverage":
        return []
    rows = await repository.newest(connection, *code_range(asked.division))
    counties = {row["county"] for row in rows}
    if _in_own_county(asked):
        counties.add(asked.division[:6])
    return [one for county in sorted(counties) for one in _of_county(county, rows, package, asked.today)]


def _of_county(
    county: str, rows: Sequence[dict[str, Any]], package: PolicyPackage, today: date
) -> Iterator[dict[str, Any]]:
    """What policy asks for, and what came besides, which is never stale: nothing waits for it."""
    own = {row["data_set"]: row for row in rows if row["county"] == county}
    newest = {name: row["newest_on"] for name, row in own.items()}
    for name, each in package.data_sets.items():
        days = value_or_none(package, each.stale_after, f"{county}000000", today)
        reach = each.reaches(newest)
        received = [own[by]["received_at"] for by in (name, *each.served_by) if by in own and newest[by] == reach]
        stale = days is not None and isinstance(days.value, int) and each.is_stale(reach, today, days.value)
        yield {
            "county": county,
            "data_set": name,
            "newest_on": reach,
            "received_at": max(received, default=None),
            "stale": stale,
        }
    yield from ({**row, "stale": False} for name, row in own.items() if name not in package.data_sets)


def _in_own_county(asked: Asked) -> bool:
    """Of a county elsewhere it is not said that nothing came: nobody would know here."""
    county = f"{asked.division[:6]}000000"
    return level_of(asked.division) >= DivisionLevel.COUNTY and (
        covers(asked.home, county) or covers(county, asked.home)
    )


async def _run(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()
