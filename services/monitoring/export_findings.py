"""Export findings as a ledger (疑点台账): masked, for a purpose, and noted before the first row leaves."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.monitoring import repository_findings as repository
from services.monitoring.domain.quality_check import VILLAGE
from services.monitoring.export_households import ExportTooLarge, Format, PurposeMissing
from services.monitoring.read_findings import views
from services.monitoring.repository_findings import FindingQuery
from services.monitoring.schemas_quality import FindingView
from shared.db.scope import scoped
from shared.errors import FieldError
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.web.spreadsheet import write_csv, write_xlsx

TITLE = "疑点台账"
PAGE, MOST_ROWS = 1_000, 100_000
COLUMNS: Mapping[str, str] = {
    "number": "编号",
    "label": "疑点",
    "place": "村",
    "division": "行政区划代码",
    "household_no": "户编号",
    "head_name": "户主（隐名）",
    "member_name": "成员（隐名）",
    "relation": "与户主关系",
    "owner": "整改单位",
    "severity": "类别",
    "opened_on": "发现日期",
    "due_on": "整改期限",
    "overdue": "是否逾期",
    "state": "状态",
    "mend": "如何改正",
}
STATES = {"open": "待整改", "accepted": "情况属实", "mended": "已改正", "lapsed": "已失效"}


@dataclass(frozen=True, slots=True)
class FindingLedger:
    """A list on its way into a file."""

    query: FindingQuery
    caller: Principal
    purpose: str
    findings: int


async def order_findings(
    connection: asyncpg.Connection,
    query: FindingQuery,
    caller: Principal,
    runtime: Runtime,
    *,
    format_: Format,
    purpose: str | None,
    request_id: str,
) -> FindingLedger:
    """Check that the list may go into a file, and write down that it does."""
    if purpose is None:
        error = FieldError("query/purpose", "missing", "导出须注明用途", "1 至 100 字", "数据清洗")
        raise PurposeMissing("请用 purpose 说明导出这份名单的用途", errors=[error])
    findings = await repository.count(connection, query, MOST_ROWS)
    if findings > MOST_ROWS:
        raise ExportTooLarge(f"一次最多导出 {MOST_ROWS} 条；请按乡镇或其他条件缩小范围")
    await audit(
        connection,
        caller,
        "findings.export",
        f"division:{caller.division}",
        now=runtime.clock.now(),
        purpose=purpose,
        request_id=request_id,
        detail={"format": format_, "findings": findings},
    )
    return FindingLedger(query, caller, purpose, findings)


def write_findings(ledger: FindingLedger, format_: Format, runtime: Runtime) -> AsyncIterator[bytes]:
    """The file in pieces, page by page out of the database."""
    if format_ == "xlsx":
        return write_xlsx(TITLE, _notes(ledger, runtime), _pages(ledger, runtime))
    return write_csv(_pages(ledger, runtime))


async def _pages(ledger: FindingLedger, runtime: Runtime) -> AsyncIterator[Sequence[Sequence[str]]]:
    """The head line, then the findings; no connection is held while the reader takes his time."""
    yield [list(COLUMNS.values())]
    after: UUID | None = None
    while True:
        async with scoped(runtime.pool, ledger.caller.division) as connection:
            found = await repository.findings(connection, ledger.query, after, PAGE)
        if not found:
            return
        yield [_row(one) for one in await views(found, ledger.caller, runtime)]
        after = found[-1]["finding_id"]


def _row(finding: FindingView) -> list[str]:
    return [_cell(name, finding) for name in COLUMNS]


def _cell(name: str, finding: FindingView) -> str:
    value = getattr(finding, name)
    if value is None:
        return ""
    if name in {"head_name", "member_name"}:
        return mask_name(value)
    if name == "state":
        return STATES[value]
    if name == "owner":
        return "村" if value == VILLAGE else str(value)
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else str(value)


def _notes(ledger: FindingLedger, runtime: Runtime) -> list[list[str]]:
    return [
        ["用途", ledger.purpose],
        ["导出人", ledger.caller.name or ledger.caller.subject],
        ["导出时间", runtime.clock.now().isoformat(timespec="seconds")],
        ["条数", str(ledger.findings)],
        ["提示", "姓名已隐去；本表仅限上述用途，不得转发"],
    ]
