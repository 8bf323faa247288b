"""A department's task: only the village closes it, and only after the department has spoken."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.alerts.domain.sector import Sector, sector_of, sectors_of
from services.alerts.domain.sector_task import CONFIRMATION, FEEDBACK, TaskState, TaskStep, after
from services.alerts.domain.verification import Verification, needs_found
from shared.vocabulary.terms import Outcome


class Life(RuleBasedStateMachine):
    """A task against the plain rules: whose turn it is."""

    def __init__(self) -> None:
        super().__init__()
        self.state = TaskState.OPEN
        self.turn = "department"

    def take(self, step: TaskStep) -> bool:
        state = after(self.state, step)
        self.state = state or self.state
        return state is not None

    @rule(step=st.sampled_from(FEEDBACK))
    def department_speaks(self, step: TaskStep) -> None:
        assert self.take(step) is (self.turn == "department")
        self.turn = "village" if self.turn == "department" else self.turn

    @rule(step=st.sampled_from(CONFIRMATION))
    def village_speaks(self, step: TaskStep) -> None:
        assert self.take(step) is (self.turn == "village")
        if self.turn == "village":
            self.turn = "nobody" if step is TaskStep.CONFIRMED else "department"

    @invariant()
    def state_says_whose_turn_it_is(self) -> None:
        turns = {TaskState.OPEN: "department", TaskState.ANSWERED: "village", TaskState.CLOSED: "nobody"}
        assert turns[self.state] == self.turn


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


@pytest.mark.parametrize(
    ("department", "sector"),
    [
        ("教育", Sector.EDUCATION),
        ("县教体局", Sector.EDUCATION),
        ("医疗保障", Sector.MEDICAL),
        ("县医保局", Sector.MEDICAL),
        ("住房和城乡建设", Sector.HOUSING),
        ("水务局", Sector.WATER),
        ("卫生健康", None),
        ("民政", None),
        ("", None),
        (None, None),
    ],
)
def test_a_department_by_its_name(department: str | None, sector: Sector | None) -> None:
    assert sector_of(department) is sector


def test_a_large_bill_is_no_lack_of_insurance() -> None:
    assert sectors_of(["medical_self_paid", "education_cost"]) == ()
    assert sectors_of(["not_insured", "dropout"]) == (Sector.EDUCATION, Sector.MEDICAL)


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (Outcome.IDENTIFY, (Sector.HOUSING, Sector.WATER)),
        (Outcome.ALREADY_MONITORED, (Sector.HOUSING, Sector.WATER)),
        (Outcome.NO_RISK, (Sector.HOUSING,)),
        (Outcome.NEED_MET, (Sector.HOUSING,)),
        (Outcome.DATA_WRONG, (Sector.HOUSING,)),
    ],
)
def test_evidence_stands_where_the_answer_lets_it(outcome: Outcome, found: tuple[Sector, ...]) -> None:
    assert needs_found(Verification(outcome, needs=(Sector.HOUSING,)), ["water_unsafe"]) == found
