"""Dividing what a household earned as a whole (整户收入的划分) between those who stay and those who leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from shared.vocabulary.money import Fen

Choice = Literal["members", "shares", "stays"]
ACCOUNTS = ("income.", "cost.", "stock.")


class Total(NamedTuple):
    """The name of a total: what of, and the last day of its period."""

    kind: str
    period_to: date


class Parts(NamedTuple):
    """What stays with the household and what goes with those who leave; together the whole."""

    stays: Fen
    goes: Fen


@dataclass(frozen=True, slots=True)
class Division:
    """How to divide: equally by members who are counted, by stated shares of each total, or not at all.

    What is no total of a period has no stated share; it is divided by members unless all stays.
    """

    choice: Choice
    staying: int
    leaving: int
    shares: Mapping[Total, Parts]

    def of(self, total: Total | None, whole: Fen) -> Parts:
        """The two parts of an amount; a fen that does not divide stays."""
        if self.choice == "shares" and total is not None:
            return self.shares[total]
        if self.choice == "stays" or not self.leaving:
            return Parts(whole, 0)
        goes = whole * self.leaving // (self.staying + self.leaving)
        return Parts(whole - goes, goes)


def is_account(kind: str) -> bool:
    """Whether a kind of fact is income, its cost, or stock."""
    return kind.startswith(ACCOUNTS)
