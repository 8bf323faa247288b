"""How an alert climbs (逐级督办): 网格员, 村书记, 包村干部或分管领导, 县. Who holds which post is an argument."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.alerts.domain.clocks import Length
from services.alerts.domain.duty import Listener, Post, Reach
from shared.vocabulary.terms import Role

# The levels from the grid up; every post that hears alerts stands on one.
Levels = tuple[tuple[Role, ...], ...]
LEVELS: Levels = (
    (Role.GRID_WORKER,),
    (Role.VILLAGE_SECRETARY, Role.FIRST_SECRETARY),
    (Role.TOWNSHIP_LEADER, Role.TOWNSHIP_DEPUTY, Role.VILLAGE_CADRE),
    (Role.COUNTY_ADMIN,),
)
TOP = len(LEVELS)


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of an alert's chain: its posts, who stood there when it was copied, and how long it waits.

    Without a `wait` it waits as long as the alert may until it is acknowledged.
    """

    level: int
    people: tuple[Listener, ...]
    roles: tuple[Role, ...] = ()
    wait: Length | None = None


@dataclass(frozen=True, slots=True)
class Climb:
    """Where an alert goes from its level: which level, to whom, and which levels had nobody left."""

    level: int
    people: tuple[Listener, ...]
    passed_over: tuple[int, ...]


def levels_by(steps: Levels) -> Levels:
    """The levels of a route that names its steps (升级链): the grid, then these; the usual ones if it names none."""
    return ((Role.GRID_WORKER,), *steps) if steps else LEVELS


def level_of(role: Role, levels: Levels = LEVELS) -> int:
    """The level a post stands on, from 1; where none names it, it is told at the beginning."""
    return next((level for level, roles in enumerate(levels, start=1) if role in roles), 1)


def chain_at(
    place: str,
    posts: Iterable[Post],
    barred: Collection[str] = (),
    levels: Levels = LEVELS,
    waits: Sequence[Length] = (),
) -> tuple[Rung, ...]:
    """The levels over a place with the people who hold their posts today; who is barred (回避) is left out.

    The `waits` are those of the second level and upwards: the first waits until the alert's own deadline. The last,
    above which is nobody, has none.
    """
    held = sorted((p for p in posts if p.place == place and p.officer_no not in barred), key=lambda p: p.officer_no)
    waiting = (None, *waits, *(None for _ in levels))
    rungs = enumerate(zip(levels, waiting, strict=False), start=1)
    return tuple(Rung(level, _people(roles, held), roles, wait) for level, (roles, wait) in rungs)


def lowest_level(listeners: Iterable[Listener], levels: Levels = LEVELS) -> int:
    """The level an alert stands at when these people have been told; copies (户籍地) do not count."""
    told = [level_of(listener.role, levels) for listener in listeners if listener.reach is not Reach.COPY]
    return min(told, default=len(levels))


def climb(chain: Sequence[Rung], level: int, in_post: Collection[str]) -> Climb | None:
    """The next level above that still has somebody in post; None above the last.

    The chain is the one of the opening: who came later is not asked, and who left is passed over.
    """
    passed: list[int] = []
    for rung in sorted(chain, key=lambda rung: rung.level):
        if rung.level <= level:
            continue
        people = tuple(person for person in rung.people if person.officer_no in in_post)
        if people:
            return Climb(rung.level, people, tuple(passed))
        passed.append(rung.level)
    return None


def as_answered(chain: Sequence[Rung], posts: Iterable[Post]) -> tuple[Rung, ...]:
    """The chain as it is answered for today: a deputy (代理) in the place of who is away."""
    deputies = {(post.stands_for, post.role): post.officer_no for post in posts if post.stands_for}
    return tuple(replace(rung, people=_stood_in(rung.people, deputies)) for rung in chain)


def _stood_in(people: Iterable[Listener], deputies: Mapping[tuple[str, Role], str]) -> tuple[Listener, ...]:
    answering = (replace(one, officer_no=deputies.get((one.officer_no, one.role), one.officer_no)) for one in people)
    return tuple({one.officer_no: one for one in answering}.values())


def _people(roles: Collection[Role], held: Sequence[Post]) -> tuple[Listener, ...]:
    people: dict[str, Listener] = {}
    for post in held:
        if post.role in roles:
            people.setdefault(post.officer_no, Listener(post.officer_no, post.role, Reach.ESCALATED))
    return tuple(people.values())
