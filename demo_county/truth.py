"""The truth (真实情况): who should be found, by a welfare rule that belongs to no policy.

A household needs help when for some months in a row it can pay neither basic needs nor the debts due, with
savings used up and reasonable borrowing exhausted. A spell counts if it reaches into the last 12 months.
"""

from dataclasses import dataclass

from demo_county.cash_flow import Books
from demo_county.fate import Cause
from demo_county.months import LENGTH, Period

LOOK_BACK = 12  # Months before and into hardship in which its cause is sought.
SMALLEST_CAUSE = 0.08  # A loss under this share of a usual year explains nothing.


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a household; `from_month` and `to_month` (YYYY-MM) bound the latest spell.

    No `to_month`: it lasts. `net_income` is the real net income of the reporting year, loss years included, in yuan.
    """

    household_no: str
    needs_help: bool
    from_month: str | None
    to_month: str | None
    reason: Cause | None
    net_income: int
    net_income_last_12_months: int


def judge(household_no: str, books: Books, period: Period, shortest: int) -> Truth:
    """The truth about one household; `shortest` is the number of unmet months in a row that count."""
    spell = _latest_spell(books.unmet, shortest)
    needs_help = spell is not None and spell.stop > LENGTH - 12
    income = round(books.flows.net_income(period.reporting_months))
    recent = round(books.flows.net_income(period.last_year))
    if spell is None or not needs_help:
        return Truth(household_no, False, None, None, None, income, recent)
    end = period.label(spell.stop - 1) if spell.stop < LENGTH else None
    return Truth(household_no, True, period.label(spell.start), end, _reason(books, spell), income, recent)


def _latest_spell(unmet: tuple[bool, ...], shortest: int) -> range | None:
    """The last run of at least `shortest` unmet months."""
    stop = LENGTH
    while stop > 0:
        start = stop
        while start > 0 and unmet[start - 1]:
            start -= 1
        if stop - start >= shortest:
            return range(start, stop)
        stop = min(start, stop - 1)
    return None


def _reason(books: Books, spell: range) -> Cause:
    """The cause that took most since a year before the spell began, up to three months into it."""
    months = range(max(0, spell.start - LOOK_BACK), min(LENGTH, spell.start + 3))
    taken = {cause: sum(lost[m] for m in months) for cause, lost in books.flows.lost.items()}
    worst = max(taken, key=lambda cause: taken[cause], default=None)
    if worst is None or taken[worst] < SMALLEST_CAUSE * books.usual.net:
        return "low_income"
    return worst
