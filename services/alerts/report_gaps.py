"""Report what is wrong with who is on duty in a division (岗位缺口)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import asyncpg

from services.alerts import repository, repository_duty, repository_pairing
from services.alerts.check_pairing import household_of
from services.alerts.domain.gaps import (
    DutyGap,
    GapKind,
    empty_posts,
    large_grids,
    overloaded,
    uncounted_grids,
    uncovered_absences,
)
from services.alerts.domain.pairing import allows, rule_zh
from services.alerts.settings import AlertsSettings
from shared.db.scope import transaction
from shared.errors import FieldError, Unprocessable
from shared.regions.lookup import codes_within
from shared.runtime import Runtime
from shared.vocabulary.division import DivisionLevel, code_range, level_of
from shared.vocabulary.terms import BaseGroup, Role


class DivisionTooWide(Unprocessable):
    code, title = "division_too_wide", "区划过大"


@dataclass(frozen=True, slots=True)
class GapReport:
    """Every gap of a division in its order, how many of each kind, and how many grids nobody has counted."""

    gaps: list[DutyGap]
    counts: dict[GapKind, int]
    uncounted_grids: int


async def report_gaps(connection: asyncpg.Connection, division: str, runtime: Runtime) -> GapReport:
    """Everything wrong today in a county or a part of it; a wider division is refused."""
    if level_of(division) < DivisionLevel.COUNTY:
        error = FieldError("division", "division_too_wide", "请选择县、乡镇或村", "县级或以下的区划代码")
        raise DivisionTooWide("请选择县、乡镇或村", errors=[error])
    settings, today = runtime.settings, runtime.clock.today()
    assert isinstance(settings, AlertsSettings)
    lo, hi = code_range(division)
    async with transaction(runtime.directory_pool) as directory:
        divisions = await codes_within(directory, lo, hi, today)
    posts = await repository_duty.held_posts(connection, lo, hi, today)
    gaps = [
        *await repository_duty.unrouted_by_place(connection, lo, hi),
        *empty_posts(divisions, posts),
        *uncovered_absences(posts, await repository_duty.absences_from(connection, lo, hi, today), today),
        *large_grids(posts, settings.most_grid_households),
        *overloaded(posts, settings.most_duties),
        *await _wrong_pairings(connection, lo, hi, today),
    ]
    return GapReport(sorted(gaps, key=lambda gap: gap.key), _counts(gaps), uncounted_grids(posts))


def _counts(gaps: Iterable[DutyGap]) -> dict[GapKind, int]:
    found = Counter(gap.kind for gap in gaps)
    return {kind: found[kind] for kind in GapKind}


async def _wrong_pairings(connection: asyncpg.Connection, lo: str, hi: str, today: date) -> list[DutyGap]:
    """Pairings of today that the rule does not allow any more, or that are of the helper's own household."""
    pairings = await repository_pairing.list_pairings(connection, lo, hi, on=today)
    numbers = {row["household_no"] for row in pairings}
    known = await repository_pairing.households_known(connection, numbers)
    families = await repository_pairing.families_of(connection, numbers)
    posts = await repository.posts_held(connection, {row["division"] for row in pairings}, today)
    roles: dict[tuple[str, str], set[Role]] = {}
    for post in posts:
        roles.setdefault((post.place, post.officer_no), set()).add(post.role)
    gaps = []
    for row in pairings:
        number, place, helper = row["household_no"], row["division"], row["officer_no"]
        group = BaseGroup(row["base_group"]) if row["base_group"] else None
        household = household_of(known.get(number), number, place, group)
        own = helper in families.get(number, ())
        if own or not allows(household, roles.get((place, helper), set())):
            detail = "帮扶责任人是本户家庭成员" if own else rule_zh(household)
            gaps.append(DutyGap(GapKind.PAIRING_RULE, place, None, helper, number, detail=detail))
    return gaps
