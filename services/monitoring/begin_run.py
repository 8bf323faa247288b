"""Begin a run of the policy over a county: by which package, with which values, by everything known at a moment."""

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring.domain.reading import Reading, reading
from services.monitoring.domain.risk_found import RiskFound, risk_found
from services.monitoring.domain.screening import confidence_sql
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.repository_screening import RunTexts

# Raised when the same facts may give another answer, or the same answer is stored in another form.
ENGINE_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Run:
    """A run pins its policy version: what is published meanwhile makes its households due again."""

    reading: Reading
    known_at: datetime

    @property
    def written_under(self) -> RunTexts:
        """County, day, moment, policy version and engine of every assessment it appends, and what it is read by."""
        one = self.reading
        of_rows = [one.county, one.on, self.known_at, one.package.version, ENGINE_VERSION]
        return RunTexts([*of_rows, list(one.weights), one.fingerprint], confidence_sql(one.package, "$6::bigint[]"))

    def found(self, outcome: list[int]) -> RiskFound:
        """The risk that an outcome means."""
        return risk_found(self.reading.package, outcome, self.reading.parameters)


async def begin_run(connection: asyncpg.Connection, county: str, on: date) -> Run:
    """Raises ParameterUnknown where the county lacks a value on that day."""
    in_force = await policy_in_force(connection, county, on)
    return Run(reading(in_force.package, county, on), await households.database_time(connection))
