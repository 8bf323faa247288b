"""List the households that fit a query, as pages or as a count: whatever a figure counts can be listed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

import asyncpg

from services.monitoring import repository_lists as repository
from services.monitoring.domain.dashboard import OF_CLASS_KEYS, Answer, Happening, Stage, Visit
from services.monitoring.domain.tag import TAGS
from services.monitoring.read_household import CAUSE, CLASS, summaries
from services.monitoring.repository_lists import Wanted
from services.monitoring.schemas import HouseholdSummary
from shared.errors import FieldError, Forbidden, Unprocessable
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.terms import Cause, Outcome, Severity
from shared.web.page import Page, next_cursor

MOST_MILLISECONDS = 5_000
# Two filters that mean something only together.
PAIRS = (("stage", "year"), ("event", "month"), ("indicator", "answer"))


class FilterNotForPost(Forbidden):
    """Filtering by a field shows it, whatever is masked in the answer."""

    code, title = "filter_not_allowed", "您的岗位不能按此条件查询"


class FilterIncomplete(Unprocessable):
    code, title = "filter_incomplete", "查询条件不完整"


@dataclass(frozen=True, slots=True)
class HouseholdQuery:
    """The filters of a list; a household fits if it fits all. `division`: where it lives; `exactly`: not below."""

    division: str | None = None
    exactly: bool = False
    recommendation: str | None = None
    listed_as: str | None = None
    severity: Severity | Literal["none"] | None = None
    last_outcome: Outcome | Literal["none"] | None = None
    assessed: bool | None = None
    unknown: bool | None = None
    cause: Cause | None = None
    visit: Visit | None = None
    stage: Stage | None = None
    year: int | None = None
    event: Happening | None = None
    month: str | None = None
    indicator: str | None = None
    answer: Answer | None = None
    data_set: str | None = None
    tag: str | None = None

    @property
    def asked(self) -> Mapping[str, str]:
        """The filters that were given, as text."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: str(value) for name, value in given.items() if value is not None and (value or name != "exactly")
        }


async def list_households(
    connection: asyncpg.Connection,
    caller: Principal,
    runtime: Runtime,
    query: HouseholdQuery,
    *,
    after: int,
    limit: int,
) -> Page[HouseholdSummary]:
    """A page of the households in the caller's range that fit."""
    wanted = wanted_by(query, caller, runtime.clock.today())
    await repository.within(connection, MOST_MILLISECONDS)
    rows = await repository.households(connection, wanted, after, limit + 1)
    more = next_cursor(rows, limit, after="household_id")
    return Page(items=await summaries(rows[:limit], caller, runtime), next_cursor=more)


def wanted_by(query: HouseholdQuery, caller: Principal, today: date) -> Wanted:
    """The conditions of a query, once it is sure that the caller's post may ask so."""
    _check(query, field_classes(caller))
    wanted = Wanted()
    if query.division is not None and query.exactly:
        wanted.equals("living_division", query.division)
    elif query.division is not None:
        wanted.add("h.living_division >= {} AND h.living_division < {}", *code_range(query.division))
    for column, value in _columns(query).items():
        wanted.equals(column, value)
    _of_assessment(query, wanted)
    _of_history(query, wanted)
    if query.tag is not None:
        wanted.tag(TAGS[query.tag].kind, TAGS[query.tag].value, today)
    return wanted


def _check(query: HouseholdQuery, sees: frozenset[str]) -> None:
    by_class = query.recommendation or query.listed_as or {query.stage, query.event} & OF_CLASS_KEYS
    if by_class and CLASS not in sees:
        raise FilterNotForPost("按监测类别查询需要查看类别的权限")
    if query.cause and CAUSE not in sees:
        raise FilterNotForPost("按致贫返贫风险查询需要查看原因的权限")
    if query.tag and TAGS[query.tag].shown_with not in sees:
        raise FilterNotForPost("按此标签查询需要查看类别的权限")
    for pair in PAIRS:
        missing = [name for name in pair if getattr(query, name) is None]
        if len(missing) == 1:
            error = FieldError(f"query/{missing[0]}", "missing", f"{'、'.join(pair)}须一起给出", None)
            raise FilterIncomplete("查询条件不完整", errors=[error])


def _columns(query: HouseholdQuery) -> dict[str, Any]:
    severity = query.severity
    given = {
        "recommendation": query.recommendation,
        "listed_as": query.listed_as,
        "severity": severity.rank if isinstance(severity, Severity) else severity,
        "last_outcome": query.last_outcome,
    }
    return {name: str(value) if isinstance(value, Outcome) else value for name, value in given.items() if value}


def _of_assessment(query: HouseholdQuery, wanted: Wanted) -> None:
    if query.assessed is not None:
        wanted.assessed(query.assessed)
    if query.unknown is not None:
        wanted.assessment("a.unknown <> 0" if query.unknown else "a.unknown = 0")
    if query.cause is not None:
        wanted.assessment("a.causes >> {} & 1 = 1", list(Cause).index(query.cause))


def _of_history(query: HouseholdQuery, wanted: Wanted) -> None:
    if query.visit is not None:
        wanted.add(repository.VISITS[query.visit])
    if query.stage is not None and query.year is not None:
        wanted.stage(query.stage, query.year)
    if query.event is not None and query.month is not None:
        wanted.happening(query.event, query.month)
    if query.indicator is not None and query.answer is not None:
        wanted.answer(query.indicator, query.answer)
    if query.data_set is not None:
        wanted.data_set(query.data_set)
