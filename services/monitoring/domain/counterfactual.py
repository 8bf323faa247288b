"""Counterfactuals (反事实): the smallest changes that would take a household out of a class, or into one.

Every answer was asked of the policy again: with the change it is so, and with one fen less it is not.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice

from services.monitoring.domain.assessment import CLEAR, FIRED, Assessment
from services.monitoring.domain.household import Fact, HouseholdFacts
from services.monitoring.domain.lever import Lever, Option, Towards, options_of
from services.monitoring.domain.pull import Situation
from services.monitoring.domain.window import Windows
from shared.vocabulary.money import Fen

Judge = Callable[[HouseholdFacts], Assessment]
Holds = Callable[[Assessment], bool]

INCOME_KINDS = ("income.wage", "income.business_sales", "income.property", "income.transfer_regular")
# One yuan more or less shows whether an entry counts as income; of many entries the largest are asked.
PROBE_FEN = 100
MOST_ENTRIES_ASKED = 24
# Where the whole of an amount does not do it a part may: a poor household without a risk is in no class.
STEPS = 32
MOST_TRIED = {2: 200, 3: 200}
"""How many pairs and triples of levers are asked: a second of computing in a household where everything is wrong."""
MOST_WAYS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A lever pulled, by an amount if it has one; `member` is the key of whom it concerns."""

    option: Option
    amount_fen: Fen | None

    @property
    def lever(self) -> Lever:
        return self.option.lever

    @property
    def member(self) -> str | None:
        return self.option.pull.member

    def of(self, household: HouseholdFacts) -> HouseholdFacts:
        return self.option.pull.alter(household, self.amount_fen or 0)


@dataclass(frozen=True, slots=True)
class Way:
    """Changes that together bring the household where it was asked for; none of them can be left out or be less."""

    changes: tuple[Change, ...]
    assessment: Assessment

    @property
    def by_help(self) -> bool:
        return all(each.lever.by_help for each in self.changes)

    @property
    def size(self) -> tuple[int, Fen]:
        return len(self.changes), sum(each.amount_fen or 0 for each in self.changes)


@dataclass(frozen=True, slots=True)
class Remedy:
    """The least change that clears a finding."""

    indicator: str
    change: Change


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The ways out of a class, or into one, smallest first; and what would clear each finding."""

    before: Assessment
    towards: Towards
    ways: tuple[Way, ...]
    remedies: tuple[Remedy, ...]


def find_counterfactual(judge: Judge, household: HouseholdFacts, windows: Windows) -> Counterfactual:
    """Pull every lever alone, then those that do not suffice in pairs, then in threes."""
    before = judge(household)
    towards = Towards.IN if before.recommendation is None else Towards.OUT
    situation = Situation(household, windows, _counting_income(judge, household, before))
    search = _Search(judge, household, before, towards)
    tried = [search.whole(each) for each in options_of(situation, towards)]
    alone = [way for each in tried if (way := search.alone(each)) is not None]
    sufficient = [way.changes[0].option for way in alone]
    rest = [each for each in tried if each.change.option not in sufficient and search.matters(each)]
    pairs = list(search.together(rest, 2, []))
    triples = list(search.together(rest, 3, pairs))
    ways = sorted([*alone, *pairs, *triples], key=lambda way: way.size)
    return Counterfactual(before, towards, tuple(ways[:MOST_WAYS]), tuple(search.remedies(situation)))


def _counting_income(judge: Judge, household: HouseholdFacts, before: Assessment) -> tuple[Fact, ...]:
    """The entries that make up the net income, the largest first: those by which it grows when they do."""
    if before.net_income_fen is None:
        return ()
    entries = [each for each in household.facts if each.kind in INCOME_KINDS and each.amount_fen is not None]
    entries.sort(key=lambda each: each.amount_fen or 0, reverse=True)

    def counts(entry: Fact) -> bool:
        more = replace(entry, amount_fen=(entry.amount_fen or 0) + PROBE_FEN)
        facts = [more if each is entry else each for each in household.facts]
        grown = judge(replace(household, facts=tuple(facts))).net_income_fen
        return grown == (before.net_income_fen or 0) + PROBE_FEN

    return tuple(filter(counts, entries[:MOST_ENTRIES_ASKED]))


@dataclass(frozen=True, slots=True)
class _Tried:
    """A lever pulled as far as it goes, and what the policy says then."""

    change: Change
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class _Search:
    """`found` are amounts that were the least of a lever: often they are another's too, and asking them is quick."""

    judge: Judge
    household: HouseholdFacts
    before: Assessment
    towards: Towards
    found: dict[Fen, None] = field(default_factory=dict)

    def arrives(self, assessment: Assessment) -> bool:
        """Out of all classes without knowing less, or in one."""
        if self.towards is Towards.IN:
            return assessment.recommendation is not None
        return assessment.recommendation is None and set(assessment.unknown) <= set(self.before.unknown)

    def whole(self, option: Option) -> _Tried:
        change = Change(option, option.pull.most_fen)
        return _Tried(change, self._after(change))

    def matters(self, tried: _Tried) -> bool:
        """Whether the policy takes any notice of the lever."""
        return tried.assessment.decision_digest() != self.before.decision_digest()

    def alone(self, tried: _Tried) -> Way | None:
        change = self._least(tried, self.arrives)
        return None if change is None else Way((change,), self._after(change))

    def remedies(self, situation: Situation) -> Iterator[Remedy]:
        """For each finding, every lever that clears it, whether that changes the class or not."""
        findings = [each.id for each in self.before.indicators if each.state == FIRED]
        tried = [self.whole(each) for each in options_of(situation, Towards.OUT)] if findings else []
        for finding in findings:
            for each in tried:
                change = self._least(each, _Clears(finding))
                if change is not None:
                    yield Remedy(finding, change)

    def together(self, rest: Sequence[_Tried], size: int, fewer: Sequence[Way]) -> Iterator[Way]:
        """So many levers of which no fewer suffice, each pulled no further than it must be; help's come first."""
        rest = sorted(rest, key=lambda each: not each.change.lever.by_help)
        for tried in islice(combinations(rest, size), MOST_TRIED[size]):
            changes = tuple(each.change for each in tried)
            if _are_different(changes) and not any(_holds_all(changes, each) for each in fewer):
                yield from self._least_together(changes)

    def _least_together(self, changes: tuple[Change, ...]) -> Iterator[Way]:
        if not self.arrives(self._after(*changes)):
            return
        for index in range(len(changes)):
            changes = (*changes[:index], self._lessened(changes, index), *changes[index + 1 :])
        if not any(self.arrives(self._after(*fewer)) for fewer in combinations(changes, len(changes) - 1)):
            yield Way(changes, self._after(*changes))

    def _least(self, tried: _Tried, holds: Holds) -> Change | None:
        """The change with the least amount for which it holds, or None."""
        change = tried.change
        if change.amount_fen is None:
            return change if holds(tried.assessment) else None

        def at(amount: Fen) -> bool:
            return holds(self._after(replace(change, amount_fen=amount)))

        most = change.amount_fen
        if holds(tried.assessment):
            return replace(change, amount_fen=self._least_amount(at, 0, most))
        if change.lever.towards is Towards.OUT:
            return None
        steps = [most * step // STEPS for step in range(STEPS)]
        found = next((i for i in range(1, STEPS) if at(steps[i])), None)
        if found is None:
            return None
        return replace(change, amount_fen=self._least_amount(at, steps[found - 1], steps[found]))

    def _lessened(self, changes: tuple[Change, ...], index: int) -> Change:
        """The change with the least amount that suffices beside the others."""
        change = changes[index]
        if change.amount_fen is None:
            return change

        def at(amount: Fen) -> bool:
            less = replace(change, amount_fen=amount)
            return self.arrives(self._after(*changes[:index], less, *changes[index + 1 :]))

        return replace(change, amount_fen=self._least_amount(at, 0, change.amount_fen))

    def _least_amount(self, holds: Callable[[Fen], bool], low: Fen, high: Fen) -> Fen:
        amount = least(holds, low, high, tuple(self.found))
        self.found.setdefault(amount)
        return amount

    def _after(self, *changes: Change) -> Assessment:
        household = self.household
        for each in changes:
            household = each.of(household)
        return self.judge(household)


def _are_different(changes: Sequence[Change]) -> bool:
    return len({each.lever.name for each in changes}) == len(changes)


def _holds_all(changes: Sequence[Change], way: Way) -> bool:
    options = [each.option for each in changes]
    return all(each.option in options for each in way.changes)


@dataclass(frozen=True, slots=True)
class _Clears:
    indicator: str

    def __call__(self, assessment: Assessment) -> bool:
        return assessment.indicator(self.indicator).state == CLEAR


def least(holds: Callable[[Fen], bool], low: Fen, high: Fen, guesses: Iterable[Fen] = ()) -> Fen:
    """The least amount above `low` for which it holds, given that it holds at `high` and not at `low`.

    Guesses are asked first, each with the amount below it.
    """
    for guess in guesses:
        for amount in (guess, guess - 1):
            if low < amount < high:
                low, high = (low, amount) if holds(amount) else (amount, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
