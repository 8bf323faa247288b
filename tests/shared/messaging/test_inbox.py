"""A message has its effect once."""

import asyncio
from datetime import timedelta

import pytest

from shared.contracts.envelope import Event
from shared.db.scope import transaction
from shared.messaging.inbox import KEPT, MessageChanged, MessageTooOld, accept_new
from shared.runtime import Runtime


def event(runtime: Runtime, **data: object) -> Event:
    return Event.make("fangpin/monitoring", "cn.fangpin.monitoring.progress.v1", None, data, runtime.clock.now())


async def accept(runtime: Runtime, said: Event) -> bool:
    async with transaction(runtime.worker_pool) as connection:
        return bool(await accept_new(connection, [said], runtime.clock.now()))


async def test_a_repeat_is_known(intake: Runtime) -> None:
    said = event(intake, a=1, b="大台村")
    assert [await accept(intake, said) for _ in range(3)] == [True, False, False]


async def test_the_order_of_keys_does_not_make_another_message(intake: Runtime) -> None:
    said = event(intake, a=1, b={"x": 1, "y": 2})
    turned = said.model_copy(update={"data": {"b": {"y": 2, "x": 1}, "a": 1}})
    assert await accept(intake, said)
    assert not await accept(intake, turned)


async def test_the_same_id_with_another_content_is_refused(intake: Runtime) -> None:
    said = event(intake, a=1)
    await accept(intake, said)
    with pytest.raises(MessageChanged):
        await accept(intake, said.model_copy(update={"data": {"a": 2}}))


async def test_the_same_id_from_another_source_is_another_message(intake: Runtime) -> None:
    said = event(intake, a=1)
    await accept(intake, said)
    assert await accept(intake, said.model_copy(update={"source": "fangpin/alerts"}))


async def test_a_message_older_than_the_inbox_remembers_is_refused(intake: Runtime) -> None:
    said = event(intake, a=1)
    kept = said.model_copy(update={"time": intake.clock.now() - KEPT})
    gone = said.model_copy(update={"time": intake.clock.now() - KEPT - timedelta(seconds=1)})
    assert await accept(intake, kept)
    with pytest.raises(MessageTooOld):
        await accept(intake, gone)


async def test_an_effect_that_fails_leaves_no_trace(intake: Runtime) -> None:
    said = event(intake, a=1)

    async def fail() -> None:
        async with transaction(intake.worker_pool) as connection:
            await accept_new(connection, [said], intake.clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await accept(intake, said)


async def test_of_many_at_once_one_is_first(intake: Runtime) -> None:
    said = event(intake, a=1)
    answers = await asyncio.gather(*(accept(intake, said) for _ in range(8)))
    assert sorted(answers) == [False] * 7 + [True]
