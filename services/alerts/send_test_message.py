"""Send a test message to an endpoint, by the way that all messages go; a broken endpoint may be tested too."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_deliveries
from services.alerts.domain.message import Kind, outside_text
from services.alerts.resend_delivery import EndpointUnknown
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id

_TRIED_FOR = timedelta(hours=1)


async def send_test_message(
    connection: asyncpg.Connection, endpoint_id: UUID, runtime: Runtime, caller: Principal
) -> UUID:
    """Queue the test, urgent, tried for as long as an hour; the id of its delivery."""
    endpoint = await repository_deliveries.lock_endpoint(connection, endpoint_id, *code_range(caller.division))
    if endpoint is None:
        raise EndpointUnknown
    notification = _notification(endpoint, runtime)
    await repository.insert_rows(connection, "notification", [notification])
    place = await _place(endpoint, runtime)
    delivery = _delivery(endpoint, notification["notification_id"], place, runtime)
    await repository_deliveries.add_deliveries(connection, [delivery])
    await audit(connection, caller, "endpoint.test", f"endpoint:{endpoint_id}", now=runtime.clock.now())
    return UUID(str(delivery["delivery_id"]))


async def _place(endpoint: repository.Row, runtime: Runtime) -> str:
    division = str(endpoint["division"])
    return (await name_places(runtime.directory_pool, [division], runtime.clock.today())).get(division, division)


def _notification(endpoint: repository.Row, runtime: Runtime) -> dict[str, object]:
    id_ = new_id(runtime.clock.now())
    return {
        "notification_id": id_,
        "dedupe_key": f"test:{id_}",
        "division": endpoint["division"],
        "recipient": endpoint["officer_no"],
        "kind": Kind.TEST,
        "decision": "send",
        "created_at": runtime.clock.now(),
    }


def _delivery(endpoint: repository.Row, notification_id: object, place: str, runtime: Runtime) -> dict[str, object]:
    now = runtime.clock.now()
    text = outside_text(Kind.TEST, count=0, place=place)
    return {
        "delivery_id": new_id(now),
        "notification_id": notification_id,
        "channel": endpoint["channel"],
        "endpoint_id": endpoint["endpoint_id"],
        "outlet_id": endpoint["outlet_id"],
        "message": {
            "kind": Kind.TEST,
            "title": text.title,
            "body": text.body,
            "link": runtime.settings.public_url,
            "division": endpoint["division"],
            "place": place,
            "count": 0,
        },
        "state": "due",
        "due_at": now,
        "priority": 0,
        "attempts": 0,
        "created_at": now,
        "give_up_at": now + _TRIED_FOR,
    }
