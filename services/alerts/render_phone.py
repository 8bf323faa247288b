"""Render the phone page: one answer with all it needs in it, and headers that let nothing else in."""

import hashlib
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.alerts.domain.errand import Due
from services.alerts.domain.household_check import MOST_NOTE, Need, Seen
from services.alerts.phone_session import Phone
from services.alerts.phone_token import BASE
from shared.clock import SHANGHAI
from shared.vocabulary.terms import Cause, Outcome

PAGES = Path(__file__).parent / "pages"
_OUTCOME_HINTS = {
    Outcome.IDENTIFY: "确有返贫致贫风险，需要帮扶",
    Outcome.NEED_MET: "有过困难，部门已经帮扶到位",
    Outcome.NO_RISK: "去看过了，日子过得去",
    Outcome.ALREADY_MONITORED: "已经是监测对象",
    Outcome.DATA_WRONG: "数据与实际不符",
    Outcome.MOVED: "全家已经迁走",
    Outcome.DECEASED: "当事人已去世",
}


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals.update(
        base=BASE,
        needs=list(Need),
        seen_words=list(Seen),
        outcomes=list(Outcome),
        hints=_OUTCOME_HINTS,
        causes=list(Cause),
        most_note=MOST_NOTE,
        deadline=_deadline,
    )
    return pages


def render(name: str, *, phone: Phone | None = None, status: int = 200, **said: Any) -> HTMLResponse:
    """One page; `phone` is who looks at it, if he is known."""
    nonce = secrets.token_urlsafe(16)
    known = {
        "nonce": nonce,
        "csrf": phone.csrf if phone else "",
        "who": _draft_owner(phone.officer_no) if phone else "",
        "officer": phone.name if phone else "",
        "clear": "",
        "oidc": False,
    }
    text = _pages().get_template(f"{name}.html").render({**known, **said})
    return HTMLResponse(text, status_code=status, headers=headers(nonce))


def _deadline(due: Due) -> str:
    local = due.at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def headers(nonce: str) -> Mapping[str, str]:
    """What keeps the page to itself: no script or style but its own, no frame, no trace, no copy."""
    own = f"'nonce-{nonce}'"
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src {own}; script-src {own}; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
    }


def _draft_owner(officer_no: str) -> str:
    """Under which name a phone keeps an officer's drafts, so that two who share one do not see each other's."""
    return hashlib.sha256(f"fangpin draft\x00{officer_no}".encode()).hexdigest()[:12]
