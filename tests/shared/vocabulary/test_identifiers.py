"""Identifiers are UUIDs of version 7 that sort by their time."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.identifiers import new_id

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(moment=MOMENTS)
def test_an_identifier_holds_its_time(moment: datetime) -> None:
    made = new_id(moment)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) - moment.timestamp() * 1000) <= 1


@given(moment=MOMENTS)
def test_a_later_one_sorts_behind(moment: datetime) -> None:
    assert str(new_id(moment)) < str(new_id(moment + timedelta(milliseconds=2)))


def test_no_two_are_equal() -> None:
    moment = datetime(2026, 3, 15, tzinfo=UTC)
    assert len({new_id(moment) for _ in range(5000)}) == 5000
