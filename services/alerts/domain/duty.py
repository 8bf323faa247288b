"""Who answers for a place (责任人): posts held by people, and which of them a warning reaches."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from shared.vocabulary.terms import Role, Severity


class Reach(StrEnum):
    """Why a warning reaches a person; of several reasons the first here is the one told."""

    DUTY = "duty"
    DEPUTY = "deputy"
    PAIRED = "paired"
    FALLTHROUGH = "fallthrough"
    COPY = "copy"
    HANDED_OVER = "handed_over"
    ESCALATED = "escalated"


_FIRST_TOLD = {reach: at for at, reach in enumerate(Reach)}


@dataclass(frozen=True, slots=True)
class Post:
    """One post (岗位) that a person holds today over a division; `place` is the division it was looked up for.

    `deputy` (代理) hears in his place while he is away; `stands_for` is whom a deputy stands in for.
    """

    place: str
    officer_no: str
    role: Role
    division: str
    deputy: str | None = None
    stands_for: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a person does not answer (请假), the first and the last included."""

    officer_no: str
    first_day: date
    last_day: date

    def is_on(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Listener:
    """A person a warning reaches, in the lowest of his posts."""

    officer_no: str
    role: Role
    reach: Reach

    @property
    def level(self) -> int:
        """1 for the grid up to 7 for the county."""
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
    Role.VILLAGE_CADRE,
    Role.TOWNSHIP_DEPUTY,
    Role.TOWNSHIP_LEADER,
    Role.COUNTY_ADMIN,
)
_ALWAYS = (Role.GRID_WORKER, Role.VILLAGE_SECRETARY)
_RED = (*_ALWAYS, Role.FIRST_SECRETARY, Role.TOWNSHIP_LEADER)
# Posts that not every county has: they hear a red warning where they are held, and are no gap where they are not.
_RED_WHERE_HELD = (Role.VILLAGE_CADRE, Role.TOWNSHIP_DEPUTY)


def roles_hearing(severity: Severity | None) -> tuple[Role, ...]:
    """The posts that hear a warning; a report not yet assessed (None) is heard by the village."""
    return _RED if severity is Severity.RED else _ALWAYS


def default_roles(severity: Severity | None, posts: Iterable[Post]) -> tuple[Role, ...]:
    """The posts that hear a warning at a place where `posts` are held, if no route says otherwise."""
    return as_held(roles_hearing(severity), posts)


def as_held(roles: Iterable[Role], posts: Iterable[Post]) -> tuple[Role, ...]:
    """The posts asked for, as a place has them where `posts` are held: what its leader hears, the township hears.

    A township that has a deputy in charge (分管领导) needs no leader to be heard.
    """
    asked, held = tuple(roles), {post.role for post in posts}
    if Role.TOWNSHIP_LEADER not in asked:
        return asked
    more = tuple(role for role in _RED_WHERE_HELD if role in held and role not in asked)
    if Role.TOWNSHIP_DEPUTY in held and Role.TOWNSHIP_LEADER not in held:
        asked = tuple(role for role in asked if role is not Role.TOWNSHIP_LEADER)
    return (*asked, *more)


def listening_by(place: str, roles: Iterable[Role], posts: Iterable[Post], *, reach: Reach = Reach.DUTY) -> Listening:
    """Who hears a warning at `place` if these posts are asked; each empty one falls through up the ladder.

    No listener at all means that no post is filled up to the county.
    """
    holders = _holders(place, posts)
    found: dict[str, Listener] = {}
    gaps: list[Gap] = []
    for role in roles:
        filled = _filled_from(role, holders)
        if filled is not role:
            gaps.append(Gap(place, role))
        for post in holders.get(filled, ()) if filled else ():
            _keep_lowest(found, Listener(post.officer_no, post.role, _reach(post, role, reach)))
    return Listening(tuple(found.values()), tuple(gaps))


def listening_above(
    place: str, roles: Iterable[Role], posts: Iterable[Post], concerned: Collection[str], *, reach: Reach = Reach.DUTY
) -> Listening:
    """As listening_by, but above those whom the warning is about (回避): who answers to them is not asked either."""
    here = _at(place, posts)
    steps = [LADDER.index(post.role) for post in here if _persons(post) & set(concerned)] if concerned else []
    asked = tuple(roles)
    if steps:
        lowest = min(max(steps) + 1, len(LADDER) - 1)
        asked = tuple(role for role in asked if LADDER.index(role) >= lowest) or (LADDER[lowest],)
    free = [post for post in here if post.officer_no not in concerned]
    return listening_by(place, asked, free, reach=reach)


def copied_at(place: str, posts: Iterable[Post], concerned: Collection[str] = frozenset()) -> Listening:
    """Who gets the copy for the registered place (户籍地) of a household that lives elsewhere: its village."""
    return listening_above(place, (Role.VILLAGE_SECRETARY,), posts, concerned, reach=Reach.COPY)


def paired_at(place: str, officers: Iterable[str], posts: Iterable[Post]) -> Listening:
    """The household's own helpers (帮扶责任人), each in his lowest post there; without one as the grid sees."""
    here = _at(place, posts)
    listeners = []
    for officer_no in sorted(set(officers)):
        roles = [post.role for post in here if post.officer_no == officer_no]
        role = min(roles, key=LADDER.index, default=Role.GRID_WORKER)
        listeners.append(Listener(officer_no, role, Reach.PAIRED))
    return Listening(tuple(listeners), ())


def by_place(posts: Iterable[Post]) -> dict[str, list[Post]]:
    """The posts of each place they were looked up for."""
    found: dict[str, list[Post]] = {}
    for post in posts:
        found.setdefault(post.place, []).append(post)
    return found


def present(posts: Sequence[Post], absences: Iterable[Absence], on: date) -> list[Post]:
    """The posts as they are answered for on a day: a deputy for who is away, and without one nobody.

    The last desk of a county is never left: if all who hold it are away without a deputy, they hear all the same.
    """
    away = {absence.officer_no for absence in absences if absence.is_on(on)}
    if not away:
        return list(posts)
    answered = [post for post in (_answered(post, away) for post in posts) if post is not None]
    staffed = {post.place for post in answered if post.role is Role.COUNTY_ADMIN}
    last = [p for p in posts if p.role is Role.COUNTY_ADMIN and p.place not in staffed]
    return answered + last


def joined(first: Listening, second: Listening) -> Listening:
    """Both, still each person once: what the first says of a person stands."""
    if not first.listeners and not first.gaps:
        return second
    if not second.listeners and not second.gaps:
        return first
    known = {listener.officer_no for listener in first.listeners}
    added = tuple(listener for listener in second.listeners if listener.officer_no not in known)
    return Listening(first.listeners + added, first.gaps + second.gaps)


def _answered(post: Post, away: Collection[str]) -> Post | None:
    if post.officer_no not in away:
        return post
    if post.deputy is None or post.deputy in away:
        return None
    return replace(post, officer_no=post.deputy, deputy=None, stands_for=post.officer_no)


def _at(place: str, posts: Iterable[Post]) -> list[Post]:
    """The posts on the ladder at a place, always in the same order."""
    here = [post for post in posts if post.place == place and post.role in LADDER]
    return sorted(here, key=lambda p: (p.officer_no, p.stands_for or ""))


def _persons(post: Post) -> set[str]:
    """Who holds a post, and for whom: a deputy does not answer for what is about whom he stands in for."""
    return {post.officer_no, *([post.stands_for] if post.stands_for else [])}


def _holders(place: str, posts: Iterable[Post]) -> dict[Role, list[Post]]:
    holders: dict[Role, list[Post]] = {}
    for post in _at(place, posts):
        holders.setdefault(post.role, []).append(post)
    return holders


def _filled_from(role: Role, holders: dict[Role, list[Post]]) -> Role | None:
    return next((step for step in LADDER[LADDER.index(role) :] if step in holders), None)


def _reach(post: Post, asked: Role, reach: Reach) -> Reach:
    if reach is Reach.COPY:
        return reach
    if post.role is not asked:
        return Reach.FALLTHROUGH
    return Reach.DEPUTY if post.stands_for else reach


def _keep_lowest(found: dict[str, Listener], listener: Listener) -> None:
    known = found.get(listener.officer_no)
    if known is None or _rank(listener) < _rank(known):
        found[listener.officer_no] = listener


def _rank(listener: Listener) -> tuple[int, int]:
    return listener.level, _FIRST_TOLD[listener.reach]
