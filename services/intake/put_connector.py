"""Put a connector into use, or change it: checked like what it will fetch, its secret sealed."""

from typing import Any

import asyncpg

from services.intake import repository_connectors as repository
from services.intake.catalogue import layout_for
from services.intake.domain.feed import FeedMode
from services.intake.domain.feed_layout import FeedLayout
from services.intake.file_limits import settings_of
from services.intake.receive_feed import FeedOrder, check_order
from services.intake.schedule import next_time
from services.intake.schemas_connectors import ConnectorIn
from shared.errors import FieldError, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal


class ConnectorRefused(Unprocessable):
    code, title = "connector_refused", "对接接口不能使用"


class ConnectorUnknown(NotFound):
    code, title = "connector_unknown", "没有这个对接接口"


async def put_connector(
    connection: asyncpg.Connection, name: str, body: ConnectorIn, runtime: Runtime, caller: Principal
) -> asyncpg.Record:
    """The connector as it is now; first asked at the next time of its schedule."""
    known = await repository.connector_named(connection, name)
    layout = _checked(body, runtime, caller, is_new=known is None)
    now = runtime.clock.now()
    try:
        row = await repository.put_connector(connection, _row(name, body, layout, runtime))
    except asyncpg.InsufficientPrivilegeError:  # The row that has the name is out of the caller's range.
        error = FieldError("path/name", "name_taken", "这个名称已被使用", "另一个名称")
        raise ConnectorRefused("未保存", errors=[error]) from None
    await audit(connection, caller, "connector.put", f"connector:{name}", now=now, detail={"layout": body.layout})
    return row


def _checked(body: ConnectorIn, runtime: Runtime, caller: Principal, *, is_new: bool) -> FeedLayout:
    """What it will fetch. Nobody may pull what he may not send, nor ask what the operator did not list."""
    layout, settings = layout_for(caller.division, body.layout), settings_of(runtime)
    check_order(caller, FeedOrder(layout, body.division, "", FeedMode.PARTIAL, ""))
    errors = []
    if settings.connectors.refusal(body.url):
        expected = "https 地址，且主机和端口列入 FANGPIN_CONNECTOR_ALLOWED_HOSTS"
        errors.append(FieldError("body/url", "host_not_allowed", "该地址不能使用", expected))
    if is_new and body.secret is None:
        errors.append(FieldError("body/secret", "missing", "新的对接接口须给出密钥或令牌"))
    try:
        next_time(body.schedule, runtime.clock.now())
    except ValueError:
        expected = "crontab 五段：分 时 日 月 周"
        errors.append(FieldError("body/schedule", "schedule_refused", "时间表不正确", expected, "30 2 5 * *"))
    if errors:
        raise ConnectorRefused("未保存", errors=errors)
    return layout


def _row(name: str, body: ConnectorIn, layout: FeedLayout, runtime: Runtime) -> dict[str, Any]:
    now = runtime.clock.now()
    sealed = runtime.keys.seal(body.secret, *repository.secret_place(name)) if body.secret else b""
    return {
        "name": name,
        **body.model_dump(exclude={"secret"}, mode="python"),
        "department": layout.department,
        "sealed_secret": sealed,
        "due_at": next_time(body.schedule, now) if body.active else None,
        "updated_at": now,
    }
