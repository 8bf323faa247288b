"""One request of a phone (一次访问): who is at it, what he sends, and the transaction in which all of it happens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Cookie, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from services.alerts.phone_route import PhoneRoute
from services.alerts.phone_session import COOKIE, Phone, check_csrf, open_phone
from services.alerts.phone_token import BASE
from services.alerts.take_step import Doing
from services.alerts.view_phone import Mine
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.web.dependencies import ContextDep, RuntimeDep, Wake, WakeDep
from shared.web.problem import problems

Secret = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]
_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_PROBLEM: dict[str, Any] = problems(400)[400]["content"]


def pages(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a page's endpoint answers, all of it in pages but what the edge refuses by itself."""
    said: dict[int | str, dict[str, Any]] = {
        status: {"description": "网页", "content": _HTML} for status in (200, 400, 422, 503, *statuses)
    }
    if 303 in said:
        said[303] = {"description": "转到下一页"}
    return {**said, 413: {"description": "请求体超过上限", "content": _PROBLEM}}


def page_router() -> APIRouter:
    """A router whose answers are pages."""
    return APIRouter(prefix=BASE, tags=["phone"], route_class=PhoneRoute, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a phone that is open: who, what he sends, and the transaction in which all of it happens."""

    phone: Phone
    connection: asyncpg.Connection
    runtime: Runtime
    request_id: str
    wake: Wake
    form: FormData = field(default_factory=FormData)

    def doing(self, mine: Mine) -> Doing:
        alert_id = mine.alert["alert_id"]
        return Doing(alert_id, mine.caller, self.runtime.clock.now(), request_id=self.request_id)


async def _visit(
    request: Request, runtime: RuntimeDep, context: ContextDep, wake: WakeDep, fangpin_phone: Secret = None
) -> AsyncIterator[Visit]:
    async with transaction(runtime.pool) as connection:
        phone = await open_phone(connection, fangpin_phone, runtime)
        # A refusal is a page of his, too.
        request.state.phone = phone
        yield Visit(phone, connection, runtime, context.request_id, wake)


async def _posted(request: Request, visit: Annotated[Visit, Depends(_visit, scope="function")]) -> Visit:
    """A visit whose form was made for this phone."""
    form = await request.form(max_files=0, max_fields=100)
    check_csrf(visit.phone.secret, str(form.get("csrf", "")))
    return replace(visit, form=form)


VisitDep = Annotated[Visit, Depends(_visit, scope="function")]
Posted = Annotated[Visit, Depends(_posted, scope="function")]
