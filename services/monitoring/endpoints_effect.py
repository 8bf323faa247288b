"""How well rules work, over HTTP."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from services.monitoring.domain.window import month_before
from services.monitoring.endpoints import Reader
from services.monitoring.export_return_sheet import SheetFormat, order_return_sheet, write_return_sheet
from services.monitoring.read_effect import Span, read_misses, read_rule_effect
from services.monitoring.schemas_effect import MissesView, RuleEffectView
from shared.errors import DivisionOutOfRange, FieldError, Unprocessable
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, require
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import CSV, XLSX

Division = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）；缺省为本人区划")]
First = Annotated[date | None, Query(alias="from", description="起始日；缺省为上月一日", examples=["2026-03-01"])]
Last = Annotated[date | None, Query(alias="to", description="截止日（含）；缺省为今天", examples=["2026-03-31"])]
Department = Annotated[
    str | None, Query(max_length=40, description="只看一个部门的指标（月度反馈单）", examples=["医疗保障"])
]
Month = Annotated[
    str | None,
    Query(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", description="月份；缺省为上月", examples=["2026-03"]),
]
Returns = Annotated[Principal, Depends(require("monitoring:returns"))]
MOST_DAYS = 1100
MEDIA = {"csv": CSV, "xlsx": XLSX}
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}

router = Router(tags=["effect"])


class SpanRefused(Unprocessable):
    code, title = "span_refused", "起止日期不正确"


@router.get(
    "/monitoring/v1/rule-effect",
    summary="规则成效：准确率，按指标、版本、部门、乡镇",
    responses=problems(401, 403, 422),
)
async def get_rule_effect(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: Division = None,
    first: First = None,
    last: Last = None,
    department: Department = None,
) -> RuleEffectView:
    """核实结果两种口径：建议纳入，及有用（建议纳入或困难已解决），各附 95% 置信区间。只供人研判，不自动调整规则。"""
    span = _span(caller, runtime.clock.today(), division, first, last)
    return await read_rule_effect(connection, caller, runtime, span, department)


@router.get(
    "/monitoring/v1/misses", summary="漏警：新纳入而此前 90 天没有预警的户", responses=problems(401, 403, 422)
)
async def get_misses(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: Division = None,
    first: First = None,
    last: Last = None,
) -> MissesView:
    """按发现途径：自主申报、热线、走访、部门名单、直接认定。"""
    return await read_misses(connection, caller, _span(caller, runtime.clock.today(), division, first, last))


@router.get(
    "/monitoring/v1/return-sheets",
    summary="月度反馈单：逐规则、版本、部门、乡镇的准确率，旁附漏警；联络员只得本部门的（留痕）",
    response_class=StreamingResponse,
    responses={**AS_FILE, **problems(401, 403, 422)},
)
async def get_return_sheet(
    caller: Returns,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    month: Month = None,
    department: Department = None,
    division: Division = None,
    format_: Annotated[SheetFormat, Query(alias="format")] = "xlsx",
) -> StreamingResponse:
    today = runtime.clock.today()
    first = date.fromisoformat(f"{month}-01") if month else month_before(today)
    span = _span(caller, today, division, first, first)
    sheet = await order_return_sheet(
        connection,
        caller,
        runtime,
        division=span.division,
        month=first,
        department=department,
        request_id=context.request_id,
    )
    name = f"{first:%Y-%m}.{format_}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(write_return_sheet(sheet, format_), media_type=MEDIA[format_], headers=headers)


def _span(caller: Principal, today: date, division: str | None, first: date | None, last: date | None) -> Span:
    place = division or caller.division
    if not covers(caller.division, place):
        raise DivisionOutOfRange(f"只能查询 {caller.division} 范围内的区划")
    span = Span(place, first or month_before(today), last or today)
    if not 0 <= (span.last - span.first).days <= MOST_DAYS:
        error = FieldError(
            "query/to", "span_refused", "截止日不能早于起始日，且不超过三年", "日期", today.isoformat()
        )
        raise SpanRefused("起止日期不正确", errors=[error])
    return span
