"""A household as the evaluator sees it (户): its members and everything known to have happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

COUNTED_STATUSES = ("living", "long_term_away")
STATUSES = (*COUNTED_STATUSES, "deceased", "imprisoned", "missing")


@dataclass(frozen=True, slots=True)
class Member:
    """A member on the day of assessment; `key` is what his facts name."""

    key: str
    status: str = "living"
    died_on: date | None = None
    birth_date: date | None = None
    shares_budget: bool | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the member lives from the common budget (共同生活); assumed unless said otherwise."""
        return self.status in COUNTED_STATUSES and self.shares_budget is not False

    def died_since(self, first: date) -> bool:
        return self.status == "deceased" and self.died_on is not None and self.died_on >= first


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of a member, or of the household if `member` is None; money in fen, None is not known.

    A state (`state.*`) holds from `occurred_on` until the day before `ended_on`. A yearly total carries
    `period_to`, which is also its `occurred_on`.
    """

    kind: str
    occurred_on: date
    member: str | None = None
    ended_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    amount_fen: int | None = None
    gross_fen: int | None = None
    compliant_fen: int | None = None
    other_fen: int | None = None
    relief_fen: int | None = None
    visit: str | None = None
    stay: str | None = None
    value: str | None = None
    verified: bool | None = None
    source: str = "department"
    data_set: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_total(self) -> bool:
        return self.period_to is not None


@dataclass(frozen=True, slots=True)
class HouseholdFacts:
    """Members and facts; `complete` says that what is not listed did not happen (a trial, 试算)."""

    members: tuple[Member, ...]
    facts: tuple[Fact, ...]
    complete: bool = False
