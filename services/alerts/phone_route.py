"""Routes of the phone page: whatever goes wrong is a page too, with what to do next."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import asyncpg
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from services.alerts.oidc_login import is_configured
from services.alerts.phone_session import PhoneLocked, PhoneUnknown
from services.alerts.phone_token import BASE
from services.alerts.render_phone import render
from services.alerts.take_step import AlertClosed
from shared.errors import BadRequest, FangpinError
from shared.web.problem import of_database, of_validation

_DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class FormUnreadable(BadRequest):
    code, title = "form_unreadable", "没有读懂提交的内容，请返回重试"


class PhoneRoute(APIRoute):
    """Answers in pages. What a messenger's browser adds to an address is not refused, as the API would."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def paged(request: Request) -> Response:
            try:
                return await handle(request)
            except PhoneLocked:
                return RedirectResponse(f"{BASE}/pin?to={quote(_page_of(request))}", 303)
            except FangpinError as error:
                return notice(error, request)
            except RequestValidationError as error:
                return notice(of_validation(error.errors(), None), request)
            except HTTPException:
                return notice(FormUnreadable(), request)
            except _DATABASE_ERRORS as error:
                known = of_database(error)
                if known is None:
                    raise
                return notice(known, request)

        return paged


def notice(error: FangpinError, request: Request) -> Response:
    """A refusal as a page. An alert that is closed needs no draft any more."""
    page = render(
        "notice",
        phone=getattr(request.state, "phone", None),
        status=error.status,
        title=error.title,
        detail=error.detail if error.detail != error.title else "",
        back=_page_of(request) if not isinstance(error, PhoneUnknown) and request.method == "POST" else "",
        known=not isinstance(error, PhoneUnknown),
        oidc=is_configured(request.app.state.runtime.settings),
        clear=request.path_params.get("alert_id", "") if isinstance(error, AlertClosed) else "",
    )
    page.headers.update(error.headers)
    return page


def _page_of(request: Request) -> str:
    """The page a request came from, or is: an alert's own for all that is done to it."""
    alert_id = request.path_params.get("alert_id")
    return f"{BASE}/a/{alert_id}" if alert_id else f"{BASE}/"
