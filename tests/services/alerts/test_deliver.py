"""Delivery to real receivers: nothing lost, nothing under a second id, nobody hammered."""

import asyncio
import io
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.console import ConsoleChannel
from services.alerts.channels.post_once import Way
from services.alerts.channels.smtp import SmtpChannel
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.deliver import deliver_due
from services.alerts.domain.delivery import OutcomeClass
from services.alerts.repository_deliveries import claim_deliveries
from services.alerts.settings import AlertsSettings
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.outbound import Outbound
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.web.outbound_transport import OutboundTransport
from tests.conftest import House
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk
from tests.services.alerts.receiver import http_receiver, mail_receiver

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def admin_headers(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


async def subscribe(client: httpx.AsyncClient, headers: dict[str, str], url: str, division: str = TOWNSHIP) -> bytes:
    """Point a division's group at a URL; the signing secret."""
    body = {"channel": "webhook", "address": url, "division": division}
    answer = await client.post("/alerts/v1/endpoints", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return b64decode(answer.json()["secret"].removeprefix("whsec_"))


async def deliver(runtime: Runtime, *, read: float = 0.3) -> int:
    """One round of the worker, with a short patience."""
    async with OutboundTransport(Outbound(["127.0.0.1:*"], plain=True)) as transport:
        way = Way(transport, httpx.Timeout(read, connect=1))
        return await deliver_due(runtime, {"webhook": WebhookChannel(way)})


async def test_a_webhook_is_signed_and_names_nobody(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
) -> None:
    async with http_receiver() as receiver:
        secret = await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk(severity="red"))
        assert await deliver(alerts_runtime) == 1
    (delivery,) = await rows("delivery")
    (received,) = receiver.received
    assert (delivery["state"], received.message_id) == ("delivered", str(delivery["delivery_id"]))
    data = json.loads(received.body)["data"]
    assert (data["count"], data["place"], data["division"]) == (1, "青沿村村民委员会", VILLAGE)
    text = received.body.decode()
    assert not any(word in text for word in ("张", "H1", "199000", "病", "medical", "red", "12345"))
    assert receiver.signed_by(secret)


async def test_500_429_and_a_hang_are_tried_again_under_the_same_id(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
) -> None:
    answers = ("500 Oops", "429 Slow Down\r\nretry-after: 90", "hang", "204 No Content")
    async with http_receiver(*answers) as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk())
        waits = []
        for _ in answers:
            assert await deliver(alerts_runtime) == 1
            assert await deliver(alerts_runtime) == 0
            (delivery,) = await rows("delivery")
            if delivery["due_at"]:
                waits.append((delivery["due_at"] - clock.now()).total_seconds())
                clock.at = delivery["due_at"]
    assert len({one.message_id for one in receiver.received}) == 1
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 4)
    assert 4 <= waits[0] <= 6
    assert waits[1] == 90
    assert 240 <= waits[2] <= 360
    tries = await rows("delivery_attempt")
    outcomes = [("retry", 500), ("limited", 429), ("retry", None), ("ok", 204)]
    assert [(t["outcome"], t["code"]) for t in tries] == outcomes


async def test_a_message_that_failed_often_keeps_nobody_else_out_longer_than_the_receiver_asks(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    admin: asyncpg.Connection,
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("429 Slow Down\r\nretry-after: 90", "204 No Content") as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk(1))
        await admin.execute("UPDATE alerts.delivery SET attempts = 5")
        await deliver(alerts_runtime)
        await tell(risk(2))
        clock.at += timedelta(seconds=89)
        assert await deliver(alerts_runtime) == 0
        clock.at += timedelta(seconds=1)
        assert await deliver(alerts_runtime) == 1
    (often,) = await rows("delivery", "attempts > 5")
    (other,) = await rows("delivery", "attempts = 1")
    assert often["due_at"] > clock.now() + timedelta(hours=1)
    assert other["state"] == "delivered"


@pytest.mark.parametrize(
    ("answer", "state"),
    [("404 Not Found", "broken"), ("302 Found\r\nlocation: http://127.0.0.1:1/", "broken"), ("410 Gone", "disabled")],
)
async def test_a_refusal_stops_the_endpoint_and_tells_the_county(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    answer: str,
    state: str,
) -> None:
    async with http_receiver(answer, "200 OK") as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk(1), risk(2))
        await deliver(alerts_runtime)
        (endpoint,) = await rows("endpoint")
        assert endpoint["state"] == state
        assert len(await rows("inbox_item", "officer_no = 'C1'")) == 1
        assert len(receiver.received) == 2
        await tell(risk(3))
        assert await deliver(alerts_runtime) == 0
        # Mended: what waited dead is sent now.
        body = {"channel": "webhook", "address": receiver.url, "division": TOWNSHIP}
        await alerts_client.post("/alerts/v1/endpoints", json=body, headers=admin_headers)
        await deliver(alerts_runtime)
    assert {row["state"] for row in await rows("delivery")} == {"delivered"}


async def test_a_crash_between_sending_and_recording_repeats_the_same_id(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    admin: asyncpg.Connection,
) -> None:
    async with http_receiver() as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk())
        taken = await _die_over_it(alerts_runtime)
        assert len(taken) == 1
        assert await deliver(alerts_runtime) == 0
        await admin.execute("UPDATE alerts.delivery SET lease_until = clock_timestamp() - interval '1 second'")
        assert await deliver(alerts_runtime) == 1
    (delivery,) = await rows("delivery")
    assert receiver.received[0].message_id == str(taken[0]["delivery_id"])
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


async def _die_over_it(runtime: Runtime) -> list[asyncpg.Record]:
    """Claim what is due as a worker does that is killed then."""
    async with transaction(runtime.worker_pool) as connection:
        outlets = await connection.fetch("SELECT DISTINCT outlet_id FROM delivery")
        return await claim_deliveries(
            connection,
            {row["outlet_id"]: 9 for row in outlets},
            now=runtime.clock.now(),
            lease=timedelta(seconds=60),
            token=new_id(),
            costly=["sms"],
        )


async def test_acknowledged_while_in_flight_is_sent_at_most_once(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    bearer: Bearer,
) -> None:
    async with http_receiver("hang") as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(risk())
        (alert,) = await rows("alert")
        sending = asyncio.create_task(deliver(alerts_runtime, read=0.6))
        while not receiver.received:
            await asyncio.sleep(0.01)
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        path = f"/alerts/v1/alerts/{alert['alert_id']}/acknowledge"
        assert (await alerts_client.post(path, json={}, headers=headers)).status_code == 200
        await sending
        assert await deliver(alerts_runtime) == 0
    (delivery,) = await rows("delivery")
    assert delivery["state"] == "cancelled"
    assert len(await rows("delivery_attempt")) == 1


async def test_no_connection_is_held_while_sending(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
) -> None:
    async with http_receiver("hang") as receiver:
        await subscribe(alerts_client, admin_headers, receiver.url)
        await tell(*(risk(n) for n in range(8)))
        sending = asyncio.create_task(deliver(alerts_runtime, read=0.5))
        while len(receiver.received) < 8:
            await asyncio.sleep(0.01)
        pool = alerts_runtime.worker_pool
        assert pool.get_size() - pool.get_idle_size() == 0
        await sending


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example/",
        "https://[::1]/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://user:pw@127.0.0.1/",
    ],
)
def test_only_allowed_hosts(url: str) -> None:
    assert Outbound(["127.0.0.1:*"], plain=True).refusal(url)


def test_plain_http_is_for_the_demo() -> None:
    assert Outbound(["127.0.0.1:*"], plain=True).refusal("http://127.0.0.1/x") is None
    assert Outbound(["127.0.0.1:*"]).refusal("http://127.0.0.1/x") == "https only"


async def test_an_endpoint_elsewhere_is_refused(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], rows: Rows
) -> None:
    body = {"channel": "webhook", "address": "https://evil.example/x", "division": TOWNSHIP}
    answer = await alerts_client.post("/alerts/v1/endpoints", json=body, headers=admin_headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "endpoint_refused")
    assert await rows("endpoint") == []


async def test_mail_arrives_without_naming_anybody(
    alerts_runtime: Runtime, enlist: Callable[..., Any], tell: Tell, rows: Rows
) -> None:
    async with mail_receiver() as (mails, port):
        await _mail(alerts_runtime, enlist, tell, port, "s1@example.gov.cn")
    (mail,) = mails.mails
    assert mail.rcpt_tos == ["s1@example.gov.cn"]
    content = mail.content
    assert isinstance(content, bytes)
    read = message_from_bytes(content, policy=policy.default)
    text = f"{read['Subject']} {read.get_content()}"
    assert "青沿村" in text
    assert "张" not in text
    assert "病" not in text
    (delivery,) = await rows("delivery")
    assert delivery["state"] == "delivered"
    assert str(delivery["delivery_id"]) in read["Message-ID"]


@pytest.mark.parametrize(
    ("answer", "address", "state", "outcome"),
    [
        ("451 later", "s1@example.gov.cn", "due", "retry"),
        ("554 spam", "s1@example.gov.cn", "dead", "fix"),
        ("250 ok", "nobody@example.gov.cn", "dead", "fix"),
    ],
)
async def test_mail_refusals(
    alerts_runtime: Runtime,
    enlist: Callable[..., Any],
    tell: Tell,
    rows: Rows,
    answer: str,
    address: str,
    state: str,
    outcome: str,
) -> None:
    async with mail_receiver(answer) as (_, port):
        await _mail(alerts_runtime, enlist, tell, port, address)
    (delivery,) = await rows("delivery")
    assert (delivery["state"], delivery["outcome"]) == (state, outcome)


async def test_a_dead_mail_server_is_tried_again(
    alerts_runtime: Runtime, enlist: Callable[..., Any], tell: Tell, rows: Rows
) -> None:
    await _mail(alerts_runtime, enlist, tell, 1, "s1@example.gov.cn")
    (delivery,) = await rows("delivery")
    assert (delivery["state"], delivery["outcome"]) == ("due", "retry")


async def _mail(runtime: Runtime, enlist: Callable[..., Any], tell: Tell, port: int, address: str) -> None:
    """Put a secretary with an address on duty, tell him of an alert, and deliver by e-mail."""
    told = runtime.settings
    assert isinstance(told, AlertsSettings)
    runtime.settings = told.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
    try:
        await enlist(("S1", "village_secretary", VILLAGE), email=address)
        assert (await tell(risk())).status_code == 200
        assert await deliver_due(runtime, {"smtp": SmtpChannel(runtime.settings)}) == 1
    finally:
        runtime.settings = told


async def test_the_console_prints_one_line(alerts_runtime: Runtime) -> None:
    printed = io.StringIO()
    message = Message(
        uuid4(),
        "opened",
        "新预警",
        "青沿村有 1 户\n新预警",
        "http://x",
        VILLAGE,
        "青沿村",
        1,
        alerts_runtime.clock.now(),
    )
    outcome = await ConsoleChannel(printed).send(message, Target("console"), now=alerts_runtime.clock.now())
    assert outcome.outcome is OutcomeClass.OK
    assert printed.getvalue().count("\n") == 1


async def test_the_worker_delivers_to_the_console(
    alerts_client: httpx.AsyncClient,
    admin_headers: dict[str, str],
    tell: Tell,
    cadres: None,
    rows: Rows,
    house: House,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = {"channel": "console", "address": "county", "division": COUNTY}
    await alerts_client.post("/alerts/v1/endpoints", json=body, headers=admin_headers)
    await tell(risk(severity="red"))
    assert await house.run_worker("alerts", "deliver") == 1
    assert {row["state"] for row in await rows("delivery")} == {"delivered"}
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "[预警 alert]" in line]
    assert "青沿村" in line
    assert "张" not in line
