"""The relay and those outside the house: they hear what concerns them, after the services, and hold nobody up."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contracts.envelope import Event
from shared.contracts.monitoring import RISK_CHANGED, RiskChanged
from shared.contracts.progress import MONITORING_PROGRESS
from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.messaging.relay import relay_once
from shared.messaging.signing import verify
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.shared.conftest import Open, Received, Receiver
from tests.shared.messaging.sending import deliveries, drain, later

COUNTY, VILLAGE, FAR_VILLAGE = "130624000000", "130624100201", "130625100201"


@pytest.fixture
async def monitoring(open_small: Open, receiver: Receiver) -> AsyncIterator[Runtime]:
    """Monitoring, whose peers are the receiver."""
    async with open_small("monitoring", intake_url=receiver.url, alerts_url=receiver.url) as runtime:
        yield runtime


def risk(division: str) -> dict[str, Any]:
    finding = {
        "indicator": "medical_out_of_pocket",
        "state": "fired",
        "severity": "red",
        "cause": "illness",
        "measured": "30000.00",
        "threshold": "10000.00",
        "margin": "20000.00",
        "unit": "元",
        "sentence": "医疗自付 30000.00 元",
    }
    evidence = {"kind": "medical.settlement", "occurred_on": "2026-03-01", "source": "department", "summary": "住院"}
    return {
        "subject": f"household:{division}",
        "household_no": division,
        "facts_version": 3,
        "living_division": division,
        "registered_division": division,
        "contact": {"name": "张建国", "phone": "19900000001"},
        "severity": "red",
        "causes": ["illness"],
        "findings": [finding],
        "evidence": [evidence],
        "reason": "finding",
        "opens": True,
        "on": "2026-03-15",
        "clocks": {"acknowledge_hours": 24, "verify_days": 5},
    }


async def warn(runtime: Runtime, *divisions: str) -> Event:
    """Say that the risk of a household in each of the divisions changed."""
    items = [risk(one) for one in divisions or (VILLAGE,)]
    said = RiskChanged.model_validate({"policy_version": "v1", "items": items})
    event = Event.make("fangpin/monitoring", RISK_CHANGED, None, said, runtime.clock.now())
    async with transaction(runtime.worker_pool) as connection:
        await enqueue(connection, event, aggregate="risk")
    return event


async def subscribe(
    runtime: Runtime,
    receiver: Receiver,
    division: str | None = COUNTY,
    *,
    types: tuple[str, ...] = (RISK_CHANGED,),
    url: str | None = None,
    secret: bytes = b"s" * 32,
) -> UUID:
    subscription_id = new_id()
    sealed = runtime.keys.seal(base64.b64encode(secret).decode(), "subscription", "secret", str(subscription_id))
    await runtime.worker_pool.execute(
        """
        INSERT INTO subscription (subscription_id, name, url, types, secret, active, division, created_at)
        VALUES ($1, 'province', $2, $3, $4, true, $5, $6)
        """,
        subscription_id,
        url or f"{receiver.url}/outside",
        list(types),
        sealed,
        division,
        runtime.clock.now(),
    )
    return subscription_id


def heard_outside(receiver: Receiver) -> list[Received]:
    return [one for one in receiver.received if one.path == "/outside"]


async def states_of(runtime: Runtime, subscription: UUID) -> list[str]:
    return [row["state"] for row in await deliveries(runtime) if row["subscription_id"] == subscription]


async def test_outside_hears_of_its_division_without_names_and_amounts(
    monitoring: Runtime, receiver: Receiver
) -> None:
    await subscribe(monitoring, receiver)
    said = await warn(monitoring, FAR_VILLAGE, VILLAGE)
    await drain(monitoring)
    (got,) = heard_outside(receiver)
    event = json.loads(got.body)
    assert (event["id"], event["type"], event["data"]["policy_version"]) == (str(said.id), RISK_CHANGED, "v1")
    (item,) = event["data"]["items"]
    assert (item["living_division"], item["severity"]) == (VILLAGE, "red")
    told = {"indicator": "medical_out_of_pocket", "state": "fired", "severity": "red", "cause": "illness"}
    assert item["findings"] == [told]
    for kept_inside in ("张建国", "19900000001", "00.00", "住院", "contact", "evidence"):
        assert kept_inside not in got.body.decode()


async def test_the_services_hear_all_of_the_same_message(monitoring: Runtime, receiver: Receiver) -> None:
    await subscribe(monitoring, receiver)
    said = await warn(monitoring, FAR_VILLAGE, VILLAGE)
    await drain(monitoring)
    (inside,) = [one for one in receiver.received if one.path == "/alerts/v1/events"]
    assert Event.model_validate_json(inside.body) == said


async def test_what_does_not_concern_a_subscriber_is_done_without_a_word(
    monitoring: Runtime, receiver: Receiver
) -> None:
    outside = await subscribe(monitoring, receiver)
    await warn(monitoring, FAR_VILLAGE)
    await drain(monitoring)
    assert heard_outside(receiver) == []
    assert await states_of(monitoring, outside) == ["delivered"]


@pytest.mark.parametrize("division", [None, "", "130624"])
async def test_a_subscription_without_a_proper_division_is_sent_nothing(
    monitoring: Runtime, receiver: Receiver, division: str | None
) -> None:
    outside = await subscribe(monitoring, receiver, division)
    await warn(monitoring)
    await drain(monitoring)
    assert heard_outside(receiver) == []
    assert await states_of(monitoring, outside) == ["due"]


async def test_what_is_spoken_inside_only_leaves_for_no_subscription(monitoring: Runtime, receiver: Receiver) -> None:
    await subscribe(monitoring, receiver, types=(MONITORING_PROGRESS,))
    items = {"items": [{"stage": "matched", "report_id": "r", "living_division": VILLAGE}]}
    event = Event.make("fangpin/monitoring", MONITORING_PROGRESS, None, items, monitoring.clock.now())
    async with transaction(monitoring.worker_pool) as connection:
        await enqueue(connection, event, aggregate="progress")
    await drain(monitoring)
    assert [one.path for one in receiver.received] == ["/intake/v1/events"]


async def test_a_service_hears_before_a_subscriber_outside(monitoring: Runtime, receiver: Receiver) -> None:
    await subscribe(monitoring, receiver)
    for _ in range(3):
        await warn(monitoring)
    assert await relay_once(monitoring) == 3
    assert {one.path for one in receiver.received} == {"/alerts/v1/events"}
    assert await relay_once(monitoring) == 3
    assert {one.path for one in receiver.received[3:]} == {"/outside"}


async def test_a_subscriber_outside_verifies_with_his_own_secret(monitoring: Runtime, receiver: Receiver) -> None:
    await subscribe(monitoring, receiver, secret=b"o" * 32)
    said = await warn(monitoring)
    await drain(monitoring)
    (got,) = heard_outside(receiver)
    assert verify([b"o" * 32], got.headers, got.body, now=monitoring.clock.now()) == str(said.id)


async def test_a_repeat_outside_has_the_same_id_and_content(monitoring: Runtime, receiver: Receiver) -> None:
    await subscribe(monitoring, receiver)
    await warn(monitoring)
    receiver.answers = [200, 503]
    await drain(monitoring)
    later(monitoring, hours=1)
    await drain(monitoring)
    first, second = heard_outside(receiver)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


async def test_a_subscriber_outside_is_reached_over_the_network_when_peers_share_the_process(
    open_small: Open, receiver: Receiver
) -> None:
    inside: list[str] = []

    async def house(scope: dict[str, object], receive: object, send: object) -> None:
        inside.append(str(scope["path"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    transport = httpx.ASGITransport(app=house)  # type: ignore[arg-type]
    async with open_small("monitoring", transport=transport) as runtime:
        await subscribe(runtime, receiver)
        await warn(runtime)
        await drain(runtime)
        states = [row["state"] for row in await deliveries(runtime)]
    assert inside == ["/alerts/v1/events"]
    assert [one.path for one in receiver.received] == ["/outside"]
    assert states == ["delivered", "delivered"]


async def test_one_bad_subscription_does_not_hold_up_the_others(monitoring: Runtime, receiver: Receiver) -> None:
    bad = await subscribe(monitoring, receiver, url="http://[not a url")
    await monitoring.worker_pool.execute("UPDATE subscription SET secret = 'xx' WHERE subscription_id = $1", bad)
    await warn(monitoring)
    await drain(monitoring)
    found = {row["subscription_id"] == bad: row for row in await deliveries(monitoring)}
    assert found[False]["state"] == "delivered"
    assert (found[True]["state"], found[True]["attempts"]) == ("due", 1)


async def test_a_subscriber_whose_name_leads_inside_is_told_nothing(
    open_small: Open, receiver: Receiver, monitoring: Runtime
) -> None:
    inside = receiver.url.replace("127.0.0.1", "localhost") + "/outside"
    settings = monitoring.settings
    async with open_small(
        "monitoring",
        intake_url=receiver.url,
        alerts_url=receiver.url,
        webhook_allowed_hosts=[*settings.webhook_allowed_hosts, "localhost:*"],
    ) as runtime:
        outside = await subscribe(runtime, receiver, url=inside)
        await warn(runtime)
        await drain(runtime)
        found = {row["subscription_id"] == outside: row for row in await deliveries(runtime)}
    assert (found[True]["state"], found[True]["last_error"]) == ("due", "AddressNotAllowed")
    assert "/outside" not in [one.path for one in receiver.received]


async def test_a_subscriber_outside_is_given_up_in_the_end(monitoring: Runtime, receiver: Receiver) -> None:
    outside = await subscribe(monitoring, receiver)
    await warn(monitoring)
    await monitoring.worker_pool.execute("UPDATE outbox_delivery SET attempts = 500")
    receiver.answers = [200, 503]
    await drain(monitoring)
    assert await states_of(monitoring, outside) == ["dead"]


async def is_active(runtime: Runtime, name: str) -> bool:
    return bool(await runtime.worker_pool.fetchval("SELECT active FROM subscription WHERE name = $1", name))


async def test_a_subscriber_who_says_that_he_is_gone_is_asked_once_and_no_more(
    monitoring: Runtime, receiver: Receiver
) -> None:
    outside = await subscribe(monitoring, receiver)
    await warn(monitoring)
    receiver.answers = [200, 410]
    await drain(monitoring)
    assert not await is_active(monitoring, "province")
    await warn(monitoring)
    later(monitoring, days=1)
    await drain(monitoring)
    assert len(heard_outside(receiver)) == 1
    assert await states_of(monitoring, outside) == ["dead"]


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 503])
async def test_any_other_answer_leaves_a_subscription_as_it_is(
    monitoring: Runtime, receiver: Receiver, status: int
) -> None:
    await subscribe(monitoring, receiver)
    await warn(monitoring)
    receiver.answers = [200, status]
    await drain(monitoring)
    assert await is_active(monitoring, "province")


async def test_a_service_of_the_house_never_unsubscribes(monitoring: Runtime, receiver: Receiver) -> None:
    await warn(monitoring)
    receiver.answers = [410] * 3
    for _ in range(3):
        await drain(monitoring)
        later(monitoring, hours=1)
    assert await is_active(monitoring, "internal:alerts")
