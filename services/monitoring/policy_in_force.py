"""The policy in force: the shipped package with what the county, its prefecture and its province published."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import asyncpg

from services.monitoring import repository_policies as repository
from services.monitoring.domain.policy import PolicyPackage, load_policy, policy_at
from services.monitoring.domain.policy_overlay import Publication, with_publications
from shared.policies import ParameterSet
from shared.vocabulary.division import lineage_of


@dataclass(frozen=True, slots=True)
class InForce:
    """A package and the day and county (12 digits) it judges; asking for `parameters` may raise ParameterUnknown."""

    package: PolicyPackage
    county: str
    on: date

    @property
    def parameters(self) -> ParameterSet:
        return _parameters(self.package, self.county, self.on)


@lru_cache(maxsize=4000)
def _parameters(package: PolicyPackage, county: str, on: date) -> ParameterSet:
    return package.parameters_for(county, on)


async def policy_in_force(
    connection: asyncpg.Connection, county: str, on: date, *, known_at: datetime | None = None
) -> InForce:
    """What judges the households of a county (six digits, or any division in it) that day; as known then, or now.

    Its `package.version` is the shipped one until somebody publishes, then `<package>~<publication>`. The same
    publications give the same object, so that a batch which took it keeps it whatever is published meanwhile.
    """
    division = f"{county[:6]}000000"
    published = await publications_at(connection, division, on, known_at)
    return InForce(with_publications(shipped(division, on), published), division, on)


async def publications_at(
    connection: asyncpg.Connection, division: str, on: date, known_at: datetime | None = None
) -> tuple[Publication, ...]:
    """What county, prefecture and province had published, in force on that day, in the order of publication."""
    return await repository.published(connection, lineage_of(f"{division[:6]}000000"), on, known_at)


def shipped(division: str, on: date) -> PolicyPackage:
    """The shipped package under which this place stands on that day."""
    return policy_at(division, on)


def shipped_version(version: str) -> PolicyPackage | None:
    """The shipped package of that version."""
    return next((each for each in shipped_packages() if each.version == version), None)


def shipped_packages() -> list[PolicyPackage]:
    """The nation's package and every other that a place may stand under."""
    national = load_policy()
    others = {each.package for regimes in national.regimes.values() for each in regimes} - {national.name}
    return [national, *map(load_policy, sorted(others))]
