"""What becomes of a push: both sides of each boundary, and that whatever comes, urgent ones are never held back."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.digest import sheet_day, sheet_period
from services.alerts.domain.flood import (
    Known,
    Message,
    Push,
    Rules,
    SentSet,
    decide,
    needs_sending,
    next_slot,
)
from services.alerts.domain.work_time import SHANGHAI, DayKind, Quiet, WorkCalendar
from services.alerts.settings import AlertsSettings, quiet_hours
from shared.vocabulary.terms import Severity

NIGHT = Quiet(time(21), time(7, 30))
# 1 October is off though a Thursday; 10 October is worked though a Saturday.
CALENDAR = WorkCalendar({date(2026, 10, 1): DayKind.HOLIDAY, date(2026, 10, 10): DayKind.WORKDAY}, frozenset({2026}))
ORANGE = Message(Severity.ORANGE)


def at(day: str, hour: int = 10, minute: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour, minute), SHANGHAI)


def rules(now: datetime, quiet: Quiet | None = NIGHT, most: int = 12) -> Rules:
    return Rules(CALENDAR, quiet, datetime.combine(now.date(), time(20), SHANGHAI), most)


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        (at("2026-09-29", 20, 59), None),
        (at("2026-09-29", 21, 0), at("2026-09-30", 7, 30)),
        (at("2026-09-30", 7, 29), at("2026-09-30", 7, 30)),
        (at("2026-09-30", 7, 30), None),
        (at("2026-09-30", 21, 0), at("2026-10-02", 7, 30)),  # the first is a holiday
        (at("2026-10-01", 10, 0), at("2026-10-02", 7, 30)),
        (at("2026-10-10", 10, 0), None),  # a make-up Saturday
        (at("2026-10-11", 10, 0), at("2026-10-12", 7, 30)),
        (at("2026-12-31", 23, 0), at("2027-01-01", 7, 30)),  # of a year not published, Monday to Friday are worked
    ],
)
def test_quiet_hours_and_days_off_defer_to_the_next_slot(now: datetime, slot: datetime | None) -> None:
    decision = decide(ORANGE, Known(), rules(now), now)
    assert (decision.push, decision.not_before) == ((Push.DEFER, slot) if slot else (Push.SEND, None))
    assert (decision.reason is None) == (slot is None)


def test_without_quiet_hours_the_night_of_a_working_day_is_no_night() -> None:
    now = at("2026-09-29", 23)
    assert decide(ORANGE, Known(), rules(now, None), now).push is Push.SEND
    now = at("2026-10-03", 12)
    assert decide(ORANGE, Known(), rules(now, None), now).not_before == at("2026-10-05", 0)


@pytest.mark.parametrize(("pushes", "push"), [(11, Push.SEND), (12, Push.DIGEST)])
def test_the_daily_limit(pushes: int, push: Push) -> None:
    now = at("2026-09-29")
    assert decide(ORANGE, Known(pushes_today=pushes), rules(now), now).push is push
    group = Message(Severity.ORANGE, is_for_group=True)
    assert decide(group, Known(pushes_today=pushes), rules(now), now).push is Push.SEND


@pytest.mark.parametrize("severity", [Severity.BLUE, Severity.YELLOW])
def test_low_severity_goes_into_the_digest_and_waits_for_its_hour_in_a_group(severity: Severity) -> None:
    now = at("2026-09-29")
    assert decide(Message(severity), Known(), rules(now), now).push is Push.DIGEST
    group = Message(severity, is_for_group=True)
    assert decide(group, Known(), rules(now), now).not_before == at("2026-09-29", 20)
    evening = at("2026-09-29", 20)
    assert decide(group, Known(), rules(evening), evening).push is Push.SEND


def test_the_order_of_the_reasons() -> None:
    night = at("2026-09-29", 23)
    said = Known(is_told=True, is_outdone=True, pushes_today=99)
    assert "已发送" in str(decide(ORANGE, said, rules(night), night).reason)
    outdone = Known(is_outdone=True, pushes_today=99)
    assert "更紧急" in str(decide(ORANGE, outdone, rules(night), night).reason)
    assert "免打扰" in str(decide(ORANGE, Known(pushes_today=99), rules(night), night).reason)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)).map(lambda m: m.replace(tzinfo=SHANGHAI))


@given(
    now=moments,
    severity=st.sampled_from([None, *Severity]),
    outdone=st.booleans(),
    pushes=st.integers(0, 30),
    group=st.booleans(),
)
def test_urgent_is_never_held_back_and_the_rest_has_a_reason(
    now: datetime, severity: Severity | None, outdone: bool, pushes: int, group: bool
) -> None:
    known, of = Known(is_outdone=outdone, pushes_today=pushes), rules(now)
    assert decide(Message(severity, is_urgent=True, is_for_group=group), known, of, now).push is Push.SEND
    decision = decide(Message(severity, is_for_group=group), known, of, now)
    assert (decision.reason is None) == (decision.push is Push.SEND)
    assert (decision.not_before is None) == (decision.push is not Push.DEFER)
    if decision.not_before is not None:
        assert now < decision.not_before == next_slot(decision.not_before, of)
    if decision.push is Push.SEND:
        assert not NIGHT.holds(now.time())
        assert CALENDAR.is_workday(now.date())


HOUR = timedelta(hours=1)
T0 = at("2026-09-29")


@pytest.mark.parametrize(
    ("sent", "open_", "after", "resolved", "news"),
    [
        (SentSet(), "a", HOUR, False, True),  # nothing told, firing
        (SentSet(), "", HOUR, False, False),  # nothing told, only resolved
        (SentSet(frozenset("a"), T0), "ab", HOUR, False, True),  # a new member
        (SentSet(frozenset("ab"), T0), "ab", 4 * HOUR - timedelta(seconds=1), False, False),
        (SentSet(frozenset("ab"), T0), "ab", 4 * HOUR, False, True),  # the same after the repeat
        (SentSet(frozenset("ab"), T0), "a", HOUR, False, False),  # shrank
        (SentSet(frozenset("ab"), T0), "a", HOUR, True, True),
        (SentSet(frozenset("ab"), T0), "", HOUR, True, True),  # all resolved
        (SentSet(frozenset("ab"), T0), "", HOUR, False, False),
        (SentSet(frozenset(), T0), "", 9 * HOUR, True, False),  # was resolved, and still is
    ],
)
def test_the_sent_set_of_alertmanager(
    sent: SentSet, open_: str, after: timedelta, resolved: bool, news: bool
) -> None:
    assert needs_sending(sent, set(open_), T0 + after, repeat=4 * HOUR, resolved=resolved) is news


@pytest.mark.parametrize(
    ("month", "day"),
    [
        (date(2026, 9, 1), date(2026, 9, 21)),  # the 20th is a Sunday
        (date(2026, 3, 1), date(2026, 3, 23)),  # a Friday
        (date(2026, 10, 1), date(2026, 10, 21)),  # a Tuesday
    ],
)
def test_the_day_of_the_sheet(month: date, day: date) -> None:
    assert sheet_day(month, CALENDAR) == day


def test_the_period_of_the_sheet_passes_the_year() -> None:
    assert sheet_period(date(2027, 1, 1)) == (date(2026, 12, 21), date(2027, 1, 21))


def test_quiet_hours_are_read_and_nonsense_is_refused() -> None:
    assert quiet_hours("21:00-07:30") == NIGHT
    assert quiet_hours(" ") is None
    with pytest.raises(ValueError, match="quiet_hours"):
        AlertsSettings(quiet_hours="late")
