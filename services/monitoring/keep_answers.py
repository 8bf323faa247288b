"""Keep the bytes of answers in the process until the figures in them are counted again.

Twenty times a second at most the database is asked what was counted since; answers in which nothing changed are given
as they are. Nobody waits for that question unless it was last asked a quarter of a second ago. An answer in which
something changed is made anew behind the reader's back, one at a time, and until then, for a second at most, it is
given as it was: that is how far an answer may lag behind a count of another process. A count by this very process
is known at once, and whoever asks after it waits for the new figures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.monitoring import repository_figures as repository
from services.monitoring.answer_figures import Answered, Asked, Made, make_answer
from services.monitoring.domain.dashboard import is_county
from services.monitoring.draw_boards import KINDS
from services.monitoring.keep_sums import KeptSums
from services.monitoring.refresh_figures import LAST
from services.monitoring.repository_figures import Version
from shared.runtime import Runtime
from shared.vocabulary.division import code_range, covers

MOST_BYTES = 64 * 2**20
SECONDS_TRUSTED = 0.05
MOST_SECONDS_BEHIND = 0.25
MOST_SECONDS_OUTDATED = 1.0
MOST_TRIES = 3

T = TypeVar("T")
Key = tuple[Any, ...]


@dataclass(slots=True)
class OneAtATime:
    """Lets all who want the same thing at the same moment wait for one who fetches it."""

    _under_way: dict[Any, "asyncio.Task[Any]"] = field(default_factory=dict)

    async def get(self, key: object, fetch: Callable[[], Awaitable[T]]) -> T:
        # Shielded: whoever hangs up does not take the answer away from the others.
        found: T = await asyncio.shield(self.begin(key, fetch))
        return found

    def begin(self, key: object, fetch: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Fetch, unless that is under way; whoever does not wait hears of a failure when he does."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(fetch))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._end(key, done))
        return task

    def _end(self, key: object, done: "asyncio.Task[Any]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # Looked at, so that nobody is told it was not.


@dataclass(frozen=True, slots=True)
class Outdated:
    """An answer in which something changed, and until when it may still be given."""

    answer: Answered
    until: float


@dataclass(slots=True)
class FigureCache:
    """The answers of one process, by what was asked."""

    version: Version = field(default_factory=Version)
    answers: dict[Key, Answered] = field(default_factory=dict)
    outdated: dict[Key, Outdated] = field(default_factory=dict)
    sums: KeptSums = field(default_factory=KeptSums)
    size: int = 0
    checked_at: float = 0.0
    fetching: OneAtATime = field(default_factory=OneAtATime)
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer(self, asked: Asked, runtime: Runtime) -> Answered:
        found = await self.kept(asked, runtime)
        if found is not None:
            return found
        return await self.fetching.get((self.version.number, asked.key), lambda: self._make(asked, runtime))

    async def kept(self, asked: Asked, runtime: Runtime) -> Answered | None:
        """The answer, if it stands, or if it did a moment ago and is being made anew."""
        now = time.monotonic()
        if self.checked_at <= max(LAST.counted_at, now - MOST_SECONDS_BEHIND):
            await self.fetching.get("version", lambda: self._catch_up(runtime))
        elif self.checked_at <= now - SECONDS_TRUSTED:
            self.fetching.begin("version", lambda: self._catch_up(runtime))
        found = self.answers.get(asked.key)
        if found is None and (old := self.outdated.get(asked.key)) is not None and now < old.until:
            self.fetching.begin((self.version.number, asked.key), lambda: self._renew(asked, runtime))
            return old.answer
        return found

    async def _renew(self, asked: Asked, runtime: Runtime) -> Answered:
        """One at a time, so that requests pass between one drawing and the next."""
        async with self.renewing:
            return await self._make(asked, runtime)

    async def _make(self, asked: Asked, runtime: Runtime) -> Answered:
        for _ in range(MOST_TRIES):
            version = self.version
            made = await make_answer(asked, version, runtime, self.sums)
            if made.seen == version.number == self.version.number:
                self._keep(asked.key, made)
                return made.answer
            await self.fetching.get("version", lambda: self._catch_up(runtime))
        # Somebody counts without a pause: an answer of this moment, in which nothing that was kept takes part.
        return (await make_answer(asked, self.version, runtime, KeptSums())).answer

    def _keep(self, key: Key, made: Made) -> None:
        self.sums.keep(made.read)
        self.outdated.pop(key, None)
        if self.size < MOST_BYTES and key not in self.answers:
            self.answers[key] = made.answer
            self.size += len(made.answer.body)

    async def _catch_up(self, runtime: Runtime) -> None:
        """Learn what was counted since the last time."""
        started = time.monotonic()
        since = await repository.versions_since(runtime.pool, self.version.number)
        new = since[-1] if since else Version()
        if new.number != self.version.number:
            # Nobody waits for what another process counted; what was counted here is known to have been.
            until = started + MOST_SECONDS_OUTDATED if self.checked_at > LAST.counted_at else started
            if not since or since[0].number != self.version.number:
                self.answers, self.outdated, self.sums = {}, {}, KeptSums()
            else:
                self._set_aside(since[1:], until)
            self.version, self.size = new, sum(len(one.body) for one in self.answers.values())
        self.checked_at = started

    def _set_aside(self, versions: list[Version], until: float) -> None:
        for version in versions:
            self.sums.forget(version)
        touched = {key for key in self.answers if any(_touches(version, key) for version in versions)}
        now = time.monotonic()
        still = {key: Outdated(old.answer, min(old.until, until)) for key, old in self.outdated.items()}
        fresh = {key: Outdated(self.answers.pop(key), until) for key in touched}
        self.outdated = {key: old for key, old in (still | fresh).items() if now < old.until}


def _touches(version: Version, key: Key) -> bool:
    """Whether a figure of the board changed in a place that it rests on, or in the county that holds that.

    Which cells are hidden from a reader rests on the counts of all his range: they hide each other.
    """
    name, division, home, reader, _ = key
    if version.figures.isdisjoint(KINDS[name].figures):
        return False
    rests_on = division if reader.sees_rows or not covers(home, division) else home
    lo, hi = code_range(rests_on)
    return any(lo <= place < hi or (is_county(place) and place[:6] == rests_on[:6]) for place in version.places)


async def _run(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()
