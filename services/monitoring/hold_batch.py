"""Hold claimed households of one county and run the compiled policy over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_assessments as repository
from services.monitoring import repository_households as households
from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.compiler import assessment_from_row, compile_policy
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.repository_assessments import Run
from shared.policies import ParameterSet

ENGINE_VERSION = "1"

# Households that lie as close as this are read as a range: one run through the index, which is right even for a
# planner without statistics. A list of numbers makes it read the whole county then.
MOST_NUMBERS_A_HOUSEHOLD = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Claimed households of one county, locked, with how they stood."""

    run: Run
    standing: Mapping[int, Mapping[str, Any]]
    package: PolicyPackage
    parameters: ParameterSet

    @property
    def ids(self) -> list[int]:
        return list(self.standing)

    def stands(self, standing: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        """Whether the assessment that stands says the same: nothing measured is other, nor what it is held against.

        What it says follows from these alone, so it need not be put into words to be compared.
        """
        run = self.run
        if (standing["policy_version"], standing["engine_version"]) != (run.policy_version, run.engine_version):
            return False
        then = _parameters_at(self.package, run.county, standing["on_date"])
        return then.entries == self.parameters.entries and standing["measured"] == row

    def worded(self, row: Mapping[str, Any]) -> Assessment:
        """The assessment that a row of the compiled statement means."""
        return assessment_from_row(self.package, row, self.parameters, self.run.on)


async def hold_batch(connection: asyncpg.Connection, county: str, ids: Sequence[int], token: UUID, on: date) -> Batch:
    """Lock claimed households of a county, to be assessed by everything known now; raises LeaseLost."""
    package = load_policy()
    parameters = _parameters_at(package, county, on)
    standing = await repository.hold(connection, ids, token)
    known_at = await households.database_time(connection)
    return Batch(Run(county, on, known_at, package.version, ENGINE_VERSION), standing, package, parameters)


async def run_policy(connection: asyncpg.Connection, batch: Batch) -> dict[int, dict[str, Any]]:
    """The compiled statement's row of each household of the batch."""
    policy, run, ids = compile_policy(batch.package), batch.run, batch.ids
    asked: Any = {"county": run.county, "on": run.on, "known_at": run.known_at, "parameters": batch.parameters}
    if max(ids) - min(ids) < MOST_NUMBERS_A_HOUSEHOLD * len(ids):
        binds = policy.bind_range(first=min(ids), last=max(ids), **asked)
        rows = await repository.evaluate(connection, policy.range_sql, binds)
        return {i: rows[i] for i in ids if i in rows}
    binds = policy.bind(household_ids=ids, **asked)
    return await repository.evaluate(connection, policy.households_sql, binds)


@lru_cache(maxsize=1000)
def _parameters_at(package: PolicyPackage, county: str, on: date) -> ParameterSet:
    return package.parameters_for(county.ljust(12, "0"), on)
