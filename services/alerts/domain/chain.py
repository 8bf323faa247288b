"""The chain of an alert (升级链): who is asked one after the other, as it stood when the alert opened."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.alerts.domain.duty import Gap, Listener, Post, listening_by
from shared.vocabulary.terms import Role

# Each step is a list of choices: the first choice with a holder serves, and all posts of a choice serve together.
Step = tuple[tuple[Role, ...], ...]
STEPS: tuple[Step, ...] = (
    ((Role.GRID_WORKER,),),
    ((Role.VILLAGE_SECRETARY,), (Role.FIRST_SECRETARY,)),
    ((Role.VILLAGE_CADRE, Role.TOWNSHIP_DEPUTY), (Role.TOWNSHIP_LEADER,)),
    ((Role.COUNTY_ADMIN,),),
)


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a chain that has people: `step` counts from 1, 网格员 → 村书记 → 包村干部/分管领导 → 县."""

    step: int
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps that have people, from below, and the posts whose step had nobody and is left out."""

    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]


def chain_for(
    place: str,
    registered: str,
    posts: Sequence[Post],
    *,
    steps: Sequence[Step] = STEPS,
    concerned: Collection[str] = frozenset(),
) -> Chain:
    """The chain of a household living at `place`; a step that has nobody there is asked at the registered place.

    Whom the warning is about, and the steps up to his own, are left out (回避). Each person stands in one step.
    """
    first = _first_step(posts, (place, registered), steps, concerned)
    levels: list[Level] = []
    gaps: list[Gap] = []
    taken: set[str] = set(concerned)
    for number, step in enumerate(steps, start=1):
        if number <= first:
            continue
        found = _serving(step, (place, registered), posts)
        if not found:
            gaps.append(Gap(place, step[0][0]))
        fresh = tuple(one for one in found if one.officer_no not in taken)
        taken |= {one.officer_no for one in fresh}
        if fresh:
            levels.append(Level(number, fresh))
    return Chain(tuple(levels), tuple(gaps))


def _serving(step: Step, places: Iterable[str], posts: Sequence[Post]) -> tuple[Listener, ...]:
    for place in dict.fromkeys(places):
        for choice in step:
            held = [post for post in posts if post.place == place and post.role in choice]
            if held:
                roles = [role for role in choice if any(post.role is role for post in held)]
                return listening_by(place, roles, held).listeners
    return ()


def _first_step(
    posts: Iterable[Post], places: Collection[str], steps: Sequence[Step], concerned: Collection[str]
) -> int:
    """The number of the highest step in which somebody concerned has a post; 0 without any. The last step stays."""
    roles = {p.role for p in posts if p.place in places and {p.officer_no, p.stands_for} & set(concerned)}
    found = [n for n, step in enumerate(steps, start=1) if any(role in choice for choice in step for role in roles)]
    return min(max(found, default=0), len(steps) - 1)
