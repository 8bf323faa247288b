"""The relay against a real HTTP server: what is due arrives, and repeats only under the same id."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shared.contracts.envelope import Event
from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.db.scope import transaction
from shared.messaging import relay
from shared.messaging.outbox import enqueue
from shared.messaging.relay import relay_once, relay_urgent
from shared.messaging.signing import verify
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.shared.conftest import Open, Receiver
from tests.shared.messaging.sending import deliveries, drain, later


@pytest.fixture
async def speaker(open_small: Open, receiver: Receiver) -> AsyncIterator[Runtime]:
    """Intake, whose one peer is the receiver."""
    async with open_small("intake", monitoring_url=receiver.url) as runtime:
        yield runtime


async def say(runtime: Runtime, *, priority: int = 5, **data: object) -> Event:
    event = Event.make("fangpin/intake", OBSERVATIONS_RECORDED, "feed:1", data or {"n": 1}, runtime.clock.now())
    async with transaction(runtime.worker_pool) as connection:
        await enqueue(connection, event, aggregate="feed", priority=priority)
    return event


async def test_a_message_arrives_signed_whole_and_once(speaker: Runtime, receiver: Receiver) -> None:
    said = await say(speaker, village="大台村", nothing=None)
    assert await relay_once(speaker) == 1
    assert await relay_once(speaker) == 0
    (got,) = receiver.received
    assert got.path == "/monitoring/v1/events"
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert Event.model_validate_json(got.body) == said
    secret = speaker.keys.message_secret("intake", "monitoring")
    assert verify([secret], got.headers, got.body, now=speaker.clock.now()) == str(said.id)
    (row,) = await deliveries(speaker)
    assert (row["state"], row["due_at"], row["last_status"], row["delivered_at"]) == (
        "delivered",
        None,
        200,
        speaker.clock.now(),
    )


async def test_a_failure_is_tried_again_under_the_same_id(speaker: Runtime, receiver: Receiver) -> None:
    said = await say(speaker)
    receiver.answers = [(500, b"out of order"), 200]
    assert await relay_once(speaker) == 1
    (row,) = await deliveries(speaker)
    assert (row["state"], row["last_status"], row["last_error"]) == ("due", 500, "out of order")
    assert await relay_once(speaker) == 0
    later(speaker, seconds=2)
    assert await relay_once(speaker) == 1
    assert receiver.ids == [str(said.id)] * 2
    assert receiver.received[0].body == receiver.received[1].body


@pytest.mark.parametrize("status", [400, 409, 410, 413, 415, 422])
async def test_what_is_refused_for_good_is_dead_after_three_tries(
    speaker: Runtime, receiver: Receiver, status: int
) -> None:
    await say(speaker)
    receiver.answers = [status] * 9
    for _ in range(6):
        await relay_once(speaker)
        later(speaker, hours=1)
    (row,) = await deliveries(speaker)
    assert (row["state"], row["due_at"], row["attempts"], row["last_status"]) == ("dead", None, 3, status)
    assert len(receiver.received) == 3


async def test_a_peer_that_is_away_never_makes_a_message_dead(speaker: Runtime, receiver: Receiver) -> None:
    await say(speaker)
    await speaker.worker_pool.execute("UPDATE outbox_delivery SET attempts = 500")
    receiver.answers = [503]
    await relay_once(speaker)
    (row,) = await deliveries(speaker)
    assert row["state"] == "due"
    assert row["due_at"] <= speaker.clock.now() + timedelta(seconds=36)


async def test_a_message_a_peer_breaks_over_waits_for_a_person_in_the_end(
    speaker: Runtime, receiver: Receiver
) -> None:
    await say(speaker)
    await speaker.worker_pool.execute("UPDATE outbox_delivery SET attempts = 500")
    receiver.answers = [500]
    await relay_once(speaker)
    assert [row["state"] for row in await deliveries(speaker)] == ["dead"]


async def test_nobody_at_the_other_end_is_a_failure_like_any_other(open_small: Open) -> None:
    async with open_small("intake", monitoring_url="http://127.0.0.1:9") as runtime:
        await say(runtime)
        assert await relay_once(runtime) == 1
        (row,) = await deliveries(runtime)
    assert (row["state"], row["last_status"], row["last_error"]) == ("due", None, "ConnectError")


async def test_a_subscriber_who_hangs_is_left_in_time(
    speaker: Runtime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "TIMEOUT", httpx.Timeout(0.1))
    await say(speaker)
    receiver.answers = ["hang"]
    await asyncio.wait_for(relay_once(speaker), 2)
    (row,) = await deliveries(speaker)
    assert (row["state"], row["last_error"]) == ("due", "ReadTimeout")


async def test_a_try_is_bounded_as_a_whole(
    speaker: Runtime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WHOLE_TRY", timedelta(seconds=0.1))
    await say(speaker)
    receiver.answers = ["hang"]
    await asyncio.wait_for(relay_once(speaker), 2)
    assert [row["last_error"] for row in await deliveries(speaker)] == ["TimeoutError"]


async def test_what_somebody_waits_for_is_let_go_of_before_its_shorter_lease_ends(
    speaker: Runtime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "URGENT_LEASE", timedelta(seconds=0.6))
    await say(speaker, priority=0)
    receiver.answers = ["hang"]
    await asyncio.wait_for(relay_urgent(speaker), 2)
    assert [row["last_error"] for row in await deliveries(speaker)] == ["TimeoutError"]


async def test_one_try_ends_well_before_its_lease() -> None:
    assert relay.WHOLE_TRY + timedelta(seconds=10) < relay.LEASE


async def test_a_redirect_is_not_followed(speaker: Runtime, receiver: Receiver) -> None:
    await say(speaker)
    receiver.answers, receiver.headers = [307], [(b"location", f"{receiver.url}/elsewhere".encode())]
    await relay_once(speaker)
    assert [one.path for one in receiver.received] == ["/monitoring/v1/events"]
    assert [row["last_status"] for row in await deliveries(speaker)] == [307]


async def test_a_crash_after_sending_repeats_under_the_same_id(
    speaker: Runtime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await say(speaker)

    async def crash(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(relay, "_record", crash)
        with pytest.raises(RuntimeError):
            await relay_once(speaker)
    assert await relay_once(speaker) == 0  # Still held by the one that crashed.
    await speaker.worker_pool.execute("UPDATE outbox_delivery SET lease_until = clock_timestamp() - interval '1 s'")
    assert await relay_once(speaker) == 1
    assert receiver.ids == [str(said.id)] * 2
    assert [row["state"] for row in await deliveries(speaker)] == ["delivered"]


async def test_a_result_that_comes_after_the_lease_was_lost_changes_nothing(
    speaker: Runtime, receiver: Receiver
) -> None:
    await say(speaker)
    async with transaction(speaker.worker_pool) as connection:
        (post,) = await relay._claim(speaker, connection, 8, "true", relay.LEASE)
    await speaker.worker_pool.execute("UPDATE outbox_delivery SET lease_token = $1", new_id())
    await relay._record(speaker, post, relay.Answer(200))
    assert [row["state"] for row in await deliveries(speaker)] == ["due"]


async def test_urgent_messages_have_a_task_of_their_own(speaker: Runtime, receiver: Receiver) -> None:
    bulk, urgent = await say(speaker, priority=9), await say(speaker, priority=0)
    assert await relay_urgent(speaker) == 1
    assert receiver.ids == [str(urgent.id)]
    assert await relay_urgent(speaker) == 0
    assert await relay_once(speaker) == 1
    assert receiver.ids[1:] == [str(bulk.id)]


async def test_a_peer_in_the_same_process_that_raises_is_a_failure_like_any_other(open_small: Open) -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise ZeroDivisionError

    async with open_small("intake", transport=httpx.ASGITransport(app=broken)) as runtime:
        await say(runtime)
        assert await relay_once(runtime) == 1
        (row,) = await deliveries(runtime)
    assert (row["state"], row["last_error"]) == ("due", "ZeroDivisionError")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"no\x00pe", "nope"),
        (b"990624199003070011 refused", "990*************** refused"),
        (b"\xff\xfe", "��"),
        (b"x" * 100_000, "x" * 300),
    ],
)
async def test_an_answer_is_kept_short_storable_and_without_numbers(
    speaker: Runtime, receiver: Receiver, answer: bytes, kept: str
) -> None:
    await say(speaker)
    receiver.answers = [(500, answer)]
    await relay_once(speaker)
    assert [row["last_error"] for row in await deliveries(speaker)] == [kept]


async def test_many_messages_arrive_each_once_from_two_relays(speaker: Runtime, receiver: Receiver) -> None:
    said = {str((await say(speaker, n=n)).id) for n in range(40)}
    await asyncio.gather(drain(speaker), drain(speaker))
    assert sorted(receiver.ids) == sorted(said)
    assert sorted(json.loads(one.body)["data"]["n"] for one in receiver.received) == list(range(40))


async def test_of_a_file_three_messages_are_on_their_way_at_once(speaker: Runtime, receiver: Receiver) -> None:
    for n in range(9):
        await say(speaker, n=n, priority=9)
    receiver.answers = ["hang"] * 9
    turn = asyncio.create_task(relay_once(speaker))
    await asyncio.sleep(0.5)
    assert len(receiver.received) == 3
    turn.cancel()


async def test_what_cannot_be_tried_within_its_lease_is_given_back_untried(
    speaker: Runtime, receiver: Receiver
) -> None:
    await say(speaker)
    await relay._relay(speaker, limit=12, at_once=3, extra="true", lease=timedelta(0))
    (row,) = await deliveries(speaker)
    assert (row["state"], row["attempts"], row["lease_token"], receiver.received) == ("due", 0, None, [])
    assert await relay_once(speaker) == 1
