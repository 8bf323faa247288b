"""How another system speaks to fangpin: OAuth2 client credentials, back-off, readable refusals. Needs only httpx.

Copy it beside your own program; it uses nothing else of this project.
"""

import argparse
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

TRIES = 6
RETRIED = frozenset({429, 502, 503, 504})
LONGEST_WAIT = 300.0  # Seconds; a server that asks for more is asked again after this.
RENEW_BEFORE = 30.0  # Seconds before a token ends.


class Refused(Exception):
    """The server said no, and would say no again; the text is its problem document, for a person to read."""


class Away(Exception):
    """The server did not answer usefully, however often it was asked."""


class Fangpin:
    """One system's way in. Every call here may be repeated safely: reading changes nothing, a file sent again is
    the same feed."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=url, timeout=httpx.Timeout(60, connect=10), transport=transport)
        self._credentials = (client_id, secret)
        self._sleep = sleep
        self._token, self._ends = "", 0.0

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a GET; `path` may hold a query of its own, which `query` is added to."""
        return self._send("GET", httpx.URL(path).copy_merge_params(query)).json()

    def get_bytes(self, path: str, **query: str | int) -> bytes:
        return self._send("GET", httpx.URL(path).copy_merge_params(query)).content

    def post_file(self, path: str, file: Path, media_type: str, **query: str | int) -> Any:
        """Send a file as it lies on the disk; the JSON of the answer."""
        return self._send("POST", httpx.URL(path).copy_merge_params(query), file, media_type).json()

    def pages(self, path: str, limit: int = 200) -> Any:
        """All items of a list, page after page."""
        more: dict[str, str] = {}
        while True:
            page = self.get(path, limit=limit, **more)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            more = {"cursor": page["next_cursor"]}

    def _send(self, method: str, url: httpx.URL, file: Path | None = None, media_type: str = "") -> httpx.Response:
        def once() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self._fresh_token()}"}
            if file is None:
                return self._http.request(method, url, headers=headers)
            with file.open("rb") as body:  # Opened for each try: the last one may have read half of it.
                return self._http.request(method, url, headers={**headers, "Content-Type": media_type}, content=body)

        answer = self._patiently(once)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # The token may have been withdrawn before its end.
            self._ends = 0.0
            answer = self._patiently(once)
        return _checked(answer)

    def _fresh_token(self) -> str:
        if time.monotonic() > self._ends - RENEW_BEFORE:
            form = {"grant_type": "client_credentials"}
            ask = lambda: self._http.post("/oauth2/token", data=form, auth=self._credentials)  # noqa: E731
            told = _checked(self._patiently(ask)).json()
            self._token, self._ends = told["access_token"], time.monotonic() + told["expires_in"]
        return self._token

    def _patiently(self, once: Callable[[], httpx.Response]) -> httpx.Response:
        """Try until an answer is worth reading; Away when none came."""
        why = ""
        for tried in range(TRIES):
            wait = min(30.0, 2.0**tried) * random.uniform(0.5, 1)  # noqa: S311 - spreads clients, guards nothing.
            try:
                answer = once()
            except httpx.TransportError as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code not in RETRIED:
                    return answer
                why = f"HTTP {answer.status_code}"
                wait = asked_wait(answer.headers.get("Retry-After"), datetime.now(UTC)) or wait
            if tried < TRIES - 1:
                self._sleep(min(wait, LONGEST_WAIT))
        raise Away(f"尝试 {TRIES} 次仍无结果 no answer after {TRIES} tries: {why}")


def asked_wait(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or a date); None if it asks for nothing readable."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        lines = [f"{problem['title']}（{problem['code']}, HTTP {answer.status_code}）：{problem['detail']}"]
        lines += [f"  {one['where']}：{one['message']}" for one in problem.get("errors", [])]
    except (ValueError, KeyError, TypeError):
        lines = [f"HTTP {answer.status_code}: {answer.text[:200]}"]
    raise Refused("\n".join(lines))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options every client has. The secret is not among them: other users of the machine could read it."""
    parser.add_argument(
        "--url", default=os.environ.get("FANGPIN_URL", "http://127.0.0.1:8000"), help="地址 (FANGPIN_URL)"
    )
    parser.add_argument(
        "--client-id",
        default=os.environ.get("FANGPIN_CLIENT_ID"),
        help="客户端编号 (FANGPIN_CLIENT_ID)；密钥取自 FANGPIN_CLIENT_SECRET 或 --secret-file",
    )
    parser.add_argument("--secret-file", type=Path, help="存放客户端密钥的文件")


def open_client(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Fangpin:
    """The client that options and environment describe; ends the program with code 2 when they do not."""
    try:
        secret = options.secret_file.read_text().strip() if options.secret_file else None
    except OSError as error:
        parser.error(f"--secret-file: {error}")
    secret = secret or os.environ.get("FANGPIN_CLIENT_SECRET")
    if not options.client_id or not secret:
        parser.error("缺少客户端编号或密钥：请设置 FANGPIN_CLIENT_ID 与 FANGPIN_CLIENT_SECRET")
    return Fangpin(options.url, options.client_id, secret)
