"""Changes over HTTP, for systems that ask instead of being sent messages."""

from typing import Annotated

from fastapi import Query

from services.monitoring.endpoints import Reader
from services.monitoring.list_changes import list_changes
from services.monitoring.schemas_changes import ChangesPage
from shared.web.dependencies import ContextDep, RuntimeDep
from shared.web.problem import problems
from shared.web.routing import Router

router = Router(tags=["monitoring"])


@router.get(
    "/monitoring/v1/changes",
    summary="风险变动：订阅推送的同样内容，由对方来取",
    responses=problems(401, 403, 410, 422),
)
async def get_changes(
    caller: Reader,
    runtime: RuntimeDep,
    context: ContextDep,
    after: Annotated[str | None, Query(max_length=500, description="上次返回的 next_after；缺省从头")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="最多取几条消息，每条至多 200 户")] = 50,
) -> ChangesPage:
    return await list_changes(caller, runtime, after=after, limit=limit, request_id=context.request_id)
