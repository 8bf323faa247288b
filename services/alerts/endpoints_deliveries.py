"""The HTTP surface of deliveries: search, tries, resending, dead letters; SMS gateways and their receipts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from services.alerts import repository_deliveries as repository
from services.alerts.admin_endpoints import Admin, page_of
from services.alerts.domain.delivery import DeliveryState
from services.alerts.put_gateway import put_gateway
from services.alerts.record_receipts import Posted, record_receipts
from services.alerts.repository import Row
from services.alerts.resend_delivery import DeliveryUnknown, resend_delivery, retry_dead_letters
from services.alerts.schemas import ChannelName
from services.alerts.schemas_deliveries import (
    AttemptsView,
    AttemptView,
    DeadLetters,
    DeliveryView,
    ReceiptView,
    Requeued,
    Revived,
    TestQueued,
)
from services.alerts.schemas_sms import GatewayIn, GatewayView
from services.alerts.send_test_message import send_test_message
from shared.db.scope import transaction
from shared.vocabulary.division import code_range
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, before_id
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import Name

router = Router(tags=["deliveries"])

_RECEIPT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/alerts/v1/deliveries", summary="消息投递", responses=problems(401, 403, 422))
async def get_deliveries(
    caller: Admin,
    connection: ScopedConnection,
    state: DeliveryState | None = None,
    channel: ChannelName | None = None,
    alert_id: UUID | None = None,
    endpoint_id: UUID | None = None,
    officer_no: Annotated[Name | None, Query(description="发给这名干部的")] = None,
    since: Annotated[AwareDatetime | None, Query(description="此刻以后生成的，带时区")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DeliveryView]:
    rows = await repository.list_deliveries(
        connection,
        state=state,
        channel=channel,
        alert_id=alert_id,
        endpoint_id=endpoint_id,
        officer_no=officer_no,
        since=since,
        before=before_id(cursor),
        limit=limit + 1,
    )
    return page_of(DeliveryView, rows, limit, "delivery_id", "before")


@router.get(
    "/alerts/v1/deliveries/{delivery_id}/attempts",
    summary="一条消息的每次发送与回执",
    responses=problems(401, 403, 404, 422),
)
async def get_attempts(delivery_id: UUID, caller: Admin, connection: ScopedConnection) -> AttemptsView:
    delivery = await repository.delivery_by_id(connection, delivery_id)
    if delivery is None:
        raise DeliveryUnknown
    attempts = await repository.list_attempts(connection, delivery_id)
    receipts = await repository.list_receipts(connection, delivery_id)
    return AttemptsView(
        delivery_id=delivery_id,
        state=delivery["state"],
        attempts=[AttemptView.model_validate(dict(row)) for row in attempts],
        receipts=[ReceiptView.model_validate(dict(row)) for row in receipts],
    )


@router.post(
    "/alerts/v1/deliveries/{delivery_id}/resend",
    summary="重发一条消息（编号不变）",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_resend(
    delivery_id: UUID, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> Requeued:
    row = await resend_delivery(connection, delivery_id, runtime, caller)
    wake("deliver")
    return Requeued(delivery_id=delivery_id, state=row["state"], due_at=row["due_at"])


@router.get("/alerts/v1/dead-letters", summary="各渠道的死信", responses=problems(401, 403, 422))
async def get_dead_letters(caller: Admin, connection: ScopedConnection) -> list[DeadLetters]:
    rows = await repository.count_dead(connection, *code_range(caller.division))
    return [
        DeadLetters.model_validate(
            {
                **dict(row),
                "address": row["address"].partition("?")[0],
                "query": f"/alerts/v1/deliveries?state=dead&endpoint_id={row['endpoint_id']}",
            }
        )
        for row in rows
    ]


@router.post(
    "/alerts/v1/endpoints/{endpoint_id}/retry-dead",
    summary="渠道修复后重试其全部死信",
    responses=problems(401, 403, 404, 422),
)
async def post_retry_dead(
    endpoint_id: UUID, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> Revived:
    letters = await retry_dead_letters(connection, endpoint_id, runtime, caller)
    wake("deliver")
    return Revived(endpoint_id=endpoint_id, letters=letters)


@router.post(
    "/alerts/v1/endpoints/{endpoint_id}/test",
    summary="向渠道发送测试消息",
    status_code=202,
    responses=problems(401, 403, 404, 422),
)
async def post_test(
    endpoint_id: UUID, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> TestQueued:
    delivery_id = await send_test_message(connection, endpoint_id, runtime, caller)
    wake("deliver")
    return TestQueued(delivery_id=delivery_id, attempts=f"/alerts/v1/deliveries/{delivery_id}/attempts")


@router.get("/alerts/v1/sms-gateways", summary="短信平台", responses=problems(401, 403, 422))
async def get_gateways(caller: Admin, connection: ScopedConnection) -> list[GatewayView]:
    rows = await repository.list_gateways(connection, *code_range(caller.division))
    return [_gateway(row) for row in rows]


@router.put("/alerts/v1/sms-gateways", summary="登记或修改短信平台", responses=problems(401, 403, 415, 422))
async def put_sms_gateway(
    body: GatewayIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> GatewayView:
    row = await put_gateway(connection, body, runtime, caller)
    wake("deliver")
    return _gateway(row)


@router.post(
    "/alerts/v1/sms-gateways/{gateway_id}/receipts",
    summary="短信回执（供应商签名或密钥）",
    responses=problems(400, 401, 413, 422),
    openapi_extra=_RECEIPT_BODY,
)
async def post_receipts(gateway_id: UUID, request: Request, runtime: RuntimeDep) -> JSONResponse:
    posted = Posted(request.headers, await request.body())
    async with transaction(runtime.worker_pool) as connection:
        return JSONResponse(await record_receipts(connection, gateway_id, posted, runtime))


def _gateway(row: Row) -> GatewayView:
    return GatewayView.model_validate(
        {
            **dict(row),
            "has_secret": row["sealed_secret"] is not None,
            "has_receipt_secret": row["sealed_receipt_secret"] is not None,
            "receipts_path": f"/alerts/v1/sms-gateways/{row['gateway_id']}/receipts",
        }
    )
