"""An appeal (申诉) against an answer: somebody else looks again, and a person decides with reasons."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class AppealState(StrEnum):
    """Where an appeal stands."""

    FILED = "filed"
    LOOKED_AT = "looked_at"
    UPHELD = "upheld"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


class AppealStep(StrEnum):
    """What moves it: a new look at the household, a decision, or the household's own wish."""

    LOOK = "look"
    UPHOLD = "uphold"
    CHANGE = "change"
    WITHDRAW = "withdraw"


class Against(StrEnum):
    """Which answer is appealed (申诉事项)."""

    NO_RISK = "no_risk"
    REMOVED = "removed"
    NOT_LISTED = "not_listed"
    OTHER_ANSWER = "other_answer"


TITLES = {
    AppealState.FILED: "已收到申诉，等待另一位干部重新核实",
    AppealState.LOOKED_AT: "已重新核实，等待裁定",
    AppealState.UPHELD: "维持原答复",
    AppealState.CHANGED: "改变原答复",
    AppealState.WITHDRAWN: "已撤回",
}
OPEN = frozenset({AppealState.FILED, AppealState.LOOKED_AT})

# Every transition there is. An answer is upheld only after somebody looked again; it may be changed at once.
TRANSITIONS: dict[tuple[AppealState, AppealStep], AppealState] = {
    (AppealState.FILED, AppealStep.LOOK): AppealState.LOOKED_AT,
    (AppealState.LOOKED_AT, AppealStep.LOOK): AppealState.LOOKED_AT,
    (AppealState.LOOKED_AT, AppealStep.UPHOLD): AppealState.UPHELD,
    (AppealState.FILED, AppealStep.CHANGE): AppealState.CHANGED,
    (AppealState.LOOKED_AT, AppealStep.CHANGE): AppealState.CHANGED,
    (AppealState.FILED, AppealStep.WITHDRAW): AppealState.WITHDRAWN,
    (AppealState.LOOKED_AT, AppealStep.WITHDRAW): AppealState.WITHDRAWN,
}


def after(state: AppealState, step: AppealStep) -> AppealState | None:
    """The state after a step; None: the step is not possible."""
    return TRANSITIONS.get((state, step))


@dataclass(frozen=True, slots=True)
class Decider:
    """A person who would decide: the number of the officer, and the subject of the login."""

    officer_no: str
    subject: str

    def gave(self, answered_by: str | None) -> bool:
        """Whether the appealed answer is his own."""
        return answered_by is not None and answered_by in {self.officer_no, self.subject}


def is_overdue(state: AppealState, due_on: date, today: date) -> bool:
    """Whether the last day for a decision has passed."""
    return state in OPEN and today > due_on
