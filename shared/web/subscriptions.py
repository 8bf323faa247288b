"""GET and POST /{service}/v1/subscriptions: other systems hear what may be told outside."""

import base64
import os
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from shared.contracts.outside import OUTSIDE_TYPES
from shared.db.scope import transaction
from shared.errors import Conflict, DivisionOutOfRange, FieldError, Unprocessable
from shared.messaging.subscription import INTERNAL, INTERNAL_PREFIX
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, covers
from shared.vocabulary.identifiers import new_id
from shared.web.dependencies import RuntimeDep, require
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr, Name, Strict

Admin = Annotated[Principal, Depends(require("subscriptions:admin"))]


class HostNotAllowed(Unprocessable):
    """Messages leave only to hosts the operator listed; anything else could reach into the inner network."""

    code, title = "host_not_allowed", "目标主机不在允许名单中"


class SubscriptionNameTaken(Conflict):
    code, title = "subscription_name_taken", "订阅名称已被使用"


class SubscriptionCreate(Strict):
    """A system that wants messages; `url` takes signed POSTs."""

    name: Name
    url: str = Field(max_length=500, examples=["https://share.example.gov.cn/hooks/fangpin"])
    types: list[str] = Field(min_length=1, max_length=20, examples=[["cn.fangpin.monitoring.risk_changed.v1"]])
    division: DivisionStr | None = Field(default=None, description="只要此区划内的消息；默认为本人的全部范围")


class SubscriptionView(BaseModel):
    subscription_id: UUID
    name: str
    url: str
    types: list[str]
    division: str | None
    active: bool
    created_at: AwareDatetime


class SubscriptionMade(SubscriptionView):
    secret: str = Field(description="签名密钥，仅显示这一次（whsec_ 开头，Standard Webhooks）")


def subscriptions_router(service: str) -> APIRouter:
    """The subscriptions to what `service` says."""
    router = Router(tags=["subscriptions"])
    spoken = sorted({name for types in INTERNAL[service].values() for name in types} & OUTSIDE_TYPES)

    @router.get(f"/{service}/v1/subscriptions", summary="消息订阅列表", responses=problems(401, 403, 422))
    async def list_subscriptions(runtime: RuntimeDep, caller: Admin) -> list[SubscriptionView]:
        rows = await runtime.worker_pool.fetch(_LIST, *code_range(caller.division))
        return [SubscriptionView.model_validate(dict(row)) for row in rows]

    @router.post(
        f"/{service}/v1/subscriptions",
        summary="新增消息订阅",
        status_code=201,
        responses=problems(401, 403, 409, 415, 422),
    )
    async def create_subscription(body: SubscriptionCreate, runtime: RuntimeDep, caller: Admin) -> SubscriptionMade:
        _check(body, spoken, caller, runtime)
        return await _create(runtime, body, caller, runtime.clock.now())

    return router


# The other services (no division) are everybody's; what is outside belongs to those who answer for its division.
_LIST = """
SELECT * FROM subscription WHERE division IS NULL
    OR (division COLLATE "C" >= $1 AND division COLLATE "C" < $2) ORDER BY name
"""


def _check(body: SubscriptionCreate, spoken: list[str], caller: Principal, runtime: Runtime) -> None:
    if body.division is not None and not covers(caller.division, body.division):
        raise DivisionOutOfRange(f"只能订阅 {caller.division} 范围内的消息")
    unknown = [name for name in body.types if name not in spoken]
    if unknown:
        error = FieldError("body/types", "unknown_type", "没有这种消息", "、".join(spoken))
        raise Unprocessable("订阅的消息类型有误", errors=[error])
    check_target(body.url, runtime)


def check_target(url: str, runtime: Runtime) -> None:
    """Refuse a URL that is not https (http is for demo mode) or whose host and port the operator did not list."""
    if runtime.settings.webhooks.refusal(url):
        raise HostNotAllowed("网址应为 https，且主机和端口须列入 FANGPIN_WEBHOOK_ALLOWED_HOSTS")


async def _create(runtime: Runtime, body: SubscriptionCreate, caller: Principal, now: datetime) -> SubscriptionMade:
    subscription_id, secret = new_id(now), base64.b64encode(os.urandom(32)).decode()
    # What signs is the 32 bytes; sealed as text, opened by the relay.
    sealed = runtime.keys.seal(secret, "subscription", "secret", str(subscription_id))
    if body.name.startswith(INTERNAL_PREFIX):
        raise SubscriptionNameTaken(f"名称不能以 {INTERNAL_PREFIX} 开头")
    async with transaction(runtime.worker_pool) as connection:
        row = await connection.fetchrow(
            """
            INSERT INTO subscription (subscription_id, name, url, types, secret, active, division, created_at)
            VALUES ($1, $2, $3, $4, $5, true, $6, $7) ON CONFLICT (name) DO NOTHING RETURNING *
            """,
            subscription_id,
            body.name,
            body.url,
            body.types,
            sealed,
            body.division or caller.division,
            now,
        )
        if row is None:
            raise SubscriptionNameTaken(f"已有名为“{body.name}”的订阅")
        await audit(connection, caller, "subscription.create", f"subscription:{subscription_id}", now=now)
    return SubscriptionMade.model_validate({**dict(row), "secret": f"whsec_{secret}"})
