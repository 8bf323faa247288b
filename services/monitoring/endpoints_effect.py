"""How well rules work, over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import Query

from services.monitoring.domain.window import month_before
from services.monitoring.endpoints import Reader
from services.monitoring.read_effect import Span, read_misses, read_rule_effect
from services.monitoring.schemas_effect import MissesView, RuleEffectView
from shared.errors import DivisionOutOfRange, FieldError, Unprocessable
from shared.security.principal import Principal
from shared.vocabulary.division import covers
from shared.web.dependencies import RuntimeDep, ScopedConnection
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

Division = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）；缺省为本人区划")]
First = Annotated[date | None, Query(alias="from", description="起始日；缺省为上月一日", examples=["2026-03-01"])]
Last = Annotated[date | None, Query(alias="to", description="截止日（含）；缺省为今天", examples=["2026-03-31"])]
Department = Annotated[
    str | None, Query(max_length=40, description="只看一个部门的指标（月度反馈单）", examples=["医疗保障"])
]
MOST_DAYS = 1100

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
