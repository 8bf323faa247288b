"""Figures for dashboards, and the lists behind them over HTTP."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.monitoring.answer_figures import FIGURES, ROWS, Asked, reads_figures, respond
from services.monitoring.board_examples import EXAMPLES
from services.monitoring.domain.dashboard import Answer, Happening, Stage, Visit
from services.monitoring.domain.tag import TagCode
from services.monitoring.draw_boards import KINDS
from services.monitoring.export_households import Format, order_ledger, write_ledger
from services.monitoring.keep_answers import FigureCache
from services.monitoring.list_households import HouseholdQuery, list_households
from services.monitoring.schemas import HouseholdSummary, ShortText
from services.monitoring.schemas_dashboard import (
    Board,
    CausesView,
    CoverageView,
    DashboardSummary,
    FunnelView,
    PrecisionView,
    TrendView,
    WorkloadView,
)
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.terms import Cause, Outcome, Severity
from shared.web.dependencies import Caller, ContextDep, RuntimeDep, ScopedConnection, ScopeMissing, require
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import CSV, XLSX

MEDIA: dict[Format, str] = {"csv": CSV, "xlsx": XLSX}

Lister = Annotated[Principal, Depends(require(ROWS))]
LivesIn = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）")]
ClassCode = Annotated[str | None, Query(max_length=60, pattern=r"^[a-z_]+$", description="类别代码；none 表示无")]
Name = Annotated[str | None, Query(max_length=60, pattern=r"^[a-z0-9_]+$")]

router = Router(tags=["monitoring"])


async def figure_reader(caller: Caller) -> Principal:
    if not reads_figures(caller):
        raise ScopeMissing(f"此操作需要权限 {ROWS} 或 {FIGURES}")
    return caller


async def cache_of(request: Request) -> FigureCache:
    """The answers that this process keeps."""
    cache: FigureCache = request.app.state.figure_cache
    return cache


async def household_query(
    division: LivesIn = None,
    exactly: Annotated[bool, Query(description="只要直接住在此区划、不在其下级的")] = False,
    recommendation: ClassCode = None,
    listed_as: ClassCode = None,
    severity: Annotated[Severity | Literal["none"] | None, Query(description="预警等级；none 表示无")] = None,
    last_outcome: Annotated[
        Outcome | Literal["none"] | None, Query(description="最近一次核实结果；none 表示未核实")
    ] = None,
    assessed: Annotated[bool | None, Query(description="是否评估过")] = None,
    unknown: Annotated[bool | None, Query(description="评估过的户中，是否有指标因缺少数据而不能判断")] = None,
    cause: Annotated[Cause | None, Query(description="评估认定的致贫返贫风险")] = None,
    visit: Annotated[Visit | None, Query(description="待办走访")] = None,
    stage: Annotated[Stage | None, Query(description="当年预警走到哪一步，与 year 一起用")] = None,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    event: Annotated[Happening | None, Query(description="当月发生的事，与 month 一起用")] = None,
    month: Annotated[str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-03"])] = None,
    indicator: Annotated[Name, Query(description="预警中触发的指标，与 answer 一起用")] = None,
    answer: Annotated[Answer | None, Query(description="对该预警的核实")] = None,
    data_set: Annotated[Name, Query(description="有此数据目录的数据")] = None,
    tag: Annotated[
        TagCode | None, Query(description="今天有此标签：低保、特困、残疾、易地搬迁、监测对象、国家系统监测对象")
    ] = None,
) -> HouseholdQuery:
    return HouseholdQuery(**locals())


QueryDep = Annotated[HouseholdQuery, Depends(household_query)]


@router.get(
    "/monitoring/v1/households",
    summary="农户列表；也可导出为 CSV、XLSX 台账（须注明用途，留痕）",
    response_model=Page[HouseholdSummary],
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        },
        **problems(401, 403, 422),
    },
)
async def get_households(
    caller: Lister,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    query: QueryDep,
    cursor: Cursor = None,
    limit: Limit = 50,
    format_: Annotated[Format, Query(alias="format", description="csv、xlsx：全部，一个文件，姓名隐去")] = "json",
    purpose: Annotated[ShortText | None, Query(description="导出的用途")] = None,
) -> Page[HouseholdSummary] | StreamingResponse:
    position = decode_cursor(cursor, after=int)
    if format_ == "json":
        after = position["after"] if position else 0
        return await list_households(connection, caller, runtime, query, after=after, limit=limit)
    ledger = await order_ledger(
        connection, query, caller, runtime, format_=format_, purpose=purpose, request_id=context.request_id
    )
    name = {"Content-Disposition": f'attachment; filename="households.{format_}"'}
    return StreamingResponse(write_ledger(ledger, format_, runtime), media_type=MEDIA[format_], headers=name)


Known = Annotated[str | None, Header(alias="If-None-Match", max_length=1000, description="上次回答的 ETag")]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a board, by whom."""

    caller: Principal
    cache: FigureCache
    runtime: Runtime
    division: str
    known: str | None

    async def answer(self, name: str) -> Response:
        asked = Asked.by(self.caller, KINDS[name], self.division, self.runtime.clock.today())
        return respond(await self.cache.answer(asked, self.runtime), self.known)


async def wish(
    caller: Annotated[Principal, Depends(figure_reader)],
    cache: Annotated[FigureCache, Depends(cache_of)],
    runtime: RuntimeDep,
    division: LivesIn = None,
    known: Known = None,
) -> Wish:
    return Wish(caller, cache, runtime, division or caller.division, known)


WishDep = Annotated[Wish, Depends(wish)]


def _board(name: str, view: type[Board], summary: str) -> dict[str, Any]:
    """How a board is documented; its answer is bytes made before."""
    shown = {200: {"content": {"application/json": {"example": EXAMPLES[name]}}}}
    unchanged = {304: {"description": "与 If-None-Match 所示的相同"}}
    return {
        "summary": summary,
        "response_model": view,
        "responses": {**shown, **unchanged, **problems(401, 403, 422)},
    }


@router.get("/monitoring/v1/dashboard/summary", **_board("summary", DashboardSummary, "概况：各类农户数"))
async def get_summary(wish: WishDep) -> Response:
    return await wish.answer("summary")


@router.get("/monitoring/v1/dashboard/trend", **_board("trend", TrendView, "月度动态：预警、核实、纳入、消除"))
async def get_trend(wish: WishDep) -> Response:
    return await wish.answer("trend")


@router.get("/monitoring/v1/dashboard/causes", **_board("causes", CausesView, "致贫返贫风险构成"))
async def get_causes(wish: WishDep) -> Response:
    return await wish.answer("causes")


@router.get("/monitoring/v1/dashboard/funnel", **_board("funnel", FunnelView, "当年漏斗：预警、核实、纳入、帮扶"))
async def get_funnel(wish: WishDep) -> Response:
    return await wish.answer("funnel")


@router.get("/monitoring/v1/dashboard/workload", **_board("workload", WorkloadView, "待办走访（按地方，不按人）"))
async def get_workload(wish: WishDep) -> Response:
    return await wish.answer("workload")


@router.get("/monitoring/v1/dashboard/precision", **_board("precision", PrecisionView, "各指标的核实准确率，按乡镇"))
async def get_precision(wish: WishDep) -> Response:
    return await wish.answer("precision")


@router.get("/monitoring/v1/dashboard/coverage", **_board("coverage", CoverageView, "数据覆盖与新旧"))
async def get_coverage(wish: WishDep) -> Response:
    return await wish.answer("coverage")
