"""What follows a try to send."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.alerts.domain.delivery import (
    LIMIT_PAUSE,
    LONGEST_PAUSE,
    RECEIPT_WAIT,
    SCHEDULE,
    SUPPLIER_PAUSE,
    WAITING,
    Decision,
    DeliveryState,
    EndpointState,
    Inquiry,
    OutcomeClass,
    SendOutcome,
    after_inquiry,
    after_receipt,
    decide,
    leaves_alone,
    starts_next_channel,
    wait_after,
)

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
RETRY = SendOutcome(OutcomeClass.RETRY)


@pytest.mark.parametrize(
    ("outcome", "state", "endpoint"),
    [
        (OutcomeClass.OK, DeliveryState.DELIVERED, None),
        (OutcomeClass.FIX, DeliveryState.DEAD, EndpointState.BROKEN),
        (OutcomeClass.GONE, DeliveryState.DEAD, EndpointState.DISABLED),
    ],
)
def test_final_outcomes(outcome: OutcomeClass, state: DeliveryState, endpoint: EndpointState | None) -> None:
    decision = decide(SendOutcome(outcome), attempt=1, now=NOW, give_up_at=NOW + timedelta(days=7), jitter=0)
    assert (decision.state, decision.endpoint, decision.due_at) == (state, endpoint, None)


def test_waits_grow_and_end_daily() -> None:
    waits = [wait_after(attempt, None, 0).total_seconds() for attempt in range(1, 10)]
    assert waits == [5, 60, 300, 1800, 7200, 18000, 86400, 86400, 86400]


def test_given_up_when_the_next_try_would_be_too_late() -> None:
    give_up = NOW + timedelta(seconds=5)
    assert decide(RETRY, attempt=1, now=NOW, give_up_at=give_up, jitter=0).state is DeliveryState.DUE
    assert decide(RETRY, attempt=1, now=NOW, give_up_at=give_up, jitter=0.1).state is DeliveryState.DEAD


@given(st.integers(1, 20), st.integers(0, 10**7), st.floats(-1, 1))
def test_retry_after_is_honoured_between_once_and_twice_the_step(attempt: int, asked: int, jitter: float) -> None:
    step = SCHEDULE[min(attempt, len(SCHEDULE)) - 1]
    wait = wait_after(attempt, timedelta(seconds=asked), jitter)
    assert step * 0.8 <= wait <= step * 2
    if step * 1.2 <= timedelta(seconds=asked) <= step * 2:
        assert wait == timedelta(seconds=asked)


def test_a_suppliers_limit_is_kept_exactly() -> None:
    limited = SendOutcome(OutcomeClass.LIMITED, block=timedelta(minutes=10))
    decision = decide(limited, attempt=1, now=NOW, give_up_at=NOW + timedelta(days=1), jitter=1)
    assert (decision.state, decision.due_at) == (DeliveryState.DUE, NOW + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (SendOutcome(OutcomeClass.LIMITED), LIMIT_PAUSE),
        (SendOutcome(OutcomeClass.LIMITED, retry_after=timedelta(seconds=90)), timedelta(seconds=90)),
        (SendOutcome(OutcomeClass.LIMITED, retry_after=LONGEST_PAUSE), LONGEST_PAUSE),
        (SendOutcome(OutcomeClass.LIMITED, retry_after=LONGEST_PAUSE + timedelta(seconds=1)), LONGEST_PAUSE),
        (SendOutcome(OutcomeClass.LIMITED, block=timedelta(hours=2)), timedelta(hours=2)),
        (SendOutcome(OutcomeClass.FIX, of_supplier=True), SUPPLIER_PAUSE),
        (SendOutcome(OutcomeClass.FIX), None),
        (SendOutcome(OutcomeClass.RETRY, retry_after=timedelta(seconds=90)), None),
        (SendOutcome(OutcomeClass.OK), None),
    ],
)
def test_how_long_a_receiver_is_left_alone_is_what_it_says(outcome: SendOutcome, pause: timedelta | None) -> None:
    assert leaves_alone(outcome) == pause


def test_a_supplier_to_mend_breaks_no_address() -> None:
    empty = SendOutcome(OutcomeClass.FIX, of_supplier=True)
    decision = decide(empty, attempt=1, now=NOW, give_up_at=NOW + timedelta(days=1), jitter=0)
    assert decision == Decision(DeliveryState.DUE, NOW + SUPPLIER_PAUSE)
    assert starts_next_channel(decision, OutcomeClass.FIX, attempt=1, urgent=False)


@pytest.mark.parametrize(
    ("attempt", "urgent", "starts"), [(1, True, False), (2, True, True), (2, False, False), (9, False, False)]
)
def test_after_two_failures_an_urgent_message_takes_another_way_too(attempt: int, urgent: bool, starts: bool) -> None:
    waiting = Decision(DeliveryState.DUE, NOW)
    assert starts_next_channel(waiting, OutcomeClass.RETRY, attempt=attempt, urgent=urgent) == starts
    delivered = Decision(DeliveryState.DELIVERED)
    assert not starts_next_channel(delivered, OutcomeClass.OK, attempt=attempt, urgent=urgent)
    assert starts_next_channel(Decision(DeliveryState.DEAD), OutcomeClass.RETRY, attempt=1, urgent=False)


@pytest.mark.parametrize(
    ("said", "waited", "state", "wait"),
    [
        (Inquiry.SENT, False, DeliveryState.DELIVERED, None),
        (Inquiry.FAILED, False, DeliveryState.DEAD, None),
        (Inquiry.UNKNOWN, False, DeliveryState.DUE, timedelta(0)),
        (Inquiry.CANNOT_ASK, False, DeliveryState.UNCERTAIN, RECEIPT_WAIT),
        (Inquiry.CANNOT_ASK, True, DeliveryState.DUE, timedelta(0)),
        (Inquiry.NO_ANSWER, True, DeliveryState.UNCERTAIN, timedelta(seconds=60)),
    ],
)
def test_what_may_have_been_sent(said: Inquiry, waited: bool, state: DeliveryState, wait: timedelta | None) -> None:
    decision = after_inquiry(said, waited=waited, attempt=2, now=NOW, give_up_at=NOW + timedelta(days=1), jitter=0)
    assert (decision.state, decision.due_at) == (state, None if wait is None else NOW + wait)


@given(st.lists(st.booleans(), max_size=6), st.sampled_from(DeliveryState))
def test_reports_in_whatever_order_end_in_the_same_state(reports: list[bool], start: DeliveryState) -> None:
    def end(order: list[bool]) -> DeliveryState:
        state = start
        for arrived in order:
            state = after_receipt(state, arrived=arrived)
        return state

    assert end(reports) == end(reports[::-1]) == end(reports * 2)


class DeliveryMachine(RuleBasedStateMachine):
    """One delivery through tries, crashes, receipts, an acknowledgement and resending, as the tables hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.give_up_at = NOW, NOW + timedelta(days=7)
        self.state, self.due_at = DeliveryState.DUE, NOW
        self.attempts, self.sends, self.taken = 0, 0, 0
        self.leased, self.maybe_sent, self.waited = False, False, False

    @rule(hours=st.floats(0, 30))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.state in WAITING and not self.leased and self.due_at <= self.now)
    @rule()
    def claim(self) -> None:
        self.leased, self.attempts = True, self.attempts + 1

    @precondition(lambda self: self.leased and self.state is DeliveryState.DUE)
    @rule(outcome=st.sampled_from(OutcomeClass), jitter=st.floats(-1, 1))
    def answered(self, outcome: OutcomeClass, jitter: float) -> None:
        if outcome is OutcomeClass.ASKED:
            return
        assert not self.maybe_sent, "what may have been sent is asked for first"
        self.sends += 1
        self.taken += outcome is OutcomeClass.OK
        self._settle(
            decide(
                SendOutcome(outcome), attempt=self.attempts, now=self.now, give_up_at=self.give_up_at, jitter=jitter
            )
        )

    @precondition(lambda self: self.leased)
    @rule()
    def worker_dies(self) -> None:
        self.leased, self.maybe_sent = False, self.maybe_sent or self.state is DeliveryState.DUE
        self.waited = self.state is DeliveryState.UNCERTAIN
        self.state = DeliveryState.UNCERTAIN

    @precondition(lambda self: self.leased and self.state is DeliveryState.UNCERTAIN)
    @rule(said=st.sampled_from(Inquiry))
    def asked(self, said: Inquiry) -> None:
        decision = after_inquiry(
            said, waited=self.waited, attempt=self.attempts, now=self.now, give_up_at=self.give_up_at, jitter=0
        )
        self.waited = True
        self.maybe_sent = self.maybe_sent and decision.state is DeliveryState.UNCERTAIN
        self._settle(decision)

    @rule(arrived=st.booleans())
    def receipt(self, arrived: bool) -> None:
        after = after_receipt(self.state, arrived=arrived)
        if after is not self.state:
            self._settle(Decision(after))
            self.maybe_sent = False

    @precondition(lambda self: self.state in WAITING)
    @rule()
    def acknowledged(self) -> None:
        self._settle(Decision(DeliveryState.CANCELLED))
        self.maybe_sent = False

    @precondition(lambda self: not self.leased and self.state is DeliveryState.DEAD)
    @rule()
    def resend(self) -> None:
        self._settle(Decision(DeliveryState.DUE, self.now))
        self.give_up_at, self.maybe_sent = self.now + timedelta(days=7), False

    def _settle(self, decision: Decision) -> None:
        self.state, self.leased = decision.state, False
        self.due_at = decision.due_at or self.due_at
        assert (decision.due_at is not None) == (decision.state in WAITING)

    @invariant()
    def never_lost(self) -> None:
        """It waits with a time, or is in the hands of somebody, or is where a person sees what became of it."""
        if self.state in WAITING:
            assert self.due_at <= self.give_up_at + timedelta(days=2)

    @invariant()
    def acknowledged_stays(self) -> None:
        if self.state is DeliveryState.CANCELLED:
            assert after_receipt(self.state, arrived=True) is DeliveryState.CANCELLED


TestDeliveryMachine = DeliveryMachine.TestCase
