"""Pulls (可拉动的幅度): for each lever, the ways in which one household could pull it.

A pull is found from what the household's facts say on the day; where there is nothing to change there is none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from services.monitoring.domain import facts_changed as change
from services.monitoring.domain.facts_changed import Alteration
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.window import Windows
from shared.vocabulary.money import Fen

# Nobody is helped by being told to earn more than this: a million yuan a year.
MOST_INCOME_FEN = 100_000_000

NEW_INCOME = ("income.wage", "income.property", "income.business_sales", "income.transfer_regular")
EARNINGS_LOST = ("event.job_loss", "event.wage_drop", "event.death", "event.imprisonment")
# Well within every standard of drinking water.
GOOD_WATER = {"litres": 100, "minutes": 0, "guarantee": 100, "quality_ok": True}


@dataclass(frozen=True, slots=True)
class Situation:
    """A household on a day; `income` are the entries that count as its income, the largest first."""

    household: HouseholdFacts
    windows: Windows
    income: tuple[Fact, ...]

    @property
    def counted(self) -> list[Member]:
        return [each for each in self.household.members if each.is_counted]

    @property
    def earner(self) -> str | None:
        """The member with the largest income that counts, else the first."""
        counted = [each.key for each in self.counted]
        earners = [each.member for each in self.income if each.member in counted]
        return next(iter([*earners, *counted]), None)

    def lately(self, *kinds: str) -> list[Fact]:
        """What happened since the first day that any window looks at."""
        first, on = self.windows.account.first, self.windows.on
        return [each for each in self.household.facts if each.kind in kinds and first <= each.occurred_on <= on]

    def states(self, kind: str, *values: str | None) -> list[Fact]:
        """The states of a kind that hold on the day, with one of these values (none given: any)."""
        held = (each for each in self.household.facts if each.kind == kind)
        return [each for each in held if change.holds(each, self.windows.on) and (not values or each.value in values)]


@dataclass(frozen=True, slots=True)
class Pull:
    """One way this household could pull a lever: a switch, or an amount from one fen up to `most_fen`."""

    alter: Alteration
    member: str | None = None
    most_fen: Fen | None = None


Pulls = Callable[[Situation], Iterator[Pull]]


def more_income(situation: Situation) -> Iterator[Pull]:
    """More of an income that is not being lost; else income of a new kind."""
    safe = [each for each in situation.income if not _is_lost(each, situation)]
    new = [kind for kind in NEW_INCOME if not any(each.kind == kind for each in situation.household.facts)]
    if safe:
        yield Pull(change.raised(safe[0]), None, MOST_INCOME_FEN)
    elif new and situation.counted:
        yield Pull(change.earning(new[0], situation.windows.account.last), None, MOST_INCOME_FEN)


def _is_lost(entry: Fact, situation: Situation) -> bool:
    """Whether something befell who earned it."""
    if entry.kind == "income.business_sales":
        return bool(situation.lately("event.business_failure"))
    return any(each.member == entry.member for each in situation.lately(*EARNINGS_LOST))


def medical_covered(situation: Situation) -> Iterator[Pull]:
    """All bills of the household, the newest first; and each patient's, if there are several."""
    bills = situation.lately("expense.medical")
    patients = [key for key in dict.fromkeys(each.member for each in bills) if key is not None]
    for member in [None, *(patients if len(patients) > 1 else ())]:
        own = [each for each in bills if member in (None, each.member)]
        if most := sum((each.compliant_fen or 0) + (each.other_fen or 0) for each in own):
            yield Pull(change.covered(own), member, most)


def relieved(kind: str) -> Pulls:
    def pulls(situation: Situation) -> Iterator[Pull]:
        bills = situation.lately(kind)
        if most := sum(map(change.owed, bills)):
            yield Pull(change.relieved(bills), None, most)

    return pulls


def dwelling_repaired(situation: Situation) -> Iterator[Pull]:
    houses = situation.states("state.dwelling")
    if any(grade in ("C", "D") for each in houses for grade in (each.value, each.attributes.get("occupied"))):
        yield Pull(change.restated(houses, "B", occupied="B"))


def water_supplied(situation: Situation) -> Iterator[Pull]:
    wells, failures = situation.states("state.water"), situation.lately("event.water_failure")
    if wells or failures:
        now = change.stated("state.water", wells, situation.windows.on, None, **GOOD_WATER)
        yield Pull(change.together(now, change.removed(failures)))


def insured(situation: Situation) -> Iterator[Pull]:
    if without := situation.states("state.insured", "none"):
        yield Pull(change.restated(without, "resident"))


def back_in_school(situation: Situation) -> Iterator[Pull]:
    for member in situation.counted:
        places = [each for each in situation.states("state.school") if each.member == member.key]
        left = [each for each in situation.lately("event.dropout") if each.member == member.key]
        if left or any(each.attributes.get("in_school") is False for each in places):
            now = change.stated("state.school", places, situation.windows.on, member.key, in_school=True)
            yield Pull(change.together(now, change.removed(left)), member.key)


def without(*kinds: str) -> Pulls:
    """Had these things not happened."""

    def pulls(situation: Situation) -> Iterator[Pull]:
        if found := situation.lately(*kinds):
            yield Pull(change.removed(found))

    return pulls


def loan_settled(situation: Situation) -> Iterator[Pull]:
    loans = [each for each in situation.household.facts if each.kind == "loan.overdue"]
    if loans:
        yield Pull(change.removed(loans))


def not_so(event: str, state: str, values: tuple[str, ...], instead: str, **attributes: Any) -> Pulls:
    """Were a member not so, and had it not happened to him."""

    def pulls(situation: Situation) -> Iterator[Pull]:
        for member in situation.counted:
            events = [each for each in situation.lately(event) if each.member == member.key]
            states = [each for each in situation.states(state, *values) if each.member == member.key]
            if events or states:
                alter = change.together(change.removed(events), change.restated(states, instead, **attributes))
                yield Pull(alter, member.key)

    return pulls


def able_to_work(situation: Situation) -> Iterator[Pull]:
    for member in situation.counted:
        unable = [each for each in situation.states("state.labour", "none", "lost") if each.member == member.key]
        if unable:
            yield Pull(change.restated(unable, "ordinary"), member.key)


def still_there(situation: Situation) -> Iterator[Pull]:
    """Had a member not died, or not gone to prison."""
    first = situation.windows.account.first
    for member in situation.household.members:
        if member.status == "imprisoned" or member.died_since(first):
            yield Pull(change.returned(member), member.key)


def less_income(situation: Situation) -> Iterator[Pull]:
    if most := sum(each.amount_fen or 0 for each in situation.income):
        yield Pull(change.lowered(situation.income), None, most)


def more_medical(situation: Situation) -> Iterator[Pull]:
    """A new bill of the member who had the largest ones, else of the first."""
    bills = sorted(situation.lately("expense.medical"), key=lambda each: each.compliant_fen or 0, reverse=True)
    keys = [each.member for each in bills if each.member is not None] + [each.key for each in situation.counted]
    if keys:
        yield Pull(change.billed(situation.windows.on, keys[0]), keys[0], MOST_INCOME_FEN)


def spent(kind: str) -> Pulls:
    def pulls(situation: Situation) -> Iterator[Pull]:
        if situation.counted:
            yield Pull(change.spent(kind, situation.windows.on), None, MOST_INCOME_FEN)

    return pulls


def happens(kind: str, **attributes: int) -> Pulls:
    """Something befalls the member who earns most."""

    def pulls(situation: Situation) -> Iterator[Pull]:
        if situation.earner is not None:
            yield Pull(change.happened(kind, situation.windows.on, situation.earner, attributes), situation.earner)

    return pulls


def dwelling_unsafe(situation: Situation) -> Iterator[Pull]:
    safe = situation.states("state.dwelling")
    if safe and all(each.value in ("A", "B") for each in safe):
        yield Pull(change.restated(safe, "C", occupied="C"))


def leaves_school(situation: Situation) -> Iterator[Pull]:
    """The children at the age of compulsory school, one at a time."""
    on = situation.windows.on
    for member in situation.counted:
        if member.birth_date is not None and on.year - 16 <= member.birth_date.year <= on.year - 6:
            places = [each for each in situation.states("state.school") if each.member == member.key]
            absent = change.stated("state.school", places, on, member.key, in_school=False, absent_reason="unwilling")
            yield Pull(absent, member.key)
