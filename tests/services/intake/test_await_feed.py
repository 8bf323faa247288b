"""Up to a thousand rows of JSON are answered in the same call, with what is wrong in each (`Prefer: wait`)."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.intake.await_feed import DEFAULT_SECONDS, MOST_SECONDS, seconds_preferred
from tests.services.intake.build import Department, csv_text, medical_row

FEEDS = "/intake/v1/feeds"
WRONG = medical_row(1, 证件号码="999901196001010011")


def array(*rows: Any) -> str:
    return json.dumps(rows, ensure_ascii=False)


async def ask(
    department: Department, body: str, *, prefer: str = "wait", kind: str = "application/json", **query: str
) -> httpx.Response:
    """Send a file while a worker runs beside."""
    sending = asyncio.create_task(
        department.client.post(
            FEEDS,
            params={"layout": "medical_settlement", **query},
            content=body.encode(),
            headers={**department.headers, "Content-Type": kind, **({"Prefer": prefer} if prefer else {})},
        )
    )
    while not sending.done():
        await department.house.run_worker("intake", "ingest")
        await asyncio.sleep(0.02)
    return await sending


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_rows_and_their_errors_are_answered_in_the_same_call(department: Department, kind: str) -> None:
    rows = [medical_row(0), WRONG, medical_row(2)]
    body = array(*rows) if kind == "application/json" else "\n".join(json.dumps(row) for row in rows)
    answer = await ask(department, body, kind=kind)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait")
    found = answer.json()
    assert answer.headers["Location"] == f"{FEEDS}/{found['id']}"
    assert [(e["line"], e["column"], e["code"]) for e in found["errors"]] == [(2, "证件号码", "wrong_check_digit")]
    assert (found["error_count"], found["repeated"]) == (1, False)
    extra = {"errors", "error_count", "repeated"}
    assert {k: v for k, v in found.items() if k not in extra} == await department.feed(found["id"])


async def test_the_same_rows_again_are_answered_at_once(department: Department) -> None:
    body = array(medical_row(0))
    first, again = [await ask(department, body) for _ in range(2)]
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert again.json()["id"] == first.json()["id"]


async def test_of_which_nothing_was_taken_is_a_problem_with_its_errors(department: Department) -> None:
    for rows, query, code in (
        ([WRONG], {}, "no_good_row"),
        ([medical_row(0), WRONG], {"mode": "atomic"}, "rows_rejected"),
    ):
        answer = await ask(department, array(*rows), **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "feed_rejected")
        assert [e["code"] for e in answer.json()["errors"]] == [code, "wrong_check_digit"]
        assert answer.json()["feed"]["status"] == "rejected"
        assert answer.json()["error_count"] == 1
        assert answer.headers["Location"].startswith(FEEDS)


async def test_a_hundred_errors_of_all_are_shown(department: Department) -> None:
    answer = await ask(department, array(*(medical_row(i, 结算日期="") for i in range(150))))
    assert answer.status_code == 422
    assert (len(answer.json()["errors"]), answer.json()["error_count"]) == (101, 150)


async def test_who_does_not_wait_is_answered_as_ever(department: Department) -> None:
    answer = await ask(department, array(medical_row(0)), prefer="")
    assert (answer.status_code, answer.json()["status"]) == (202, "received")
    assert "Preference-Applied" not in answer.headers


async def test_a_dry_run_is_answered_too(department: Department) -> None:
    answer = await ask(department, array(medical_row(0), WRONG), mode="dry_run")
    assert (answer.status_code, answer.json()["status"], answer.json()["error_count"]) == (200, "checked", 1)


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 202)])
async def test_a_thousand_rows_are_the_most(department: Department, count: int, status: int) -> None:
    answer = await ask(department, array(*(medical_row(i) for i in range(count))))
    assert answer.status_code == status


async def test_when_the_time_is_over_the_receipt_is_the_answer(
    intake_client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = {**bearer(), "Content-Type": "application/json", "Prefer": "wait=1"}
    query = {"layout": "medical_settlement"}
    answer = await intake_client.post(FEEDS, params=query, content=array(medical_row(0)).encode(), headers=headers)
    assert answer.status_code == 202


async def test_a_table_is_not_waited_for(department: Department) -> None:
    answer = await ask(department, csv_text([medical_row(0)]), kind="text/csv")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], 0),
        (["wait"], DEFAULT_SECONDS),
        (["wait=3"], 3),
        (['wait="3"'], 3),
        (["respond-async, WAIT=4; x=1"], 4),
        (["handling=lenient", "wait=5"], 5),
        (["wait=0"], 0),
        (["wait=99999"], MOST_SECONDS),
        (["wait=-1"], 0),
        (["wait=٣"], 0),
        (["waiting"], 0),
    ],
)
def test_preferences_are_read_and_what_is_unknown_ignored(prefer: list[str], seconds: int) -> None:
    assert seconds_preferred(prefer) == seconds
