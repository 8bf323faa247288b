"""How a phone gets in over HTTP: a message's link with a PIN, the PIN again, the identity platform's login."""

import re
from datetime import datetime
from typing import Annotated

import asyncpg
from fastapi import Cookie, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator

from services.alerts import repository_phone
from services.alerts.check_pin import Checked, PinTry, Verdict, check_pin
from services.alerts.oidc_login import (
    LOGIN_COOKIE,
    Login,
    LoginRefused,
    begin_login,
    finish_login,
    is_configured,
)
from services.alerts.phone_session import (
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
from services.alerts.phone_visit import Posted, Secret, page_router, pages
from services.alerts.render_phone import render
from services.alerts.reset_pin import reset_pin
from services.alerts.schemas_phone import PinReset, PinResetIn
from services.alerts.take_step import PersonNeeded
from shared.db.scope import transaction
from shared.errors import Gone
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, require
from shared.web.problem import problems
from shared.web.routing import Router

router = page_router()
admin_router = Router(tags=["administration"])
Token = Annotated[str, Query(max_length=100, description="消息链接里的一次性编号")]
Typed = Annotated[str, Form(max_length=64)]
_TO = re.compile(rf"{BASE}/(a/[0-9a-f-]{{36}})?")


def _own_page(to: str) -> str:
    """Only pages of our own are gone on to."""
    return to if _TO.fullmatch(to) else f"{BASE}/"


To = Annotated[str, AfterValidator(_own_page)]


class LinkDead(Gone):
    code, title = "link_dead", "链接已失效"


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


# --- the county's help ---------------------------------------------------------------------------------------


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
    if not caller.is_person:
        # Whoever resets a PIN has the officer before him.
        raise PersonNeeded
    had_one = await reset_pin(
        connection, body.officer_no, body.reason, caller, now=runtime.clock.now(), request_id=context.request_id
    )
    return PinReset(officer_no=body.officer_no, had_pin=had_one)
