"""Departments' interfaces are asked page by page, signed, within bounds; what they have becomes a feed."""

import asyncio
import base64
import hmac
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from services.intake.pull_feed import pull_once
from shared.db.scope import scoped
from tests.conftest import COUNTY, MORNING
from tests.services.intake.build import Department, medical_row
from tests.services.intake.interface import Answer, Asked, interface, page

Put = Callable[..., Any]


@pytest.fixture
async def runtime(intake_runtime: Any) -> Any:
    """A worker that may ask the loopback."""
    settings = intake_runtime.settings.model_copy(
        update={
            "connector_allowed_hosts": ["127.0.0.1:*"],
            "connector_page_seconds": 2,
            "connector_page_bytes": 200_000,
        }
    )
    intake_runtime.settings = settings
    return intake_runtime


@pytest.fixture
def put(runtime: Any, intake_client: httpx.AsyncClient, bearer: Any) -> Put:
    async def one(at: str, name: str = "settlements", **changes: Any) -> httpx.Response:
        body = {
            "layout": "medical_settlement",
            "division": COUNTY,
            "url": at,
            "dialect": "bearer",
            "secret": "a-token",
            "paging": "number",
            "rows_at": "data.list",
            "page_size": 2,
            "period_param": "month",
            "query": {"kind": "all"},
            "schedule": "30 2 5 * *",
            **changes,
        }
        headers = bearer("county_admin", COUNTY)
        return await intake_client.put(f"/intake/v1/connectors/{name}", json=body, headers=headers)

    return one


async def pull(runtime: Any, admin: Any, house: Any) -> Any:
    """Let the connector be due, ask once, take the feed in; the connector afterwards."""
    await admin.execute("UPDATE intake.connector SET due_at = now() - interval '99 years'")
    assert await pull_once(runtime) == 1
    await house.run_worker("intake", "ingest")
    return await admin.fetchrow("SELECT * FROM intake.connector")


def paged(rows: list[Any], size: int = 2) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        first = (int(asked.query["page"]) - 1) * size
        return page(rows[first : first + size])

    return answer


async def test_all_pages_become_one_feed(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    rows = [medical_row(i) for i in range(5)]
    async with interface(paged(rows)) as department:
        assert (await put(department.url)).status_code == 200
        row = await pull(runtime, admin, house)
    assert [one.query for one in department.asked] == [
        {"kind": "all", "month": "2026-02", "page": str(n), "size": "2"} for n in (1, 2, 3)
    ]
    assert {one.headers["authorization"] for one in department.asked} == {"Bearer a-token"}
    feed = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", row["last_feed_id"])
    assert (feed["status"], feed["accepted"], feed["period"]) == ("recorded", 5, "2026-02")
    assert feed["client"] == "connector:settlements"
    assert (row["failure"], row["attempts"], row["due_at"]) == (
        None,
        0,
        MORNING.replace(day=5, month=4, hour=2, minute=30),
    )


async def test_the_same_rows_again_change_nothing(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    async with interface(paged([medical_row(i) for i in range(3)])) as department:
        await put(department.url)
        first = await pull(runtime, admin, house)
        again = await pull(runtime, admin, house)
    assert first["last_feed_id"] == again["last_feed_id"]


async def test_a_cursor_leads_to_the_end(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    pages = {None: ([medical_row(0)], "c1"), "c1": ([medical_row(1)], "c2"), "c2": ([medical_row(2)], "")}

    def answer(asked: Asked) -> Answer:
        rows, cursor = pages[asked.query.get("after")]
        return page(rows, meta={"next": cursor})

    async with interface(answer) as department:
        await put(department.url, paging="cursor", page_param="after", cursor_at="meta.next")
        row = await pull(runtime, admin, house)
    assert [one.query.get("after") for one in department.asked] == [None, "c1", "c2"]
    assert await admin.fetchval("SELECT accepted FROM intake.feed WHERE feed_id = $1", row["last_feed_id"]) == 3


async def test_a_gateway_is_given_its_signature(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    async with interface(paged([medical_row(0)])) as department:
        await put(department.url, dialect="gateway_hmac", client_id="fp-01", secret="gateway-key")
        await pull(runtime, admin, house)
    headers = department.asked[0].headers
    at_ms, nonce = headers["x-timestamp"], headers["x-nonce"]
    signature = hmac.digest(b"gateway-key", f"fp-01{at_ms}{nonce}".encode(), "sha256")
    assert headers["x-signature"] == base64.b64encode(signature).decode()
    assert int(at_ms) == int(MORNING.timestamp() * 1000)


async def test_the_exchange_platform_is_given_its_signature(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    async with interface(paged([medical_row(0)])) as department:
        await put(department.url, dialect="exchange_hmac", client_id="rid9/sid7", secret="key")
        await pull(runtime, admin, house)
    headers = department.asked[0].headers
    expected = hmac.digest(b"key", f"sid7rid9{headers['gjgxjhpt_rtime']}".encode(), "sha256")
    assert (headers["gjgxjhpt_rid"], headers["gjgxjhpt_sid"]) == ("rid9", "sid7")
    assert headers["gjgxjhpt_sign"] == base64.b64encode(expected).decode()


FULL = [medical_row(0), medical_row(1)]
FAILURES = {
    "401": (Answer(b"", "401 Unauthorized"), "not_authorised", False),
    "404": (Answer(b"", "404 Not Found"), "refused", False),
    "redirect": (Answer(b"", "302 Found", "location: http://169.254.169.254/\r\n"), "refused", False),
    "429": (Answer(b"", "429 Too Many Requests", "retry-after: 1800\r\n"), "busy", True),
    "503": (Answer(b"", "503 Service Unavailable"), "busy", True),
    "not JSON": (Answer(b"<html>"), "answer_unreadable", True),
    "depth": (Answer(b"[" * 100_000), "answer_unreadable", True),
    "no rows": (Answer(b'{"data": {}}'), "answer_unreadable", False),
    "rows are no objects": (page([1, 2]), "answer_unreadable", False),
    "the same page for ever": (page(FULL), "pages_repeat", False),
    "a page too large": (Answer(b" " * 200_001), "page_too_large", False),
    "hangs": (Answer(None), "unreachable", True),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_stores_nothing_and_is_tried_again_in_its_time(
    name: str, runtime: Any, put: Put, admin: Any, house: Any
) -> None:
    answer, code, soon = FAILURES[name]
    async with interface(lambda _: answer) as department:
        await put(department.url)
        row = await pull(runtime, admin, house)
    assert row["failure"]["code"] == code
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0
    wait = row["due_at"] - MORNING
    assert (wait < timedelta(hours=1)) == soon
    if name == "429":
        assert wait == timedelta(minutes=30)


async def test_a_failure_on_a_later_page_stores_nothing(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    def answer(asked: Asked) -> Answer:
        return page(FULL) if asked.query["page"] == "1" else Answer(b"", "500 Oops")

    async with interface(answer) as department:
        await put(department.url)
        row = await pull(runtime, admin, house)
    assert row["failure"]["code"] == "busy"
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0


async def test_a_host_that_is_no_longer_listed_is_not_asked(runtime: Any, put: Put, admin: Any, house: Any) -> None:
    async with interface(paged([])) as department:
        await put(department.url)
        runtime.settings = runtime.settings.model_copy(update={"connector_allowed_hosts": []})
        row = await pull(runtime, admin, house)
    assert (row["failure"]["code"], department.asked) == ("host_not_allowed", [])


@pytest.mark.parametrize(("networks", "reached"), [([], False), ([ip_network("127.0.0.0/8")], True)])
async def test_a_listed_name_leads_inside_only_where_that_is_configured(
    networks: list[Any], reached: bool, runtime: Any, put: Put, admin: Any, house: Any
) -> None:
    allowed = {"connector_allowed_hosts": ["localhost:*"], "outbound_private_networks": networks}
    runtime.settings = runtime.settings.model_copy(update=allowed)
    async with interface(paged([medical_row(0)])) as department:
        assert (await put(department.url.replace("127.0.0.1", "localhost"))).status_code == 200
        row = await pull(runtime, admin, house)
    assert bool(department.asked) is reached
    assert (row["failure"] or {}).get("code") == (None if reached else "host_not_allowed")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"url": "http://10.0.0.1/api"}, "body/url"),
        ({"url": "file:///etc/passwd"}, "body/url"),
        ({"schedule": "61 * * * *"}, "body/schedule"),
        ({"schedule": "0 0 30 2 *"}, "body/schedule"),
        ({"secret": None}, "body/secret"),
        ({"page_size": 0}, "body/page_size"),
        ({"rows_at": "data..list"}, "body/rows_at"),
    ],
)
async def test_a_connector_that_cannot_work_is_refused(put: Put, changes: dict[str, Any], where: str) -> None:
    answer = await put("http://127.0.0.1:9/api", **changes)
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [where]


async def test_a_secret_is_sealed_kept_and_never_shown(put: Put, admin: Any, intake_client: Any, bearer: Any) -> None:
    made = await put("http://127.0.0.1:9/api")
    sealed = await admin.fetchval("SELECT sealed_secret FROM intake.connector")
    changed = await put("http://127.0.0.1:9/other", secret=None)
    assert b"a-token" not in sealed
    assert sealed == await admin.fetchval("SELECT sealed_secret FROM intake.connector")
    listed = await intake_client.get("/intake/v1/connectors", headers=bearer("county_admin", COUNTY))
    assert "a-token" not in made.text + changed.text + listed.text
    assert [one["url"] for one in listed.json()["items"]] == ["http://127.0.0.1:9/other"]


async def test_a_name_taken_out_of_range_is_refused_and_left_alone(
    put: Put, runtime: Any, admin: Any, intake_client: Any, bearer: Any
) -> None:
    await put("http://127.0.0.1:9/api")
    await admin.execute("UPDATE intake.connector SET division = '440000000000'")
    answer = await put("http://127.0.0.1:9/api")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "name_taken"
    async with scoped(runtime.pool, COUNTY) as connection:
        assert await connection.fetchval("SELECT count(*) FROM connector") == 0


async def test_asking_at_once(put: Put, admin: Any, intake_client: Any, bearer: Any) -> None:
    await put("http://127.0.0.1:9/api")
    headers = bearer("county_admin", COUNTY)
    answer = await intake_client.post("/intake/v1/connectors/settlements/pull", headers=headers)
    assert answer.status_code == 202
    assert await admin.fetchval("SELECT due_at FROM intake.connector") == MORNING
    missing = await intake_client.post("/intake/v1/connectors/nothing/pull", headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "connector_unknown")


async def test_a_pull_that_lost_its_lease_writes_nothing(
    runtime: Any, put: Put, admin: Any, department: Department
) -> None:
    async def steal() -> None:
        await admin.execute("UPDATE intake.connector SET lease_token = gen_random_uuid()")

    async with interface(paged([medical_row(i) for i in range(5)])) as one:
        await put(one.url)
        await admin.execute("UPDATE intake.connector SET due_at = now() - interval '99 years'")
        plain = one.answer

        def answer(asked: Asked) -> Answer:
            tasks.append(asyncio.ensure_future(steal()))
            return plain(asked)

        tasks: list[Any] = []
        one.answer = answer
        await pull_once(runtime)
        await asyncio.gather(*tasks)
    row = await admin.fetchrow("SELECT succeeded_at, failure FROM intake.connector")
    assert tuple(row) == (None, None)
