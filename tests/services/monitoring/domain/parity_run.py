"""Judges the same households twice, by the compiled text and by the evaluator, and tells where they differ."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.evaluator import judged
from services.monitoring.domain.finding import Judgement
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.judgement import judgement_from_row
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import presented
from shared.policies.parameter_set import ParameterSet
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter


@dataclass(frozen=True)
class Difference:
    """What the two made of one household."""

    household: HouseholdFacts
    compiled: Judgement
    evaluated: Judgement

    def fields(self) -> Iterator[str]:
        """The fields that differ, with both values."""
        for name in Judgement.__dataclass_fields__:
            ours, theirs = getattr(self.compiled, name), getattr(self.evaluated, name)
            if ours != theirs:
                yield f"{name}: compiled {ours}, evaluated {theirs}"


@dataclass(frozen=True)
class ParityRun:
    """One package with its parameters on one day."""

    package: PolicyPackage
    parameters: ParameterSet
    on: date
    stale: Collection[str] = ()

    async def differences(
        self, ledger: LedgerWriter, ids: Sequence[int], households: Sequence[HouseholdFacts], *, worded: int
    ) -> list[Difference]:
        """The stored households that are judged differently; of the first `worded`, also those told differently."""
        policy = compile_policy(self.package)
        binds = policy.bind_range(
            county=COUNTY,
            first=ids[0],
            last=ids[-1],
            on=self.on,
            known_at=KNOWN,
            parameters=self.parameters,
            stale=self.stale,
        )
        rows = await ledger.connection.fetch(policy.range_sql, *binds)
        assert [row["household_id"] for row in rows] == list(ids)
        found = []
        for index, (row, household) in enumerate(zip(rows, households, strict=True)):
            ours = judgement_from_row(self.package, dict(row))
            theirs = judged(self.package, self.parameters, household, self.on, stale=self.stale)
            if ours != theirs or (index < worded and self._told(ours) != self._told(theirs)):
                found.append(Difference(household, ours, theirs))
        return found

    def _told(self, judgement: Judgement) -> bytes:
        return presented(self.package, judgement, self.parameters, self.on).canonical()
