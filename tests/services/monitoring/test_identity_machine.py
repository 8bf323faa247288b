"""Any order of facts, corrections, joinings and undoings leaves each fact with whom a model says."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shared.runtime import Runtime
from tests.services.monitoring.build import deliver
from tests.services.monitoring.test_identity import Queue, Soul, bill, index

PEOPLE = 4
Run = Callable[[Any], Any]


class Machine(RuleBasedStateMachine):
    """Namesakes of one village, each in a household of his own; the model is who is who and what was last told."""

    queue: Queue
    run: Run

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, tuple[int, int]] = {}  # record -> (day, whose number)
        self.joined: list[tuple[dict[str, Any], int, int]] = []  # pair, absorbed, survivor; the newest last
        self.run(self._begin())

    async def _begin(self) -> None:
        admin = self.queue.runtime.worker_pool
        self.round = await admin.fetchval("SELECT coalesce(max(household_id), 0) FROM household")
        self.souls = [Soul((self.round + i) % 900 + 1, f"测{self.round}") for i in range(PEOPLE)]
        await self.queue.roster({self.home(i): [soul] for i, soul in enumerate(self.souls)})
        rows = await admin.fetch("SELECT number_index, resident_id FROM resident")
        ids = {row["number_index"].hex(): row["resident_id"] for row in rows}
        self.ids = [ids[index(self.queue.runtime.keys, "", soul)] for soul in self.souls]

    def home(self, i: int) -> str:
        return f"H{self.round}-{i}"

    def root(self, i: int) -> int:
        for _, absorbed, survivor in self.joined:
            i = survivor if i == absorbed else i
        return i

    @rule(i=st.integers(0, PEOPLE - 1), record=st.integers(0, 4), day=st.integers(1, 20))
    def tell(self, i: int, record: int, day: int) -> None:
        """A record, or its correction, perhaps under another's number; what is older says nothing."""
        name = f"{self.round}-{record}"
        self.run(deliver(self.queue.runtime, bill(self.queue, self.souls[i], name, day=day, fen=day)))
        if name not in self.told or day > self.told[name][0]:
            self.told[name] = (day, i)

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        pairs = self.run(self._open())
        if not pairs:
            return
        pair = data.draw(st.sampled_from(sorted(pairs, key=lambda each: each["pair_id"])), label="pair")
        sides = [self.ids.index(side["member_id"]) for side in pair["sides"]]
        survivor = data.draw(st.sampled_from(sides), label="survivor")
        (absorbed,) = set(sides) - {survivor}
        self.run(self.queue.decide(pair, survivor_member_id=self.ids[survivor]))
        self.joined.append((pair, absorbed, survivor))

    async def _open(self) -> list[dict[str, Any]]:
        found = await self.queue.pairs(reason="same_name_and_birth", limit="200")
        return [pair for pair in found if {side["member_id"] for side in pair["sides"]} <= set(self.ids)]

    @precondition(lambda self: self.joined)
    @rule()
    def undo(self) -> None:
        self.run(self.queue.undo(self.joined.pop()[0]))

    @invariant()
    def facts_are_the_models(self) -> None:
        bills = self.run(self.queue.bills())
        ours = {name: who for name, (who, _) in bills.items() if name.startswith(f"{self.round}-")}
        keys = self.queue.runtime.keys
        assert ours == {name: index(keys, "", self.souls[self.root(i)]) for name, (_, i) in self.told.items()}

    @invariant()
    def everybody_belongs_where_he_or_who_he_is_does(self) -> None:
        live = self.run(self._live())
        assert live == {(self.home(i), self.ids[self.root(i)]) for i in range(PEOPLE)}

    async def _live(self) -> set[tuple[str, int]]:
        rows = await self.queue.runtime.worker_pool.fetch(
            "SELECT h.household_no, m.resident_id FROM household_member m JOIN household h USING (household_id)"
            " WHERE m.superseded_at IS NULL AND m.valid_to IS NULL AND h.household_no LIKE $1",
            f"H{self.round}-%",
        )
        return {(row[0], row[1]) for row in rows}


@pytest.mark.timeout(240)
async def test_any_sequence_leaves_the_facts_of_the_model(
    monitoring_client: Any, monitoring_runtime: Runtime, bearer: Any
) -> None:
    loop = asyncio.get_running_loop()
    queue = Queue(monitoring_client, monitoring_runtime, bearer)

    class Bound(Machine):
        pass

    Bound.queue = queue
    Bound.run = staticmethod(lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60))  # type: ignore[assignment]
    limits = settings(
        max_examples=12,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Bound, settings=limits)
