"""Answer with the figures of a board: read within the reader's range, drawn, and written as the bytes that go out."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg
from starlette.responses import Response

from services.monitoring import repository_figures as repository
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.domain.policy_diff import value_or_none
from services.monitoring.domain.suppression import Cell
from services.monitoring.draw_boards import BoardKind
from services.monitoring.draw_figures import Drawing, Reader
from services.monitoring.keep_sums import KeptSums, Key, Reading
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_figures import Figures, Sums, read_figures, read_hidden
from services.monitoring.read_household import CLASS
from services.monitoring.repository_figures import Version
from services.monitoring.repository_lists import within
from shared.db.scope import scoped
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, code_range, covers, level_of

ROWS, FIGURES = "monitoring:read", "monitoring:figures"
MOST_MILLISECONDS = 5_000


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it goes out, and its fingerprint."""

    body: bytes
    etag: str


def reads_figures(caller: Principal) -> bool:
    """Whoever may list households, or may see figures only, in which small cells are hidden."""
    return not caller.scopes.isdisjoint({ROWS, FIGURES})


def respond(made: Answered, known: str | None) -> Response:
    """The bytes, or only word that they are those which the reader holds (`known`: his If-None-Match)."""
    headers = {"ETag": made.etag, "Cache-Control": "private, no-cache"}
    if known is not None and _matches(known, made.etag):
        return Response(status_code=304, headers=headers)
    return Response(made.body, media_type="application/json", headers=headers)


def _matches(known: str, etag: str) -> bool:
    return known.strip() == "*" or etag in {each.strip().removeprefix("W/") for each in known.split(",")}


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


@dataclass(frozen=True, slots=True)
class Made:
    """An answer, the last count that was there when it was read, and the sums that may be kept."""

    answer: Answered
    seen: int
    read: Mapping[Key, dict[str, Counter[Cell]]]


async def make_answer(asked: Asked, version: Version, runtime: Runtime, kept: KeptSums) -> Made:
    """Read the figures within the caller's range and draw them."""
    async with scoped(runtime.pool, asked.home) as connection:
        await within(connection, MOST_MILLISECONDS)
        package = await _package(connection, asked)
        # Whoever is at home in or above the division sees all of it, and may share what others read.
        reading = Reading(connection, kept.kept if covers(asked.home, asked.division) else {})
        figures = await _figures(reading, asked, package)
        freshness = await _freshness(connection, asked, package)
        seen = await repository.newest_version(connection)
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
    answer = Answered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    return Made(answer, seen, reading.read if covers(asked.home, asked.division) else {})


async def _package(connection: asyncpg.Connection, asked: Asked) -> PolicyPackage:
    """The policy that judges the place; above counties there is none but the shipped one."""
    if level_of(asked.division) < DivisionLevel.COUNTY:
        return load_policy()
    return (await policy_in_force(connection, asked.division, asked.today)).package


async def _figures(reading: Reading, asked: Asked, package: PolicyPackage) -> Figures:
    kind = asked.kind

    def sums_of(division: str) -> Awaitable[Sums]:
        return reading.sums(division, kind.figures)

    if asked.reader.sees_rows:
        return await read_figures(sums_of, asked.division)
    return await read_hidden(
        sums_of, asked.division, lambda counts: kind.groups(package, counts, asked.today), asked.home
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
