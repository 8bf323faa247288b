"""Read one household's members and facts from the ledger: as of a day, as known at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring import repository_explanations as repository
from services.monitoring.domain.household import Fact, HouseholdFacts, Member


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """A household as the evaluator sees it, with who its members are, by the keys their facts name."""

    facts: HouseholdFacts
    people: Mapping[str, Mapping[str, Any]]


async def read_facts(
    connection: asyncpg.Connection, household: Mapping[str, Any], on: date, known_at: datetime
) -> KnownHousehold:
    """What the compiled policy reads of a household, so that both judges judge the same."""
    place = household["household_id"], household["county"]
    people = await repository.members_at(connection, *place, on, known_at)
    facts = await repository.facts_at(connection, *place, on, known_at)
    return KnownHousehold(
        HouseholdFacts(tuple(map(_member, people)), tuple(map(_fact, facts))),
        {str(each["resident_id"]): each for each in people},
    )


def _member(row: Mapping[str, Any]) -> Member:
    return Member(str(row["resident_id"]), row["status"], row["died_on"], row["birth_date"])


def _fact(row: Mapping[str, Any]) -> Fact:
    """A fact, naming the member it concerns if it concerns one."""
    member = None if row["resident_id"] is None else str(row["resident_id"])
    return Fact(member=member, **repository.as_fact(row))
