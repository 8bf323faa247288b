"""A task for a sector (行业部门任务): a guarantee found lacking, until the village says that it is there."""

from enum import StrEnum

from shared.vocabulary.terms import Term


class TaskState(Term):
    """Where a task stands: with the department, with the village, or closed."""

    OPEN = "open", "待部门反馈"
    ANSWERED = "answered", "待村级确认"
    CLOSED = "closed", "已办结"


class TaskStep(StrEnum):
    """What is done to it: the department feeds back, the village confirms or sends it back."""

    DONE = "done"
    NOT_POSSIBLE = "not_possible"
    CONFIRMED = "confirmed"
    NOT_SOLVED = "not_solved"


FEEDBACK = (TaskStep.DONE, TaskStep.NOT_POSSIBLE)
CONFIRMATION = (TaskStep.CONFIRMED, TaskStep.NOT_SOLVED)

# Every transition there is. Only the village closes; "not possible" too is the village's to accept.
TRANSITIONS: dict[tuple[TaskState, TaskStep], TaskState] = {
    (TaskState.OPEN, TaskStep.DONE): TaskState.ANSWERED,
    (TaskState.OPEN, TaskStep.NOT_POSSIBLE): TaskState.ANSWERED,
    (TaskState.ANSWERED, TaskStep.CONFIRMED): TaskState.CLOSED,
    (TaskState.ANSWERED, TaskStep.NOT_SOLVED): TaskState.OPEN,
}


def after(state: TaskState, step: TaskStep) -> TaskState | None:
    """The state after a step; None: the step is not possible."""
    return TRANSITIONS.get((state, step))
