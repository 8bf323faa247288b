"""Who answers for a place (责任人): posts held by people, and which of them a warning reaches."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.vocabulary.terms import Role, Severity


class Reach(StrEnum):
    """Why a warning reaches a person."""

    DUTY = "duty"
    FALLTHROUGH = "fallthrough"
    COPY = "copy"
    HANDED_OVER = "handed_over"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Post:
    """One post (岗位) that a person holds today over a division; `place` is the division it was looked up for."""

    place: str
    officer_no: str
    role: Role
    division: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A person a warning reaches, in the lowest of his posts."""

    officer_no: str
    role: Role
    reach: Reach

    @property
    def level(self) -> int:
        """1 for the grid up to 5 for the county."""
        return LADDER.index(self.role) + 1


@dataclass(frozen=True, slots=True)
class Gap:
    """A post nobody holds at a place (岗位空缺)."""

    place: str
    role: Role


@dataclass(frozen=True, slots=True)
class Listening:
    """Who hears a warning, each person once, and which posts were found empty."""

    listeners: tuple[Listener, ...]
    gaps: tuple[Gap, ...]


# The ladder a warning climbs where a post is empty.
LADDER = (
    Role.GRID_WORKER,
    Role.VILLAGE_SECRETARY,
    Role.FIRST_SECRETARY,
    Role.TOWNSHIP_LEADER,
    Role.COUNTY_ADMIN,
)
_ALWAYS = (Role.GRID_WORKER, Role.VILLAGE_SECRETARY)
_RED = (*_ALWAYS, Role.FIRST_SECRETARY, Role.TOWNSHIP_LEADER)


def roles_hearing(severity: Severity | None) -> tuple[Role, ...]:
    """The posts that hear a warning; a report not yet assessed (None) is heard by the village."""
    return _RED if severity is Severity.RED else _ALWAYS


def listening_at(place: str, severity: Severity | None, posts: Iterable[Post]) -> Listening:
    """Who hears a warning at `place`. An empty post falls through to the next filled one up the ladder.

    No listener at all means that no post is filled up to the county.
    """
    return _listening(place, roles_hearing(severity), Reach.DUTY, posts)


def copied_at(place: str, posts: Iterable[Post]) -> Listening:
    """Who gets the copy for the registered place (户籍地) of a household that lives elsewhere: its village."""
    return _listening(place, (Role.VILLAGE_SECRETARY,), Reach.COPY, posts)


def joined(first: Listening, second: Listening) -> Listening:
    """Both, still each person once: what the first says of a person stands."""
    known = {listener.officer_no for listener in first.listeners}
    added = tuple(listener for listener in second.listeners if listener.officer_no not in known)
    return Listening(first.listeners + added, first.gaps + second.gaps)


def _listening(place: str, roles: Iterable[Role], reach: Reach, posts: Iterable[Post]) -> Listening:
    holders = _holders(place, posts)
    found: dict[str, Listener] = {}
    gaps: list[Gap] = []
    for role in roles:
        filled = _filled_from(role, holders)
        if filled is not role:
            gaps.append(Gap(place, role))
        if filled is None:
            continue
        how = reach if filled is role or reach is Reach.COPY else Reach.FALLTHROUGH
        for officer_no in holders[filled]:
            _keep_lowest(found, Listener(officer_no, filled, how))
    return Listening(tuple(found.values()), tuple(gaps))


def _holders(place: str, posts: Iterable[Post]) -> dict[Role, list[str]]:
    holders: dict[Role, list[str]] = {}
    for post in sorted(posts, key=lambda p: p.officer_no):
        if post.place == place and post.role in LADDER:
            holders.setdefault(post.role, []).append(post.officer_no)
    return holders


def _filled_from(role: Role, holders: dict[Role, list[str]]) -> Role | None:
    return next((step for step in LADDER[LADDER.index(role) :] if step in holders), None)


def _keep_lowest(found: dict[str, Listener], listener: Listener) -> None:
    known = found.get(listener.officer_no)
    if known is None or (listener.level, listener.reach) < (known.level, known.reach):
        found[listener.officer_no] = listener
