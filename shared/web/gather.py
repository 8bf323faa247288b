"""Take together what comes at the same moment: a transaction costs about as much for one message as for eight."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")

MOST_TOGETHER = 16
# With so many keys a piece is worth a transaction of its own.
ENOUGH = 16
# A taking that waits for somebody's lock must not hold up everybody.
PATIENCE_SECONDS = 0.1


@dataclass(slots=True)
class Waiting(Generic[Piece, Answer]):
    """A piece that somebody waits for, on whose behalf it is taken."""

    piece: Piece
    keys: Collection[object]
    answer: asyncio.Future[Answer]
    context: Context = field(default_factory=copy_context)


class Gathering(Generic[Piece, Answer]):
    """Takes pieces by `take`, several at once.

    What comes alone is taken at once. What comes while a taking is under way waits a little, and is taken with what
    else waits; but never two pieces with a key in common. A piece with very many keys, or whose keys are None, is
    always taken alone and at once. When a taking of several fails each is taken alone, so that the fault of one is
    nobody else's.
    """

    def __init__(
        self,
        take: Callable[[Sequence[Piece]], Awaitable[Sequence[Answer]]],
        keys: Callable[[Piece], Collection[object] | None],
    ) -> None:
        self._take, self._keys = take, keys
        self._waiting: deque[Waiting[Piece, Answer]] = deque()
        self._takings: set[asyncio.Task[None]] = set()
        self._turn: asyncio.TimerHandle | None = None

    async def taken(self, piece: Piece) -> Answer:
        """What taking it answered, or raised."""
        keys = self._keys(piece)
        if keys is None or len(keys) > ENOUGH:
            return (await self._take([piece]))[0]
        one: Waiting[Piece, Answer] = Waiting(piece, keys, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._turn is None:
            self._begin()
        return await one.answer

    def _begin(self) -> None:
        together = self._next()
        taking = asyncio.create_task(self._settle(together), context=together[0].context)
        self._turn = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._pass_on)
        self._takings.add(taking)
        taking.add_done_callback(partial(self._over, self._turn))

    def _over(self, turn: asyncio.TimerHandle, taking: asyncio.Task[None]) -> None:
        self._takings.discard(taking)
        if turn is self._turn:
            turn.cancel()
            self._pass_on()

    def _pass_on(self) -> None:
        self._turn = None
        if self._waiting:
            self._begin()

    def _next(self) -> list[Waiting[Piece, Answer]]:
        together = list[Waiting[Piece, Answer]]()
        later = list[Waiting[Piece, Answer]]()
        taken = set[object]()
        while self._waiting and len(together) < MOST_TOGETHER:
            one = self._waiting.popleft()
            (together if taken.isdisjoint(one.keys) else later).append(one)
            taken.update(one.keys)
        self._waiting.extendleft(reversed(later))
        return together

    async def _settle(self, together: Sequence[Waiting[Piece, Answer]]) -> None:
        try:
            answers = await self._take([one.piece for one in together])
        except Exception as error:
            if len(together) > 1:
                for one in together:
                    await asyncio.create_task(self._settle([one]), context=one.context)
            elif not together[0].answer.done():
                together[0].answer.set_exception(error)
        else:
            for one, answer in zip(together, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)
