"""What is said for the first time goes a short way into the ledger, and leaves what the ledger's own way leaves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.monitoring import append_observations as short_cut
from services.monitoring import record_observations
from services.monitoring.append_facts import append_facts
from services.monitoring.append_observations import Sorted
from services.monitoring.read_observations import entries_of
from shared.contracts.envelope import Event
from shared.contracts.intake import ObservationsRecorded
from shared.contracts.progress import FeedCounts
from shared.runtime import Runtime
from shared.security.keys import Keyring
from tests.conftest import empty_tables
from tests.services.monitoring.build import OTHER_VILLAGE, Home, deliver, facts, number, observed, rostered, sent_at

HOMES = [Home(no="F001", people=(1, 2)), Home(no="F002", people=(3,), division=OTHER_VILLAGE)]
A_LATER_ROSTER = "the roster that lists person 4"


async def the_ledgers_way(
    connection: asyncpg.Connection, told: ObservationsRecorded, sorted_: Sorted, *, now: datetime, priority: int
) -> FeedCounts:
    appended = await append_facts(connection, entries_of(told), now=now, priority=priority)
    return FeedCounts(matched=len(appended.matched), unmatched=len(appended.unmatched), changed=appended.changed)


def _observations() -> st.SearchStrategy[dict[str, Any]]:
    """Few records, kinds and people, so that messages meet; person 4 is listed late, person 5 never."""
    return st.fixed_dictionaries(
        {
            "record": st.sampled_from("ABCDEFGH"),
            "op": st.sampled_from(["put", "put", "put", "put", "end"]),
            "person": st.sampled_from([1, 1, 2, 3, 4, 5, None]),
            "household_no": st.sampled_from([None, None, "F002", "F009"]),
            "kind": st.sampled_from(["expense.medical", "state.disability", "event.disaster"]),
            "occurred_on": st.sampled_from(["2026-01-05", "2026-02-05"]),
            "compliant_fen": st.sampled_from([None, 100, 200]),
            "value": st.sampled_from([None, "x"]),
            "attributes": st.sampled_from([{}, {"level": 2}]),
            "division": st.sampled_from([None, None, OTHER_VILLAGE]),
        }
    )


MESSAGES = st.lists(
    st.one_of(
        st.tuples(st.integers(2, 9), st.lists(_observations(), min_size=1, max_size=7)),
        st.just((4, A_LATER_ROSTER)),
    ),
    min_size=1,
    max_size=6,
)


def _said(keys: Keyring, messages: Sequence[Any]) -> list[Event]:
    return [_event(keys, i, day, what) for i, (day, what) in enumerate(messages)]


def _event(keys: Keyring, i: int, day: int, what: Any) -> Event:
    if what == A_LATER_ROSTER:
        return rostered(keys, Home(no="F003", people=(4,)), on="2026-01-15", sent=sent_at(day), feed="later")
    rows = [{**one, "person": _index(keys, one["person"])} for one in what]
    told = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return observed(told, sent=sent_at(day), feed=f"feed-{i}")


def _index(keys: Keyring, person: int | None) -> str | None:
    return None if person is None else keys.blind_index(number(person)).hex()


async def _left(runtime: Runtime) -> list[Any]:
    """All that messages leave behind, but for numbers and times of our own."""
    own = {"fact_id", "household_id", "resident_id", "facts_version", "recorded_at", "superseded_at"}
    ledger = [
        (fact["superseded_at"] is None, {name: value for name, value in fact.items() if name not in own})
        for fact in await facts(runtime, standing=False)
    ]
    fetch = runtime.worker_pool.fetch
    waits = await fetch(
        "SELECT division, data_set, record_key, kind, op, person, household_no, origin, received_at, entry"
        " FROM unmatched_observation"
    )
    due = await fetch("SELECT household_no, due_at, priority, facts_version > 0 FROM household ORDER BY 1")
    counts = await fetch("SELECT feed_id, sum(matched), sum(unmatched), sum(changed) FROM feed_count GROUP BY 1")
    fresh = await fetch("SELECT county, data_set, newest_on, received_at FROM feed_freshness ORDER BY 1, 2")
    return [sorted(map(str, part)) for part in (ledger, waits, due, counts, fresh)]


@hypothesis_settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=MESSAGES)
async def test_both_ways_leave_the_same(monitoring_runtime: Runtime, database: str, messages: Sequence[Any]) -> None:
    runtime, left = monitoring_runtime, []
    for way in (short_cut.append_observations, the_ledgers_way):
        await empty_tables(database)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(record_observations, "append_observations", way)
            await deliver(runtime, rostered(runtime.keys, *HOMES), *_said(runtime.keys, messages))
        assert await _out_of_time(runtime) == 0
        left.append(await _left(runtime))
    assert left[0] == left[1]


async def _out_of_time(runtime: Runtime) -> int:
    """Facts known before what they replace, or under a version their household has not reached."""
    found: int = await runtime.worker_pool.fetchval(
        """
        SELECT count(*) FROM fact f JOIN household h USING (household_id)
        WHERE f.facts_version NOT BETWEEN 1 AND h.facts_version OR f.superseded_at < f.recorded_at
           OR EXISTS (SELECT FROM fact o WHERE (o.data_set, o.record_key, o.kind) = (f.data_set, f.record_key, f.kind)
                      AND o.fact_id < f.fact_id AND o.recorded_at > f.recorded_at)
        """
    )
    return found


async def test_what_is_new_takes_the_short_way(monitoring_runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = monitoring_runtime
    long_way = []

    async def watched(connection: asyncpg.Connection, entries: Sequence[Any], **more: Any) -> Any:
        long_way.append([entry.key.record_key for entry in entries])
        return await append_facts(connection, entries, **more)

    monkeypatch.setattr(short_cut, "append_facts", watched)
    await deliver(runtime, rostered(runtime.keys, *HOMES))
    await deliver(runtime, observed([_bill(runtime, "A", 1), _bill(runtime, "B", 5)]))
    assert long_way == []
    corrected = [_bill(runtime, "A", 1, 700), _bill(runtime, "C", 2), _bill(runtime, "D", 3), _bill(runtime, "D", 3)]
    await deliver(runtime, observed([*corrected, _bill(runtime, "B", 5, 9)], sent=sent_at(8), feed="medical-2"))
    assert long_way == [["130624/A", "130624/D", "130624/D", "130624/B"]]
    amounts = {f["record_key"]: f["compliant_fen"] for f in await facts(runtime) if f["compliant_fen"]}
    assert amounts == {"130624/A": 700, "130624/C": 100, "130624/D": 100}


def _bill(runtime: Runtime, record: str, person: int, fen: int = 100) -> dict[str, Any]:
    return {
        "record": record,
        "person": _index(runtime.keys, person),
        "kind": "expense.medical",
        "occurred_on": "2026-02-10",
        "compliant_fen": fen,
    }
