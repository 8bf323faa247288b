"""Changes are pulled in an order in which none appears behind one that was read."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.web.page import encode_cursor
from tests.services.monitoring.build import OTHER_VILLAGE, VILLAGE, Home, assess_all, deliver, rostered, settled

CHANGES = "/monitoring/v1/changes"
Bearer = Callable[..., dict[str, str]]
Pull = Callable[..., Any]


@pytest.fixture
async def village(monitoring_runtime: Runtime) -> Runtime:
    """A poor and ill household here, told of; a well-off one there."""
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(
            runtime.keys, Home(wage_fen=1_000_000), Home(no="F002", people=(3,), division=OTHER_VILLAGE, phone=None)
        ),
        settled(runtime.keys, 1, 1_200_000),
    )
    await assess_all(runtime)
    return runtime


@pytest.fixture
def pull(village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Pull:
    async def ask(who: dict[str, str] | None = None, status: int = 200, **query: Any) -> Any:
        answer = await monitoring_client.get(CHANGES, params=query, headers=who or bearer())
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def told(page: dict[str, Any]) -> list[str]:
    return [item["household_no"] for message in page["items"] for item in message["data"]["items"]]


async def fall_ill(runtime: Runtime, person: int = 3) -> None:
    await deliver(runtime, settled(runtime.keys, person, 3_000_000, record=f"S{person}", feed=f"m{person}"))
    await assess_all(runtime)


async def test_a_reader_goes_on_where_he_stopped(village: Runtime, pull: Pull) -> None:
    first = await pull()
    assert (told(first), first["more"]) == (["F001"], False)
    nothing = await pull(after=first["next_after"])
    assert (nothing["items"], nothing["next_after"]) == ([], first["next_after"])
    await fall_ill(village)
    assert told(await pull(after=nothing["next_after"])) == ["F002"]
    assert told(await pull()) == ["F001", "F002"]


async def test_pages_have_neither_gap_nor_repeat(village: Runtime, pull: Pull) -> None:
    await pull()
    await fall_ill(village)
    page = await pull(limit=1)
    assert (told(page), page["more"]) == (["F001"], True)
    rest = await pull(limit=1, after=page["next_after"])
    assert (told(rest), rest["more"]) == (["F002"], False)


async def test_a_message_committed_late_is_not_passed_over(village: Runtime, pull: Pull) -> None:
    """The earlier one is still being written while the later one is read."""
    row = await village.worker_pool.fetchrow("SELECT * FROM outbox WHERE type LIKE '%risk_changed%' LIMIT 1")
    assert row is not None
    early, late = (_event(row, subject) for subject in ("early", "late"))
    start = (await pull())["next_after"]
    async with transaction(village.worker_pool) as writing:
        await enqueue(writing, early, aggregate="risk")
        async with transaction(village.worker_pool) as connection:
            await enqueue(connection, late, aggregate="risk")
        seen = await pull(after=start)
        assert [each["id"] for each in seen["items"]] == [str(late.id)]
    assert [each["id"] for each in (await pull(after=seen["next_after"]))["items"]] == [str(early.id)]


def _event(row: asyncpg.Record, subject: str) -> Any:
    from shared.contracts.envelope import Event

    return Event.make("fangpin/monitoring", row["type"], subject, row["payload"], row["created_at"])


async def test_readers_at_once_number_each_message_once(village: Runtime, pull: Pull) -> None:
    await fall_ill(village)
    pages = await asyncio.gather(*(pull() for _ in range(6)))
    assert {str(page["items"]) for page in pages} == {str(pages[0]["items"])}
    numbers = await village.worker_pool.fetch("SELECT position FROM outbox WHERE position IS NOT NULL ORDER BY 1")
    first, second = (row["position"] for row in numbers)
    assert second == first + 1


async def test_a_reader_sees_his_range_and_no_person(village: Runtime, pull: Pull, bearer: Bearer) -> None:
    await fall_ill(village)
    there = await pull(bearer("village_secretary", OTHER_VILLAGE))
    assert told(there) == ["F002"]
    nowhere = await pull(bearer("township_leader", "130624102000"))
    assert (nowhere["items"], nowhere["more"]) == ([], False)
    assert nowhere["next_after"] == there["next_after"], "what is not his is behind him too"
    text = str(await pull())
    assert not [hidden for hidden in ("contact", "evidence", "199000", "30000", "sentence") if hidden in text]


async def test_a_post_that_does_not_see_the_class_is_not_told_it(pull: Pull, bearer: Bearer) -> None:
    [seen], [hidden] = [
        message["data"]["items"]
        for who in (bearer("village_secretary", VILLAGE), bearer("grid_worker", VILLAGE))
        for message in (await pull(who))["items"]
    ]
    assert seen["recommendation"] == "marginal_at_risk"
    assert not {"recommendation", "previous_recommendation", "listed_as", "score"} & hidden.keys()
    assert hidden["severity"] == seen["severity"]


async def test_a_place_that_is_not_kept_is_said_to_be_gone(village: Runtime, pull: Pull) -> None:
    await pull()
    await fall_ill(village)
    now = (await pull())["next_after"]
    first = await village.worker_pool.fetchval("SELECT min(position) FROM outbox")
    start = encode_cursor({"after": first - 1})
    assert told(await pull(after=start)) == ["F001", "F002"]
    assert (await pull(status=410, after=encode_cursor({"after": first + 99})))["code"] == "changes_expired"
    async with transaction(village.worker_pool) as connection:
        await connection.execute(
            "DELETE FROM outbox_delivery WHERE outbox_id IN (SELECT id FROM outbox WHERE position = $1)", first
        )
        await connection.execute("DELETE FROM outbox WHERE position = $1", first)
    assert (await pull(status=410, after=start))["code"] == "changes_expired"
    assert told(await pull()) == ["F002"], "from the oldest that is kept"
    assert (await pull(after=now))["items"] == []


async def test_what_is_no_cursor_is_refused(pull: Pull, bearer: Bearer) -> None:
    for bad in (
        "abc",
        "",
        encode_cursor({"after": "1"}),
        encode_cursor({"before": 1}),
        encode_cursor({"after": True}),
    ):
        assert (await pull(status=400, after=bad))["code"] == "invalid_cursor", bad
    assert (await pull(status=410, after=encode_cursor({"after": -1})))["code"] == "changes_expired"
    for query in ({"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"since": "2026-01-01"}):
        await pull(status=422, **query)
    await pull(bearer("liaison"), status=403)


async def test_what_was_read_is_audited(pull: Pull, admin: asyncpg.Connection) -> None:
    page = await pull()
    await pull(after=page["next_after"])
    [row] = await admin.fetch("SELECT * FROM monitoring.audit_log WHERE action = 'changes.read'")
    assert row["detail"] == {"messages": 1, "households": 1}
