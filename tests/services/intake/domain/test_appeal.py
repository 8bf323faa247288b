"""The ways an appeal may go, as a machine that hypothesis walks."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.intake.domain.appeal import OPEN, TITLES, AppealState, AppealStep, Decider, after, is_overdue
from services.intake.domain.working_days import is_working_day, working_days_after

DAY = date(2026, 3, 13)  # A Friday.


class Walk(RuleBasedStateMachine):
    """Any steps in any order: what was decided stays, and nothing is upheld that nobody looked at again."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.looked, self.ends = AppealState.FILED, False, list[AppealState]()

    @rule(step=st.sampled_from(AppealStep))
    def take(self, step: AppealStep) -> None:
        moved = after(self.state, step)
        if self.state not in OPEN:
            assert moved is None
        if moved is None:
            return
        self.looked |= step is AppealStep.LOOK
        self.state = moved
        if moved not in OPEN:
            self.ends.append(moved)

    @invariant()
    def it_ends_once(self) -> None:
        assert len(self.ends) <= 1

    @invariant()
    def nothing_is_upheld_unseen(self) -> None:
        assert self.state is not AppealState.UPHELD or self.looked


TestWalk = Walk.TestCase


def test_every_state_has_words() -> None:
    assert set(TITLES) == set(AppealState)


@given(st.sampled_from(AppealState), st.integers(-5, 5))
def test_only_an_open_appeal_is_overdue_and_only_after_its_last_day(state: AppealState, late: int) -> None:
    assert is_overdue(state, DAY, DAY + timedelta(days=late)) == (state in OPEN and late > 0)


def test_nobody_decides_about_his_own_answer() -> None:
    assert Decider("S-1", "login").gave("S-1")
    assert Decider("S-1", "login").gave("login")
    assert not Decider("S-1", "login").gave("S-2")
    assert not Decider("S-1", "login").gave(None)


def test_working_days_skip_weekends_and_holidays_and_count_worked_weekends() -> None:
    assert working_days_after(DAY, 1, (), ()) == date(2026, 3, 16)
    assert working_days_after(DAY, 1, {date(2026, 3, 16)}, ()) == date(2026, 3, 17)
    assert working_days_after(DAY, 1, (), {date(2026, 3, 14)}) == date(2026, 3, 14)
    assert working_days_after(DAY, 10, (), ()) == date(2026, 3, 27)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 30), st.frozensets(st.dates(), max_size=5))
def test_exactly_so_many_working_days_lie_between(start: date, days: int, holidays: frozenset[date]) -> None:
    end = working_days_after(start, days, holidays, ())
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(is_working_day(day, holidays, ()) for day in between) == days
    assert is_working_day(end, holidays, ())
