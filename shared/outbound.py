"""Where messages and questions may leave to: only hosts the operator listed; others could be inner ones.

`host` allows all its ports, `host:port` that port only.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx


def refusal(url: str, allowed_hosts: Collection[str], *, plain: bool) -> str | None:
    """Why a URL may not be asked; None if it may. `plain` allows http, for demo mode.

    Read by the parser that will send: two parsers may see two different hosts in one text.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "not a URL"
    if parsed.scheme != "https" and not (plain and parsed.scheme == "http"):
        return "https only"
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    allowed = parsed.host in allowed_hosts or f"{parsed.host}:{port}" in allowed_hosts
    if parsed.userinfo or not allowed or port > 65535:
        return "host not allowed"
    return None


def seconds_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as an HTTP date; None if absent or unreadable."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return timedelta(seconds=min(int(retry_after), 31_536_000))
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now, timedelta(0))
