"""What is wrong with who is on duty (岗位缺口): posts empty, grids too large, persons with too much, and so on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.alerts.domain.duty import Absence
from shared.vocabulary.division import DivisionLevel, level_of
from shared.vocabulary.terms import Role


class GapKind(StrEnum):
    """What kind of thing is wrong."""

    UNROUTED = "unrouted"
    POST_EMPTY = "post_empty"
    ABSENT_WITHOUT_DEPUTY = "absent_without_deputy"
    GRID_TOO_LARGE = "grid_too_large"
    TOO_MANY_DUTIES = "too_many_duties"
    PAIRING_RULE = "pairing_rule"


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post somebody holds today; `deputy` is in service and may see its place."""

    officer_no: str
    role: Role
    division: str
    deputy: str | None = None
    households: int | None = None


@dataclass(frozen=True, slots=True)
class DutyGap:
    """One thing wrong, where, and of whom or what; `number` is how many, where it is about a number."""

    kind: GapKind
    division: str
    role: Role | None = None
    officer_no: str | None = None
    household_no: str | None = None
    number: int | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """Its place in the list, in which every gap stands once."""
        order = list(GapKind).index(self.kind)
        return "|".join([str(order), self.division, self.role or "", self.officer_no or "", self.household_no or ""])


# Without one of these (the first is the one named as missing) a warning at that level falls through.
EXPECTED: dict[DivisionLevel, tuple[tuple[Role, ...], ...]] = {
    DivisionLevel.VILLAGE: ((Role.GRID_WORKER,), (Role.VILLAGE_SECRETARY,), (Role.FIRST_SECRETARY,)),
    DivisionLevel.TOWNSHIP: ((Role.TOWNSHIP_LEADER, Role.TOWNSHIP_DEPUTY),),
    DivisionLevel.COUNTY: ((Role.COUNTY_ADMIN,),),
}


def empty_posts(divisions: Iterable[str], posts: Iterable[HeldPost]) -> list[DutyGap]:
    """The posts that nobody holds."""
    held = {(post.division, post.role) for post in posts}
    return [
        DutyGap(GapKind.POST_EMPTY, division, choice[0], detail=f"没有{'或'.join(role.zh for role in choice)}")
        for division in divisions
        for choice in EXPECTED.get(level_of(division), ())
        if not any((division, role) in held for role in choice)
    ]


def large_grids(posts: Iterable[HeldPost], most: int) -> list[DutyGap]:
    """Grids with more than `most` households, as far as the county's list counts them."""
    return [
        _of(post, GapKind.GRID_TOO_LARGE, post.households, f"负责 {post.households} 户，超过 {most} 户")
        for post in posts
        if post.role is Role.GRID_WORKER and post.households is not None and post.households > most
    ]


def uncounted_grids(posts: Iterable[HeldPost]) -> int:
    """How many grids nobody has counted: whether they are too large is not known."""
    return sum(post.role is Role.GRID_WORKER and post.households is None for post in posts)


def overloaded(posts: Sequence[HeldPost], most: int) -> list[DutyGap]:
    """Persons on more than `most` posts; they are listed at the widest of them."""
    counts = Counter(post.officer_no for post in posts)
    widest = {post.officer_no: post for post in sorted(posts, key=lambda p: p.division, reverse=True)}
    return [
        DutyGap(
            GapKind.TOO_MANY_DUTIES,
            widest[officer_no].division,
            officer_no=officer_no,
            number=number,
            detail=f"一人担任 {number} 个岗位，超过 {most} 个",
        )
        for officer_no, number in counts.items()
        if number > most
    ]


def uncovered_absences(posts: Iterable[HeldPost], absences: Sequence[Absence], today: date) -> list[DutyGap]:
    """Posts whose holder is away, now or later, without a deputy who is there all that time."""
    gaps: dict[str, DutyGap] = {}
    coming = sorted((a for a in absences if a.last_day >= today), key=lambda a: a.first_day)
    for post in posts:
        for absence in coming:
            covered = post.deputy is not None and not _overlaps(post.deputy, absence, coming)
            if absence.officer_no == post.officer_no and not covered:
                detail = f"{absence.first_day:%Y-%m-%d} 至 {absence.last_day:%Y-%m-%d} 请假，没有在岗的代理人"
                gap = _of(post, GapKind.ABSENT_WITHOUT_DEPUTY, None, detail)
                gaps.setdefault(gap.key, gap)
    return list(gaps.values())


def _overlaps(officer_no: str, absence: Absence, absences: Iterable[Absence]) -> bool:
    return any(
        other.officer_no == officer_no and other.first_day <= absence.last_day and absence.first_day <= other.last_day
        for other in absences
    )


def _of(post: HeldPost, kind: GapKind, number: int | None, detail: str) -> DutyGap:
    return DutyGap(kind, post.division, post.role, post.officer_no, number=number, detail=detail)
