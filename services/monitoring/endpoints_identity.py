"""Who is who over HTTP: the queue of doubtful pairs, decisions and their undoing, and who waits to be matched."""

from typing import Annotated

from fastapi import Body, Path, Query

from services.monitoring.decide_identity import decide_identity, undo_identity
from services.monitoring.endpoints import Decider, Reader
from services.monitoring.link_waiting import link_waiting
from services.monitoring.list_identity import PairQuery, count_identity, count_waiting, list_identity, show_pair
from services.monitoring.schemas_identity import (
    PairCounts,
    PairDecision,
    PairReason,
    PairState,
    PairUndo,
    PairView,
    WaitingCounts,
    WaitingLink,
)
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

PAIRS = "/monitoring/v1/identity-pairs"
PairId = Annotated[int, Path(ge=1, lt=2**63, description="这一对的编号", examples=[17])]
UnmatchedId = Annotated[int, Path(ge=1, lt=2**63, description="未匹配数据的编号", examples=[17])]
Within = Annotated[DivisionStr | None, Query(description="居住地或户籍地在此区划（含下级）；缺省为本人区划")]

router = Router(tags=["identity"])


@router.get(PAIRS, summary="疑似同一人或冒用号码的清单，逐对列出", responses=problems(400, 401, 403, 422))
async def get_pairs(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: Within = None,
    state: Annotated[PairState | None, Query(description="缺省为待认定的")] = "open",
    reason: Annotated[PairReason | None, Query(description="只列这一类")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PairView]:
    """每一对同一原因只出现一次；`differs` 是两边不同的项目。范围外的一方不显示。"""
    position = decode_cursor(cursor, after=int)
    query = PairQuery(division or caller.division, state, reason, position["after"] if position else 0, limit)
    return await list_identity(connection, query, caller, runtime, request_id=context.request_id)


@router.get(f"{PAIRS}/counts", summary="待认定的对数，按乡镇和原因", responses=problems(401, 403, 422))
async def get_pair_counts(caller: Reader, connection: ScopedConnection, division: Within = None) -> PairCounts:
    return await count_identity(connection, division or caller.division)


@router.get(f"{PAIRS}/{{pair_id}}", summary="一对，并列比较", responses=problems(401, 403, 404, 422))
async def get_pair(
    pair_id: PairId, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> PairView:
    return await show_pair(connection, pair_id, caller, runtime, request_id=context.request_id)


@router.post(
    f"{PAIRS}/{{pair_id}}/decision",
    summary="认定：同一人（合并）、不是同一人、已迁出其中一户",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_pair_decision(
    pair_id: PairId,
    body: Annotated[PairDecision, Body()],
    caller: Decider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> PairView:
    """两人同时认定时，一人成功，另一人得到 409。"""
    await decide_identity(connection, pair_id, body, caller, runtime, request_id=context.request_id)
    wake("assess")
    return await show_pair(connection, pair_id, caller, runtime, request_id=context.request_id)


@router.post(
    f"{PAIRS}/{{pair_id}}/undo",
    summary="撤销认定：两人和各自的数据恢复原状",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_pair_undo(
    pair_id: PairId,
    body: Annotated[PairUndo, Body()],
    caller: Decider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> PairView:
    await undo_identity(connection, pair_id, body.reason, caller, runtime, request_id=context.request_id)
    wake("assess")
    return await show_pair(connection, pair_id, caller, runtime, request_id=context.request_id)


@router.get(
    "/monitoring/v1/unmatched/counts",
    summary="未匹配到农户的数据，按部门和区划计数",
    responses=problems(401, 403, 422),
)
async def get_waiting_counts(
    caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, division: Within = None
) -> WaitingCounts:
    return await count_waiting(connection, division or caller.division, runtime.clock.now())


@router.post(
    "/monitoring/v1/unmatched/{unmatched_id}/link",
    summary="认定未匹配的人是某户成员：其号码下的数据归此人",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_waiting_link(
    unmatched_id: UnmatchedId,
    body: Annotated[WaitingLink, Body()],
    caller: Decider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> PairView:
    """答复中的 `pair_id` 可用于撤销。"""
    pair_id = await link_waiting(connection, unmatched_id, body, caller, runtime, request_id=context.request_id)
    wake("assess")
    return await show_pair(connection, pair_id, caller, runtime, request_id=context.request_id)
