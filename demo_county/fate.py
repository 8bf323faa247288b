"""What befalls a household in 24 months (变故): treatments, costs, lost earnings, deaths, disabilities."""

from dataclasses import dataclass, field
from typing import Literal

from demo_county.incomes import UsualIncome
from demo_county.insurance import Treatment
from demo_county.people import Certificate, Household

Cause = Literal[
    "illness",
    "accident",
    "disability",
    "death",
    "job_loss",
    "disaster",
    "business_failure",
    "schooling",
    "low_income",
]


@dataclass(frozen=True, slots=True)
class Cost:
    """Yuan to be paid in a month; relief and late wages that come in are negative."""

    cause: Cause
    month: int
    amount: float


@dataclass(frozen=True, slots=True)
class Loss:
    """The `share` of earnings that stays away for some months; of a worker's wage, or of the business."""

    cause: Cause
    worker: int | None
    start: int
    months: int
    share: float


@dataclass(slots=True)
class Fate:
    """Everything that happens to one household, filled by one module for each kind of event.

    `deaths` gives the month and `certificates` the new certificate by position of the member; `serious` are the
    serious illnesses, position and first month.
    """

    household: Household
    usual: UsualIncome
    treatments: list[Treatment] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    deaths: dict[int, int] = field(default_factory=dict)
    certificates: dict[int, Certificate] = field(default_factory=dict)
    serious: list[tuple[int, int]] = field(default_factory=list)

    def alive(self, month: int) -> int:
        """How many members are alive after that month's deaths."""
        return len(self.household.persons) - sum(died <= month for died in self.deaths.values())

    def settle(self) -> None:
        """Order treatments by time and drop those after a death."""
        kept = [t for t in self.treatments if t.month <= self.deaths.get(t.person, t.month)]
        self.treatments = sorted(kept, key=lambda t: t.month)
