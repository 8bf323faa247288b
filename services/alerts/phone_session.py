"""A cadre's phone (手机登录): known for a month by its cookie, open for half a day by PIN or the platform's login."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from starlette.responses import Response

from services.alerts import repository_phone
from services.alerts.domain.duty import Post
from services.alerts.phone_token import BASE, secret_hash
from shared.errors import Forbidden, Unauthorized
from shared.runtime import Runtime
from shared.security.access import SCOPES_OF_ROLE
from shared.security.principal import Principal

COOKIE = "fangpin_phone"
KNOWN_FOR = timedelta(days=30)
OPEN_FOR = timedelta(hours=12)


class PhoneUnknown(Unauthorized):
    """No cookie of ours, or one that opens nothing any more."""

    code, title = "phone_unknown", "请从发给您本人的消息里打开链接"


class PhoneLocked(Unauthorized):
    """The phone is known, and asks for the PIN again."""

    code, title = "phone_locked", "请输入口令"


class FormStale(Forbidden):
    """A form that was not made for this phone."""

    code, title = "form_stale", "页面已过期，请重新打开后再提交"


@dataclass(frozen=True, slots=True)
class Phone:
    """An officer at his phone, with the posts he holds today; `secret` is the cookie's."""

    officer_no: str
    name: str
    posts: Sequence[Post]
    secret: str

    @property
    def csrf(self) -> str:
        """What every form of this phone carries."""
        return csrf_of(self.secret)

    def principal(self, post: Post) -> Principal:
        """The officer in one of his posts, as the verbs and the row-level security know him."""
        return Principal(
            subject=self.officer_no,
            kind="person",
            division=post.division,
            scopes=SCOPES_OF_ROLE[post.role],
            role=post.role,
            name=self.name,
            officer_no=self.officer_no,
        )


def csrf_of(secret: str) -> str:
    """The token of the forms of a session: nobody without the cookie can make it."""
    return hashlib.sha256(f"fangpin phone form\x00{secret}".encode()).hexdigest()


def check_csrf(secret: str, given: str) -> None:
    """Refuse a form that was not made for this phone."""
    if not hmac.compare_digest(csrf_of(secret).encode(), given.encode()):
        raise FormStale


async def known_phone(connection: asyncpg.Connection, secret: str | None, now: datetime) -> asyncpg.Record:
    """The phone's session, open or not; the officer is acted as from here on."""
    session = None
    if secret:
        hashed = secret_hash(secret)
        await repository_phone.present_key(connection, hashed)
        session = await repository_phone.live_session(connection, hashed, now)
    if session is None:
        raise PhoneUnknown
    await repository_phone.act_as(connection, session["officer_no"])
    return session


async def open_phone(connection: asyncpg.Connection, secret: str | None, runtime: Runtime) -> Phone:
    """Who is at the phone; PhoneUnknown, PhoneLocked."""
    now = runtime.clock.now()
    session = await known_phone(connection, secret, now)
    if session["unlocked_until"] <= now:
        raise PhoneLocked
    officer = await repository_phone.active_officer(connection, session["officer_no"])
    if officer is None or secret is None:
        raise PhoneUnknown
    posts = await repository_phone.own_posts(connection, officer["officer_no"], runtime.clock.today())
    return Phone(officer["officer_no"], officer["name"], posts, secret)


async def start_session(connection: asyncpg.Connection, officer_no: str, now: datetime) -> str:
    """Make the phone known and open; the secret for its cookie."""
    secret = secrets.token_urlsafe(32)
    await repository_phone.act_as(connection, officer_no)
    await repository_phone.add_session(
        connection,
        {
            "session_hash": secret_hash(secret),
            "officer_no": officer_no,
            "made_at": now,
            "unlocked_until": now + OPEN_FOR,
            "expires_at": now + KNOWN_FOR,
        },
    )
    return secret


def set_cookie(response: Response, secret: str, runtime: Runtime) -> None:
    """Give the phone its cookie."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(KNOWN_FOR.total_seconds()),
        path=BASE,
        secure=not runtime.settings.demo,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, runtime: Runtime) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, path=BASE, secure=not runtime.settings.demo, httponly=True, samesite="lax")
