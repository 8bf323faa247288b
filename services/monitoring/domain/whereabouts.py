"""Whom a statement concerns: people by their blind index, households by their number."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.monitoring.domain.ledger import Place

EVENT = "event."


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the people and households asked for are; who is not listed is known nowhere.

    `residents` holds everybody known and `names` what the register calls them, `at_home` those who belong to a
    household.
    """

    residents: Mapping[str, int]
    names: Mapping[str, str]
    at_home: Mapping[str, Place]
    homes: Mapping[str, Place]

    def of(self, person: str | None, household_no: str | None, kind: str) -> Place | None:
        """The place of a statement; a household named with a person stands for him only where something happened."""
        if person is not None:
            found = self.at_home.get(person)
            if found is not None or not kind.startswith(EVENT):
                return found
        home = self.homes.get(household_no) if household_no is not None else None
        if home is None or person is None or person not in self.residents:
            return home
        return Place(home.household_id, home.county, self.residents[person])
