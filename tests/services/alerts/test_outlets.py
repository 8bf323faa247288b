"""Outlets: a receiver that is away is asked, not hammered; a limit is kept; nobody waits behind somebody else."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.alerts.outlets import deliver_all, put, queue_up
from tests.services.alerts.places import COUNTY, VILLAGE, risk
from tests.services.alerts.receiver import HttpReceiver, body_of, http_receiver

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
Enlist = Callable[..., Any]
ROBOT_OK = body_of('{"errcode": 0, "errmsg": "ok"}')


@pytest.fixture
def headers(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


async def pass_seconds(runtime: Runtime, clock: FixedClock, seconds: int) -> int:
    """Let the worker run each second for so long; how much it tried."""
    tried = 0
    for _ in range(seconds):
        # On a busy machine one turn may end before all that is due is through.
        while done := await deliver_all(runtime):
            tried += done
        tried += await deliver_all(runtime, sick=True)
        clock.at += timedelta(seconds=1)
    return tried


async def states(rows: Rows) -> Counter[str]:
    return Counter(row["state"] for row in await rows("delivery"))


async def test_an_outage_is_probed_and_its_backlog_is_gone_soon_after(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("500 Oops") as receiver:
        made = await put(alerts_client, headers, channel="webhook", address=receiver.url)
        await queue_up(admin, made["endpoint_id"], 600, alerts_runtime)
        await pass_seconds(alerts_runtime, clock, 20)
        assert 3 <= len(receiver.received) <= 20, "of fifty that are allowed"
        assert (await states(rows))["due"] == 600
        (listed,) = (await alerts_client.get("/alerts/v1/endpoints", headers=headers)).json()["items"]
        assert listed["breaker"] == "open"
        receiver.answers = ["200 OK"]
        await pass_seconds(alerts_runtime, clock, 7)
    assert await states(rows) == {"delivered": 600}
    assert len({one.message_id for one in receiver.received}) == 600
    (listed,) = (await alerts_client.get("/alerts/v1/endpoints", headers=headers)).json()["items"]
    assert (listed["breaker"], listed["failures"]) == ("closed", 0)


async def test_two_workers_share_one_breaker(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    clock: FixedClock,
) -> None:
    async with http_receiver("503 Away") as receiver:
        made = await put(alerts_client, headers, channel="webhook", address=receiver.url)
        await queue_up(admin, made["endpoint_id"], 600, alerts_runtime)
        for _ in range(20):
            await asyncio.gather(
                *(deliver_all(alerts_runtime, sick=sick) for sick in (False, True) for _worker in range(2))
            )
            clock.at += timedelta(seconds=1)
    assert len(receiver.received) <= 30, "of fifty that are allowed"


async def test_who_works_does_not_wait_behind_who_hangs(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("hang") as hanging, http_receiver() as working:
        away = await put(alerts_client, headers, channel="webhook", address=hanging.url)
        there = await put(alerts_client, headers, channel="webhook", address=working.url, division=VILLAGE)
        await queue_up(admin, away["endpoint_id"], 100, alerts_runtime, key="a")
        await queue_up(admin, there["endpoint_id"], 60, alerts_runtime, key="b")
        turn = asyncio.create_task(deliver_all(alerts_runtime, read=60))
        while len(working.received) < 60:
            await asyncio.sleep(0.05)
            assert not turn.done()
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
    assert len(hanging.received) <= 8


async def test_a_suppliers_limit_blocks_its_robot_only(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    rows: Rows,
    clock: FixedClock,
) -> None:
    limited = body_of('{"errcode": 410100, "errmsg": "too fast"}')
    async with http_receiver(limited, ROBOT_OK) as receiver:
        robot = {"channel": "dingtalk", "address": receiver.url, "robot_secret": "SEC-of-a-test"}
        made = await put(alerts_client, headers, **robot, per_minute=600, burst=20)
        await queue_up(admin, made["endpoint_id"], 1, alerts_runtime)
        assert await deliver_all(alerts_runtime) == 1
        await queue_up(admin, made["endpoint_id"], 1, alerts_runtime, key="later")
        await pass_seconds(alerts_runtime, clock, 3)
        assert len(receiver.received) == 1
        (listed,) = (await alerts_client.get("/alerts/v1/endpoints", headers=headers)).json()["items"]
        assert (listed["breaker"], listed["failures"]) == ("blocked", 0)
        clock.at += timedelta(minutes=10)
        assert await deliver_all(alerts_runtime) == 2
    assert await states(rows) == {"delivered": 2}


async def test_a_robot_gets_no_more_than_it_takes(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    clock: FixedClock,
) -> None:
    async with http_receiver(ROBOT_OK) as receiver:
        made = await put(alerts_client, headers, channel="wecom", address=receiver.url)
        assert (made["per_minute"], made["burst"]) == (18, 2)
        await queue_up(admin, made["endpoint_id"], 100, alerts_runtime)
        sent = []
        for _ in range(24):
            before = len(receiver.received)
            await asyncio.gather(deliver_all(alerts_runtime), deliver_all(alerts_runtime))
            sent.append(len(receiver.received) - before)
            clock.at += timedelta(seconds=5)
    assert max(sum(sent[i : i + 12]) for i in range(len(sent))) <= 20
    assert sum(sent) >= 36


async def test_many_phones_behind_one_dead_gateway_count_as_one(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    enlist: Enlist,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("502 Bad Gateway") as receiver:
        await put_gateway(alerts_client, headers, receiver)
        for i in range(12):
            await enlist((f"S{i}", "village_secretary", VILLAGE))
            made = await put(alerts_client, headers, channel="sms", address=f"1990000000{i % 10}", officer_no=f"S{i}")
            await queue_up(admin, made["endpoint_id"], 10, alerts_runtime, key=f"{i}-")
        await pass_seconds(alerts_runtime, clock, 12)
        assert len(receiver.received) <= 12
        receiver.answers = [body_of('{"code": "0", "id": "m"}')]
        await pass_seconds(alerts_runtime, clock, 7)
    assert await states(rows) == {"delivered": 120}


GATEWAY = {
    "division": COUNTY,
    "name": "县短信平台",
    "secret": "gateway-key",
    "receipt_secret": "receipt-key-of-a-test",
    "mapping": {
        "send": {
            "url": "http://127.0.0.1/",
            "body": '{"to": "{{ phone }}", "text": "{{ text }}", "seq": "{{ id }}", "key": "{{ secret }}"}',
        },
        "answer": {"code_at": "code", "id_at": "id", "ok": ["0"], "fix": ["7"], "bad_number": ["8"]},
        "receipt": {
            "proof": "header",
            "items_at": "reports",
            "our_id_at": "seq",
            "supplier_id_at": "id",
            "state_at": "state",
            "arrived": ["DELIVRD"],
            "pending": ["WAIT"],
        },
    },
}


async def put_gateway(
    client: httpx.AsyncClient, headers: dict[str, str], receiver: HttpReceiver, **mapping: Any
) -> dict[str, Any]:
    body = json.loads(json.dumps(GATEWAY))
    body["mapping"] |= mapping
    body["mapping"]["send"]["url"] = receiver.url
    if "inquiry" in mapping:
        body["mapping"]["inquiry"]["url"] = receiver.url
    answer = await client.put("/alerts/v1/sms-gateways", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def phone(client: httpx.AsyncClient, headers: dict[str, str], enlist: Enlist, **more: Any) -> dict[str, Any]:
    """The secretary's phone."""
    await enlist(("S1", "village_secretary", VILLAGE), ("C1", "county_admin", COUNTY))
    return await put(client, headers, channel="sms", address="19900000001", officer_no="S1", **more)


async def die_over_it(admin: asyncpg.Connection, runtime: Runtime) -> None:
    """Leave what is due as a worker leaves it that was killed while it sent."""
    await admin.execute(
        "UPDATE alerts.delivery SET lease_token = gen_random_uuid(), attempts = attempts + 1,"
        " lease_until = clock_timestamp() - interval '1 second' WHERE state = 'due'"
    )


INQUIRY = {
    "url": "x",
    "body": '{"ask": "{{ id }}"}',
    "state_at": "code",
    "sent": ["0"],
    "failed": ["2"],
    "unknown": ["1"],
}


@pytest.mark.parametrize(
    ("answers", "state", "asked", "sent"),
    [
        (['{"code": "0"}'], "delivered", 1, 0),
        (['{"code": "1"}', '{"code": "0", "id": "m"}'], "delivered", 1, 1),
        (['{"code": "2"}'], "dead", 1, 0),
    ],
)
async def test_an_sms_that_may_have_been_sent_is_asked_for_first(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    enlist: Enlist,
    rows: Rows,
    answers: list[str],
    state: str,
    asked: int,
    sent: int,
) -> None:
    async with http_receiver(*map(body_of, answers)) as receiver:
        await put_gateway(alerts_client, headers, receiver, inquiry=INQUIRY)
        made = await phone(alerts_client, headers, enlist)
        await queue_up(admin, made["endpoint_id"], 1, alerts_runtime)
        await die_over_it(admin, alerts_runtime)
        await deliver_all(alerts_runtime)
    bodies = [json.loads(one.body) for one in receiver.received]
    assert (sum("ask" in one for one in bodies), sum("seq" in one for one in bodies)) == (asked, sent)
    assert await states(rows) == {state: 1}


async def test_where_nobody_can_be_asked_a_receipt_is_waited_for_and_then_it_is_sent_again(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    enlist: Enlist,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver(body_of('{"code": "0", "id": "m"}')) as receiver:
        await put_gateway(alerts_client, headers, receiver)
        made = await phone(alerts_client, headers, enlist)
        await queue_up(admin, made["endpoint_id"], 1, alerts_runtime)
        await die_over_it(admin, alerts_runtime)
        await deliver_all(alerts_runtime)
        assert (await states(rows), receiver.received) == ({"uncertain": 1}, [])
        clock.at += timedelta(minutes=10)
        await deliver_all(alerts_runtime)
    (delivery,) = await rows("delivery")
    assert (delivery["state"], len(receiver.received), delivery["supplier_id"]) == ("delivered", 1, "m")
    tries = await rows("delivery_attempt", "true ORDER BY attempt")
    assert [row["outcome"] for row in tries] == ["asked", "asked", "ok"]


async def test_an_empty_account_pauses_the_gateway_tells_the_county_and_takes_the_next_channel(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    tell: Tell,
    enlist: Enlist,
    rows: Rows,
) -> None:
    async with http_receiver(body_of('{"code": "7"}')) as receiver, http_receiver() as hook:
        await put_gateway(alerts_client, headers, receiver)
        made = await phone(alerts_client, headers, enlist, rank=1)
        await put(alerts_client, headers, channel="webhook", address=hook.url, officer_no="S1")
        await tell(risk(1))
        await deliver_all(alerts_runtime)
        assert (len(receiver.received), len(hook.received)) == (1, 1)
        (sms,) = await rows("delivery", "channel = 'sms'")
        assert (sms["state"], sms["outcome"]) == ("due", "fix")
        assert [row["state"] for row in await rows("endpoint")] == ["active", "active"]
        assert len(await rows("inbox_item", "officer_no = 'C1' AND title = '通知平台异常'")) == 1
        # Mended: what waited goes at once.
        receiver.answers = [body_of('{"code": "0", "id": "m"}')]
        await put_gateway(alerts_client, headers, receiver)
        await deliver_all(alerts_runtime)
    assert made["channel"] == "sms"
    assert await states(rows) == {"delivered": 2}


async def test_of_a_persons_channels_one_is_used_and_the_next_when_it_fails(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
) -> None:
    async with http_receiver(body_of('{"errcode": 93000}')) as robot, http_receiver() as hook:
        await put(alerts_client, headers, channel="webhook", address=hook.url, officer_no="S1")
        await put(alerts_client, headers, channel="wecom", address=robot.url, officer_no="S1")
        await tell(risk(1))
        assert [row["channel"] for row in await rows("delivery")] == ["wecom"]
        await deliver_all(alerts_runtime)
    found = {row["channel"]: row["state"] for row in await rows("delivery")}
    assert found == {"wecom": "dead", "webhook": "delivered"}
    assert len(hook.received) == 1


async def test_an_urgent_message_that_fails_twice_takes_the_next_channel_too(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("500 Oops") as robot, http_receiver() as hook:
        await put(alerts_client, headers, channel="wecom", address=robot.url, officer_no="S1")
        await put(alerts_client, headers, channel="webhook", address=hook.url, officer_no="S1")
        await tell(risk(1, severity="red"))
        await deliver_all(alerts_runtime)
        assert hook.received == []
        clock.at += timedelta(seconds=6)
        await deliver_all(alerts_runtime)
        await deliver_all(alerts_runtime)
        assert len(hook.received) == 1
        clock.at += timedelta(days=2)
        await deliver_all(alerts_runtime)
        await deliver_all(alerts_runtime, sick=True)
        assert len(hook.received) == 1
    found = {row["channel"]: row["state"] for row in await rows("delivery")}
    assert found == {"wecom": "due", "webhook": "delivered"}


async def test_an_urgent_message_behind_an_open_breaker_takes_the_next_channel_unsent(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("500 Oops") as away, http_receiver() as hook:
        made = await put(alerts_client, headers, channel="webhook", address=away.url, officer_no="S1", rank=1)
        await put(alerts_client, headers, channel="webhook", address=hook.url, officer_no="S1")
        await queue_up(admin, made["endpoint_id"], 30, alerts_runtime, priority=0)
        await pass_seconds(alerts_runtime, clock, 2)
    assert len(away.received) < 30
    assert len(hook.received) == 30


async def test_a_poisonous_message_stops_nobody_else(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    rows: Rows,
) -> None:
    """What one message stumbles over in the program is its own failure, and is written down."""
    async with http_receiver() as receiver:
        made = await put(alerts_client, headers, channel="webhook", address=receiver.url)
        await queue_up(admin, made["endpoint_id"], 5, alerts_runtime)
        await admin.execute(
            "UPDATE alerts.delivery SET message = message || '{\"place\": 5}' WHERE delivery_id ="
            " (SELECT min(delivery_id::text)::uuid FROM alerts.delivery)"
        )
        await deliver_all(alerts_runtime)
    assert await states(rows) == {"delivered": 4, "due": 1}
    assert len(receiver.received) == 4
