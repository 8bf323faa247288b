"""Put an endpoint into use: check where it leads, seal its secrets, and start what waits dead for it again."""

import hashlib
import os
import re
from base64 import b64encode
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_deliveries, repository_people
from services.alerts.channels_in_use import RANKS
from services.alerts.domain.officer_list import is_address
from services.alerts.schemas import EndpointIn
from services.alerts.settings import AlertsSettings
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id

# A robot takes twenty messages a minute; eighteen and two at once are never more in any minute.
ROBOT_RATE = (18, 2)
ROBOTS = frozenset({"wecom", "dingtalk"})
_HTTP = ROBOTS | {"webhook"}
_PHONE = re.compile(r"1[0-9]{10}", re.ASCII)


class EndpointRefused(Unprocessable):
    code, title = "endpoint_refused", "通知渠道不能使用"


async def put_endpoint(
    connection: asyncpg.Connection, body: EndpointIn, runtime: Runtime, caller: Principal
) -> tuple[asyncpg.Record, str | None]:
    """The endpoint in use, and the signing secret if it was made now. Put again, a broken one is in use again."""
    _check(body, runtime)
    now = runtime.clock.now()
    row = await _row(connection, body, runtime)
    before = await repository_people.endpoint_like(connection, row)
    if before is not None:
        row["endpoint_id"] = before["endpoint_id"]
    if (
        body.channel == "dingtalk"
        and body.robot_secret is None
        and (before is None or before["sealed_secret"] is None)
    ):
        raise _refused("robot_secret", "secret_missing", "请填写机器人的加签密钥（SEC 开头）")
    endpoint = (await repository_people.put_endpoints(connection, [row]))[0]
    secret = await _seal(connection, endpoint, body, runtime)
    await _set_rate(connection, endpoint, body)
    await revive(connection, endpoint, runtime)
    await audit(connection, caller, "endpoint.put", f"endpoint:{endpoint['endpoint_id']}", now=now)
    return endpoint, secret


async def revive(connection: asyncpg.Connection, endpoint: repository.Row, runtime: Runtime) -> int:
    """Take an endpoint that was mended into use, and try its dead letters again; how many."""
    settings, now = runtime.settings, runtime.clock.now()
    assert isinstance(settings, AlertsSettings)
    await repository_deliveries.set_endpoint_active(connection, endpoint, now)
    give_up_at = now + settings.give_up_after
    return await repository_deliveries.revive_dead(connection, endpoint["endpoint_id"], now, give_up_at)


def _refused(field: str, code: str, message: str, expected: str | None = None) -> EndpointRefused:
    return EndpointRefused("未保存", errors=[FieldError(f"body/{field}", code, message, expected)])


def _check(body: EndpointIn, runtime: Runtime) -> None:
    problem, wrong = None, "地址不正确，或主机不在允许名单中"
    if body.channel in _HTTP:
        problem = runtime.settings.webhooks.refusal(body.address)
    if body.channel in ROBOTS and problem is None and not body.address.partition("?")[2]:
        problem, wrong = "...?key=...", "机器人地址缺少 key 或 access_token"
    if body.channel == "smtp" and not is_address(body.address):
        problem = "not a mail address"
    if body.channel == "sms" and not _PHONE.fullmatch(body.address):
        problem, wrong = "19900000001", "手机号应为 11 位数字"
    if problem:
        raise _refused("address", "address_refused", wrong, problem)
    if body.robot_secret is not None and body.channel != "dingtalk":
        raise _refused("robot_secret", "secret_not_used", "只有钉钉机器人填写密钥；webhook 的密钥由系统生成")


async def _row(connection: asyncpg.Connection, body: EndpointIn, runtime: Runtime) -> dict[str, Any]:
    division = await _owned_in(connection, body)
    now = runtime.clock.now()
    id_ = new_id(now)
    return {
        "endpoint_id": id_,
        "channel": body.channel,
        "address": shown_address(body.address) if body.channel in ROBOTS else body.address,
        "officer_no": body.officer_no,
        "division": division,
        "division_hi": code_range(division)[1],
        "state": "active",
        "updated_at": now,
        "rank": body.rank or RANKS[body.channel],
        "outlet_id": await _outlet(connection, division) if body.channel == "sms" else None,
    }


async def _owned_in(connection: asyncpg.Connection, body: EndpointIn) -> str:
    if body.officer_no is None:
        assert body.division is not None, "the schema asks for one owner"
        return body.division
    officer = await repository_people.officer_by_no(connection, body.officer_no)
    if officer is None:
        raise _refused("officer_no", "officer_unknown", "没有找到该干部")
    return str(officer["division"])


async def _outlet(connection: asyncpg.Connection, division: str) -> UUID:
    """The SMS gateway of a place."""
    gateways = await repository_deliveries.gateways_of(connection, [division])
    if division not in gateways:
        raise _refused("channel", "gateway_missing", "本地没有短信平台，请先登记（PUT /alerts/v1/sms-gateways）")
    return UUID(str(gateways[division]["gateway_id"]))


def shown_address(address: str) -> str:
    """The address without its key: a digest stands there, so that two robots of a place stay two."""
    base, _, query = address.partition("?")
    return f"{base}?{hashlib.sha256(query.encode()).hexdigest()[:16]}"


async def _seal(
    connection: asyncpg.Connection, endpoint: repository.Row, body: EndpointIn, runtime: Runtime
) -> str | None:
    """Seal a robot's key and secret; a webhook is given a secret once."""
    id_ = endpoint["endpoint_id"]
    if body.channel in ROBOTS:
        sealed = runtime.keys.seal(body.address.partition("?")[2], "endpoint", "query", str(id_))
        await repository_people.set_endpoint_query(connection, id_, sealed)
    if body.robot_secret is not None:
        await _seal_secret(connection, id_, body.robot_secret.encode(), runtime)
    if body.channel != "webhook" or endpoint["sealed_secret"] is not None:
        return None
    secret = os.urandom(32)
    await _seal_secret(connection, id_, secret, runtime)
    return f"whsec_{b64encode(secret).decode()}"


async def _seal_secret(connection: asyncpg.Connection, endpoint_id: UUID, secret: bytes, runtime: Runtime) -> None:
    sealed = runtime.keys.seal(secret.hex(), "endpoint", "secret", str(endpoint_id))
    await repository_people.set_endpoint_secret(connection, endpoint_id, sealed)


async def _set_rate(connection: asyncpg.Connection, endpoint: repository.Row, body: EndpointIn) -> None:
    """The rate of an endpoint that is an outlet of its own; a robot has one even where nobody gave it."""
    if body.channel in {"sms", "smtp"}:
        return
    usual = ROBOT_RATE if body.channel in ROBOTS else (None, None)
    per_minute, burst = (body.per_minute, body.burst) if body.per_minute is not None else usual
    row = {"outlet_id": endpoint["outlet_id"], "per_minute": per_minute, "burst": burst}
    await repository_deliveries.put_outlets(connection, [row])
