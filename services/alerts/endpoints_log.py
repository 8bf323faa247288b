"""The timeline of an alert over HTTP."""

from uuid import UUID

from services.alerts.admin_endpoints import Admin
from services.alerts.schemas_log import Event
from services.alerts.view_timeline import view_timeline
from shared.security.audit import audit
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection
from shared.web.page import Cursor, Limit, Page
from shared.web.problem import problems
from shared.web.routing import Router

router = Router(tags=["alerts"])


@router.get(
    "/alerts/v1/alerts/{alert_id}/timeline",
    summary="一条预警的全部经过：依据、分派、消息及取舍理由、投递、督办、办理，先后为序（留痕）",
    responses=problems(401, 403, 404, 422),
)
async def get_timeline(
    alert_id: UUID,
    caller: Admin,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Event]:
    page = await view_timeline(connection, alert_id, caller, cursor=cursor, limit=limit)
    now = runtime.clock.now()
    await audit(connection, caller, "alert.timeline", f"alert:{alert_id}", now=now, request_id=context.request_id)
    return page
