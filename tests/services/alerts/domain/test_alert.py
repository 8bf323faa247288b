"""The life of an alert: whatever is done in whatever order, it closes once, by an answer, and stays closed."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.alerts.domain.alert import (
    TRANSITIONS,
    Deadlines,
    Status,
    Step,
    after,
    is_overdue,
    worse,
)
from shared.vocabulary.terms import Severity

MORNING = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)


class Life(RuleBasedStateMachine):
    """An alert against the plain rules: a person saw it or not, an answer was given, waits, or not."""

    def __init__(self) -> None:
        super().__init__()
        self.status = Status.OPEN
        self.seen = self.tried = self.waits = self.answered = False

    def take(self, step: Step) -> bool:
        status = after(self.status, step)
        self.status = status or self.status
        return status is not None

    @property
    def free(self) -> bool:
        return not (self.waits or self.answered)

    @rule()
    def acknowledge(self) -> None:
        assert self.take(Step.ACKNOWLEDGE) is not self.answered
        self.seen = True

    @rule(step=st.sampled_from([Step.CANNOT_REACH, Step.CONSULT]))
    def try_or_consult(self, step: Step) -> None:
        if self.take(step):
            assert self.free
            self.seen = self.tried = True
        else:
            assert not self.free

    @rule()
    def hand_over(self) -> None:
        before = self.status
        assert self.take(Step.HAND_OVER) is self.free
        assert self.status is before

    @rule()
    def accept(self) -> None:
        assert self.take(Step.ACCEPT) is self.free
        self.seen = self.seen or self.free

    @rule()
    def propose(self) -> None:
        free = self.free
        assert self.take(Step.PROPOSE) is free
        self.waits = self.waits or free

    @rule(agrees=st.booleans())
    def second_officer(self, agrees: bool) -> None:
        assert self.take(Step.CONFIRM if agrees else Step.REFUSE) is self.waits
        if self.waits:
            self.waits, self.answered, self.tried = False, agrees, True

    @rule()
    def verify(self) -> None:
        free = self.free
        assert self.take(Step.VERIFY) is free
        self.answered = self.answered or free

    @invariant()
    def status_says_what_happened(self) -> None:
        if self.answered:
            assert self.status is Status.CLOSED
        elif self.waits:
            assert self.status is Status.CONFIRMING
        elif self.tried:
            assert self.status is Status.VERIFYING
        else:
            assert self.status is (Status.ACKNOWLEDGED if self.seen else Status.OPEN)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


def test_only_an_answer_closes() -> None:
    assert {step for (_, step), status in TRANSITIONS.items() if status is Status.CLOSED} == {
        Step.VERIFY,
        Step.CONFIRM,
    }


def test_nothing_leaves_closed() -> None:
    assert all(after(Status.CLOSED, step) is None for step in Step)


def test_at_the_deadline_it_is_overdue() -> None:
    due = Deadlines(MORNING + timedelta(hours=24), MORNING + timedelta(days=7))
    just_before = due.acknowledge_by - timedelta(microseconds=1)
    assert not is_overdue(Status.OPEN, due, just_before)
    assert is_overdue(Status.OPEN, due, due.acknowledge_by)
    assert not is_overdue(Status.ACKNOWLEDGED, due, due.acknowledge_by)
    assert is_overdue(Status.ACKNOWLEDGED, due, due.verify_by)
    assert not is_overdue(Status.CLOSED, due, due.verify_by)


def test_severity_only_rises() -> None:
    assert worse(Severity.ORANGE, Severity.YELLOW) is Severity.ORANGE
    assert worse(Severity.ORANGE, Severity.RED) is Severity.RED
    assert worse(None, Severity.BLUE) is Severity.BLUE
    assert worse(Severity.BLUE, None) is Severity.BLUE
