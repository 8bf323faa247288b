"""Read the monthly comparison: what each check found beside last month's, division by division, and whom."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.monitoring import repository_list_comparisons as repository
from services.monitoring.compare_lists import list_checks
from services.monitoring.domain.window import month_before
from services.monitoring.list_households import FilterNotForPost
from services.monitoring.read_household import CLASS, CONTACT
from services.monitoring.schemas_lists import DivisionFindings, ListCheckCount, ListComparisonView, ListFindingView
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, digits_below
from shared.web.page import Page, next_cursor

PATH = "/monitoring/v1/list-comparisons/findings"
Counted = Sequence[asyncpg.Record]


def check_reader(caller: Principal) -> None:
    """A list says of what class somebody is, and what relief he has."""
    if CLASS not in field_classes(caller):
        raise FilterNotForPost("名单比对需要查看监测类别的权限")


async def read_list_comparison(
    scoped: asyncpg.Connection, caller: Principal, runtime: Runtime, *, division: str, month: date | None
) -> ListComparisonView:
    """Counts of every check, also of those that found nobody."""
    check_reader(caller)
    made = await repository.newest(scoped, *code_range(division), month)
    counted = await _counted(scoped, made, division)
    before = await _before(scoped, made, division)
    places = await name_places(
        runtime.directory_pool, {_code(row["child"]) for row in counted}, runtime.clock.today()
    )
    return ListComparisonView(
        division=division,
        month=f"{made[0]['month']:%Y-%m}" if made else None,
        compared_at=max(row["compared_at"] for row in made) if made else None,
        counts=_counts(counted, before, division),
        by_division=_below(counted, places),
    )


async def _counted(scoped: asyncpg.Connection, made: Sequence[asyncpg.Record], division: str) -> Counted:
    ids = [row["comparison_id"] for row in made]
    return await repository.counts(scoped, ids, *code_range(division), digits_below(division))


async def _before(scoped: asyncpg.Connection, made: Sequence[asyncpg.Record], division: str) -> Counter[str] | None:
    """What the month before found by check; None if it was not compared then."""
    if not made:
        return None
    earlier = await repository.newest(scoped, *code_range(division), month_before(made[0]["month"]))
    if not earlier:
        return None
    return _totals(await _counted(scoped, earlier, division), "findings")


def _totals(counted: Counted, what: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in counted:
        total[row["check_code"]] += row[what]
    return total


def _counts(counted: Counted, before: Counter[str] | None, division: str) -> list[ListCheckCount]:
    findings, households = _totals(counted, "findings"), _totals(counted, "households")
    return [
        ListCheckCount(
            check=check.code,
            label=check.label_zh,
            kind=check.kind,
            kind_label=check.kind.zh,
            owner=check.owner,
            findings=findings[check.code],
            households=households[check.code],
            last_month=None if before is None else before[check.code],
            query=f"{PATH}?division={division}&check={check.code}",
        )
        for check in list_checks().checks.values()
    ]


def _below(counted: Counted, places: Mapping[str, str]) -> list[DivisionFindings]:
    found: dict[str, dict[str, int]] = {}
    for row in counted:
        found.setdefault(_code(row["child"]), {})[row["check_code"]] = row["findings"]
    return [DivisionFindings(division=code, place=places[code], findings=each) for code, each in found.items()]


def _code(prefix: str) -> str:
    return prefix.ljust(12, "0")


async def list_findings(
    scoped: asyncpg.Connection,
    caller: Principal,
    runtime: Runtime,
    *,
    division: str,
    month: date | None,
    check: str | None,
    owner: str | None,
    after: int,
    limit: int,
) -> Page[ListFindingView]:
    """A page of whom the checks found, of one check or of one owner's."""
    check_reader(caller)
    ids: list[UUID] = [row["comparison_id"] for row in await repository.newest(scoped, *code_range(division), month)]
    owned = [one.code for one in list_checks().checks.values() if owner in (None, one.owner)]
    rows = await repository.list_findings(
        scoped, ids, *code_range(division), check=check, owner_checks=owned, after=after, limit=limit + 1
    )
    places = await name_places(runtime.directory_pool, {row["division"] for row in rows}, runtime.clock.today())
    more = next_cursor(rows, limit, after="finding_id")
    return Page(items=[_finding(row, caller, places) for row in rows[:limit]], next_cursor=more)


def _finding(row: asyncpg.Record, caller: Principal, places: Mapping[str, str]) -> ListFindingView:
    check = list_checks().checks[row["check_code"]]
    shown = CONTACT in field_classes(caller)
    member = row["member_name"]
    return ListFindingView(
        check=check.code,
        label=check.label_zh,
        kind=check.kind,
        owner=check.owner,
        household_no=row["household_no"],
        head_name=row["head_name"] if shown else mask_name(row["head_name"]),
        member_name=member if shown or member is None else mask_name(member),
        division=row["division"],
        place=places[row["division"]],
        listed_as=row["listed_as"],
        recommendation=row["recommendation"],
    )
