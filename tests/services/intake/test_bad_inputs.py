"""Every listed bad input through the real interface and worker: its code, never a 5xx, nothing in silence."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from shared.web.problem import ProblemDocument
from tests.services.intake.bad_json import ARRAYS, LINE_BY_LINE, LINES, REPORTS, TABLES, BadBody, name_of
from tests.services.intake.build import Department, medical_row

FEEDS, SELF_REPORTS = "/intake/v1/feeds", "/intake/v1/self-reports"
Bearer = Callable[..., dict[str, str]]


@pytest.mark.parametrize("table", TABLES)
def test_every_line_of_the_list_has_a_case_or_a_reason(table: str) -> None:
    cases, elsewhere, count = TABLES[table]
    assert {case.line for case in cases} | set(elsewhere) == set(range(1, count + 1))
    assert {case.line for case in cases}.isdisjoint(elsewhere)


async def ask(department: Department, body: Any, kind: str, layout: str = "medical_settlement") -> httpx.Response:
    """Send a file and wait for its end, while a worker runs beside."""
    headers = {**department.headers, "Content-Type": kind, "Prefer": "wait"}
    sending = asyncio.create_task(
        department.client.post(FEEDS, params={"layout": layout}, content=body, headers=headers)
    )
    while not sending.done():
        await department.house.run_worker("intake", "ingest")
        await asyncio.sleep(0.01)
    return await sending


def is_problem(answer: httpx.Response, case: BadBody) -> None:
    assert (answer.status_code, answer.json()["code"]) == (case.status, case.code), answer.text
    found = ProblemDocument.model_validate(answer.json())
    assert case.says in found.detail
    if case.why:
        assert found.errors[0].code == case.why


@pytest.mark.parametrize("case", [*ARRAYS, *LINE_BY_LINE], ids=name_of)
async def test_a_feed_of_json(department: Department, admin: Any, case: BadBody) -> None:
    answer = await ask(department, case.body, case.kind, case.layout)
    if case.status != 200:
        is_problem(answer, case)
        kept = await admin.fetchval("SELECT count(*) FROM intake.feed WHERE status <> 'rejected'")
        assert kept == 0
        return
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [(e["line"], e["code"]) for e in found["errors"] if e["level"] == "error"] == list(case.refused)
    assert found["counts"]["accepted"] == case.taken
    assert found["counts"]["rejected"] == len(case.refused)
    assert found["status"] == "recorded"


@pytest.mark.parametrize("case", REPORTS, ids=name_of)
async def test_a_self_report(intake_client: httpx.AsyncClient, bearer: Bearer, admin: Any, case: BadBody) -> None:
    headers = {**bearer(), "Content-Type": case.kind, "Idempotency-Key": "k1"}
    answer = await intake_client.post(SELF_REPORTS, content=case.body, headers=headers)
    if case.status == 202:
        assert answer.status_code == 202, answer.text
    else:
        is_problem(answer, case)
    stored = await admin.fetchval("SELECT count(*) FROM intake.self_report")
    assert stored == (case.status == 202)


async def test_what_was_changed_in_a_value_is_said(department: Department) -> None:
    body = "[" + ",".join(c.body.decode()[1:-1] for c in ARRAYS if c.line in (32, 34)) + "]"
    found = (await ask(department, body.encode(), "application/json")).json()
    assert ("合规自付", "width") in {(n["column"], n["code"]) for n in found["report"]["notes"]}


async def test_an_instant_is_the_day_it_is_in_china(department: Department, said: Any) -> None:
    case = next(c for c in LINE_BY_LINE if c.line == 28)
    found = (await ask(department, case.body, LINES)).json()
    assert [n["code"] for n in found["report"]["notes"]] == ["time_dropped", "zone"]
    assert (await said())[0][1]["observations"][0]["occurred_on"] == "2026-01-06"


async def test_no_line_end_in_100_mib_is_refused_early(department: Department, admin: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 200:
            sent += 1
            yield b"x" * 2**20

    answer = await ask(department, endless(), LINES)
    assert (answer.status_code, answer.json()["code"]) == (413, "line_endless")
    assert sent < 110
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0


async def test_a_body_that_breaks_off_stores_nothing(department: Department, house: Any, admin: Any) -> None:
    messages = [
        {"type": "http.request", "body": b'{"a": ', "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answered.append(message)

    headers = {**department.headers, "Content-Type": LINES, "Content-Length": "1000", "Host": "house"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": FEEDS,
        "raw_path": FEEDS.encode(),
        "query_string": b"layout=medical_settlement",
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("house", 80),
    }
    await house(scope, receive, send)
    assert all(message.get("status", 0) < 500 for message in answered)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0


async def test_two_uploads_at_once_are_one_feed(department: Department, said: Any) -> None:
    body = json.dumps(medical_row(0), ensure_ascii=False)
    answers = await asyncio.gather(*(department.post("medical_settlement", body, media_type=LINES) for _ in range(2)))
    assert sorted(a.status_code for a in answers) == [200, 202]
    assert len({a.json()["id"] for a in answers}) == 1
    await department.house.run_worker("intake", "ingest")
    assert len(await said()) == 1
