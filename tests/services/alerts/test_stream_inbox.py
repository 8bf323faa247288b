"""The live stream over a real socket: what was missed is replayed, what comes is pushed, nothing of others."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from services.alerts.stream_inbox import Bell
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.places import COUNTY, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
async def url(house: House, cadres: None) -> AsyncIterator[str]:
    """The house behind a real server."""
    config = uvicorn.Config(house, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/alerts/v1/inbox/stream"
    server.should_exit = True
    await serving


@asynccontextmanager
async def listening(url: str, headers: dict[str, str], **more: str) -> AsyncIterator[AsyncIterator[tuple[int, Any]]]:
    """The events of a stream as (id, data)."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=5) as client,
        client.stream("GET", url, headers={**headers, **more}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[int, Any]]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line:
            if "data" in fields:
                yield int(fields["id"]), json.loads(fields["data"])
            fields = {}


async def test_what_was_missed_is_replayed_in_order(url: str, tell: Tell, bearer: Bearer) -> None:
    await tell(*(risk(n) for n in range(5)))
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    async with listening(url, headers, **{"Last-Event-ID": "2"}) as events:
        seen = [await asyncio.wait_for(anext(events), 2) for _ in range(3)]
    assert [number for number, _ in seen] == [3, 4, 5]
    assert all(data["item_no"] == number and "张建国" in data["body"] for number, data in seen)


async def test_what_comes_is_pushed_and_others_hear_nothing(url: str, tell: Tell, bearer: Bearer) -> None:
    mine = bearer("village_secretary", VILLAGE, officer_no="S1")
    other = bearer("village_secretary", VILLAGE, officer_no="S2")
    async with listening(url, mine) as events, listening(url, other) as silence:
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await tell(risk())
        number, _ = await asyncio.wait_for(anext(events), 2)
        # Woken by NOTIFY, well before the poll of one second.
        assert asyncio.get_running_loop().time() - began < 0.9
        assert number == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(silence), 0.3)


async def test_a_liaison_hears_of_his_tasks_live_and_again(
    url: str, tell: Tell, bearer: Bearer, enlist: Callable[..., Any], alerts_client: httpx.AsyncClient, rows: Rows
) -> None:
    await enlist(("L1", "liaison", COUNTY), department="水利局")
    await tell(risk(1), risk(2))
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    liaison = bearer("liaison", COUNTY, officer_no="L1", department="水利局")
    async with listening(url, liaison) as events:
        await asyncio.sleep(0.1)
        for alert in await rows("alert"):
            visit = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}
            body = {"outcome": "data_wrong", "contact": visit, "needs": ["water"]}
            path = f"/alerts/v1/alerts/{alert['alert_id']}/verification"
            assert (await alerts_client.post(path, json=body, headers=secretary)).status_code == 200
        live = [await asyncio.wait_for(anext(events), 2) for _ in range(2)]
    async with listening(url, liaison, **{"Last-Event-ID": "1"}) as events:
        replayed = await asyncio.wait_for(anext(events), 2)
    assert [number for number, _ in live] == [1, 2]
    assert replayed == live[1]
    assert (replayed[1]["matter"], replayed[1]["alert_id"]) == ("task", None)
    assert "张" not in replayed[1]["body"]


async def test_a_bad_last_event_id_is_a_problem_document(url: str, bearer: Bearer) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, headers={**headers, "Last-Event-ID": "x"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_the_bell_rings_and_lets_go(alerts_runtime: Runtime) -> None:
    bell = Bell()
    async with bell.listening(alerts_runtime), bell.listening(alerts_runtime):
        waiting = asyncio.create_task(bell.wait(2))
        await asyncio.sleep(0)
        alerts_runtime.waker.wake("inbox")
        await asyncio.wait_for(waiting, 1)
        assert bell._connection is not None
    assert bell._connection is None
