"""The rules that a transaction routes by: each county's routes in force, the silences, what alerts say of themselves.

Read once a transaction. A version never changes, so its tree is read from the database once and then kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository_routes, repository_silences
from services.alerts.dispatch import Dispatch, Routing
from services.alerts.domain.alert_labels import OF_EVIDENCE, Traits, labels_of
from services.alerts.domain.message import Kind
from services.alerts.domain.route import Labels, Matcher, Node, Operator, matching, nodes_of, plan_for, values_of
from services.alerts.domain.route_table import read_routes
from services.alerts.domain.silence import Silence, silence_over
from services.alerts.read_route_rows import Rows, of_csv
from services.alerts.repository import Row
from shared.logs import log
from shared.vocabulary.division import county_of

NATIONAL = "national"
_MOST_KEPT = 256
_MOST_ROUTINGS = 4096
_NO_TRAITS = Traits()


@dataclass(frozen=True, slots=True)
class Routes:
    """A tree, the name of its version, and the labels it asks for; `lines` is the table it was read from."""

    name: str
    root: Node
    lines: Rows
    asked: tuple[str, ...]
    _known: dict[tuple[Sequence[str], ...], Routing] = field(default_factory=dict, repr=False, compare=False)

    @property
    def asks_evidence(self) -> bool:
        return not OF_EVIDENCE.isdisjoint(self.asked)

    def routing(self, labels: Labels) -> Routing:
        """What the tree says of labels; asked the same again, it is not walked again."""
        key = tuple(tuple(values_of(labels, name)) for name in self.asked)
        if key not in self._known:
            if len(self._known) >= _MOST_ROUTINGS:
                self._known.clear()
            nodes = matching(self.root, labels)
            self._known[key] = Routing(self.name, tuple(node.name for node in nodes), plan_for(nodes))
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds now, by county and by alert."""

    now: datetime
    routes: Mapping[str, Routes]
    silences: Sequence[Silence] = ()
    traits: Mapping[UUID, Traits] = field(default_factory=dict)

    def labels(self, dispatch: Dispatch) -> Labels:
        return labels_of(dispatch.alert, self.traits.get(dispatch.alert_id, Traits()))

    def routing(self, dispatch: Dispatch) -> Routing:
        routes = self.routes[county_at(dispatch.living)]
        traits = self.traits.get(dispatch.alert_id, _NO_TRAITS) if self.traits else _NO_TRAITS
        return routes.routing(labels_of(dispatch.alert, traits, routes.asked))

    def silence(self, dispatch: Dispatch) -> Silence | None:
        """The silence that holds this back; never a new report, an appeal, or what goes to named people."""
        if not self.silences or dispatch.only is not None or dispatch.new_reports or dispatch.barred:
            return None
        labels = self.labels(dispatch)
        return silence_over(self.silences, dispatch.living, labels, kind=Kind(dispatch.kind), now=self.now)


def _routes(name: str, root: Node, lines: Rows) -> Routes:
    asked = sorted({matcher.label for node in nodes_of(root) for matcher in node.matchers})
    return Routes(name, root, lines, tuple(asked))


def county_at(division: str) -> str:
    """The county whose routes hold at a place, in full form."""
    return county_of(division).ljust(12, "0")


async def rules_for(
    connection: asyncpg.Connection,
    dispatches: Sequence[Dispatch],
    now: datetime,
    routes: Mapping[str, Routes],
    *,
    is_silenced: bool,
    drafted: Sequence[Mapping[str, Any]] = (),
) -> Rules:
    """The rules for what is to be told; nothing is read for what goes to named people only.

    `drafted`: the evidence of alerts that is not written yet.
    """
    open_to_rules = [dispatch for dispatch in dispatches if dispatch.only is None]
    if not open_to_rules:
        return Rules(now, {})
    silences: list[Silence] = []
    if is_silenced:
        places = {dispatch.living for dispatch in open_to_rules}
        silences = [silence_of(row) for row in await repository_silences.silences_over(connection, places, now)]
    traits: dict[UUID, Traits] = {}
    # A silence asks always: whether somebody appealed stands in the evidence.
    if silences or any(one.asks_evidence for one in routes.values()):
        traits = _drafted_traits(drafted)
        written = [dispatch.alert_id for dispatch in open_to_rules if dispatch.alert_id not in traits]
        traits |= await traits_of(connection, written) if written else {}
    return Rules(now, routes, silences, traits)


async def traits_of(connection: asyncpg.Connection, alert_ids: Sequence[UUID]) -> dict[UUID, Traits]:
    """What the evidence of alerts says, by alert."""
    rows = await repository_routes.traits_of(connection, alert_ids)
    return {
        row["alert_id"]: Traits(tuple(row["departments"]), tuple(row["sources"]), tuple(row["indicators"]))
        for row in rows
    }


def _drafted_traits(evidence: Iterable[Mapping[str, Any]]) -> dict[UUID, Traits]:
    """What evidence that is not written yet says, by alert; as `traits_of` will read it."""
    items: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in evidence:
        items.setdefault(row["alert_id"], []).append(row["item"])
    return {
        alert_id: Traits(*(_named(found, name) for name in ("department", "source", "indicator")))
        for alert_id, found in items.items()
    }


def _named(items: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(sorted({item[name] for item in items if item.get(name) is not None}))


async def routes_at(connection: asyncpg.Connection, counties: set[str], on: date) -> dict[str, Routes]:
    """The routes of each county on a day: its own, or those that are shipped for all."""
    return await routes_named(
        connection, counties, await repository_routes.versions_in_force(connection, counties, on)
    )


async def routes_named(
    connection: asyncpg.Connection, counties: Iterable[str], own: Mapping[str, tuple[UUID, str]]
) -> dict[str, Routes]:
    """The routes of each county, whose own version is known by id and name."""
    return {
        county: await _kept(connection, *own[county]) if county in own else national_routes() for county in counties
    }


_KEPT: dict[UUID, Routes] = {}


async def _kept(connection: asyncpg.Connection, version_id: UUID, name: str) -> Routes:
    known = _KEPT.get(version_id)
    if known is None:
        row = await repository_routes.version_by_id(connection, version_id)
        assert row is not None, f"version {name} was just seen"
        known = routes_of(row)
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[version_id] = known
    return known


def routes_of(row: Row) -> Routes:
    """The routes of a stored version. One that can no longer be read must not leave alerts without people."""
    lines = tuple(
        (line["line"], {name: text for name, text in line.items() if name != "line"}) for line in row["lines"]
    )
    read = read_routes(lines, None)
    if read.root is None:
        log.error("routes.unreadable", version=row["name"], errors=[error.code for error in read.errors])
        return national_routes()
    return _routes(row["name"], read.root, lines)


@lru_cache(maxsize=1)
def national_routes() -> Routes:
    """The routes of a county that has none of its own: the village hears all, the township what is red."""
    lines = of_csv((files("services.alerts") / "routes" / "national.csv").read_bytes())
    read = read_routes(lines, None)
    assert read.root is not None, read.errors
    return _routes(NATIONAL, read.root, lines)


def silence_of(row: Row) -> Silence:
    """A stored silence, which ended when somebody ended it."""
    matchers = tuple(Matcher(m["label"], Operator(m["operator"]), m["value"]) for m in row["matchers"])
    ends_at = min(row["ends_at"], row["expired_at"] or row["ends_at"])
    return Silence(row["silence_id"], row["division"], matchers, row["reason"], row["starts_at"], ends_at)
