"""The HTTP surface of what comes without being sent: connectors, and notices of what did not come."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query

from services.intake import repository_connectors as connectors
from services.intake import repository_notices as notices
from services.intake.catalogue import refresh_catalogue, title_of
from services.intake.department import for_department
from services.intake.endpoints import FeedReader
from services.intake.put_connector import ConnectorUnknown, put_connector
from services.intake.schemas_connectors import ConnectorIn, ConnectorView, NoticeView
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, before_id, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router

Admin = Annotated[Principal, Depends(for_department("intake:connectors"))]
ConnectorName = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,60}$", examples=["medical-settlement-130624"])]

router = Router(tags=["connectors"])


@router.get("/intake/v1/connectors", summary="对接接口列表", responses=problems(401, 403, 422))
async def get_connectors(
    caller: FeedReader, connection: ScopedConnection, cursor: Cursor = None, limit: Limit = 50
) -> Page[ConnectorView]:
    """本人范围内的对接接口、下次取数时间和最近结果。"""
    at = decode_cursor(cursor, after=str)
    rows = await connectors.list_connectors(
        connection, caller.department, after=at["after"] if at else "", limit=limit + 1
    )
    more = next_cursor(rows, limit, after="name")
    return Page(items=[ConnectorView.of(row) for row in rows[:limit]], next_cursor=more)


@router.put("/intake/v1/connectors/{name}", summary="设置对接接口", responses=problems(401, 403, 404, 415, 422))
async def put_connector_(
    name: ConnectorName, body: ConnectorIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep
) -> ConnectorView:
    """新增或修改；密钥留空则沿用原密钥。"""
    return ConnectorView.of(await put_connector(connection, name, body, runtime, caller))


@router.post(
    "/intake/v1/connectors/{name}/pull", status_code=202, summary="立即取数", responses=problems(401, 403, 404, 422)
)
async def post_pull(
    name: ConnectorName, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> ConnectorView:
    """不等到下次时间，马上取一次。"""
    now = runtime.clock.now()
    row = await connectors.connector_named(connection, name)
    if row is None or caller.department not in (None, row["department"]):
        raise ConnectorUnknown
    if not await connectors.ask_now(connection, name, now):
        raise ConnectorUnknown("该对接接口已停用")
    await audit(connection, caller, "connector.pull", f"connector:{name}", now=now)
    wake("pull")
    return ConnectorView.of({**dict(row), "due_at": now})


@router.get("/intake/v1/notices", summary="数据催报", responses=problems(401, 403, 422))
async def get_notices(
    caller: FeedReader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    closed: Annotated[bool, Query(description="已解除的")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NoticeView]:
    """逾期、从未报送、接口异常的数据集，新的在前。"""
    rows = await notices.list_notices(
        connection, caller.department, closed=closed, before=before_id(cursor), limit=limit + 1
    )
    more = next_cursor(rows, limit, before="notice_id")
    await refresh_catalogue(runtime.worker_pool)
    return Page(items=[_notice(dict(row)) for row in rows[:limit]], next_cursor=more)


def _notice(row: dict[str, Any]) -> NoticeView:
    return NoticeView.model_validate({**row, "title": title_of(row["layout"]), "connector": row["connector"] or None})
