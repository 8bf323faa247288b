"""The door for messages: signed by a peer, each with its effect once."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.contracts.envelope import Event
from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.messaging.signing import sign
from tests.shared.web.conftest import Edge

DATA = {"items": [{"stage": "matched", "at": "2026-03-15T04:00:00Z", "report_id": "r1"}]}


def event(edge: Edge, source: str = "fangpin/monitoring", type_: str = MONITORING_PROGRESS, **data: Any) -> Event:
    return Event.make(source, type_, None, data or DATA, edge.runtime.clock.now())


async def post(
    edge: Edge, said: Event | bytes, *, sender: str = "monitoring", receiver: str = "intake", ago: float = 0
) -> httpx.Response:
    body = said if isinstance(said, bytes) else said.model_dump_json(exclude_none=True).encode()
    message_id = str(said.id) if isinstance(said, Event) else "raw"
    moment = edge.runtime.clock.now() - timedelta(seconds=ago)
    headers = sign(edge.runtime.keys.message_secret(sender, receiver), message_id, body, moment)
    headers["content-type"] = "application/cloudevents+json"
    return await edge.http.post("/intake/v1/events", content=body, headers=headers)


async def test_a_message_is_taken_once(edge: Edge) -> None:
    said = event(edge)
    answers = [await post(edge, said) for _ in range(3)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (200, "accepted"),
        (200, "duplicate"),
        (200, "duplicate"),
    ]
    assert edge.handled == [said]
    assert await edge.runtime.worker_pool.fetchval("SELECT count(*) FROM inbox") == 1


async def test_of_the_same_message_many_times_at_once_one_has_effect(edge: Edge) -> None:
    said = event(edge)
    answers = await asyncio.gather(*(post(edge, said) for _ in range(6)))
    assert sorted(answer.json()["status"] for answer in answers) == ["accepted"] + ["duplicate"] * 5
    assert len(edge.handled) == 1


async def test_the_same_id_with_another_content_is_a_conflict(edge: Edge) -> None:
    said = event(edge)
    await post(edge, said)
    other = said.model_copy(update={"data": {"items": [DATA["items"][0] | {"report_id": "r2"}]}})
    answer = await post(edge, other)
    assert (answer.status_code, answer.json()["code"]) == (409, "message_changed")


async def test_a_message_that_breaks_its_contract_leaves_no_trace(edge: Edge) -> None:
    said = event(edge, items=[{"stage": "finished", "at": "2026-03-15T04:00:00Z"}])
    answer = await post(edge, said)
    assert (answer.status_code, answer.json()["code"]) == (422, "message_refused")
    assert "items/0/stage" in answer.json()["detail"]
    assert await edge.runtime.worker_pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_both_peers_are_heard(edge: Edge) -> None:
    said = event(edge, "fangpin/alerts", ALERTS_PROGRESS)
    assert (await post(edge, said, sender="alerts")).json() == {"status": "accepted"}


@pytest.mark.parametrize("sender", ["intake", "nobody", ""])
async def test_only_peers_are_heard(edge: Edge, sender: str) -> None:
    answer = await post(edge, event(edge), sender=sender)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")


async def test_a_signature_for_another_receiver_is_refused(edge: Edge) -> None:
    assert (await post(edge, event(edge), receiver="alerts")).status_code == 401


async def test_a_peer_cannot_speak_as_another(edge: Edge) -> None:
    answer = await post(edge, event(edge, "fangpin/monitoring"), sender="alerts")
    assert (answer.status_code, answer.json()["code"]) == (422, "message_refused")
    assert edge.handled == []


async def test_a_signature_is_good_for_five_minutes_of_our_clock(edge: Edge) -> None:
    assert (await post(edge, event(edge), ago=299)).status_code == 200
    assert (await post(edge, event(edge), ago=301)).status_code == 401


async def test_an_unsigned_message_is_refused_before_it_is_read(edge: Edge) -> None:
    answer = await edge.http.post("/intake/v1/events", content=b"[" * 100_000)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"specversion": "0.3"}, "message_refused"),
        ({"source": "fangpin/other"}, "message_refused"),
        ({"type": OBSERVATIONS_RECORDED}, "message_refused"),
        ({"type": "x"}, "message_refused"),
        ({"id": "x"}, "message_refused"),
        ({"time": "2026-03-15T04:00:00"}, "message_refused"),
        ({"extra": 1}, "message_refused"),
        ({"data": []}, "message_refused"),
        ({"time": "2026-02-08T03:59:59Z"}, "message_too_old"),
    ],
    ids=str,
)
async def test_what_is_no_message_of_ours_is_refused(edge: Edge, change: dict[str, Any], code: str) -> None:
    body = json.dumps(event(edge).model_dump(mode="json", exclude_none=True) | change).encode()
    answer = await post(edge, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"id": 1, "id": 2}', b"null", b"[]"])
async def test_a_signed_body_is_read_strictly(edge: Edge, body: bytes) -> None:
    assert (await post(edge, body)).status_code in {400, 422}
