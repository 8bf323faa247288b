"""Deliveries as administrators see them: search, tries, resending, dead letters, tests; gateways and receipts."""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.messaging.signing import sign
from shared.runtime import Runtime
from tests.services.alerts.outlets import deliver_all, put, queue_up
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk
from tests.services.alerts.receiver import body_of, http_receiver
from tests.services.alerts.test_outlets import GATEWAY, phone, put_gateway

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
Enlist = Callable[..., Any]
TAKEN = body_of('{"code": "0", "id": "supplier-1"}')


@pytest.fixture
def headers(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


@pytest.fixture
def elsewhere(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("county_admin", OTHER_VILLAGE, officer_no="C2")


@dataclass(frozen=True)
class County:
    """A county's administrator, and one of another place; what happens in the county meanwhile."""

    client: httpx.AsyncClient
    runtime: Runtime
    headers: dict[str, str]
    elsewhere: dict[str, str]
    tell: Tell

    async def put(self, **endpoint: Any) -> dict[str, Any]:
        return await put(self.client, self.headers, **endpoint)

    async def warn(self, *households: int) -> None:
        """Let warnings open, and deliver what is due."""
        await self.tell(*map(risk, households))
        await self.deliver()

    async def deliver(self) -> None:
        await deliver_all(self.runtime)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(f"/alerts/v1/{path}", params=params, headers=self.headers)

    async def post(self, path: str) -> httpx.Response:
        """Ask for it as the county; the other administrator asked before, and finds nothing there."""
        hidden = await self.client.post(f"/alerts/v1/{path}", headers=self.elsewhere)
        assert hidden.status_code == 404
        return await self.client.post(f"/alerts/v1/{path}", headers=self.headers)

    async def seen_elsewhere(self, path: str) -> httpx.Response:
        return await self.client.get(f"/alerts/v1/{path}", headers=self.elsewhere)


@pytest.fixture
def county(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    elsewhere: dict[str, str],
    tell: Tell,
    cadres: None,
) -> County:
    return County(alerts_client, alerts_runtime, headers, elsewhere, tell)


# --- search --------------------------------------------------------------------------------------------------


async def test_deliveries_are_found_by_all_that_is_known_of_them(county: County, clock: FixedClock) -> None:
    async with http_receiver("404 Not Found") as receiver:
        own = await county.put(channel="webhook", address=receiver.url, officer_no="S1")
        await county.put(channel="console", address="大屏")
        await county.warn(1, 2)
    later = (clock.now() + timedelta(minutes=1)).isoformat()

    async def found(**params: Any) -> int:
        answer = await county.get("deliveries", **params)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    assert await found() == 4
    assert await found(endpoint_id=own["endpoint_id"]) == await found(officer_no="S1") == 2
    assert await found(channel="console") == await found(state="due") == 2
    assert await found(state="dead", officer_no="S1") == 2
    assert (await found(since=later), await found(since=clock.now().isoformat())) == (0, 4)
    assert await found(officer_no="G1") == 0
    assert (await county.get("deliveries", since="2026-03-15")).status_code == 422
    assert (await county.seen_elsewhere("deliveries")).json()["items"] == []


async def test_the_tries_of_one_delivery(county: County, rows: Rows, clock: FixedClock) -> None:
    async with http_receiver(body_of('{"errcode": 45009}'), body_of('{"errcode": 0}')) as receiver:
        await county.put(channel="wecom", address=receiver.url)
        await county.warn(1)
        clock.at += timedelta(minutes=1)
        await county.deliver()
    (delivery,) = await rows("delivery")
    path = f"deliveries/{delivery['delivery_id']}/attempts"
    seen = (await county.get(path)).json()
    tries = [(one["attempt"], one["outcome"], one["supplier_code"]) for one in seen["attempts"]]
    assert tries == [(1, "limited", "45009"), (2, "ok", "0")]
    assert seen["state"] == "delivered"
    nowhere, hidden = await county.get(f"deliveries/{UUID(int=1)}/attempts"), await county.seen_elsewhere(path)
    assert nowhere.status_code == hidden.status_code == 404


# --- resending and dead letters ------------------------------------------------------------------------------


async def test_a_resent_message_keeps_its_id(county: County, rows: Rows) -> None:
    async with http_receiver() as receiver:
        await county.put(channel="webhook", address=receiver.url)
        await county.warn(1)
        (delivery,) = await rows("delivery")
        answer = await county.post(f"deliveries/{delivery['delivery_id']}/resend")
        assert (answer.status_code, answer.json()["state"]) == (200, "due")
        await county.deliver()
    assert [one.message_id for one in receiver.received] == [str(delivery["delivery_id"])] * 2
    assert [row["attempt"] for row in await rows("delivery_attempt", "true ORDER BY attempt")] == [1, 2]
    audited = await rows("audit_log", "action = 'delivery.resend'")
    assert [row["object"] for row in audited] == [f"delivery:{delivery['delivery_id']}"]


@pytest.mark.parametrize(
    ("becomes", "code"),
    [
        ("state = 'cancelled', due_at = NULL", "delivery_cancelled"),
        ("lease_until = clock_timestamp() + interval '1 minute'", "delivery_in_flight"),
    ],
)
async def test_what_nobody_needs_or_is_under_way_is_not_resent(
    county: County, admin: asyncpg.Connection, rows: Rows, becomes: str, code: str
) -> None:
    await county.put(channel="console", address="x")
    await county.tell(risk(1))
    await admin.execute(f"UPDATE alerts.delivery SET {becomes}")
    (delivery,) = await rows("delivery")
    answer = await county.post(f"deliveries/{delivery['delivery_id']}/resend")
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_dead_letters_go_with_one_click_after_the_cause_was_mended(
    county: County, bearer: Bearer, rows: Rows
) -> None:
    async with http_receiver(body_of('{"errcode": 93000}')) as receiver:
        made = await county.put(channel="wecom", address=receiver.url, per_minute=600, burst=9)
        await county.warn(1, 2, 3)
        await _see_one(county.client, bearer("village_secretary", VILLAGE, officer_no="S1"), rows)
        (dead,) = (await county.get("dead-letters")).json()
        assert (dead["letters"], dead["state"], dead["last_outcome"]) == (3, "broken", "fix")
        assert "key=" not in json.dumps(dead)
        listed = (await county.client.get(dead["query"], headers=county.headers)).json()["items"]
        assert len(listed) == 3
        assert (await county.seen_elsewhere("dead-letters")).json() == []
        refused = await county.post(f"deliveries/{listed[0]['delivery_id']}/resend")
        assert refused.json()["code"] == "endpoint_out_of_use"
        receiver.answers = [body_of('{"errcode": 0}')]
        revived = await county.post(f"endpoints/{made['endpoint_id']}/retry-dead")
        assert revived.json()["letters"] == 2, "one of the three has been seen"
        await county.deliver()
    assert sorted(row["state"] for row in await rows("delivery")) == ["dead", "delivered", "delivered"]
    assert (await rows("endpoint"))[0]["state"] == "active"
    assert len(await rows("audit_log", "action = 'endpoint.retry_dead'")) == 1


async def _see_one(client: httpx.AsyncClient, secretary: dict[str, str], rows: Rows) -> None:
    alerts = await rows("alert", "household_no = 'H1'")
    path = f"/alerts/v1/alerts/{alerts[0]['alert_id']}/acknowledge"
    assert (await client.post(path, json={}, headers=secretary)).status_code == 200


# --- endpoints and test messages -----------------------------------------------------------------------------


async def test_a_test_message_goes_the_way_of_all_messages_even_to_a_broken_endpoint(
    county: County, rows: Rows, admin: asyncpg.Connection
) -> None:
    async with http_receiver(body_of('{"errcode": 0}')) as receiver:
        made = await county.put(channel="wecom", address=receiver.url)
        await admin.execute("UPDATE alerts.endpoint SET state = 'broken'")
        queued = await county.post(f"endpoints/{made['endpoint_id']}/test")
        assert queued.status_code == 202
        await county.deliver()
    seen = (await county.client.get(queued.json()["attempts"], headers=county.headers)).json()
    assert (seen["state"], seen["attempts"][0]["supplier_code"]) == ("delivered", "0")
    content = json.loads(receiver.received[0].body)["text"]["content"]
    assert "测试" in content
    assert [row["decision"] for row in await rows("notification")] == ["send"]
    assert (await rows("endpoint"))[0]["state"] == "broken"


async def test_a_robots_key_is_sealed_and_never_shown(
    alerts_client: httpx.AsyncClient, headers: dict[str, str], rows: Rows
) -> None:
    address = "http://127.0.0.1:9/robot/send?access_token=abcdef123456"
    made = await put(alerts_client, headers, channel="dingtalk", address=address, robot_secret="SEC0123456789")
    assert (made["address"], made["secret"]) == ("http://127.0.0.1:9/robot/send", None)
    other = await put(alerts_client, headers, channel="dingtalk", address=f"{address}7", robot_secret="SEC0123456789")
    again = await put(alerts_client, headers, channel="dingtalk", address=address)
    assert again["endpoint_id"] == made["endpoint_id"] != other["endpoint_id"]
    kept = str(await rows("endpoint"))
    assert "abcdef" not in kept
    assert "SEC0123" not in kept
    listed = (await alerts_client.get("/alerts/v1/endpoints", headers=headers)).text
    assert "abcdef" not in listed


@pytest.mark.parametrize(
    ("body", "where", "code"),
    [
        ({"channel": "wecom", "address": "https://evil.example/x?key=1"}, "body/address", "address_refused"),
        ({"channel": "wecom", "address": "http://127.0.0.1/x"}, "body/address", "address_refused"),
        ({"channel": "dingtalk", "address": "http://127.0.0.1/x?k=1"}, "body/robot_secret", "secret_missing"),
        (
            {"channel": "webhook", "address": "http://127.0.0.1/", "robot_secret": "12345678"},
            "body/robot_secret",
            "secret_not_used",
        ),
        ({"channel": "sms", "address": "12345"}, "body/address", "address_refused"),
        ({"channel": "sms", "address": "19900000001"}, "body/channel", "gateway_missing"),
    ],
)
async def test_an_endpoint_that_cannot_work_is_refused(
    alerts_client: httpx.AsyncClient,
    headers: dict[str, str],
    rows: Rows,
    body: dict[str, Any],
    where: str,
    code: str,
) -> None:
    answer = await alerts_client.post("/alerts/v1/endpoints", json={"division": TOWNSHIP, **body}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where), answer.text
    assert answer.json()["errors"][0]["code"] == code
    assert await rows("endpoint") == []


async def test_a_rate_is_whole(alerts_client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = {"channel": "console", "address": "x", "division": TOWNSHIP, "per_minute": 5}
    assert (await alerts_client.post("/alerts/v1/endpoints", json=body, headers=headers)).status_code == 422
    made = await put(alerts_client, headers, channel="console", address="x", per_minute=5, burst=1)
    assert (made["per_minute"], made["burst"], made["rank"], made["breaker"]) == (5, 1, 60, "closed")


# --- gateways ------------------------------------------------------------------------------------------------


async def test_a_gateways_secrets_are_sealed_and_kept(
    alerts_client: httpx.AsyncClient, headers: dict[str, str], rows: Rows
) -> None:
    async with http_receiver() as receiver:
        made = await put_gateway(alerts_client, headers, receiver)
        assert (made["has_secret"], made["has_receipt_secret"]) == (True, True)
        changed = {**GATEWAY, "secret": None, "receipt_secret": None, "name": "新名"}
        again = await alerts_client.put("/alerts/v1/sms-gateways", json=changed, headers=headers)
    assert again.json()["gateway_id"] == made["gateway_id"]
    (listed,) = (await alerts_client.get("/alerts/v1/sms-gateways", headers=headers)).json()
    assert (listed["name"], listed["has_secret"]) == ("新名", True)
    assert "gateway-key" not in str(await rows("sms_gateway")) + str(listed)


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ({"url": "https://evil.example/", "body": "{}"}, "address_refused"),
        ({"url": "http://127.0.0.1/", "body": '{"a": "{{ household }}"}'}, "template_refused"),
        ({"url": "http://127.0.0.1/", "body": "{"}, "template_refused"),
        ({"url": "http://127.0.0.1/", "body": '{"a": {"b": 1}}', "encoding": "form"}, "template_refused"),
        ({"url": "http://127.0.0.1/", "headers": [{"name": "X", "value": "{{ text }}"}]}, "template_refused"),
    ],
)
async def test_a_mapping_that_cannot_be_filled_is_refused(
    alerts_client: httpx.AsyncClient, headers: dict[str, str], rows: Rows, send: dict[str, Any], code: str
) -> None:
    body = {**GATEWAY, "mapping": {**GATEWAY["mapping"], "send": send}}  # type: ignore[dict-item]
    answer = await alerts_client.put("/alerts/v1/sms-gateways", json=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), answer.text
    assert await rows("sms_gateway") == []


async def test_a_gateway_of_a_place_out_of_range_is_refused(
    alerts_client: httpx.AsyncClient, elsewhere: dict[str, str], headers: dict[str, str], rows: Rows
) -> None:
    for body in (GATEWAY, {**GATEWAY, "division": VILLAGE}):
        answer = await alerts_client.put("/alerts/v1/sms-gateways", json=body, headers=elsewhere)
        assert answer.status_code == 403, answer.text
    assert await rows("sms_gateway") == []


# --- receipts ------------------------------------------------------------------------------------------------


class Sent:
    """An SMS that its supplier took."""

    def __init__(self, client: httpx.AsyncClient, gateway: dict[str, Any], delivery: dict[str, Any]) -> None:
        self.client, self.path, self.delivery = client, gateway["receipts_path"], delivery

    async def report(self, *items: Any, **headers: str) -> httpx.Response:
        sent = {"x-signature": "receipt-key-of-a-test", **headers}
        return await self.client.post(self.path, json={"reports": list(items)}, headers=sent)


@pytest.fixture
async def sent(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    enlist: Enlist,
    rows: Rows,
) -> Sent:
    async with http_receiver(TAKEN) as receiver:
        gateway = await put_gateway(alerts_client, headers, receiver)
        made = await phone(alerts_client, headers, enlist)
        await queue_up(admin, made["endpoint_id"], 1, alerts_runtime)
        await deliver_all(alerts_runtime)
    (delivery,) = await rows("delivery")
    assert delivery["state"] == "delivered"
    return Sent(alerts_client, gateway, delivery)


@pytest.mark.parametrize("by", ["ours", "theirs"])
async def test_a_receipt_confirms_by_either_id_once(sent: Sent, rows: Rows, by: str) -> None:
    names = {"seq": str(sent.delivery["delivery_id"])} if by == "ours" else {"id": "supplier-1"}
    for _ in range(2):
        answer = await sent.report({**names, "state": "DELIVRD"}, {**names, "state": "WAIT"})
        assert (answer.status_code, answer.json()) == (200, {"code": 0})
    assert [row["state"] for row in await rows("delivery")] == ["confirmed"]
    assert [(row["state"], row["arrived"]) for row in await rows("delivery_receipt")] == [("DELIVRD", True)]


async def test_a_message_that_did_not_arrive_takes_the_next_channel(
    sent: Sent,
    rows: Rows,
    alerts_client: httpx.AsyncClient,
    headers: dict[str, str],
    alerts_runtime: Runtime,
) -> None:
    async with http_receiver() as hook:
        await put(alerts_client, headers, channel="webhook", address=hook.url, officer_no="S1")
        await sent.report({"id": "supplier-1", "state": "UNDELIV"})
        await deliver_all(alerts_runtime)
        assert len(hook.received) == 1
    found = {row["channel"]: (row["state"], row["outcome"]) for row in await rows("delivery")}
    assert found == {"sms": ("dead", "unreached"), "webhook": ("delivered", "ok")}
    assert (await rows("endpoint", "channel = 'sms'"))[0]["state"] == "active"
    await sent.report({"id": "supplier-1", "state": "DELIVRD"})
    assert (await rows("delivery", "channel = 'sms'"))[0]["state"] == "confirmed"


async def test_a_receipt_about_nothing_of_ours_changes_nothing(sent: Sent, rows: Rows) -> None:
    for item in ({"seq": str(UUID(int=5)), "state": "DELIVRD"}, {"seq": "x", "id": "y", "state": "DELIVRD"}):
        assert (await sent.report(item)).status_code == 200
    assert (await sent.report({"seq": "x"})).status_code == 422
    assert (await sent.report(*[{"id": "y", "state": "DELIVRD"}] * 1001)).status_code == 422
    assert [row["state"] for row in await rows("delivery")] == ["delivered"]


@pytest.mark.parametrize("given", ["", "receipt-key-of-a-tesT", "gateway-key", "答"])
async def test_who_does_not_know_the_secret_reports_nothing(sent: Sent, rows: Rows, given: str) -> None:
    item = {"id": "supplier-1", "state": "DELIVRD"}
    body = json.dumps({"reports": [item]})
    answer = await sent.client.post(
        sent.path, content=body, headers={"content-type": "application/json", b"x-signature": given.encode()}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
    nowhere = f"/alerts/v1/sms-gateways/{UUID(int=1)}/receipts"
    answer = await sent.client.post(nowhere, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
    assert [row["state"] for row in await rows("delivery")] == ["delivered"]


@pytest.mark.parametrize("proof", ["hmac_sha256", "standard_webhooks"])
async def test_a_receipt_may_be_signed(
    sent: Sent, rows: Rows, headers: dict[str, str], clock: FixedClock, proof: str
) -> None:
    mapping = json.loads(json.dumps(GATEWAY["mapping"]))
    mapping["receipt"] |= {"proof": proof, "items_at": ""}
    key = b"0123456789abcdef"
    secret = f"whsec_{b64encode(key).decode()}" if proof == "standard_webhooks" else key.decode()
    body = {**GATEWAY, "mapping": mapping, "receipt_secret": secret}
    assert (await sent.client.put("/alerts/v1/sms-gateways", json=body, headers=headers)).status_code == 200
    content = json.dumps({"id": "supplier-1", "state": "DELIVRD"}).encode()
    proofs = {"x-signature": hmac.digest(key, content, "sha256").hex(), **sign(key, "m1", content, clock.now())}
    for tampered in (True, False):
        body_sent = content.replace(b"supplier-1", b"supplier-2") if tampered else content
        answer = await sent.client.post(
            sent.path, content=body_sent, headers={"content-type": "application/json", **proofs}
        )
        assert answer.status_code == (401 if tampered else 200), answer.text
    assert [row["state"] for row in await rows("delivery")] == ["confirmed"]


async def test_a_receipt_may_be_a_form(sent: Sent, rows: Rows, headers: dict[str, str]) -> None:
    mapping = json.loads(json.dumps(GATEWAY["mapping"]))
    mapping["receipt"] |= {"items_at": "", "answer": '{"code": 0, "msg": "接收成功"}'}
    await sent.client.put("/alerts/v1/sms-gateways", json={**GATEWAY, "mapping": mapping}, headers=headers)
    answer = await sent.client.post(
        sent.path,
        data={"id": "supplier-1", "state": "DELIVRD"},
        headers={"x-signature": "receipt-key-of-a-test"},
    )
    assert answer.json() == {"code": 0, "msg": "接收成功"}
    assert [row["state"] for row in await rows("delivery")] == ["confirmed"]
