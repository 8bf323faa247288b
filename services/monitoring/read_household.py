"""Read households as a caller's post may see them: rows by range, fields by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring.domain.judgement import severity_of_rank
from services.monitoring.schemas import (
    AssessmentEntry,
    DecisionEntry,
    HistoryView,
    HouseholdSummary,
    HouseholdView,
    MemberView,
    VerificationEntry,
)
from shared.errors import NotFound
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.terms import Cause

CLASS, CAUSE, CONTACT = "class", "cause", "contact"


class HouseholdNotFound(NotFound):
    """Nobody learns whether a household exists outside his range."""

    code, title = "household_not_found", "没有找到这户"


async def summaries(rows: Sequence[Mapping[str, Any]], caller: Principal, runtime: Runtime) -> list[HouseholdSummary]:
    """Households with the fields the caller's post sees."""
    places, classes = await _places(rows, runtime), field_classes(caller)
    return [HouseholdSummary(**_visible(row, classes, places)) for row in rows]


async def find_household(connection: asyncpg.Connection, household_no: str) -> dict[str, Any]:
    """The household and the assessment that stands, or HouseholdNotFound."""
    row = await repository.household(connection, household_no)
    if row is None:
        raise HouseholdNotFound
    return row


async def view_household(
    connection: asyncpg.Connection, household_no: str, caller: Principal, runtime: Runtime
) -> HouseholdView:
    """One household with its members of today."""
    row = await find_household(connection, household_no)
    classes = field_classes(caller)
    members = await repository.members(connection, row["household_id"], runtime.clock.today())
    return HouseholdView(
        **_visible(row, classes, await _places([row], runtime)),
        members=[_member(each, classes) for each in members],
        tags=[],
        ended_on=row["ended_on"],
        causes=_causes(row["causes"]) if CAUSE in classes else None,
        waiting_reports=row["reports"],
        due=row["due_at"] is not None,
        assessed_on=row["on_date"],
    )


async def view_history(connection: asyncpg.Connection, household_no: str, caller: Principal) -> HistoryView:
    """What happened to a household: assessments, answers of visitors, decisions."""
    row = await find_household(connection, household_no)
    sees = field_classes(caller)
    found = [
        await read(connection, row["household_id"])
        for read in (repository.assessments, repository.verifications, repository.decisions)
    ]
    hidden = {} if CLASS in sees else {"recommendation": None, "score": None}
    no_causes = {} if CAUSE in sees else {"causes": None}
    return HistoryView(
        household_no=household_no,
        assessments=[
            AssessmentEntry(**{**each, **hidden, "severity": severity_of_rank(each["severity"])}) for each in found[0]
        ],
        verifications=[VerificationEntry(**{**each, **no_causes}) for each in found[1]],
        decisions=[DecisionEntry(**each) for each in found[2]] if CLASS in sees else None,
    )


async def _places(rows: Sequence[Mapping[str, Any]], runtime: Runtime) -> dict[str, str]:
    codes = (row["living_division"] for row in rows)
    return await name_places(runtime.directory_pool, codes, runtime.clock.today())


def _visible(row: Mapping[str, Any], classes: frozenset[str], places: Mapping[str, str]) -> dict[str, Any]:
    said = {"living_place": places[row["living_division"]], "severity": severity_of_rank(row["severity"])}
    shown = {name: row[name] for name in HouseholdSummary.model_fields if name not in said} | said
    if CONTACT not in classes:
        shown |= {"head_name": mask_name(row["head_name"]), "phone": None}
    if CLASS not in classes:
        shown |= {"listed_as": None, "listed_on": None, "recommendation": None, "score": None}
    return shown


def _member(row: Mapping[str, Any], classes: frozenset[str]) -> MemberView:
    return MemberView(
        member_id=row["member_id"],
        name=row["name"] if CONTACT in classes else mask_name(row["name"]),
        relation=row["relation"],
        sex=row["sex"],
        birth_year=row["birth_date"].year,
        status=row["status"],
        since=row["valid_from"],
    )


def _causes(mask: int | None) -> list[str]:
    return [cause.value for index, cause in enumerate(Cause) if (mask or 0) >> index & 1]
