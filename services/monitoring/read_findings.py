"""Read findings of quality as a caller may see them: his range, his department's alone, names masked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_findings as repository
from services.monitoring.domain.quality_check import VILLAGE, Level, QualityCheck
from services.monitoring.quality_book import quality_book
from services.monitoring.read_household import CONTACT
from services.monitoring.repository_findings import FindingQuery
from services.monitoring.schemas_quality import CheckView, FindingCount, FindingCounts, FindingView
from shared.errors import NotFound, Unprocessable
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, code_range, level_of
from shared.vocabulary.terms import Role
from shared.web.page import Page, next_cursor

NOBODY = "nobody"
DIGITS = {DivisionLevel.PROVINCE: 4, DivisionLevel.PREFECTURE: 6, DivisionLevel.COUNTY: 9}


class FindingNotFound(NotFound):
    code, title = "finding_not_found", "没有找到这条疑点"


class CheckUnknown(Unprocessable):
    code, title = "check_unknown", "没有这项检查"


def owner_for(caller: Principal, asked: str | None = None) -> str | None:
    """Whose findings a caller sees: a liaison those of his own department, whatever he asks for."""
    if caller.role is not Role.LIAISON:
        return asked
    own = caller.department or NOBODY
    return own if asked in (None, own) else NOBODY


def view_checks() -> list[CheckView]:
    """All checks, in the order of the fact sheet."""
    return [_check(each) for each in quality_book().checks.values()]


def query_of(
    caller: Principal,
    today: date,
    *,
    division: str | None,
    owner: str | None,
    check: str | None,
    state: str | None,
    overdue: bool,
    severity: int | None,
) -> FindingQuery:
    """The filters of a list, once it is sure that they mean something."""
    if check is not None and check not in quality_book().checks:
        raise CheckUnknown(f"没有代码为 {check[:60]} 的检查；检查目录见 /monitoring/v1/quality/checks")
    return FindingQuery(
        code_range(division or caller.division),
        owner_for(caller, owner),
        check,
        state,
        today if overdue else None,
        severity,
    )


async def list_findings(
    connection: asyncpg.Connection,
    query: FindingQuery,
    caller: Principal,
    runtime: Runtime,
    *,
    after: UUID | None,
    limit: int,
) -> Page[FindingView]:
    rows = await repository.findings(connection, query, after, limit + 1)
    more = next_cursor(rows, limit, after="finding_id")
    return Page(items=await views(rows[:limit], caller, runtime), next_cursor=more)


async def views(rows: Sequence[Mapping[str, Any]], caller: Principal, runtime: Runtime) -> list[FindingView]:
    """Findings with the fields the caller's post sees."""
    today = runtime.clock.today()
    places = await name_places(runtime.directory_pool, (row["division"] for row in rows), today)
    calls = CONTACT in field_classes(caller)
    return [_view(row, places, today, calls=calls) for row in rows]


def _view(row: Mapping[str, Any], places: Mapping[str, str], today: date, *, calls: bool) -> FindingView:
    check = quality_book().checks.get(row["check_code"])
    names = {
        name: row[name] if calls or row[name] is None else mask_name(row[name])
        for name in ("head_name", "member_name")
    }
    kept = ("finding_id", "owner", "severity", "division", "household_no", "relation", "state", "opened_on", "due_on")
    return FindingView(
        **{name: row[name] for name in (*kept, "closed_at", "closed_by_name", "closed_reason")},
        **names,
        check=row["check_code"],
        number=None if check is None else check.number,
        label=row["check_code"] if check is None else check.label_zh,
        mend="" if check is None else check.mend,
        place=places[row["division"]],
        overdue=row["state"] == "open" and row["due_on"] < today,
    )


async def count_findings(
    connection: asyncpg.Connection, caller: Principal, division: str, runtime: Runtime
) -> FindingCounts:
    """How many findings a division has, by the divisions below it, by owner and by check."""
    today, digits = runtime.clock.today(), DIGITS.get(level_of(division), 12)
    rows = await repository.counts(connection, code_range(division), owner_for(caller), digits, today)
    codes = {row["division"].ljust(12, "0") for row in rows} | {division}
    places = await name_places(runtime.directory_pool, codes, today)
    checks = quality_book().checks
    return FindingCounts(
        division=division,
        total=_sum(division, places[division], rows),
        by_division=_grouped(rows, lambda row: row["division"].ljust(12, "0"), lambda key: places[key]),
        by_owner=_grouped(rows, lambda row: row["owner"], lambda key: "村" if key == VILLAGE else key),
        by_check=_grouped(
            rows, lambda row: row["check_code"], lambda key: checks[key].label_zh if key in checks else key
        ),
    )


def _grouped(rows: Iterable[Mapping[str, Any]], key_of: Any, name_of: Any) -> list[FindingCount]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return [_sum(key, name_of(key), group) for key, group in sorted(groups.items())]


def _sum(key: str, label: str, rows: Sequence[Mapping[str, Any]]) -> FindingCount:
    counted = ("open", "overdue", "accepted", "mended")
    return FindingCount(key=key, label=label, **{each: sum(row[each] for row in rows) for each in counted})


def _check(check: QualityCheck) -> CheckView:
    level = check.level
    return CheckView(
        code=check.code,
        number=check.number,
        label=check.label_zh,
        level=level.value,
        owner=check.owner,
        days=check.days,
        severity=check.severity,
        mend=check.mend,
        note=check.note,
        refused_with=list(check.codes) if level is Level.INTAKE else [],
    )
