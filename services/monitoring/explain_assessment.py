"""Explain a household's assessment: the stored one, or a replay as of a day, as known at a moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring import repository_assessments as assessments
from services.monitoring import repository_explanations as explanations
from services.monitoring import repository_freshness as freshness
from services.monitoring import repository_readings as repository
from services.monitoring.begin_run import ENGINE_VERSION
from services.monitoring.domain.assessment import FIRED, Assessment
from services.monitoring.domain.compiler import assessment_from_row, compile_policy
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.staleness import (
    StaleDataSet,
    blockers_in_doubt,
    doubts,
    doubts_said,
    stale_data_sets,
)
from services.monitoring.domain.stored_outcome import outcome_of, row_of
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_household import find_household
from services.monitoring.schemas import AssessmentView
from services.monitoring.settle_moment import settle_moment
from services.monitoring.show_assessment import Answer, show_assessment
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal


async def explain_assessment(
    connection: asyncpg.Connection,
    household_no: str,
    caller: Principal,
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> AssessmentView:
    """What the policy says of a household, in the fields the caller's post sees.

    Without a day and a moment the stored row is explained; with one of them the policy runs again on the facts as
    they were known. `known_at` alone asks for that day in Shanghai. Asked for both, the answer is the same bytes
    whenever it is asked. A moment before the household was known is HouseholdNotKnownThen; on a day before anybody
    belonged to it nobody is counted and everything is unknown.
    """
    household = await find_household(connection, household_no)
    answer = None
    if as_of is None and known_at is None:
        answer = await _stored(connection, household, runtime)
    if answer is None:
        answer = await _replay(connection, household, runtime, as_of=as_of, known_at=known_at)
    return show_assessment(answer, household_no, field_classes(caller))


async def _stored(connection: asyncpg.Connection, household: Mapping[str, Any], runtime: Runtime) -> Answer | None:
    """The row that stands, what only stale data vouches for shown as unknown; None if another policy made it."""
    if household["policy_version"] is None:
        return None
    on = household["on_date"]
    policy = await policy_in_force(connection, household["county"], on, known_at=household["known_at"])
    package, parameters = policy.package, policy.parameters
    if package.version != household["policy_version"]:
        return None
    row = _Row(row_of(package, household) or {})
    answer = Answer(
        decided := assessment_from_row(package, row, parameters, on),
        package,
        parameters,
        decided.digest(),
        "stored",
        household["known_at"],
        household["engine_version"],
        household["assessed_version"],
        await _facts(connection, household, on, household["known_at"]),
    )
    return await _vouched(connection, household, answer, row, runtime)


async def _replay(
    connection: asyncpg.Connection,
    household: Mapping[str, Any],
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> Answer:
    """The compiled policy over the facts of a day as known at a moment.

    Staleness is of today: it is shown where neither was asked for, and nowhere else.
    """
    on, moment = await settle_moment(connection, household, runtime, as_of=as_of, known_at=known_at)
    policy = await policy_in_force(connection, household["county"], on, known_at=moment)
    package, parameters = policy.package, policy.parameters
    compiled = compile_policy(package)
    binds = compiled.bind(
        county=household["county"],
        household_ids=[household["household_id"]],
        on=on,
        known_at=moment,
        parameters=parameters,
    )
    [row] = (await assessments.evaluate(connection, compiled.households_sql, binds)).values()
    assessment = assessment_from_row(package, row, parameters, on)
    answer = Answer(
        assessment,
        package,
        parameters,
        assessment.digest(),
        "replay",
        moment,
        ENGINE_VERSION,
        await repository.facts_version_at(connection, household["household_id"], household["county"], moment),
        await _facts(connection, household, on, moment),
        decision=outcome_of(package, row),
        decided=await explanations.assessment_standing(connection, household["household_id"], on, moment),
    )
    if as_of is None and known_at is None:
        return await _vouched(connection, household, answer, _Row(row), runtime)
    return answer


async def _vouched(
    connection: asyncpg.Connection, household: Mapping[str, Any], answer: Answer, row: "_Row", runtime: Runtime
) -> Answer:
    """The answer with what only stale data vouches for shown as unknown; what was decided stays what it was."""
    package, decided = answer.package, answer.assessment
    newest = await freshness.newest_by_data_set(connection, household["county"])
    stale = stale_data_sets(package, newest, runtime.clock.today(), answer.parameters.number)
    doubtful = doubts(package, decided, stale)
    shown = _overlaid(row, package, doubtful, stale)
    if household["listed_as"] is not None:
        shown = _with_blockers(shown, decided, package, doubtful)
    return replace(
        answer,
        assessment=assessment_from_row(package, shown, answer.parameters, decided.on),
        stale=stale,
        doubts=doubtful,
        doubts_said=doubts_said(package, decided, stale),
    )


async def _facts(
    connection: asyncpg.Connection, household: Mapping[str, Any], on: date, known_at: datetime
) -> Sequence[Mapping[str, Any]]:
    return await explanations.facts_at(connection, household["household_id"], household["county"], on, known_at)


class _Row(dict[str, Any]):
    """A stored row of the compiled statement; a column it does not have is null."""

    def __missing__(self, name: str) -> None:
        return None


def _overlaid(row: _Row, package: PolicyPackage, doubtful: Collection[str], stale: Collection[StaleDataSet]) -> _Row:
    """The row with what stale data cannot vouch for turned into unknown; an exclusion that fired stays so."""
    mask = sum(1 << index for index, name in enumerate(package.indicators) if name in doubtful)
    late = {each.name for each in stale}
    unsure = sum(1 << index for index, each in enumerate(package.exclusions) if each.clear_needs & late)
    changed = {"unknown": row["unknown"] | mask, "fired": row["fired"] & ~mask}
    if unsure:
        changed["exclusions_unknown"] = row["exclusions_unknown"] | unsure & ~row["exclusions_fired"]
    return _Row({**row, **changed})


def _with_blockers(row: _Row, decided: Assessment, package: PolicyPackage, doubtful: Collection[str]) -> _Row:
    """The row of a household on the list: what is in doubt speaks against taking it off."""
    fired = {each.id for each in decided.indicators if each.state == FIRED}
    standing = blockers_in_doubt(package, {*decided.unknown, *doubtful}, fired - set(doubtful))
    return _Row({**row, "removal": (row["removal"] or 0) | sum(1 << position for position in standing)})
