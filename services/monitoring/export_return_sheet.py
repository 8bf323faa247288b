"""Export a department's monthly return sheet (月度反馈单): how its rules were answered, and what came without any."""

import calendar
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import asyncpg

from services.monitoring.domain.return_sheet import TITLE, Line, RuleLine, ShareLine, miss_lines, rule_lines
from services.monitoring.read_effect import Span, missed_in, rules_in
from services.monitoring.schemas_effect import RuleEffect, ShareView
from shared.errors import Forbidden
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Role
from shared.web.spreadsheet import write_csv, write_xlsx

SheetFormat = Literal["xlsx", "csv"]


class OtherDepartment(Forbidden):
    """A liaison reads the sheet of his own department only."""

    code, title = "other_department", "只能下载本部门的月度反馈单"


@dataclass(frozen=True, slots=True)
class ReturnSheet:
    """The lines of one department's sheet, and what stands beside them."""

    lines: Sequence[Line]
    notes: Sequence[Line]


async def order_return_sheet(
    connection: asyncpg.Connection,
    caller: Principal,
    runtime: Runtime,
    *,
    division: str,
    month: date,
    department: str | None,
    request_id: str,
) -> ReturnSheet:
    """Read the sheet, and write down that it leaves; OtherDepartment."""
    department = _whose(caller, department)
    span = Span(division, month, _end_of(month))
    rules = await rules_in(connection, runtime, span, department)
    missed = await missed_in(connection, span)
    hides_few = "monitoring:read" not in caller.scopes
    lines = [
        *rule_lines([_line(rule) for rule in rules], hides_few=hides_few),
        [],
        *miss_lines({str(route): count for route, count in missed.by_route.items()}, hides_few=hides_few),
    ]
    await audit(
        connection,
        caller,
        "return_sheet.export",
        f"division:{division}",
        now=runtime.clock.now(),
        request_id=request_id,
        detail={"month": f"{month:%Y-%m}", "department": department, "rules": len(rules)},
    )
    return ReturnSheet(lines, _notes(month, department, caller))


def write_return_sheet(sheet: ReturnSheet, format_: SheetFormat) -> AsyncIterator[bytes]:
    """The file in pieces."""
    return write_xlsx(TITLE, sheet.notes, _pages(sheet)) if format_ == "xlsx" else write_csv(_pages(sheet))


async def _pages(sheet: ReturnSheet) -> AsyncIterator[Sequence[Line]]:
    yield sheet.lines


def _whose(caller: Principal, department: str | None) -> str | None:
    if caller.role is not Role.LIAISON:
        return department
    if not caller.department or department not in (None, caller.department):
        raise OtherDepartment
    return caller.department


def _end_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _line(rule: RuleEffect) -> RuleLine:
    return RuleLine(
        rule.label,
        rule.policy_version,
        rule.department or "",
        rule.place,
        rule.verified,
        _share(rule.identified),
        _share(rule.useful),
        rule.data_wrong,
    )


def _share(share: ShareView) -> ShareLine:
    return ShareLine(share.count, share.percent, share.low, share.high)


def _notes(month: date, department: str | None, caller: Principal) -> list[Line]:
    return [
        ["月份", f"{month:%Y-%m}"],
        ["部门", department or "全部"],
        ["导出人", caller.name or caller.subject],
        ["口径", "按核实日期计入当月；有用为建议纳入或困难已解决；区间为 95% 置信区间"],
        ["提示", "本表只供研判，系统不据此自动调整或停用任何规则"],
    ]
