"""What suppliers answer and what it comes to: success is the supplier's own code, and nothing else."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest

from services.alerts.channels.channel import Channel, Message, Target
from services.alerts.channels.dingtalk import DingtalkChannel, signature
from services.alerts.channels.post_once import Way
from services.alerts.channels.sms import SmsChannel
from services.alerts.channels.smtp import SmtpChannel
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.channels.wecom import WecomChannel
from services.alerts.domain.delivery import Inquiry, OutcomeClass
from shared.messaging.signing import sign
from shared.outbound import Outbound
from shared.settings import Settings
from shared.web.outbound_transport import OutboundTransport
from tests.services.alerts.places import VILLAGE
from tests.services.alerts.receiver import HttpReceiver, body_of, http_receiver, mail_receiver

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
MESSAGE = Message(
    UUID(int=7), "opened", "标题", "正文", "https://fangpin.example.gov.cn/x", VILLAGE, "青沿村", 3, NOW
)
SECRET = b"SEC000000000000000000000000000000000000000000000000000000000000test"
MAPPING: dict[str, Any] = {
    "send": {
        "url": "http://127.0.0.1/send",
        "headers": [{"name": "X-Key", "value": "{{ (id ~ secret) | md5 }}"}],
        "body": '{"mobile": "{{ phone }}", "content": "【防贫】{{ text }}", "seq": "{{ id }}"}',
    },
    "answer": {
        "code_at": "result.code",
        "id_at": "result.msgid",
        "ok": ["0"],
        "limited": ["8"],
        "fix": ["5"],
        "bad_number": ["6"],
    },
}


@asynccontextmanager
async def way(*, whole_seconds: float = 20.0, allowed: str = "127.0.0.1:*", read: float = 10) -> AsyncIterator[Way]:
    timeout = httpx.Timeout(read, connect=10)
    async with OutboundTransport(Outbound([allowed], plain=True)) as transport:
        yield Way(transport, timeout, whole_seconds=whole_seconds)


def channel(name: str, out: Way) -> Channel:
    kinds: dict[str, Any] = {
        "wecom": WecomChannel,
        "dingtalk": DingtalkChannel,
        "webhook": WebhookChannel,
        "sms": SmsChannel,
    }
    made: Channel = kinds[name](out)
    return made


def target(name: str, receiver: HttpReceiver, mapping: dict[str, Any] | None = None) -> Target:
    if name != "sms":
        return Target(receiver.url, SECRET)
    told = json.loads(json.dumps(mapping or MAPPING))
    for call in ("send", "inquiry"):
        if call in told:
            told[call]["url"] = receiver.url
    return Target("19900000001", b"key", told)


def robot(code: int) -> str:
    return body_of(json.dumps({"errcode": code, "errmsg": "x"}))


def sms(code: object) -> str:
    return body_of(json.dumps({"result": {"code": code, "msgid": "m-1"}}))


TABLE = [
    ("wecom", robot(0), OutcomeClass.OK, None),
    ("wecom", robot(45009), OutcomeClass.LIMITED, timedelta(minutes=1)),
    ("wecom", robot(93000), OutcomeClass.FIX, None),
    ("wecom", robot(-1), OutcomeClass.RETRY, None),
    ("wecom", robot(99999), OutcomeClass.RETRY, None),
    ("dingtalk", robot(0), OutcomeClass.OK, None),
    ("dingtalk", robot(310000), OutcomeClass.FIX, None),
    ("dingtalk", robot(410100), OutcomeClass.LIMITED, timedelta(minutes=10)),
    ("dingtalk", robot(130101), OutcomeClass.LIMITED, timedelta(minutes=10)),
    ("dingtalk", robot(400013), OutcomeClass.GONE, None),
    ("sms", sms(0), OutcomeClass.OK, None),
    ("sms", sms("0"), OutcomeClass.OK, None),
    ("sms", sms("8"), OutcomeClass.LIMITED, timedelta(minutes=1)),
    ("sms", sms("5"), OutcomeClass.FIX, None),
    ("sms", sms("77"), OutcomeClass.RETRY, None),
    ("sms", body_of("[]"), OutcomeClass.RETRY, None),
    ("sms", "410 Gone", OutcomeClass.FIX, None),
    ("webhook", "204 No Content", OutcomeClass.OK, None),
    *[
        (name, answer, outcome, None)
        for name in ("wecom", "dingtalk", "sms")
        for answer, outcome in (
            (body_of('{"errcode": 0'), OutcomeClass.RETRY),
            (body_of("<html>请登录</html>"), OutcomeClass.RETRY),
            (body_of("null"), OutcomeClass.RETRY),
            (body_of("{}"), OutcomeClass.RETRY),
            (body_of('{"errcode": null}'), OutcomeClass.RETRY),
            ("200 OK", OutcomeClass.RETRY),
            ("flood", OutcomeClass.RETRY),
        )
    ],
    *[
        (name, answer, outcome, None)
        for name in ("wecom", "dingtalk", "webhook", "sms")
        for answer, outcome in (
            ("500 Oops", OutcomeClass.RETRY),
            ("503 Busy", OutcomeClass.RETRY),
            ("429 Slow\r\nretry-after: 90", OutcomeClass.LIMITED),
            ("404 Not Found", OutcomeClass.FIX),
            ("302 Found\r\nlocation: http://169.254.169.254/", OutcomeClass.FIX),
            ("307 Again\r\nlocation: http://127.0.0.1:1/", OutcomeClass.FIX),
            ("reset", OutcomeClass.RETRY),
            ("hang", OutcomeClass.RETRY),
        )
    ],
    *[(name, "410 Gone", OutcomeClass.GONE, None) for name in ("wecom", "dingtalk", "webhook")],
]


@pytest.mark.parametrize(("name", "answer", "outcome", "block"), TABLE)
async def test_what_an_answer_comes_to(
    name: str, answer: str, outcome: OutcomeClass, block: timedelta | None
) -> None:
    async with http_receiver(answer) as receiver, way(read=0.3 if answer == "hang" else 10) as out:
        found = await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
    assert (found.outcome, found.block) == (outcome, block)
    assert len(receiver.received) == 1
    assert "199" not in found.reason


@pytest.mark.parametrize("name", ["wecom", "dingtalk", "sms"])
async def test_a_byte_a_second_holds_nobody_for_long(name: str) -> None:
    async with http_receiver("drip") as receiver, way(whole_seconds=0.8) as out:
        started = time.monotonic()
        found = await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
    assert found.outcome is OutcomeClass.RETRY
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["wecom", "dingtalk", "webhook", "sms"])
async def test_nothing_is_sent_where_the_operator_did_not_allow(name: str) -> None:
    async with http_receiver() as receiver:
        for allowed in ("evil.example", f"127.0.0.1:{receiver.port + 1}"):
            async with way(allowed=allowed) as out:
                found = await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
            assert (found.outcome, found.reason) == (OutcomeClass.FIX, "host not allowed")
        assert receiver.received == []
        async with way(allowed=f"127.0.0.1:{receiver.port}") as out:
            await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
        assert len(receiver.received) == 1


@pytest.mark.parametrize("name", ["wecom", "dingtalk", "webhook", "sms"])
async def test_nobody_is_led_to_another_host(name: str) -> None:
    """However allowed it is: an answer never decides where a message goes."""
    async with http_receiver() as inside, way() as out:
        for status in ("302 Found", "307 Temporary Redirect"):
            async with http_receiver(f"{status}\r\nlocation: {inside.url}") as receiver:
                found = await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
            assert found.outcome is OutcomeClass.FIX
    assert inside.received == []


async def test_a_dead_port_is_tried_again() -> None:
    async with way() as out:
        found = await WecomChannel(out).send(MESSAGE, Target("http://127.0.0.1:1/?key=x"), now=NOW)
    assert found.outcome is OutcomeClass.RETRY


@pytest.mark.parametrize("name", ["wecom", "dingtalk"])
async def test_a_robot_is_told_a_count_a_village_and_a_link(name: str) -> None:
    async with http_receiver(robot(0)) as receiver, way() as out:
        await channel(name, out).send(MESSAGE, target(name, receiver), now=NOW)
    said = json.loads(receiver.received[0].body)
    assert said["msgtype"] == "text"
    content = said["text"]["content"]
    assert ("青沿村" in content, "3 户" in content, MESSAGE.link in content) == (True, True, True)
    assert receiver.paths[0].startswith("/hook?key=secret")


async def test_dingtalk_is_signed_afresh_each_try() -> None:
    async with http_receiver(robot(0)) as receiver, way() as out:
        for seconds in (0, 5):
            moment = NOW + timedelta(seconds=seconds)
            await DingtalkChannel(out).send(MESSAGE, Target(receiver.url, SECRET), now=moment)
    asked = [parse_qs(path.partition("?")[2]) for path in receiver.paths]
    assert [int(one["timestamp"][0]) for one in asked] == [int(NOW.timestamp()) * 1000 + ms for ms in (0, 5000)]
    assert asked[0]["sign"] != asked[1]["sign"]


def test_the_dingtalk_vector() -> None:
    assert signature(SECRET, "1700000000000") == "bCcJiIKqyObgdvB5UiIbViJlixojz9bQW5dnZbgLAd8%3D"


def test_the_standard_webhooks_vectors() -> None:
    from base64 import b64decode

    secret, moment = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), datetime.fromtimestamp(1614265330, UTC)
    theirs = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', moment)
    assert theirs["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    body = '{"type":"alert.opened","timestamp":"2021-02-25T15:02:10Z","data":{"village":"和平村"}}'.encode()
    ours = sign(secret, "01J0000000000000000000TEST", body, moment)
    assert ours["webhook-signature"] == "v1,8p5WqJMcd3xuy5oDuk/uzRMuVusAZdq5bBBgXW/vlwc="


# --- SMS -----------------------------------------------------------------------------------------------------


async def test_an_sms_carries_our_id_and_brings_the_suppliers() -> None:
    async with http_receiver(sms(0)) as receiver, way() as out:
        found = await SmsChannel(out).send(MESSAGE, target("sms", receiver), now=NOW)
    assert (found.outcome, found.supplier_id, found.supplier_code) == (OutcomeClass.OK, "m-1", "0")
    said = json.loads(receiver.received[0].body)
    assert (said["mobile"], said["seq"]) == ("19900000001", str(MESSAGE.message_id))
    assert len(said["content"]) <= 70 + len("【防贫】")
    assert len(receiver.received[0].headers["x-key"]) == 32


async def test_a_bad_number_is_the_phones_fault_and_an_empty_account_the_suppliers() -> None:
    for code, of_supplier in (("6", False), ("5", True)):
        async with http_receiver(sms(code)) as receiver, way() as out:
            found = await SmsChannel(out).send(MESSAGE, target("sms", receiver), now=NOW)
        assert (found.outcome, found.of_supplier) == (OutcomeClass.FIX, of_supplier)


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [("form", "application/x-www-form-urlencoded"), ("base64_json", "text/plain"), ("json", "application/json")],
)
async def test_an_sms_is_sent_as_its_supplier_wants(encoding: str, kind: str) -> None:
    mapping = {**MAPPING, "send": {**MAPPING["send"], "encoding": encoding, "query": [{"name": "v", "value": "2"}]}}
    async with http_receiver(sms(0)) as receiver, way() as out:
        found = await SmsChannel(out).send(MESSAGE, target("sms", receiver, mapping), now=NOW)
    assert found.outcome is OutcomeClass.OK
    assert receiver.received[0].headers["content-type"].startswith(kind)
    assert "v=2" in receiver.paths[0]
    assert "key=secret" in receiver.paths[0]


async def test_an_sms_by_get() -> None:
    send = {
        "method": "GET",
        "url": "x",
        "query": [{"name": "m", "value": "{{ phone }}"}, {"name": "c", "value": "{{ text }}"}],
    }
    async with http_receiver(sms(0)) as receiver, way() as out:
        mapping = {**MAPPING, "send": send}
        found = await SmsChannel(out).send(MESSAGE, target("sms", receiver, mapping), now=NOW)
    assert found.outcome is OutcomeClass.OK
    assert parse_qs(receiver.paths[0].partition("?")[2])["m"] == ["19900000001"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (body_of('{"s": "DELIVRD"}'), Inquiry.SENT),
        (body_of('{"s": "NONE"}'), Inquiry.UNKNOWN),
        (body_of('{"s": "REJECTD"}'), Inquiry.FAILED),
        (body_of('{"s": "?"}'), Inquiry.NO_ANSWER),
        (body_of("<html>"), Inquiry.NO_ANSWER),
        ("500 Oops", Inquiry.NO_ANSWER),
        ("hang", Inquiry.NO_ANSWER),
    ],
)
async def test_a_supplier_is_asked_by_our_id(answer: str, said: Inquiry) -> None:
    inquiry = {
        "url": "x",
        "body": '{"seq": "{{ id }}"}',
        "state_at": "s",
        "sent": ["DELIVRD", "SENT"],
        "failed": ["REJECTD"],
        "unknown": ["NONE"],
    }
    async with http_receiver(answer) as receiver, way(read=0.3 if answer == "hang" else 10) as out:
        mapping = {**MAPPING, "inquiry": inquiry}
        assert await SmsChannel(out).inquire(MESSAGE, target("sms", receiver, mapping), now=NOW) is said
    assert json.loads(receiver.received[0].body) == {"seq": str(MESSAGE.message_id)}


async def test_who_cannot_be_asked_is_not() -> None:
    async with http_receiver() as receiver, way() as out:
        assert await SmsChannel(out).inquire(MESSAGE, target("sms", receiver), now=NOW) is Inquiry.CANNOT_ASK
        assert receiver.received == []


# --- mail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("250 ok", OutcomeClass.OK),
        ("421 closing", OutcomeClass.RETRY),
        ("451 later", OutcomeClass.RETRY),
        ("452 full", OutcomeClass.RETRY),
        ("500 what", OutcomeClass.RETRY),
        ("503 order", OutcomeClass.RETRY),
        ("552 mailbox full", OutcomeClass.RETRY),
        ("550 no", OutcomeClass.FIX),
        ("553 name", OutcomeClass.FIX),
        ("554 spam", OutcomeClass.FIX),
    ],
)
async def test_what_a_mail_servers_code_comes_to(answer: str, outcome: OutcomeClass) -> None:
    async with mail_receiver(answer) as (_, port):
        found = await SmtpChannel(Settings(smtp_host="127.0.0.1", smtp_port=port)).send(
            MESSAGE, Target("s1@example.gov.cn"), now=NOW
        )
    assert found.outcome is outcome


@pytest.mark.parametrize("greeting", [b"554 no service here\r\n", b""])
async def test_a_relay_that_does_not_want_us_is_not_the_addresss_fault(greeting: bytes) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close() if greeting else await reader.read()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    settings = Settings(smtp_host="127.0.0.1", smtp_port=server.sockets[0].getsockname()[1])
    started = time.monotonic()
    found = await SmtpChannel(settings, whole_seconds=0.5).send(MESSAGE, Target("s1@example.gov.cn"), now=NOW)
    server.close()
    assert found.outcome is OutcomeClass.RETRY
    assert time.monotonic() - started < 5
