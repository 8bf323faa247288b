"""A household's facts as they would be, had something about them been other; the household itself is not touched.

An alteration takes a household and an amount in fen (which a switch passes over). It finds its facts by what they
say, so that several alterations may follow one another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from shared.vocabulary.money import Fen

Alteration = Callable[[HouseholdFacts, Fen], HouseholdFacts]
Shares = Callable[[Fact, Fen], tuple[Fact, Fen]]


def holds(fact: Fact, on: date) -> bool:
    """Whether a state holds on a day."""
    return fact.occurred_on <= on and (fact.ended_on is None or fact.ended_on > on)


def owed(fact: Fact) -> Fen:
    """What of an outlay nobody else paid."""
    return max((fact.amount_fen or 0) - (fact.relief_fen or 0), 0)


def together(*alterations: Alteration) -> Alteration:
    """One after the other."""

    def alter(household: HouseholdFacts, amount: Fen) -> HouseholdFacts:
        for each in alterations:
            household = each(household, amount)
        return household

    return alter


def removed(facts: Iterable[Fact]) -> Alteration:
    gone = list(facts)
    return lambda household, _: replace(household, facts=tuple(each for each in household.facts if each not in gone))


def added(make: Callable[[Fen], Fact]) -> Alteration:
    return lambda household, amount: replace(household, facts=(*household.facts, make(amount)))


def restated(facts: Iterable[Fact], value: str | None = None, **attributes: Any) -> Alteration:
    """States with another value (None: the same) and these attributes."""
    stated = list(facts)

    def told(fact: Fact) -> Fact:
        return replace(fact, value=value or fact.value, attributes={**fact.attributes, **attributes})

    return lambda household, _: replace(
        household, facts=tuple(told(each) if each in stated else each for each in household.facts)
    )


def stated(kind: str, facts: Sequence[Fact], on: date, member: str | None, **attributes: Any) -> Alteration:
    """States with these attributes; one of that day where there was none."""
    if facts:
        return restated(facts, **attributes)
    return added(lambda _: Fact(kind, on, member, attributes=attributes))


def returned(member: Member) -> Alteration:
    """A member who died or went to prison, as if he lived at home."""
    home = replace(member, status="living", died_on=None)

    def alter(household: HouseholdFacts, _: Fen) -> HouseholdFacts:
        members = tuple(home if each.key == member.key else each for each in household.members)
        kept = tuple(
            each
            for each in household.facts
            if each.member != member.key or each.kind not in ("event.death", "event.imprisonment")
        )
        return replace(household, members=members, facts=kept)

    return alter


def raised(carrier: Fact) -> Alteration:
    """An entry of income that is larger by the amount."""
    return _shared([carrier], lambda fact, left: (replace(fact, amount_fen=(fact.amount_fen or 0) + left), 0))


def earning(kind: str, on: date) -> Alteration:
    """Income of a kind that the household had none of."""
    return added(lambda amount: Fact(kind, on, amount_fen=amount, source="visit", verified=True))


def lowered(carriers: Sequence[Fact]) -> Alteration:
    """Entries of income that are smaller, one after the other, by the amount in all."""

    def less(fact: Fact, left: Fen) -> tuple[Fact, Fen]:
        part = min(fact.amount_fen or 0, left)
        return replace(fact, amount_fen=(fact.amount_fen or 0) - part), left - part

    return _shared(carriers, less)


def relieved(bills: Iterable[Fact]) -> Alteration:
    """Outlay of which others pay more, the newest first."""

    def paid(fact: Fact, left: Fen) -> tuple[Fact, Fen]:
        part = min(owed(fact), left)
        return (replace(fact, relief_fen=(fact.relief_fen or 0) + part) if part else fact), left - part

    return _shared(_newest_first(bills), paid)


def covered(bills: Iterable[Fact]) -> Alteration:
    """Bills of which the patient pays less, the newest first; what is compliant before what is not."""

    def compliant(fact: Fact, left: Fen) -> tuple[Fact, Fen]:
        part = min(fact.compliant_fen or 0, left)
        return (replace(fact, compliant_fen=(fact.compliant_fen or 0) - part) if part else fact), left - part

    def other(fact: Fact, left: Fen) -> tuple[Fact, Fen]:
        part = min(fact.other_fen or 0, left)
        return (replace(fact, other_fen=(fact.other_fen or 0) - part) if part else fact), left - part

    return _shared(_newest_first(bills), compliant, other)


def billed(on: date, member: str) -> Alteration:
    """One more stay in hospital, paid out of the own pocket."""
    return added(
        lambda amount: Fact(
            "expense.medical",
            on,
            member,
            gross_fen=amount,
            compliant_fen=amount,
            other_fen=0,
            visit="inpatient",
            verified=True,
        )
    )


def spent(kind: str, on: date) -> Alteration:
    return added(lambda amount: Fact(kind, on, amount_fen=amount, relief_fen=0, verified=True))


def happened(kind: str, on: date, member: str, attributes: Mapping[str, Any]) -> Alteration:
    return added(lambda _: Fact(kind, on, member, verified=True, attributes=dict(attributes)))


def _newest_first(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda each: each.occurred_on, reverse=True)


def _shared(facts: Sequence[Fact], *rounds: Shares) -> Alteration:
    """The amount is shared out over the facts in their order, round after round, until nothing is left."""

    def alter(household: HouseholdFacts, amount: Fen) -> HouseholdFacts:
        now, places = list(household.facts), _places(facts, household.facts)
        for share in rounds:
            for place in places:
                now[place], amount = share(now[place], amount)
        return replace(household, facts=tuple(now))

    return alter


def _places(wanted: Sequence[Fact], facts: Sequence[Fact]) -> list[int]:
    """Where the wanted facts stand; of equal ones, each place once."""
    places: list[int] = []
    for each in wanted:
        places += [i for i, fact in enumerate(facts) if fact == each and i not in places][:1]
    return places
