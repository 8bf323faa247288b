"""Export a list of households as a ledger (台账): masked, for a purpose, and noted before the first row leaves."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import asyncpg

from services.monitoring import repository_lists as repository
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.list_households import MOST_MILLISECONDS, HouseholdQuery, wanted_by
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_household import CLASS, summaries
from services.monitoring.schemas import HouseholdSummary
from shared.db.scope import scoped
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.audit import audit
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, level_of
from shared.web.spreadsheet import write_csv, write_xlsx

Format = Literal["json", "csv", "xlsx"]

TITLE = "台账"
PAGE = 1_000
MOST_ROWS = 100_000
COLUMNS: Mapping[str, str] = {
    "household_no": "户编号",
    "head_name": "户主（隐名）",
    "living_place": "居住地",
    "living_division": "居住地代码",
    "registered_division": "户籍地代码",
    "listed_as": "已纳入类别",
    "listed_on": "纳入日期",
    "recommendation": "建议类别",
    "severity": "预警等级",
    "score": "得分",
    "last_outcome": "最近核实结果",
}
OF_CLASS = frozenset({"listed_as", "listed_on", "recommendation", "score"})


class PurposeMissing(Unprocessable):
    code, title = "purpose_missing", "导出须注明用途"


class ExportTooLarge(Unprocessable):
    code, title = "export_too_large", "导出的户数过多"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A list on its way into a file."""

    query: HouseholdQuery
    caller: Principal
    package: PolicyPackage
    purpose: str
    households: int

    @property
    def columns(self) -> list[str]:
        """What the caller's post sees; a phone is in no file."""
        sees_class = CLASS in field_classes(self.caller)
        return [name for name in COLUMNS if sees_class or name not in OF_CLASS]

    def row(self, household: HouseholdSummary) -> list[str]:
        return [self._cell(name, household) for name in self.columns]

    def _cell(self, name: str, household: HouseholdSummary) -> str:
        value = getattr(household, name)
        if value is None:
            return ""
        if name == "head_name":
            return mask_name(household.head_name)
        if name in {"listed_as", "recommendation"}:
            return self.package.label(value)
        return str(getattr(value, "zh", value))


async def order_ledger(
    connection: asyncpg.Connection,
    query: HouseholdQuery,
    caller: Principal,
    runtime: Runtime,
    *,
    format_: Format,
    purpose: str | None,
    request_id: str,
) -> Ledger:
    """Check that the list may go into a file, and write down that it does."""
    if purpose is None:
        error = FieldError("query/purpose", "missing", "导出须注明用途", "1 至 100 字", "县级会商")
        raise PurposeMissing("请用 purpose 说明导出这份名单的用途", errors=[error])
    wanted = wanted_by(query, caller, runtime.clock.today())
    await repository.within(connection, MOST_MILLISECONDS)
    households = await repository.count(connection, wanted, MOST_ROWS)
    if households > MOST_ROWS:
        raise ExportTooLarge(f"一次最多导出 {MOST_ROWS} 户；请按乡镇或其他条件缩小范围")
    division = query.division or caller.division
    await audit(
        connection,
        caller,
        "households.export",
        f"division:{division}",
        now=runtime.clock.now(),
        purpose=purpose,
        request_id=request_id,
        detail={"format": format_, "households": households, "filters": dict(query.asked)},
    )
    county = level_of(division) >= DivisionLevel.COUNTY
    package = (
        (await policy_in_force(connection, division, runtime.clock.today())).package if county else load_policy()
    )
    return Ledger(query, caller, package, purpose, households)


def write_ledger(ledger: Ledger, format_: Format, runtime: Runtime) -> AsyncIterator[bytes]:
    """The file in pieces, page by page out of the database."""
    if format_ == "xlsx":
        return write_xlsx(TITLE, _notes(ledger, runtime), _pages(ledger, runtime))
    return write_csv(_pages(ledger, runtime))


async def _pages(ledger: Ledger, runtime: Runtime) -> AsyncIterator[Sequence[Sequence[str]]]:
    """The head line, then the households; no connection is held while the reader takes his time."""
    yield [[COLUMNS[name] for name in ledger.columns]]
    after = 0
    while True:
        async with scoped(runtime.pool, ledger.caller.division) as connection:
            await repository.within(connection, MOST_MILLISECONDS)
            wanted = wanted_by(ledger.query, ledger.caller, runtime.clock.today())
            found = await repository.households(connection, wanted, after, PAGE)
        if not found:
            return
        yield [ledger.row(one) for one in await summaries(found, ledger.caller, runtime)]
        after = found[-1]["household_id"]


def _notes(ledger: Ledger, runtime: Runtime) -> list[list[str]]:
    return [
        ["用途", ledger.purpose],
        ["导出人", ledger.caller.name or ledger.caller.subject],
        ["导出时间", runtime.clock.now().isoformat(timespec="seconds")],
        ["户数", str(ledger.households)],
        *([f"条件 {name}", value] for name, value in ledger.query.asked.items()),
        ["提示", "姓名已隐去；本表仅限上述用途，不得转发"],
    ]
