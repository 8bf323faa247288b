"""Send a delivery again (重发) at an administrator's word: one more try of the same id, now."""

from uuid import UUID

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.domain.delivery import DeliveryState, EndpointState
from services.alerts.put_endpoint import revive
from services.alerts.settings import AlertsSettings
from shared.errors import Conflict, NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range


class DeliveryUnknown(NotFound):
    code, title = "delivery_unknown", "没有找到这条投递"


class EndpointUnknown(NotFound):
    code, title = "endpoint_unknown", "没有找到该通知渠道"


class DeliveryInFlight(Conflict):
    code, title = "delivery_in_flight", "这条消息正在发送，请稍后再看"


class DeliveryCancelled(Conflict):
    code, title = "delivery_cancelled", "预警已有人签收，不再需要这条消息"


class EndpointOutOfUse(Conflict):
    code, title = "endpoint_out_of_use", "通知渠道已停用；请修复后重试该渠道的全部死信"


async def resend_delivery(
    connection: asyncpg.Connection, delivery_id: UUID, runtime: Runtime, caller: Principal
) -> asyncpg.Record:
    """Make it due now, whatever became of it, but not what nobody needs any more or what is being sent."""
    settings, now = runtime.settings, runtime.clock.now()
    assert isinstance(settings, AlertsSettings)
    delivery = await repository.lock_delivery(connection, delivery_id)
    if delivery is None:
        raise DeliveryUnknown
    if delivery["state"] == DeliveryState.CANCELLED:
        raise DeliveryCancelled
    if delivery["in_flight"]:
        raise DeliveryInFlight
    if delivery["endpoint_state"] != EndpointState.ACTIVE:
        raise EndpointOutOfUse
    await repository.make_due(connection, delivery_id, now, now + settings.give_up_after)
    detail = {"state": delivery["state"], "attempts": delivery["attempts"]}
    await audit(connection, caller, "delivery.resend", f"delivery:{delivery_id}", now=now, detail=detail)
    again = await repository.lock_delivery(connection, delivery_id)
    assert again is not None, "it is locked"
    return again


async def retry_dead_letters(
    connection: asyncpg.Connection, endpoint_id: UUID, runtime: Runtime, caller: Principal
) -> int:
    """Take an endpoint that was mended into use and send all that waits dead for it; how many."""
    endpoint = await repository.lock_endpoint(connection, endpoint_id, *code_range(caller.division))
    if endpoint is None:
        raise EndpointUnknown
    letters = await revive(connection, endpoint, runtime)
    await audit(
        connection,
        caller,
        "endpoint.retry_dead",
        f"endpoint:{endpoint_id}",
        now=runtime.clock.now(),
        detail={"letters": letters, "state": endpoint["state"]},
    )
    return letters
