"""Give a board whose answer is kept without the long way through FastAPI, which costs ten times as much."""

from collections.abc import Mapping

from starlette.datastructures import State
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.monitoring.answer_figures import Asked, reads_figures, respond
from services.monitoring.draw_boards import KINDS, BoardKind
from services.monitoring.draw_figures import BOARDS
from services.monitoring.keep_answers import FigureCache
from shared.runtime import Runtime
from shared.security.tokens import TokenRefused
from shared.vocabulary.division import DivisionCodeError, parse_division

_KINDS: Mapping[str, BoardKind] = {f"{BOARDS}/{name}": kind for name, kind in KINDS.items()}
_DIVISION = "division="


class KeptBoards:
    """In front of the app: it answers what it can, and leaves everything else to the endpoints.

    Anything out of the ordinary (no token, a wrong one, no scope, another parameter, nothing kept) goes that way,
    so whatever is refused is refused there, and what is allowed here is exactly what is allowed there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = _KINDS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        answer = None if kind is None else await _kept(scope, kind)
        await (answer or self._app)(scope, receive, send)


async def _kept(scope: Scope, kind: BoardKind) -> Response | None:
    state: State = scope["app"].state
    headers = dict(reversed(scope["headers"]))  # Of a header that was sent twice the first counts, as elsewhere.
    asked = await _asked(state, kind, headers.get(b"authorization", b"").decode("latin-1"), scope["query_string"])
    if asked is None:
        return None
    cache: FigureCache = state.figure_cache
    found = await cache.kept(asked, state.runtime)
    if found is None:
        return None
    scope["route_path"] = scope["path"]
    known = headers.get(b"if-none-match")
    return respond(found, None if known is None else known.decode("latin-1"))


async def _asked(state: State, kind: BoardKind, authorization: str, query: bytes) -> Asked | None:
    """What is asked by a reader who may; None if there is anything to say about it."""
    runtime: Runtime = state.runtime
    scheme, _, token = authorization.partition(" ")
    text = query.decode("latin-1")
    if scheme != "Bearer" or not (text.startswith(_DIVISION) or not text):
        return None
    try:
        caller = await state.verifier.verify(token, now=runtime.clock.now())
        division = parse_division(text.removeprefix(_DIVISION)) if text else caller.division
    except (TokenRefused, DivisionCodeError):
        return None
    return Asked.by(caller, kind, division, runtime.clock.today()) if reads_figures(caller) else None
