"""What a change of policy means in households and visits (工作量), counted from what either policy says of each.

Every figure of a township, a county is the sum of its villages' figures, by construction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from services.monitoring.domain.compared_policies import names_in_words
from shared.vocabulary.division import covers, lineage_of
from shared.vocabulary.terms import Cause

FIGURES = (
    "households",
    "listed_before",
    "listed_after",
    "entered",
    "left",
    "changed",
    "visits_before",
    "visits_after",
    "visits_new",
    "visits_spared",
)


@dataclass(frozen=True, slots=True)
class Group:
    """Households of one village of which both policies say the same things."""

    division: str
    class_before: str | None
    class_after: str | None
    visit_before: bool
    visit_after: bool
    households: int

    def figures(self) -> dict[str, int]:
        was, is_now = self.class_before is not None, self.class_after is not None
        holds = {
            "listed_before": was,
            "listed_after": is_now,
            "entered": is_now and not was,
            "left": was and not is_now,
            "changed": was and is_now and self.class_before != self.class_after,
            "visits_before": self.visit_before,
            "visits_after": self.visit_after,
            "visits_new": self.visit_after and not self.visit_before,
            "visits_spared": self.visit_before and not self.visit_after,
        }
        return {name: self.households for name, true in holds.items() if true}


@dataclass(slots=True)
class Counted:
    """Figures of one division."""

    figures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIGURES, 0))

    def add(self, more: Mapping[str, int]) -> None:
        for name, number in more.items():
            self.figures[name] += number


def by_division(division: str, households: Mapping[str, int], groups: Iterable[Group]) -> dict[str, dict[str, int]]:
    """The figures of a division and of every county, township and village in it, by code."""
    found: dict[str, Counted] = {division: Counted()}
    for code, number in households.items():
        _add(found, division, code, {"households": number})
    for group in groups:
        _add(found, division, group.division, group.figures())
    return {code: found[code].figures for code in sorted(found)}


def _add(found: dict[str, Counted], division: str, code: str, more: Mapping[str, int]) -> None:
    for above in lineage_of(code):
        if covers(division, above):
            found.setdefault(above, Counted()).add(more)


def by_class(groups: Iterable[Group]) -> dict[str, dict[str, int]]:
    """Of each class: how many before and after, who came to it and who left it."""
    found: dict[str, dict[str, int]] = {}
    for group in groups:
        for code, side in ((group.class_before, "before"), (group.class_after, "after")):
            if code is not None:
                _count(found, code, side, group.households)
                if group.class_before != group.class_after:
                    _count(found, code, "left" if side == "before" else "entered", group.households)
    return found


def _count(found: dict[str, dict[str, int]], key: str, side: str, number: int) -> None:
    figures = found.setdefault(key, {"before": 0, "after": 0, "entered": 0, "left": 0})
    figures[side] += number


def by_cause(rows: Iterable[tuple[int, int, int]]) -> dict[str, dict[str, int]]:
    """Of each cause (mask before, mask after, households): before, after, new, no longer."""
    found: dict[str, dict[str, int]] = {}
    for before, after, number in rows:
        for index, cause in enumerate(Cause):
            _sides(found, cause.value, bool(before >> index & 1), bool(after >> index & 1), number)
    return found


@dataclass(frozen=True, slots=True)
class Firing:
    """Households in which these indicators fired, as words of 62 bits."""

    before: Sequence[int]
    after: Sequence[int]
    households: int


def by_indicator(
    rows: Iterable[Firing], names_before: Sequence[str], names_after: Sequence[str]
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        then, now = names_in_words(names_before, row.before), names_in_words(names_after, row.after)
        for name in dict.fromkeys((*then, *now)):
            _sides(found, name, name in then, name in now, row.households)
    return found


def overlap(
    rows: Iterable[Firing], names_before: Sequence[str], names_after: Sequence[str]
) -> dict[tuple[str, str], dict[str, int]]:
    """Of each pair of indicators: in how many households both fired, before and after."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        for side, names, words in (("before", names_before, row.before), ("after", names_after, row.after)):
            for pair in combinations(sorted(names_in_words(names, words)), 2):
                found.setdefault(pair, {"before": 0, "after": 0})[side] += row.households
    return found


def _sides(found: dict[str, dict[str, int]], key: str, before: bool, after: bool, number: int) -> None:
    if before or after:
        figures = found.setdefault(key, {"before": 0, "after": 0, "entered": 0, "left": 0})
        figures["before"] += number * before
        figures["after"] += number * after
        figures["entered"] += number * (after and not before)
        figures["left"] += number * (before and not after)


@dataclass(frozen=True, slots=True)
class Load:
    """A county's visits in the month after the change, against what it can do.

    `usual`: visits a month so far; `new`: households that call for a visit under the new policy only.
    """

    county: str
    usual: int
    new: int
    capacity: int

    @property
    def expected(self) -> int:
        return self.usual + self.new

    @property
    def is_above(self) -> bool:
        return self.expected > self.capacity

    def as_data(self) -> dict[str, Any]:
        return {
            "county": self.county,
            "usual": self.usual,
            "new": self.new,
            "expected": self.expected,
            "capacity": self.capacity,
        }
