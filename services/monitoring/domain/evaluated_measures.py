"""Counts the measures of one household in plain Python, from the package's definitions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.measure import FACT_ATTRIBUTES, Aggregate, Measure, Scope, source_rank
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import Window, Windows


@dataclass(frozen=True, slots=True)
class MeasuredHousehold:
    """Looks facts up by measure; the windows are those of the day of assessment."""

    package: PolicyPackage
    household: HouseholdFacts
    windows: Windows

    def values(self) -> dict[str, Value]:
        """Every measure of the household and every count of members, with the names built in."""
        counted = [each for each in self.household.members if each.is_counted]
        values: dict[str, Value] = {
            "members_counted": len(counted),
            "members_not_counted": len(self.household.members) - len(counted),
            "facts_complete": self.household.complete,
        }
        for measure in self.package.measures.values():
            if measure.scope is Scope.HOUSEHOLD:
                values[measure.name] = self.measured(measure, self.household.facts)
        return values | self._member_counts(counted)

    def measured(self, measure: Measure, facts: Iterable[Fact]) -> Value:
        """One measure over some facts."""
        matching = [each for each in facts if self._matches(measure, each)]
        match measure.aggregate:
            case Aggregate.COUNT:
                return len(matching)
            case Aggregate.EXISTS:
                return bool(matching)
            case Aggregate.LATEST:
                return _latest(measure, matching)
        amounts = [_of_fact(each).number(measure.amount) for each in matching if measure.amount]
        known = [each for each in amounts if each is not None]
        if len(known) < len(amounts):
            return None
        return sum(known) if measure.aggregate is Aggregate.SUM else max(known, default=None)

    def _member_counts(self, counted: list[Member]) -> dict[str, Value]:
        return {
            name: _counted([self._interpreter(member).truth(each.when) for member in counted])
            for name, each in self.package.member_counts.items()
        }

    def _interpreter(self, member: Member) -> Interpreter:
        own = [each for each in self.household.facts if each.member == member.key]
        return Interpreter(lambda name: self.measured(self.package.measures[name], own))

    def _matches(self, measure: Measure, fact: Fact) -> bool:
        if fact.kind not in measure.kinds or not self._concerns(measure, fact):
            return False
        if not self._in_window(measure.window, fact):
            return False
        return measure.where is None or _of_fact(fact).truth(measure.where) is True

    def _concerns(self, measure: Measure, fact: Fact) -> bool:
        """Whether the fact is the household's own, or a member's who counts for this measure."""
        if fact.member is None:
            return True
        member = next((each for each in self.household.members if each.key == fact.member), None)
        if member is None:
            return False
        lately = measure.includes_deceased and member.died_since(self.windows.account.first)
        return member.is_counted or lately

    def _in_window(self, window: Window, fact: Fact) -> bool:
        match window:
            case Window.ACCOUNT:
                return fact in self._standing(fact.kind)
            case Window.OUTLAY:
                return fact.occurred_on in self.windows.outlay
            case Window.YEAR:
                return fact.occurred_on in self.windows.year
            case _:
                return fact.occurred_on <= self.windows.on and (
                    fact.ended_on is None or fact.ended_on > self.windows.on
                )

    def _standing(self, kind: str) -> list[Fact]:
        """The income entries of a kind that count: of the best source, dated ones, else its newest total."""
        preferences = [
            (self._preference(each), each)
            for each in self.household.facts
            if each.kind == kind and self._is_of_counted(each)
        ]
        able = [(preference, each) for preference, each in preferences if preference is not None]
        best = max((preference for preference, _ in able), default=None)
        return [each for preference, each in able if preference == best]

    def _is_of_counted(self, fact: Fact) -> bool:
        return fact.member is None or any(
            each.key == fact.member and each.is_counted for each in self.household.members
        )

    def _preference(self, fact: Fact) -> tuple[int, bool, date] | None:
        rank = source_rank(fact.source, fact.verified, fact.data_set)
        if fact.period_to is None:
            return (rank, True, date.min) if fact.occurred_on in self.windows.account else None
        stands = self.windows.totals_from <= fact.period_to <= self.windows.on
        return (rank, False, fact.period_to) if stands else None


def _of_fact(fact: Fact) -> Interpreter:
    return Interpreter(lambda name: _column(fact, name))


def _column(fact: Fact, name: str) -> Value:
    """What an expression reads from a fact under a name of the language."""
    if name in FACT_ATTRIBUTES:
        return _attribute(fact.attributes.get(FACT_ATTRIBUTES[name][0]), name)
    field = f"{name}_fen" if hasattr(fact, f"{name}_fen") else name
    value: Value = getattr(fact, field)
    return value


def _attribute(value: Any, name: str) -> Value:
    if value is None:
        return None
    if name == "types":
        return frozenset(value if isinstance(value, list | tuple) else [value])
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _latest(measure: Measure, facts: list[Fact]) -> Value:
    """The value of the newest state; on one day the later choice wins, and what is no choice is unknown."""

    def newness(fact: Fact) -> tuple[date, int]:
        value = _of_fact(fact).value(measure.amount) if measure.amount else None
        return fact.occurred_on, measure.choices.index(str(value)) if value in measure.choices else -1

    if not facts:
        return None
    _, choice = max(map(newness, facts))
    return None if choice < 0 else measure.choices[choice]


def _counted(truths: list[bool | None]) -> int | None:
    found = truths.count(True)
    return None if not found and (None in truths or not truths) else found
