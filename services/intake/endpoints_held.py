"""The HTTP surface of rows held for review."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from services.intake import repository_feeds as feeds
from services.intake import repository_held as repository
from services.intake.confirm_feed import FeedUnknown
from services.intake.decide_held_row import HeldRowAnswer, decide_held_row
from services.intake.endpoints import FeedReader, FeedWriter
from services.intake.schemas_held import HeldRowDecision, HeldRowView
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router

Line = Annotated[int, Path(ge=1, lt=2**63, description="行号", examples=[5])]

router = Router(tags=["feeds"])


@router.get("/intake/v1/feeds/{feed_id}/held-rows", summary="待核行", responses=problems(401, 403, 404, 422))
async def get_held_rows(
    feed_id: UUID, caller: FeedReader, connection: ScopedConnection, cursor: Cursor = None, limit: Limit = 50
) -> Page[HeldRowView]:
    """金额异常、暂存待核的行，按行号；已有结论的附结论。"""
    if await feeds.feed_by_id(connection, feed_id, caller.department) is None:
        raise FeedUnknown
    at = decode_cursor(cursor, line=int) or {"line": 0}
    rows = await repository.rows_of(connection, feed_id, after=at["line"], limit=limit + 1)
    more = next_cursor(rows, limit, line="line")
    return Page(items=[HeldRowView.of(row) for row in rows[:limit]], next_cursor=more)


@router.post(
    "/intake/v1/feeds/{feed_id}/held-rows/{line}",
    summary="放行或退回待核行",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_held_row(
    feed_id: UUID,
    line: Line,
    body: HeldRowDecision,
    caller: FeedWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    wake: WakeDep,
) -> HeldRowView:
    """由部门联络员或县级人员核实后决定，只能决定一次；放行的行随即入库。"""
    answer = HeldRowAnswer(feed_id, line, body.decision, body.reason)
    row = await decide_held_row(connection, caller, answer, now=runtime.clock.now())
    wake("ingest")
    return HeldRowView.of(row)
