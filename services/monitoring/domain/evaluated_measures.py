"""Counts the measures of one household in plain Python, from the package's definitions."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import Any

from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.measure import FACT_ATTRIBUTES, FACT_COLUMNS, Aggregate, Measure, Scope, source_rank
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import Window, Windows
from shared.policies.unit import Unit

WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True)
class MeasuredHousehold:
    """Looks facts up by measure; the windows are those of the day of assessment."""

    package: PolicyPackage
    household: HouseholdFacts
    windows: Windows

    @cached_property
    def counted(self) -> tuple[Member, ...]:
        """Members who live from the common budget."""
        return tuple(each for each in self.household.members if each.is_counted)

    @cached_property
    def lately(self) -> tuple[Member, ...]:
        """Those, and members who died inside the window or since."""
        first = self.windows.account.first
        return tuple(each for each in self.household.members if each.is_counted or each.died_since(first))

    def built_in(self) -> dict[str, Value]:
        """The names every package may use."""
        return {
            "members_counted": len(self.counted),
            "members_not_counted": len(self.household.members) - len(self.counted),
            "facts_complete": self.household.complete,
            "months_monitored": self._months_monitored(),
        }

    def values(self) -> dict[str, Value]:
        """Every measure of the household, with the names built in."""
        own = (each for each in self.package.measures.values() if each.scope is Scope.HOUSEHOLD)
        return self.built_in() | {each.name: self.measured(each, self._by_kind) for each in own}

    def of_member(self, measure: Measure, member: Member) -> Value:
        """A measure over the facts that name one member, whether he counts or not."""
        return self.measured(measure, self._by_member.get(member.key, {}))

    def facts_of(self, kind: str) -> list[Fact]:
        """All facts of a kind, of whomever."""
        return self._by_kind.get(kind, [])

    def measured(self, measure: Measure, facts: Mapping[str, list[Fact]]) -> Value:
        """One measure over some facts by kind."""
        matching = [each for kind in measure.kinds for each in facts.get(kind, ()) if self._matches(measure, each)]
        match measure.aggregate:
            case Aggregate.COUNT:
                return len(matching)
            case Aggregate.EXISTS:
                return bool(matching)
            case Aggregate.LATEST:
                return _latest(measure, matching)
        amounts = [of_fact(each).number(measure.amount) for each in matching if measure.amount]
        known = [each for each in amounts if each is not None]
        if len(known) < len(amounts):
            return None
        return sum(known) if measure.aggregate is Aggregate.SUM else max(known, default=None)

    def _matches(self, measure: Measure, fact: Fact) -> bool:
        if not self._concerns(measure, fact) or not self._in_window(measure.window, fact):
            return False
        return measure.where is None or of_fact(fact).truth(measure.where) is True

    def _concerns(self, measure: Measure, fact: Fact) -> bool:
        """Whether the fact is the household's own, or a member's who counts for this measure."""
        if fact.member is None or measure.scope is Scope.MEMBER:
            return True
        return fact.member in (self._lately_keys if measure.includes_deceased else self._counted_keys)

    def _in_window(self, window: Window, fact: Fact) -> bool:
        match window:
            case Window.ACCOUNT:
                return id(fact) in self._standing
            case Window.MONTHS:
                return fact.occurred_on in self.windows.account
            case Window.OUTLAY:
                return fact.occurred_on in self.windows.outlay
            case Window.YEAR:
                return fact.occurred_on in self.windows.year
            case _:
                return fact.occurred_on <= self.windows.on and (
                    fact.ended_on is None or fact.ended_on > self.windows.on
                )

    @cached_property
    def _by_kind(self) -> dict[str, list[Fact]]:
        return _by_kind(self.household.facts)

    @cached_property
    def _by_member(self) -> dict[str, dict[str, list[Fact]]]:
        own: dict[str, list[Fact]] = defaultdict(list)
        for each in self.household.facts:
            if each.member is not None:
                own[each.member].append(each)
        return {key: _by_kind(facts) for key, facts in own.items()}

    @cached_property
    def _counted_keys(self) -> frozenset[str]:
        return frozenset(each.key for each in self.counted)

    @cached_property
    def _lately_keys(self) -> frozenset[str]:
        return frozenset(each.key for each in self.lately)

    @cached_property
    def _standing(self) -> frozenset[int]:
        """The entries of an account that count, by identity."""
        return frozenset(id(each) for facts in self._by_kind.values() for each in self._standing_of(facts))

    def _standing_of(self, facts: list[Fact]) -> list[Fact]:
        """Those of one kind: of the best source, dated ones, else its newest total."""
        preferences = [
            (self._preference(each), each)
            for each in facts
            if each.member is None or each.member in self._counted_keys
        ]
        able = [(preference, each) for preference, each in preferences if preference is not None]
        best = max((preference for preference, _ in able), default=None)
        return [each for preference, each in able if preference == best]

    def _preference(self, fact: Fact) -> tuple[int, bool, date] | None:
        rank = source_rank(fact.source, fact.verified, fact.data_set)
        if fact.period_to is None:
            return (rank, True, date.min) if fact.occurred_on in self.windows.account else None
        stands = self.windows.totals_from <= fact.period_to <= self.windows.on
        return (rank, False, fact.period_to) if stands else None

    def _months_monitored(self) -> int | None:
        """Whole months since the household was identified, as the newest listing says; on one day, the later one."""
        listed = [each for each in self.facts_of("state.monitored") if self._in_window(Window.STATE, each)]
        found = [
            (each.occurred_on, self._identified(each) or date.min)
            for each in listed
            if each.member is None or each.member in self._counted_keys
        ]
        _, since = max(found, default=(date.min, date.min))
        return None if since == date.min else _whole_months(since, self.windows.on)

    def _identified(self, listing: Fact) -> date | None:
        said = _day(listing.attributes.get("identified_on"))
        return listing.occurred_on if said is None and not self.household.complete else said


def of_fact(fact: Fact) -> Interpreter:
    """Answers expressions on one fact."""
    return Interpreter(lambda name: READERS[name](fact))


def _by_kind(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for each in facts:
        found[each.kind].append(each)
    return found


def _attribute_reader(key: str, unit: Unit) -> Callable[[Fact], Value]:
    return lambda fact: _attribute(fact.attributes.get(key), unit)


def _column_reader(name: str) -> Callable[[Fact], Value]:
    return attrgetter(f"{name}_fen" if f"{name}_fen" in COLUMNS else name)


def _attribute(value: Any, unit: Unit) -> Value:
    """An attribute by its unit; what is not written as the unit wants is not known."""
    if value is None:
        return None
    if unit is Unit.LIST:
        return frozenset(value if isinstance(value, list | tuple) else [value])
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if unit is Unit.TEXT:
        return text
    if unit is Unit.FLAG:
        return {"true": True, "false": False}.get(text)
    return int(text) if WHOLE.fullmatch(text) else None


COLUMNS = frozenset(each.name for each in fields(Fact))
READERS: Mapping[str, Callable[[Fact], Value]] = {
    **{name: _column_reader(name) for name in FACT_COLUMNS},
    **{name: _attribute_reader(key, type_.unit) for name, (key, type_) in FACT_ATTRIBUTES.items()},
}
"""What an expression reads from a fact under a name of the language."""


def _latest(measure: Measure, facts: list[Fact]) -> Value:
    """The value of the newest state; on one day the later choice wins, and what is no choice is unknown."""

    def newness(fact: Fact) -> tuple[date, int]:
        value = of_fact(fact).value(measure.amount) if measure.amount else None
        return fact.occurred_on, measure.choices.index(str(value)) if value in measure.choices else -1

    if not facts:
        return None
    _, choice = max(map(newness, facts))
    return None if choice < 0 else measure.choices[choice]


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _whole_months(since: date, on: date) -> int:
    return 12 * (on.year - since.year) + on.month - since.month - (on.day < since.day)
