"""Put a draft of routes into force from a day on (启用): who is told, a person decides, and not for the past."""

from datetime import date

import asyncpg

from services.alerts import repository_routes
from services.alerts.county_of_routes import county_to_write
from services.alerts.read_routes import stored_version
from services.alerts.repository import Row
from services.alerts.take_step import PersonNeeded
from shared.errors import Conflict, FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal


class RouteVersionActive(Conflict):
    code, title = "route_version_active", "该版本已启用，不能再改"


class ActivationRefused(Unprocessable):
    code, title = "activation_refused", "路由版本未启用"


async def activate_routes(
    connection: asyncpg.Connection, name: str, valid_from: date, caller: Principal, runtime: Runtime
) -> Row:
    """The version in force from a day on, today at the earliest.

    PersonNeeded, RouteVersionUnknown, DivisionOutOfRange, ActivationRefused, RouteVersionActive.
    """
    now, today = runtime.clock.now(), runtime.clock.today()
    if not caller.is_person or not caller.officer_no:
        raise PersonNeeded("启用路由须由登记在册的县级管理人员本人完成")
    version = await stored_version(connection, name, caller)
    county_to_write(caller, version["division"])
    if valid_from < today:
        error = FieldError("body/valid_from", "in_the_past", "不能早于今天", f"{today} 或以后", str(today))
        raise ActivationRefused("已处置的预警不能改按新路由", errors=[error])
    active = await repository_routes.activate_version(
        connection, version["version_id"], valid_from, caller.officer_no, now
    )
    if active is None:
        raise RouteVersionActive("修改请另存为新的草案")
    detail = {"valid_from": str(valid_from)}
    await audit(connection, caller, "routes.activate", f"routes:{name}", now=now, detail=detail)
    return active
