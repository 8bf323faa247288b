"""What was said of a record, in any order, leaves the same truth."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Register, Said, changes, tell

KEY = Key("medical_settlement", "130624/S1", "expense.medical")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOME = Place(1, "130624", 7)


def put(amount: int, at: int, place: Place | None = HOME) -> Entry:
    content = Content(date(2026, 1, 5), compliant_fen=amount)
    return Entry(KEY, Said(START + timedelta(hours=at), f"f{at}"), content, "department", "130624000000", place=place)


def end(at: int, day: int) -> Entry:
    return replace(put(0, at), op="end", content=Content(date(2026, 1, 5), ended_on=date(2026, 1, day)))


def back(at: int, op: Any = "withdraw") -> Entry:
    return replace(put(0, at), op=op)


ENTRIES = st.lists(
    st.one_of(
        st.builds(put, st.integers(1, 3), st.integers(0, 20), st.sampled_from([HOME, Place(2, "130624", 7), None])),
        st.builds(end, st.integers(0, 20), st.integers(6, 9)),
        st.builds(back, st.integers(0, 20)),
        st.builds(back, st.integers(0, 20), st.just("reverse")),
    ),
    max_size=7,
    unique_by=lambda entry: (entry.op, entry.said),
)


def told(*entries: Entry) -> Register:
    return tell({}, entries).get(KEY, Register())


@given(ENTRIES, st.integers(0, 999))
def test_the_order_of_what_was_said_is_no_matter(entries: list[Entry], seed: int) -> None:
    shuffled = random.Random(seed).sample(entries, len(entries))
    assert told(*entries).truth() == told(*shuffled).truth()
    assert told(*entries).waiting() == told(*shuffled).waiting() or not told(*entries).waiting()


@given(ENTRIES)
def test_saying_it_again_changes_nothing(entries: list[Entry]) -> None:
    assert told(*entries, *entries) == told(*entries)


def test_an_end_that_came_first_waits_and_then_ends() -> None:
    early = told(end(5, 8))
    assert (early.truth(), early.waiting()) == (None, [end(5, 8)])
    whole = early.told(put(1, 2)).truth()
    assert whole is not None
    assert whole.content.ended_on == date(2026, 1, 8)


def test_a_record_said_again_after_its_end_holds_again() -> None:
    again = told(put(1, 1), end(2, 8), put(2, 3)).truth()
    assert again is not None
    assert again.content.ended_on is None


def test_what_was_withdrawn_holds_again_when_said_again_and_what_was_reversed_never() -> None:
    assert told(put(1, 1), back(2)).truth() is None
    assert told(put(1, 1), back(2), put(2, 3)).truth() == put(2, 3)
    assert told(put(1, 1), back(2, "reverse"), put(2, 3)).truth() is None


def test_what_takes_back_is_remembered_for_what_still_comes() -> None:
    """The ledger keeps no record of what was taken back, only what waits."""
    for entries in ([back(5)], [put(1, 1), back(5)], [put(1, 1, None), back(5)]):
        [waits] = told(*entries).waiting()
        assert waits == back(5)
        assert Register().told(waits).told(put(3, 4)).truth() is None
    assert told(put(1, 1), back(5), put(2, 6)).waiting() == []


def test_knowing_whom_it_concerns_replaces_not_knowing() -> None:
    assert told(put(1, 1, None)).waiting() == [put(1, 1, None)]
    assert told(put(1, 1, None), put(1, 1)).waiting() == []


def test_without_a_stored_fact_everything_told_is_added() -> None:
    difference = changes({}, {KEY: told(put(1, 1))})
    assert (len(difference.added), difference.superseded, difference.households) == (1, (), {1})
