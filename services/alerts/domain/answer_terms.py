"""What policy asks of the answer to an alert (核实要求), as it stood when the alert opened."""

from dataclasses import dataclass

from shared.vocabulary.terms import Severity


@dataclass(frozen=True, slots=True)
class AnswerTerms:
    """On which severities "no risk" waits for a second officer, how many answers are re-checked, and the clocks.

    `recheck_percent` is of answers that identify nobody; `task_working_days` is what a department has, each round.
    """

    second_officer_severities: frozenset[Severity]
    recheck_percent: int
    recheck_working_days: int
    task_working_days: int

    def stricter(self, other: "AnswerTerms") -> "AnswerTerms":
        """Whatever either of both asks."""
        return AnswerTerms(
            self.second_officer_severities | other.second_officer_severities,
            max(self.recheck_percent, other.recheck_percent),
            min(self.recheck_working_days, other.recheck_working_days),
            min(self.task_working_days, other.task_working_days),
        )
