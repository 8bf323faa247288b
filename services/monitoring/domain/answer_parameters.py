"""What policy asks of the answer to a warning (核实要求): a second officer, re-checks, and how long they may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerParameters:
    """Names of the parameters that say on which severities "no risk" needs a second officer, and so on."""

    second_officer_severities: str
    recheck_percent: str
    recheck_working_days: str
    task_working_days: str
