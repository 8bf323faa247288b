"""What comes at the same moment is taken together, and nobody pays for another's fault."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.web import gather
from shared.web.gather import ENOUGH, MOST_TOGETHER, Gathering

WHOSE: ContextVar[str] = ContextVar("whose")


class House:
    """Takes texts, whose letters are their keys; "!" is a fault, "#" is always alone."""

    def __init__(self) -> None:
        self.takings: list[list[str]] = []
        self.held_up: dict[str, asyncio.Event] = {}
        self.gathering: Gathering[str, str] = Gathering(self.take, lambda text: None if "#" in text else set(text))

    async def take(self, texts: Sequence[str]) -> list[str]:
        self.takings.append(list(texts))
        await asyncio.sleep(0)
        for text in texts:
            if text in self.held_up:
                await self.held_up[text].wait()
        if any("!" in text for text in texts):
            raise ValueError(texts)
        return [text.upper() for text in texts]

    async def all(self, *texts: str) -> list[str | BaseException]:
        return await asyncio.gather(*(self.gathering.taken(text) for text in texts), return_exceptions=True)


async def test_one_is_taken_at_once_and_the_rest_together() -> None:
    house = House()
    assert await house.all("a", "b", "c", "d") == ["A", "B", "C", "D"]
    assert house.takings == [["a"], ["b", "c", "d"]]


async def test_of_one_subject_one_at_a_time() -> None:
    house = House()
    assert await house.all("a", "b", "bc", "cd", "e") == ["A", "B", "BC", "CD", "E"]
    assert house.takings == [["a"], ["b", "e"], ["bc"], ["cd"]]


async def test_what_is_always_alone_does_not_wait() -> None:
    house = House()
    await house.all("a", "b", "#", "c")
    assert house.takings == [["a"], ["#"], ["b", "c"]] or house.takings == [["#"], ["a"], ["b", "c"]]


async def test_the_fault_of_one_is_nobody_elses() -> None:
    house = House()
    answers = await house.all("a", "b", "!", "c")
    assert [answers[0], answers[1], answers[3]] == ["A", "B", "C"]
    assert isinstance(answers[2], ValueError)
    assert house.takings == [["a"], ["b", "!", "c"], ["b"], ["!"], ["c"]]


async def test_so_many_and_no_more() -> None:
    house = House()
    await house.all(*(chr(0x4E00 + n) for n in range(MOST_TOGETHER + 2)))
    assert [len(taking) for taking in house.takings] == [1, MOST_TOGETHER, 1]


async def test_a_piece_of_very_many_keys_is_taken_alone() -> None:
    house = House()
    many = "".join(chr(0x4E00 + n) for n in range(ENOUGH + 1))
    await house.all("a", many, "b")
    assert [many] in house.takings


async def test_who_waits_for_a_lock_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "PATIENCE_SECONDS", 0.01)
    house = House()
    house.held_up["a"] = asyncio.Event()
    first = asyncio.create_task(house.gathering.taken("a"))
    assert await asyncio.wait_for(house.gathering.taken("b"), 5) == "B"
    assert not first.done()
    house.held_up["a"].set()
    assert await first == "A"


async def test_who_stops_waiting_takes_nothing_from_the_others() -> None:
    house = House()
    tasks = [asyncio.create_task(house.gathering.taken(text)) for text in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert await tasks[0] == "A"
    assert await tasks[2] == "C"
    assert await house.gathering.taken("d") == "D"


async def test_each_is_taken_on_its_own_behalf() -> None:
    whose: list[str] = []

    async def take(texts: Sequence[str]) -> list[str]:
        whose.append(WHOSE.get())
        if len(texts) > 1:
            raise ValueError
        return list(texts)

    gathering: Gathering[str, str] = Gathering(take, set)

    async def ask(text: str) -> str:
        WHOSE.set(text)
        return await gathering.taken(text)

    await asyncio.gather(*(ask(text) for text in "abc"))
    assert whose == ["a", "b", "b", "c"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("abcdef!#", min_size=1, max_size=4), max_size=40))
def test_everybody_is_answered_for_himself(texts: list[str]) -> None:
    house = House()
    answers = asyncio.run(house.all(*texts))
    for text, answer in zip(texts, answers, strict=True):
        assert isinstance(answer, ValueError) if "!" in text else answer == text.upper()
    for taking in house.takings:
        assert len(set("".join(taking))) == sum(len(set(text)) for text in taking)
