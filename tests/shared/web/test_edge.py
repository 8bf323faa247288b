"""The edge every service shares, around a small app: what comes in strictly, what goes out uniformly."""

import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import sqlalchemy.exc
from fastapi import Depends, FastAPI, Query, Request
from prometheus_client import generate_latest
from pydantic import Field

from shared.clock import FixedClock
from shared.errors import FieldError, NotFound
from shared.logs import configure_logs, log
from shared.security.access import SCOPES
from shared.security.keys import create_keys, load_keys
from shared.security.principal import Principal
from shared.settings import Settings
from shared.web.app import build_app
from shared.web.dependencies import Caller, ContextDep, require
from shared.web.middleware import RequestContext
from shared.web.page import Cursor, Limit
from shared.web.problem import OutOfRangeRow, of_database, problems
from shared.web.routing import Router
from shared.web.schema import Strict
from tests.shared.conftest import NOON

CANARY = "990624199003070011"  # The shape of an identity number, of nobody.
PHONE = "19900000001"
ERRORS: dict[str, Exception] = {
    "mistake": ZeroDivisionError(f"number {CANARY}"),
    "missing": NotFound(f"没有 {CANARY} 这个人"),
    "timeout": TimeoutError(),
    "refused": ConnectionRefusedError(),
    "interface": asyncpg.InterfaceError("closed"),
    "gone": asyncpg.ConnectionDoesNotExistError("gone"),
    "full": asyncpg.TooManyConnectionsError("full"),
    "deadlock": asyncpg.DeadlockDetectedError("deadlock"),
    "serial": asyncpg.SerializationError("again"),
    "lock": asyncpg.LockNotAvailableError("lock"),
    "disk": asyncpg.DiskFullError("disk"),
    "rls": asyncpg.InsufficientPrivilegeError("new row violates row-level security policy"),
    "unique": asyncpg.UniqueViolationError(f"duplicate key {CANARY}"),
    "text": asyncpg.CharacterNotInRepertoireError("x"),
    "range": asyncpg.NumericValueOutOfRangeError("x"),
    "pool": sqlalchemy.exc.TimeoutError("pool"),
}
router = Router()


class Body(Strict):
    name: str
    amount: int = Field(default=0, ge=0)


class Filter(Strict):
    village: str | None = None


@router.post("/intake/v1/echo", responses=problems(401))
async def echo(body: Body) -> Body:
    return body


@router.post("/intake/v1/lists")
async def lists(body: list[Body]) -> int:
    return len(body)


@router.get("/intake/v1/search")
async def search(limit: Limit = 20, cursor: Cursor = None, kind: Annotated[str, Query(alias="type")] = "") -> str:
    return kind


@router.get("/intake/v1/filtered")
async def filtered(chosen: Annotated[Filter, Query()]) -> Filter:
    return chosen


@router.get("/intake/v1/fail/{kind}")
async def fail(kind: str) -> None:
    raise ERRORS[kind]


@router.get("/intake/v1/people/{name}")
async def person(name: str) -> None:
    log.warning("person.sought", name=name, error=ValueError(f"no {CANARY}"), number=int(CANARY), **{CANARY: 1})
    raise NotFound(f"没有 {name}", errors=[FieldError("path/name", "unknown", name, name, name)], given=name)


@router.get("/intake/v1/me")
async def me(caller: Caller) -> str:
    return caller.subject


@router.get("/intake/v1/admin")
async def admin(_: Annotated[Principal, Depends(require("alerts:admin"))]) -> str:
    return "in"


@router.get("/intake/v1/context")
async def context(found: ContextDep) -> dict[str, str]:
    return {"request_id": found.request_id, "traceparent": found.traceparent}


@router.post("/intake/v1/raw")
async def raw(request: Request) -> int:
    return len(await request.body())


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("edge") / "keys"
    create_keys(folder, demo=True)
    settings = Settings(demo=True, body_limit_bytes=2000)
    runtime = SimpleNamespace(
        service="intake", settings=settings, clock=FixedClock(NOON), keys=load_keys(folder, "intake", demo=True)
    )

    @asynccontextmanager
    async def running() -> AsyncIterator[Any]:
        yield runtime

    made = build_app(
        "intake",
        title="small",
        settings=settings,
        runtime_factory=running,
        routers=[router],
        body_limits={"/intake/v1/raw": 5000},
    )
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://edge.test") as client:
        yield client


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    configure_logs("INFO", stream)
    return stream


def bearer(app: FastAPI, *scopes: str, subject: str = "tester") -> dict[str, str]:
    principal = Principal(subject, "system", "130624000000", frozenset(scopes or SCOPES))
    token = app.state.issuer.issue(principal, now=NOON, lifetime=timedelta(minutes=5))
    return {"Authorization": f"Bearer {token}"}


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:fangpin:problem:{code}")
    assert {"title", "detail", "instance", "errors"} <= body.keys()
    return body


JSON = {"content-type": "application/json"}


async def test_a_right_body_is_taken_with_or_without_a_mark(http: httpx.AsyncClient) -> None:
    for body in (b'{"name": "a"}', b'\xef\xbb\xbf{"name": "a"}'):
        answer = await http.post("/intake/v1/echo", content=body, headers=JSON)
        assert (answer.status_code, answer.json()) == (200, {"name": "a", "amount": 0})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"name": "a"',
        b'{"name": "a", "amount": NaN}',
        b'{"name": "a", "amount": 1e999}',
        b'{"name": "a", "name": "b"}',
        b'{"name": "\\ud800"}',
        b'{"\\ud800": 1, "\\ud800": 1}',
        b'{"name": "\xff"}',
        '{"name": "大台村"}'.encode("gbk"),
        '{"name": "a"}'.encode("utf-16"),
        b'{"name": ' + b"[" * 800 + b"]" * 800 + b"}",
    ],
    ids=lambda body: repr(body)[:30],
)
async def test_what_is_not_json_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    is_problem(await http.post("/intake/v1/echo", content=body, headers=JSON), 400, "invalid_json")


async def test_nesting_of_a_hundred_thousand_is_refused_where_bodies_may_be_long(http: httpx.AsyncClient) -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    answer = await http.post("/intake/v1/events", content=body, headers=JSON)
    assert answer.status_code in {401, 404, 413}
    is_problem(await http.post("/intake/v1/lists", content=body[:1990], headers=JSON), 400, "invalid_json")


@pytest.mark.parametrize(
    ("body", "where", "code"),
    [
        ({"amount": 1}, "body/name", "missing"),
        ({"name": "a", "risk_level": "red"}, "body/risk_level", "extra_forbidden"),
        ({"name": None}, "body/name", "string_type"),
        ({"name": 5}, "body/name", "string_type"),
        ({"name": "a", "amount": -1}, "body/amount", "greater_than_equal"),
        ({"name": "a", "amount": True}, "body/amount", "int_type"),
        ({"name": "a\x00"}, "body/name", "control_character"),
        ([{"name": "a"}], "body", "model_attributes_type"),
    ],
)
async def test_each_mistake_is_named_with_its_place(
    http: httpx.AsyncClient, body: Any, where: str, code: str
) -> None:
    problem = is_problem(await http.post("/intake/v1/echo", json=body), 422, "validation_failed")
    assert [(one["where"], one["code"]) for one in problem["errors"]] == [(where, code)]
    assert re.search("[\u4e00-\u9fff]", problem["errors"][0]["message"])


async def test_null_is_no_body(http: httpx.AsyncClient) -> None:
    assert (await http.post("/intake/v1/echo", content=b"null", headers=JSON)).status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/xml", "json"])
async def test_another_media_type_is_refused(http: httpx.AsyncClient, kind: str) -> None:
    answer = await http.post("/intake/v1/echo", content=b'{"name": "a"}', headers={"content-type": kind})
    is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
async def test_all_names_of_json_are_taken(http: httpx.AsyncClient, kind: str) -> None:
    answer = await http.post("/intake/v1/echo", content=b'{"name": "a"}', headers={"content-type": kind})
    assert answer.status_code == 200


async def test_an_unknown_parameter_is_refused(http: httpx.AsyncClient) -> None:
    problem = is_problem(await http.get("/intake/v1/search", params={"village": "1"}), 422, "unknown_parameter")
    assert problem["errors"][0]["where"] == "query/village"
    assert problem["errors"][0]["expected"] == "cursor、limit、type"
    assert (await http.get("/intake/v1/search", params={"type": "x", "limit": 5})).json() == "x"
    is_problem(await http.get("/intake/v1/search", params={"kind": "x"}), 422, "unknown_parameter")


async def test_a_model_of_filters_knows_its_fields(http: httpx.AsyncClient) -> None:
    assert (await http.get("/intake/v1/filtered", params={"village": "x"})).json() == {"village": "x"}
    is_problem(await http.get("/intake/v1/filtered", params={"chosen": "x"}), 422, "unknown_parameter")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", ""])
async def test_a_page_has_between_one_and_two_hundred_items(http: httpx.AsyncClient, limit: str) -> None:
    is_problem(await http.get("/intake/v1/search", params={"limit": limit}), 422, "validation_failed")


async def test_a_body_declared_too_large_is_refused_unread(http: httpx.AsyncClient) -> None:
    is_problem(await http.post("/intake/v1/echo", content=b"x" * 2001, headers=JSON), 413, "body_too_large")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/intake/v1/echo", "application/json"),
        ("/intake/v1/raw", "text/csv"),
        ("/oauth2/token", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_turns_out_too_large_is_refused_early(
    http: httpx.AsyncClient, path: str, kind: str
) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"a" * 1000

    answer = await http.post(path, content=chunks(), headers={"content-type": kind})
    is_problem(answer, 413, "body_too_large")
    assert sent < 20


async def test_a_path_may_have_a_limit_of_its_own(http: httpx.AsyncClient) -> None:
    assert (await http.post("/intake/v1/raw", content=b"x" * 5000)).json() == 5000
    is_problem(await http.post("/intake/v1/raw", content=b"x" * 5001), 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/intake/v1/echo", 405, "method_not_allowed"),
        ("DELETE", "/intake/v1/search", 405, "method_not_allowed"),
        ("GET", "/intake/v1/me", 401, "token_refused"),
        ("GET", "/intake/v1/fail/missing", 404, "not_found"),
        ("GET", "/intake/v1/fail/mistake", 500, "internal_error"),
        ("GET", "/intake/v1/fail/unique", 500, "internal_error"),
        ("GET", "/intake/v1/fail/rls", 403, "out_of_range"),
        ("GET", "/intake/v1/fail/text", 400, "value_not_storable"),
        ("GET", "/intake/v1/fail/range", 400, "value_not_storable"),
        *(
            ("GET", f"/intake/v1/fail/{kind}", 503, "database_unavailable")
            for kind in (
                "timeout",
                "refused",
                "interface",
                "gone",
                "full",
                "deadlock",
                "serial",
                "lock",
                "disk",
                "pool",
            )
        ),
    ],
)
async def test_every_error_is_a_problem_with_the_usual_headers(
    http: httpx.AsyncClient, logged: io.StringIO, method: str, path: str, status: int, code: str
) -> None:
    answer = await http.request(method, path)
    body = is_problem(answer, status, code)
    assert CANARY not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "Traceback" not in answer.text
    assert body["instance"] == path


async def test_a_mistake_is_logged_with_its_request_id_and_without_numbers(
    http: httpx.AsyncClient, logged: io.StringIO
) -> None:
    await http.get("/intake/v1/fail/mistake", headers={"x-request-id": "find-me"})
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    (failed,) = [line for line in lines if line["event"] == "request.failed"]
    assert (failed["request_id"], failed["error"]) == ("find-me", "ZeroDivisionError")
    assert "Traceback" in failed["exception"]
    assert CANARY not in logged.getvalue()


async def test_a_number_given_anywhere_is_in_no_answer_and_no_log(
    http: httpx.AsyncClient, logged: io.StringIO
) -> None:
    spaced = f"{CANARY[:6]} {CANARY[6:14]} {CANARY[14:]}"
    requests = [
        await http.get(f"/intake/v1/people/{CANARY}", headers={"x-request-id": CANARY}),
        await http.get(f"/intake/v1/people/{CANARY}12"),
        await http.get(f"/intake/v1/people/{PHONE}"),
        await http.get(f"/intake/v1/people/{spaced}"),
        await http.get(f"/nowhere/{CANARY}"),
        await http.get("/intake/v1/search", params={CANARY: CANARY, "limit": CANARY}),
        await http.get("/intake/v1/search", params={"limit": CANARY, "cursor": CANARY}),
        await http.post("/intake/v1/echo", json={CANARY: CANARY, "name": int(CANARY)}),
        await http.post("/intake/v1/echo", content=f'{{"{CANARY}": 1, "{CANARY}": 1}}'.encode(), headers=JSON),
        await http.post("/intake/v1/echo", content=b"{}", headers={"content-type": CANARY}),
        await http.get("/intake/v1/me", headers={"Authorization": f"Bearer {CANARY}"}),
    ]
    text = "".join(answer.text for answer in requests) + logged.getvalue()
    assert [number for number in (CANARY, PHONE, spaced, CANARY[-8:]) if number in text] == []


async def test_metrics_count_by_route_and_never_by_what_was_asked(
    http: httpx.AsyncClient, logged: io.StringIO
) -> None:
    await http.get("/intake/v1/people/somebody-in-particular")
    await http.get("/nowhere/somebody-in-particular")
    await http.request("SOMEBODY-IN-PARTICULAR", "/intake/v1/search")
    text = generate_latest().decode()
    assert "in-particular" not in text.lower()
    assert 'route="/intake/v1/people/{name}"' in text
    assert 'route="unmatched"' in text


async def test_the_request_log_names_the_route_and_not_the_path(http: httpx.AsyncClient, logged: io.StringIO) -> None:
    await http.get("/intake/v1/people/somebody", headers={"x-request-id": "one"})
    line = next(one for one in map(json.loads, logged.getvalue().splitlines()) if one["event"] == "request")
    assert (line["route"], line["method"], line["status"]) == ("/intake/v1/people/{name}", "GET", 404)
    assert (line["request_id"], line["service"]) == ("one", "intake")


async def test_the_ids_of_a_request_go_in_and_out(http: httpx.AsyncClient) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = await http.get("/intake/v1/context", headers={"x-request-id": "my.id-1", "traceparent": trace})
    assert answer.json() == {"request_id": "my.id-1", "traceparent": trace}
    assert answer.headers["x-request-id"] == "my.id-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "号", "<script>"])
async def test_strange_ids_are_replaced(http: httpx.AsyncClient, given: str) -> None:
    headers = [(b"x-request-id", given.encode()), (b"traceparent", given.encode())]
    answer = await http.get("/intake/v1/context", headers=headers)
    found = RequestContext(**answer.json())
    assert found.request_id == answer.headers["x-request-id"] != given
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", found.traceparent)


async def test_no_answer_may_be_kept(http: httpx.AsyncClient) -> None:
    for path in ("/livez", "/intake/v1/search", "/nowhere", "/intake/openapi.json"):
        answer = await http.get(path)
        assert answer.headers.get_list("cache-control") == ["no-store"]


async def test_a_caller_needs_a_token_and_the_scope(app: FastAPI, http: httpx.AsyncClient) -> None:
    refused = await http.get("/intake/v1/me")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert (await http.get("/intake/v1/me", headers=bearer(app))).json() == "tester"
    is_problem(await http.get("/intake/v1/admin", headers=bearer(app, "alerts:read")), 403, "scope_missing")
    assert (await http.get("/intake/v1/admin", headers=bearer(app))).json() == "in"


@pytest.mark.parametrize("given", ["Basic eDp5", "Bearer", "Bearer ", "token", "Bearer a b", "bearer \x7f"])
async def test_a_malformed_authorization_is_refused(http: httpx.AsyncClient, given: str) -> None:
    is_problem(await http.get("/intake/v1/me", headers={"Authorization": given}), 401, "token_refused")


async def test_life_touches_nothing(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez")).json() == {"status": "alive", "service": "intake"}


async def test_the_description_is_served_and_names_every_problem(app: FastAPI, http: httpx.AsyncClient) -> None:
    described = (await http.get("/intake/openapi.json")).json()
    answers = described["paths"]["/intake/v1/echo"]["post"]["responses"]
    assert {"200", "400", "401", "413", "422", "503"} <= answers.keys()
    assert "application/problem+json" in answers["400"]["content"]
    assert "ProblemDocument" in described["components"]["schemas"]


def test_an_error_of_the_database_wrapped_by_sqlalchemy_means_the_same() -> None:
    cause = asyncpg.InsufficientPrivilegeError("x")
    middle = Exception()
    middle.__cause__ = cause
    wrapped = sqlalchemy.exc.DBAPIError("SELECT 1", {}, middle)
    assert isinstance(of_database(wrapped), OutOfRangeRow)
    assert of_database(sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception())) is None
