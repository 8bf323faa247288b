"""The HTTP surface of silences."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.alerts import repository_silences
from services.alerts.endpoints import Reader
from services.alerts.put_silence import expire_silence, put_silence
from services.alerts.schemas_silences import SilenceIn, SilenceView, silence_view
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import NewestFirst, Page
from shared.web.problem import problems
from shared.web.routing import Router

Silencer = Annotated[Principal, Depends(require("alerts:silence"))]

router = Router(tags=["silences"])


@router.get("/alerts/v1/silences", summary="静默及其拦下的消息数", responses=problems(401, 403, 422))
async def get_silences(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    newest: NewestFirst,
    active: Annotated[bool, Query(description="只看正在生效的")] = False,
) -> Page[SilenceView]:
    now, (lo, hi) = runtime.clock.now(), code_range(caller.division)
    rows = await repository_silences.list_silences(
        connection, lo, hi, active_at=now if active else None, before=newest.before, limit=newest.wanted
    )
    return newest.page([silence_view(row, now) for row in newest.shown(rows)], rows, "silence_id")


@router.post(
    "/alerts/v1/silences", summary="设置静默（仅限个人）", status_code=201, responses=problems(401, 403, 415, 422)
)
async def post_silence(
    body: SilenceIn, caller: Silencer, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> SilenceView:
    row = await put_silence(connection, body, caller, runtime, context.request_id)
    return silence_view(row, runtime.clock.now())


@router.delete(
    "/alerts/v1/silences/{silence_id}", summary="提前解除静默（仅限个人）", responses=problems(401, 403, 404, 422)
)
async def delete_silence(
    silence_id: UUID,
    caller: Silencer,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> SilenceView:
    row = await expire_silence(connection, silence_id, caller, runtime, context.request_id)
    wake("silences")
    return silence_view(row, runtime.clock.now())
