"""The phone page over HTTP: links, PINs, a cadre's own alerts, the answer. Every form works without script."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Cookie, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator, ValidationError
from starlette.datastructures import FormData

from services.alerts import repository_phone
from services.alerts.acknowledge import acknowledge
from services.alerts.answer_alert import answer_alert
from services.alerts.answer_once import KeyedRequest, answer_once
from services.alerts.check_pin import Checked, PinTry, Verdict, check_pin
from services.alerts.dispatch import desk_for
from services.alerts.domain.alert import Status
from services.alerts.domain.answer_form import NAMES, answer_of, label_of
from services.alerts.hand_over import ColleagueNotOnDuty, hand_over
from services.alerts.oidc_login import (
    LOGIN_COOKIE,
    Login,
    LoginRefused,
    begin_login,
    finish_login,
    is_configured,
)
from services.alerts.phone_route import PhoneRoute
from services.alerts.phone_session import (
    COOKIE,
    OPEN_FOR,
    Phone,
    PhoneLocked,
    PhoneUnknown,
    check_csrf,
    drop_cookie,
    known_phone,
    open_phone,
    set_cookie,
    start_session,
)
from services.alerts.phone_token import BASE, secret_hash
from services.alerts.record_attempt import record_attempt
from services.alerts.render_phone import render
from services.alerts.reset_pin import reset_pin
from services.alerts.route_alert import WAKES
from services.alerts.schemas import AttemptIn, HandOverIn, VerificationIn
from services.alerts.schemas_phone import PinReset, PinResetIn
from services.alerts.take_step import AlertChanged, Doing
from services.alerts.verify import VerificationIncomplete
from services.alerts.view_alert import places_of, step_answer
from services.alerts.view_phone import Mine, find_mine, next_errand, view_errands, view_household
from shared.db.scope import transaction
from shared.errors import FangpinError, Gone
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id
from shared.web.dependencies import (
    ContextDep,
    RuntimeDep,
    ScopedConnection,
    ScopeMissing,
    Wake,
    WakeDep,
    require,
)
from shared.web.problem import of_validation, problems
from shared.web.routing import Router

_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_PROBLEM: dict[str, Any] = problems(400)[400]["content"]


def pages(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a page's endpoint answers, all of it in pages but what the edge refuses by itself."""
    said: dict[int | str, dict[str, Any]] = {
        status: {"description": "网页", "content": _HTML} for status in (200, 400, 422, 503, *statuses)
    }
    return {**said, 413: {"description": "请求体超过上限", "content": _PROBLEM}}


class LinkDead(Gone):
    code, title = "link_dead", "链接已失效"


router = APIRouter(prefix=BASE, tags=["phone"], route_class=PhoneRoute, default_response_class=HTMLResponse)
Secret = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]
Token = Annotated[str, Query(max_length=100, description="消息链接里的一次性编号")]
Typed = Annotated[str, Form(max_length=64)]
_TO = re.compile(rf"{BASE}/(a/[0-9a-f-]{{36}})?")


def _own_page(to: str) -> str:
    """Only pages of our own are gone on to."""
    return to if _TO.fullmatch(to) else f"{BASE}/"


To = Annotated[str, AfterValidator(_own_page)]


# --- who is there --------------------------------------------------------------------------------------------


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
    runtime: RuntimeDep, context: ContextDep, wake: WakeDep, fangpin_phone: Secret = None
) -> AsyncIterator[Visit]:
    async with transaction(runtime.pool) as connection:
        phone = await open_phone(connection, fangpin_phone, runtime)
        yield Visit(phone, connection, runtime, context.request_id, wake)


async def _posted(request: Request, visit: Annotated[Visit, Depends(_visit, scope="function")]) -> Visit:
    """A visit whose form was made for this phone."""
    form = await request.form(max_files=0, max_fields=100)
    check_csrf(visit.phone.secret, str(form.get("csrf", "")))
    return replace(visit, form=form)


VisitDep = Annotated[Visit, Depends(_visit, scope="function")]
Posted = Annotated[Visit, Depends(_posted, scope="function")]


# --- links and PINs ------------------------------------------------------------------------------------------


@router.get("/open", summary="打开消息链接（只看，不使用链接）", responses=pages(303, 410))
async def get_open(t: Token, runtime: RuntimeDep, fangpin_phone: Secret = None) -> Response:
    """A messenger that looks at links before people do uses none up: only the button does."""
    async with transaction(runtime.pool) as connection:
        token = await _token(connection, t, runtime)
        if await _is_open_for(connection, fangpin_phone, token, runtime):
            return RedirectResponse(f"{BASE}/a/{token['alert_id']}", 303)
        _check_live(token, runtime)
        return await _ask_pin(connection, t, token["officer_no"], runtime)


@router.post("/open", summary="用口令打开消息链接（一次有效）", responses=pages(303, 403, 410))
async def post_open(
    t: Typed, pin: Typed, runtime: RuntimeDep, context: ContextDep, again: Typed = "", fangpin_phone: Secret = None
) -> Response:
    async with transaction(runtime.pool) as connection:
        token, now = await _token(connection, t, runtime), runtime.clock.now()
        if await _is_open_for(connection, fangpin_phone, token, runtime):
            return RedirectResponse(f"{BASE}/a/{token['alert_id']}", 303)
        _check_live(token, runtime)
        officer_no = token["officer_no"]
        await repository_phone.act_as(connection, officer_no)
        if await repository_phone.active_officer(connection, officer_no) is None:
            raise LinkDead(_DEAD)
        checked = await check_pin(connection, PinTry(officer_no, pin, again, now, context.request_id))
        if not checked.is_right:
            return await _ask_pin(connection, t, officer_no, runtime, told=checked.told, verdict=checked.verdict)
        return await _use(connection, t, token, runtime)


_DEAD = "链接只能用一次，24 小时内有效。请打开最新的一条消息，或从“我的预警”进入。"


async def _token(connection: asyncpg.Connection, t: str, runtime: Runtime) -> asyncpg.Record:
    hashed = secret_hash(t)
    await repository_phone.present_key(connection, hashed)
    token = await repository_phone.token_of(connection, hashed)
    if token is None:
        raise LinkDead(_DEAD)
    return token


def _check_live(token: asyncpg.Record, runtime: Runtime) -> None:
    if token["used_at"] is not None or token["expires_at"] <= runtime.clock.now():
        raise LinkDead(_DEAD)


async def _is_open_for(
    connection: asyncpg.Connection, secret: str | None, token: asyncpg.Record, runtime: Runtime
) -> bool:
    """Whether the phone is open for the officer of a link already; the link is then not needed."""
    try:
        phone = await open_phone(connection, secret, runtime)
    except (PhoneUnknown, PhoneLocked):
        return False
    finally:
        await repository_phone.present_key(connection, token["token_hash"])
    return bool(phone.officer_no == token["officer_no"])


async def _ask_pin(
    connection: asyncpg.Connection,
    t: str,
    officer_no: str,
    runtime: Runtime,
    *,
    told: str = "",
    verdict: Verdict | None = None,
) -> Response:
    await repository_phone.act_as(connection, officer_no)
    return render(
        "open",
        status=403 if verdict else 200,
        t=t,
        told=told,
        chooses=not await repository_phone.has_pin(connection, officer_no),
        locked=verdict is Verdict.LOCKED,
        oidc=is_configured(runtime.settings),
    )


async def _use(connection: asyncpg.Connection, t: str, token: asyncpg.Record, runtime: Runtime) -> Response:
    now = runtime.clock.now()
    if not await repository_phone.use_token(connection, secret_hash(t), now):
        raise LinkDead(_DEAD)
    secret = await start_session(connection, token["officer_no"], now)
    await audit(connection, token["officer_no"], "phone.opened", f"alert:{token['alert_id']}", now=now)
    answer = RedirectResponse(f"{BASE}/a/{token['alert_id']}", 303)
    set_cookie(answer, secret, runtime)
    return answer


@router.get("/pin", summary="再次输入口令", responses=pages(401))
async def get_pin(
    runtime: RuntimeDep, to: Annotated[To, Query(max_length=200)] = f"{BASE}/", fangpin_phone: Secret = None
) -> Response:
    async with transaction(runtime.pool) as connection:
        phone = await _known(connection, fangpin_phone, runtime)
        return _ask_again(phone, to, runtime)


@router.post("/pin", summary="用口令再次打开", responses=pages(303, 401, 403))
async def post_pin(
    pin: Typed,
    csrf: Typed,
    runtime: RuntimeDep,
    context: ContextDep,
    to: Annotated[To, Form(max_length=200)] = f"{BASE}/",
    fangpin_phone: Secret = None,
) -> Response:
    async with transaction(runtime.pool) as connection:
        phone, now = await _known(connection, fangpin_phone, runtime), runtime.clock.now()
        check_csrf(phone.secret, csrf)
        if not await repository_phone.has_pin(connection, phone.officer_no):
            # Whoever only ever came by the platform's login has no PIN, and whoever finds his phone must not set one.
            raise PhoneUnknown
        checked = await check_pin(connection, PinTry(phone.officer_no, pin, None, now, context.request_id))
        if not checked.is_right:
            return _ask_again(phone, to, runtime, checked)
        await repository_phone.unlock_session(connection, secret_hash(phone.secret), now + OPEN_FOR)
        return RedirectResponse(to, 303)


async def _known(connection: asyncpg.Connection, secret: str | None, runtime: Runtime) -> Phone:
    """Whose phone it is, open or not."""
    session = await known_phone(connection, secret, runtime.clock.now())
    officer = await repository_phone.active_officer(connection, session["officer_no"])
    if officer is None or secret is None:
        raise PhoneUnknown
    return Phone(officer["officer_no"], officer["name"], (), secret)


def _ask_again(phone: Phone, to: str, runtime: Runtime, checked: Checked | None = None) -> Response:
    return render(
        "pin",
        phone=phone,
        status=403 if checked else 200,
        to=to,
        told=checked.told if checked else "",
        locked=checked is not None and checked.verdict is Verdict.LOCKED,
        oidc=is_configured(runtime.settings),
    )


@router.post("/leave", summary="退出", responses=pages(303, 401, 403))
async def post_leave(visit: Posted) -> Response:
    await repository_phone.end_session(visit.connection, secret_hash(visit.phone.secret))
    answer = RedirectResponse(f"{BASE}/", 303)
    drop_cookie(answer, visit.runtime)
    return answer


# --- the platform's login ------------------------------------------------------------------------------------


@router.get("/login", summary="统一身份认证登录", responses=pages(303, 404))
async def get_login(runtime: RuntimeDep, t: Token = "") -> Response:
    begun = begin_login(runtime.settings, token=t)
    answer = RedirectResponse(begun.address, 303)
    answer.set_cookie(
        LOGIN_COOKIE,
        begun.cookie,
        max_age=600,
        path=f"{BASE}/login",
        secure=not runtime.settings.demo,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/login/return", summary="从统一身份认证返回", responses=pages(303, 401, 404))
async def get_login_return(
    runtime: RuntimeDep,
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    fangpin_login: Annotated[str | None, Cookie(max_length=500)] = None,
) -> Response:
    # The platform is asked before any connection is taken.
    login = await finish_login(runtime, code=code, state=state, cookie=fangpin_login)
    now = runtime.clock.now()
    async with transaction(runtime.pool) as connection:
        await repository_phone.act_as(connection, login.officer_no)
        if await repository_phone.active_officer(connection, login.officer_no) is None:
            raise LoginRefused("统一身份认证中的工号不在干部名册里，请联系县级管理员")
        to = await _linked_page(connection, login, now)
        secret = await start_session(connection, login.officer_no, now)
        await audit(connection, login.officer_no, "phone.login", f"officer:{login.officer_no}", now=now)
    answer = RedirectResponse(to, 303)
    set_cookie(answer, secret, runtime)
    answer.delete_cookie(LOGIN_COOKIE, path=f"{BASE}/login")
    return answer


async def _linked_page(connection: asyncpg.Connection, login: Login, now: datetime) -> str:
    """The alert of the link the officer came by, which is used up; his list without one."""
    hashed = secret_hash(login.token)
    await repository_phone.present_key(connection, hashed)
    token = await repository_phone.token_of(connection, hashed)
    if token is None or token["officer_no"] != login.officer_no:
        return f"{BASE}/"
    await repository_phone.use_token(connection, hashed, now)
    return f"{BASE}/a/{token['alert_id']}"


# --- the cadre's alerts --------------------------------------------------------------------------------------


@router.get("/", summary="我的预警", responses=pages(303, 401))
async def get_list(visit: VisitDep, page: Annotated[int, Query(ge=1, le=1000)] = 1, said: str = "") -> Response:
    errands = await view_errands(visit.connection, visit.phone, visit.runtime, page=page)
    return render("list", phone=visit.phone, errands=errands, said=_SAID.get(said, ""))


_SAID = {
    "acknowledged": "已签收，请按期上门核实",
    "attempt": "已记下联系不上，请换个时间再去",
    "handed_over": "已移交给同事",
}


@router.get("/a/{alert_id}", summary="一户的情况和核实表", responses=pages(303, 401, 404))
async def get_household(alert_id: UUID, visit: VisitDep, said: str = "") -> Response:
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    await audit(
        visit.connection,
        mine.caller,
        "alert.read",
        f"alert:{alert_id}",
        now=visit.runtime.clock.now(),
        request_id=visit.request_id,
    )
    return await _household(visit, mine, said=_SAID.get(said, ""))


async def _household(
    visit: Visit, mine: Mine, *, status: int = 200, errors: Sequence[str] = (), said: str = ""
) -> Response:
    household = await view_household(visit.connection, mine, visit.runtime)
    given = _texts(visit.form)
    return render(
        "household",
        phone=visit.phone,
        status=status,
        household=household,
        # Made anew for each form: what is sent twice under it counts once.
        entered={"id": str(new_id()), "on": household.today.isoformat(), **given},
        chosen_causes=[str(cause) for cause in visit.form.getlist("causes")],
        errors=errors,
        said=said,
    )


def _texts(form: FormData) -> dict[str, str]:
    return {name: text for name in NAMES if isinstance(text := form.get(name), str)}


async def _taken(visit: Visit, alert_id: UUID, act: Callable[[Mine], Awaitable[None]]) -> Response | None:
    """Act on the cadre's alert; what he has to mend comes back as the page, with all he typed."""
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    if "alerts:act" not in mine.caller.scopes:
        raise ScopeMissing("您的岗位不能处理预警")
    try:
        await act(mine)
    except ValidationError as error:
        refused: FangpinError = of_validation(error.errors(), None)
    except (VerificationIncomplete, AlertChanged, ColleagueNotOnDuty) as error:
        refused = error
    else:
        visit.wake(*WAKES)
        return None
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    return await _household(visit, mine, status=refused.status, errors=_words(refused))


def _words(refused: FangpinError) -> list[str]:
    """What is to be mended, by the names the page calls the fields."""
    if isinstance(refused, VerificationIncomplete):
        return [one.message for one in refused.errors]
    said = [": ".join(filter(None, (label_of(one.where), one.message))) for one in refused.errors]
    return said or [refused.detail]


@router.post("/a/{alert_id}/acknowledge", summary="签收", responses=pages(303, 401, 403, 404, 409))
async def post_acknowledge(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        await acknowledge(visit.connection, visit.doing(mine))

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}?said=acknowledged", 303)


@router.post("/a/{alert_id}/attempt", summary="登记联系不上", responses=pages(303, 401, 403, 404, 409))
async def post_attempt(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        given = {name: text for name in ("method", "note") if (text := str(visit.form.get(name, "")))}
        body = AttemptIn.model_validate(given)

        async def step() -> asyncpg.Record:
            return await record_attempt(visit.connection, visit.doing(mine), method=body.method, note=body.note)

        await _once(visit, mine, "attempt", body, step)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}?said=attempt", 303)


@router.post("/a/{alert_id}/handover", summary="移交给同事", responses=pages(303, 401, 403, 404, 409))
async def post_handover(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        body = HandOverIn.model_validate({name: visit.form.get(name) for name in ("to_officer_no", "reason")})
        desk = await desk_for(visit.runtime, places_of(mine.alert))

        async def step() -> asyncpg.Record:
            doing = visit.doing(mine)
            return await hand_over(
                visit.connection, doing, to_officer_no=body.to_officer_no, reason=body.reason, desk=desk
            )

        await _once(visit, mine, "handover", body, step)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/?said=handed_over", 303)


async def _once(
    visit: Visit, mine: Mine, step: str, body: AttemptIn | HandOverIn, act: Callable[[], Awaitable[asyncpg.Record]]
) -> None:
    """Act once under the form's id, as the API does under an Idempotency-Key."""

    async def answer() -> dict[str, Any]:
        return step_answer(await act())

    content = [step, str(mine.alert["alert_id"]), body.model_dump(mode="json")]
    key = f"{step}:{str(visit.form.get('id') or new_id())[:64]}"
    request = KeyedRequest(f"phone:{visit.phone.officer_no}", key, content, visit.runtime.clock.now())
    await answer_once(visit.connection, request, answer)


@router.post("/a/{alert_id}/answer", summary="核实办结", responses=pages(303, 401, 403, 404, 409))
async def post_answer(alert_id: UUID, visit: Posted) -> Response:
    async def act(mine: Mine) -> None:
        causes = [str(cause) for cause in visit.form.getlist("causes")]
        answer = VerificationIn.model_validate(answer_of(_texts(visit.form), causes))
        seen = str(visit.form.get("seen", ""))
        today = visit.runtime.clock.today()
        await answer_alert(visit.connection, visit.doing(mine), answer, seen=seen, today=today)

    refused = await _taken(visit, alert_id, act)
    return refused or RedirectResponse(f"{BASE}/a/{alert_id}/done", 303)


@router.get("/a/{alert_id}/done", summary="办结，下一户", responses=pages(303, 401, 404))
async def get_done(alert_id: UUID, visit: VisitDep) -> Response:
    mine = await find_mine(visit.connection, visit.phone, alert_id)
    if mine.alert["status"] != Status.CLOSED:
        return RedirectResponse(f"{BASE}/a/{alert_id}", 303)
    done = await view_household(visit.connection, mine, visit.runtime)
    following, left = await next_errand(visit.connection, visit.phone, visit.runtime)
    return render("done", phone=visit.phone, done=done, next=following, left=left, clear=str(alert_id))


# --- the county's help ---------------------------------------------------------------------------------------

admin_router = Router(tags=["administration"])


@admin_router.post(
    "/alerts/v1/phone-pins/reset", summary="重置干部的手机口令", responses=problems(401, 403, 404, 415, 422)
)
async def post_pin_reset(
    body: PinResetIn,
    caller: Annotated[Principal, Depends(require("alerts:admin"))],
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> PinReset:
    had_one = await reset_pin(
        connection, body.officer_no, body.reason, caller, now=runtime.clock.now(), request_id=context.request_id
    )
    return PinReset(officer_no=body.officer_no, had_pin=had_one)
