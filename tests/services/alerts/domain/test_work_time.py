"""Working time: make-up days, days off, New Year, and what holds of every deadline."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.work_time import NIGHT, SHANGHAI, DayKind, NoWorkingTime, Quiet, WorkCalendar
from services.alerts.known_days import known_days, known_years

DAYS_2026 = {day.on: day.kind for day in known_days(2026) or ()}
CALENDAR = WorkCalendar(DAYS_2026, frozenset({2026}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize("day", ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"])
def test_make_up_days_of_2026_are_worked_though_they_are_weekends(day: str) -> None:
    on = date.fromisoformat(f"2026-{day}")
    assert on.weekday() >= 5
    assert CALENDAR.is_workday(on)


def test_national_day_is_off() -> None:
    assert not CALENDAR.is_workday(date(2026, 10, 1))
    assert not CALENDAR.is_workday(date(2026, 10, 7))
    assert CALENDAR.is_workday(date(2026, 10, 8))


def test_a_year_nobody_published_is_monday_to_friday_and_provisional() -> None:
    assert known_days(2027) is None
    assert known_years()[-1] == 2026
    new_year = date(2027, 1, 1)
    assert CALENDAR.is_workday(new_year)
    assert CALENDAR.is_provisional(new_year)
    assert not CALENDAR.is_provisional(date(2026, 12, 31))


@pytest.mark.parametrize(
    ("moment", "hours", "due"),
    [
        ("2026-03-16T09:00", 2, "2026-03-16T11:00"),
        ("2026-03-16T11:00", 1, "2026-03-16T12:00"),
        ("2026-03-16T11:00", 2, "2026-03-16T15:30"),
        ("2026-03-16T13:00", 0, "2026-03-16T14:30"),
        ("2026-03-16T09:00", 7, "2026-03-17T09:00"),
        ("2026-03-13T17:00", 2, "2026-03-16T09:30"),  # A Friday.
        ("2026-02-13T17:00", 2, "2026-02-14T09:30"),  # A Friday before a make-up Saturday.
        ("2026-02-14T17:00", 2, "2026-02-24T09:30"),  # Over the Spring Festival.
        ("2026-12-31T17:00", 2, "2027-01-01T09:30"),  # Provisionally worked.
    ],
)
def test_working_hours(moment: str, hours: int, due: str) -> None:
    assert CALENDAR.add_working_hours(at(moment), hours) == at(due)


@pytest.mark.parametrize(
    ("moment", "hours", "due"),
    [
        ("2026-03-16T09:00", 24, "2026-03-17T09:00"),
        ("2026-03-16T17:50", 24, "2026-03-17T17:50"),
        ("2026-03-13T17:50", 24, "2026-03-16T17:50"),
        ("2026-03-15T10:00", 24, "2026-03-17T08:30"),
        ("2026-03-15T10:00", 4, "2026-03-16T14:30"),
        ("2026-03-16T20:00", 24, "2026-03-18T08:30"),
        ("2026-09-30T10:00", 24, "2026-10-08T10:00"),
        ("2026-09-19T10:00", 24, "2026-09-21T08:30"),  # The 20th is a worked Sunday.
    ],
)
def test_hours_run_day_and_night_of_working_days(moment: str, hours: int, due: str) -> None:
    assert CALENDAR.add_hours(at(moment), hours) == at(due)


@pytest.mark.parametrize(
    ("moment", "days", "due"),
    [
        ("2026-03-16T09:00", 1, "2026-03-17T18:00"),
        ("2026-03-13T09:00", 1, "2026-03-16T18:00"),
        ("2026-09-30T09:00", 3, "2026-10-10T18:00"),  # 8, 9 and the make-up Saturday.
        ("2026-12-30T09:00", 3, "2027-01-04T18:00"),
    ],
)
def test_working_days_end_with_the_last_of_them(moment: str, days: int, due: str) -> None:
    assert CALENDAR.add_working_days(at(moment), days) == at(due)


def test_calendar_days_end_on_a_working_day() -> None:
    assert CALENDAR.add_days(at("2026-03-16T09:00"), 3) == at("2026-03-19T18:00")
    assert CALENDAR.add_days(at("2026-09-28T09:00"), 3) == at("2026-10-08T18:00")


def test_no_days_are_no_deadline() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.add_working_days(at("2026-03-16T09:00"), 0)


def test_the_twentieth_on_a_sunday_waits_for_monday() -> None:
    assert date(2026, 12, 20).weekday() == 6
    assert CALENDAR.next_slot(at("2026-12-20T20:00")) == at("2026-12-21T08:00")
    # September's 20th is a Sunday too, but a make-up day.
    assert CALENDAR.next_slot(at("2026-09-20T20:00")) == at("2026-09-20T20:00")


def test_a_slot_is_never_in_the_night() -> None:
    assert CALENDAR.next_slot(at("2026-03-16T21:00")) == at("2026-03-17T08:00")
    assert CALENDAR.next_slot(at("2026-03-16T20:59")) == at("2026-03-16T20:59")
    assert CALENDAR.next_slot(at("2026-03-17T07:59")) == at("2026-03-17T08:00")
    noon = Quiet(time(12), time(14, 30))
    assert CALENDAR.next_slot(at("2026-03-17T13:00"), noon) == at("2026-03-17T14:30")


def test_no_slot_raises_and_is_not_now() -> None:
    first = date(2026, 3, 1)
    never = WorkCalendar({first + timedelta(days=n): DayKind.HOLIDAY for n in range(90)}, frozenset({2026}))
    for find in (never.next_slot, never.first_working_moment):
        with pytest.raises(NoWorkingTime):
            find(at("2026-03-10T10:00"))


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 3, 1)).map(lambda m: m.replace(tzinfo=SHANGHAI))
QUARTERS = st.integers(0, 800).map(lambda quarters: quarters / 4)


@given(MOMENTS, QUARTERS, QUARTERS)
def test_working_hours_in_two_steps_are_those_in_one(moment: datetime, first: float, second: float) -> None:
    stepped = CALENDAR.add_working_hours(CALENDAR.add_working_hours(moment, first), second)
    assert stepped == CALENDAR.add_working_hours(moment, first + second)


@given(MOMENTS, st.integers(1, 40), st.integers(1, 40))
def test_working_days_in_two_steps_are_those_in_one(moment: datetime, first: int, second: int) -> None:
    stepped = CALENDAR.add_working_days(CALENDAR.add_working_days(moment, first), second)
    assert stepped == CALENDAR.add_working_days(moment, first + second)


@given(MOMENTS, MOMENTS, st.integers(1, 100))
def test_who_begins_later_is_never_due_earlier(one: datetime, other: datetime, number: int) -> None:
    early, late = sorted((one, other))
    for add in (CALENDAR.add_working_hours, CALENDAR.add_hours, CALENDAR.add_working_days, CALENDAR.add_days):
        assert add(early, number) <= add(late, number)
    assert CALENDAR.next_slot(early) <= CALENDAR.next_slot(late)


@given(MOMENTS, st.integers(1, 100))
def test_a_deadline_lies_ahead_in_working_time(moment: datetime, number: int) -> None:
    for add in (CALENDAR.add_working_hours, CALENDAR.add_hours, CALENDAR.add_working_days, CALENDAR.add_days):
        due = add(moment, number)
        assert due > moment
        assert CALENDAR.is_working(due)


@given(MOMENTS)
def test_a_slot_is_on_a_working_day_outside_the_night(moment: datetime) -> None:
    slot = CALENDAR.next_slot(moment)
    assert slot >= moment
    assert CALENDAR.is_workday(slot.date())
    assert not NIGHT.holds(slot.time())
    assert CALENDAR.next_slot(slot) == slot
