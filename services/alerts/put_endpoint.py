"""Put an endpoint into use: check where it leads, seal its secret, and start what waits dead for it again."""

import os
from base64 import b64encode
from typing import Any

import asyncpg

from services.alerts import repository, repository_people
from services.alerts.domain.officer_list import is_address
from services.alerts.schemas import EndpointIn
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id


class EndpointRefused(Unprocessable):
    code, title = "endpoint_refused", "通知渠道不能使用"


async def put_endpoint(
    connection: asyncpg.Connection, body: EndpointIn, runtime: Runtime, caller: Principal
) -> tuple[asyncpg.Record, str | None]:
    """The endpoint in use, and the signing secret if it was made now. Put again, a broken one is in use again."""
    _check_address(body, runtime)
    now = runtime.clock.now()
    rows = await repository_people.put_endpoints(connection, [await _row(connection, body, runtime)])
    endpoint = rows[0]
    await repository.revive_deliveries(connection, endpoint["endpoint_id"], now)
    secret = None
    if body.channel == "webhook" and endpoint["sealed_secret"] is None:
        secret = await _give_secret(connection, endpoint, runtime)
    await audit(connection, caller, "endpoint.put", f"endpoint:{endpoint['endpoint_id']}", now=now)
    return endpoint, secret


def _check_address(body: EndpointIn, runtime: Runtime) -> None:
    problem = None
    if body.channel == "webhook":
        problem = runtime.settings.webhooks.refusal(body.address)
    elif body.channel == "smtp" and not is_address(body.address):
        problem = "not a mail address"
    if problem:
        error = FieldError("body/address", "address_refused", "地址不正确，或主机不在允许名单中", problem)
        raise EndpointRefused("未保存", errors=[error])


async def _row(connection: asyncpg.Connection, body: EndpointIn, runtime: Runtime) -> dict[str, Any]:
    division = body.division
    if body.officer_no is not None:
        officer = await repository_people.officer_by_no(connection, body.officer_no)
        if officer is None:
            error = FieldError("body/officer_no", "officer_unknown", "没有找到该干部")
            raise EndpointRefused("未保存", errors=[error])
        division = officer["division"]
    assert division is not None, "the schema asks for one owner"
    now = runtime.clock.now()
    return {
        "endpoint_id": new_id(now),
        "channel": body.channel,
        "address": body.address,
        "officer_no": body.officer_no,
        "division": division,
        "division_hi": code_range(division)[1],
        "state": "active",
        "updated_at": now,
    }


async def _give_secret(connection: asyncpg.Connection, endpoint: repository.Row, runtime: Runtime) -> str:
    secret = os.urandom(32)
    sealed = runtime.keys.seal(secret.hex(), "endpoint", "secret", str(endpoint["endpoint_id"]))
    await repository_people.set_endpoint_secret(connection, endpoint["endpoint_id"], sealed)
    return f"whsec_{b64encode(secret).decode()}"
