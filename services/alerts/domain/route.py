"""Which rule an alert falls under (路由): a tree of nodes with matchers, with exactly Alertmanager's semantics.

Depth first; the first child that matches wins and ends the search among its siblings, unless it says `continues`; a
node none of whose children match stands for itself. A label that is missing is the empty text. A label may have
several values (an alert has several causes): it equals a value if one of them does, and `!=` is the contrary.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from services.alerts.domain.clocks import Length
from shared.vocabulary.terms import Role

Labels = Mapping[str, Sequence[str]]
_MISSING = ("",)


class Operator(StrEnum):
    """How a matcher compares; patterns match the whole value."""

    EQUALS = "="
    DIFFERS = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label (匹配条件)."""

    label: str
    operator: Operator
    value: str

    def matches(self, labels: Labels) -> bool:
        found = any(self._holds(value) for value in values_of(labels, self.label))
        return found is not self.is_negative

    @property
    def is_negative(self) -> bool:
        return self.operator in (Operator.DIFFERS, Operator.MATCHES_NOT)

    def _holds(self, value: str) -> bool:
        if self.operator in (Operator.EQUALS, Operator.DIFFERS):
            return value == self.value
        return _pattern(self.value).fullmatch(value) is not None

    def __str__(self) -> str:
        return f"{self.label}{self.operator}" + (self.value or '""')


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with what falls under a node.

    `tell`: the posts told at once. `escalate`: the steps that an unacknowledged alert climbs (升级链), each of some
    posts. `waits`: how long each step but the last waits for an answer before the next is asked; a step it does not
    name waits as long as the alert may until it is acknowledged. `group_by`, the group's waits and `calendar` are
    for whoever sends; `is_urgent` is not held up by any of them.
    """

    tell: tuple[Role, ...]
    escalate: tuple[tuple[Role, ...], ...]
    group_by: tuple[str, ...]
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta
    calendar: str
    is_urgent: bool
    waits: tuple[Length, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A rule with the rules below it; without matchers it matches everything."""

    name: str
    plan: Plan
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    children: tuple["Node", ...] = ()

    def matches(self, labels: Labels) -> bool:
        return all(matcher.matches(labels) for matcher in self.matchers)


class Finding(StrEnum):
    """What a node came to: it applies; one below it does; it does not match; a sibling ended the search before it."""

    CHOSEN = "chosen"
    PASSED = "passed"
    REFUSED = "refused"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True)
class Visit:
    """A node, its parent's name, and what it came to; matchers are looked at only where it was reached."""

    node: Node
    parent: str | None
    finding: Finding


def matching(root: Node, labels: Labels) -> tuple[Node, ...]:
    """The nodes that apply, in their order; none only if the root itself has matchers that fail."""
    return tuple(visit.node for visit in visits(root, labels) if visit.finding is Finding.CHOSEN)


def visits(root: Node, labels: Labels) -> list[Visit]:
    """Every node of the tree with what it came to, parents first."""
    return _visits(root, None, labels)


def _visits(node: Node, parent: str | None, labels: Labels) -> list[Visit]:
    if not node.matches(labels):
        return [Visit(node, parent, Finding.REFUSED), *_unreached(node)]
    below: list[Visit] = []
    ended, applied = False, False
    for child in node.children:
        if ended:
            below += [Visit(child, node.name, Finding.UNREACHED), *_unreached(child)]
            continue
        found = _visits(child, node.name, labels)
        matched = found[0].finding is not Finding.REFUSED
        applied, ended = applied or matched, matched and not child.continues
        below += found
    return [Visit(node, parent, Finding.PASSED if applied else Finding.CHOSEN), *below]


def _unreached(node: Node) -> Iterator[Visit]:
    for child in node.children:
        yield Visit(child, node.name, Finding.UNREACHED)
        yield from _unreached(child)


def plan_for(nodes: Sequence[Node]) -> Plan:
    """One plan for all nodes that apply: everybody they tell; the rest as the last says, at which the search ended.

    What one of them calls urgent is urgent.
    """
    tell = tuple(dict.fromkeys(role for node in nodes for role in node.plan.tell))
    return replace(nodes[-1].plan, tell=tell, is_urgent=any(node.plan.is_urgent for node in nodes))


def nodes_of(root: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield root
    for child in root.children:
        yield from nodes_of(child)


def values_of(labels: Labels, name: str) -> Sequence[str]:
    """The values of a label; one empty text where it is missing."""
    return labels.get(name) or _MISSING


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
