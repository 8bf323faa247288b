"""Put the SMS gateway of a division into use: check that its mapping can be filled, seal its secrets."""

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.channels.fill_template import TemplateRefused, fill_json
from services.alerts.channels.sms import SAMPLE, request_of
from services.alerts.schemas_sms import CallIn, GatewayIn
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id


class GatewayRefused(Unprocessable):
    code, title = "gateway_refused", "短信平台不能使用"


async def put_gateway(
    connection: asyncpg.Connection, body: GatewayIn, runtime: Runtime, caller: Principal
) -> asyncpg.Record:
    """The gateway in use; what was held against it is forgotten, since somebody mended it."""
    _check(body, runtime)
    now = runtime.clock.now()
    own = await repository.gateway_in(connection, body.division)
    id_ = own["gateway_id"] if own is not None else new_id(now)
    await repository.free_outlet(connection, id_)
    row = {
        "gateway_id": id_,
        "division": body.division,
        "division_hi": code_range(body.division)[1],
        "name": body.name,
        "mapping": body.mapping.model_dump(mode="json"),
        "updated_at": now,
    }
    gateway = await repository.put_gateway(connection, row)
    for column, secret in (("secret", body.secret), ("receipt_secret", body.receipt_secret)):
        if secret is not None:
            sealed = runtime.keys.seal(secret, "sms_gateway", column, str(id_))
            await repository.set_gateway_secret(connection, id_, f"sealed_{column}", sealed)
    await repository.hasten_deliveries(connection, id_, now)
    await audit(connection, caller, "sms_gateway.put", f"sms_gateway:{gateway['gateway_id']}", now=now)
    written = await repository.gateway_in(connection, body.division)
    assert written is not None, "it was written a moment ago"
    return written


def _check(body: GatewayIn, runtime: Runtime) -> None:
    calls = {"send": body.mapping.send} | ({"inquiry": body.mapping.inquiry} if body.mapping.inquiry else {})
    errors = [error for name, call in calls.items() if (error := _wrong(name, call, runtime)) is not None]
    if body.mapping.receipt is not None:
        try:
            fill_json(body.mapping.receipt.answer, {})
        except TemplateRefused as error:
            errors.append(FieldError("body/mapping/receipt/answer", "template_refused", str(error)))
    if errors:
        raise GatewayRefused("未保存", errors=errors)


def _wrong(name: str, call: CallIn, runtime: Runtime) -> FieldError | None:
    where = f"body/mapping/{name}"
    problem = runtime.settings.webhooks.refusal(call.url)
    if problem:
        return FieldError(f"{where}/url", "address_refused", "地址不正确，或主机不在允许名单中", problem)
    try:
        request_of(call, SAMPLE)
    except TemplateRefused as error:
        return FieldError(where, "template_refused", f"无法填写：{error}", "{{ phone }}、{{ text }} 等")
    return None
