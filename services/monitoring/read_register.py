"""Read the register of a household: what was entered, who belonged to it, where it was, what it is tagged as."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from services.monitoring import repository_details as details
from services.monitoring import repository_register as register
from services.monitoring.domain.roster_detail import shown_details
from services.monitoring.domain.tag import tags_of
from services.monitoring.read_household import CONTACT, find_household, view_history, view_household
from services.monitoring.schemas import HouseholdView, TagView
from services.monitoring.schemas_register import ChangeView, MembershipEntry, PlaceEntry, RegisterHistory, TagEntry
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal


def view_change(row: Mapping[str, Any], household_no: str) -> ChangeView:
    """A change as it was entered; the other household's number is there if the reader may see that household."""
    detail = {name: value for name, value in row["detail"].items() if not name.endswith("household_no")}
    return ChangeView(
        change_id=row["change_id"],
        household_no=household_no,
        change=row["kind"],
        on=row["occurred_on"],
        other_household_no=row["other_household_no"],
        document_no=row["document_no"],
        reason=row["reason"],
        detail=detail,
        notes=row["notes"],
        changed_by_name=row["changed_by_name"],
        recorded_at=row["recorded_at"],
    )


async def view_register_history(
    scoped: asyncpg.Connection, household_no: str, caller: Principal, runtime: Runtime
) -> RegisterHistory:
    """The history of a household with its register, superseded entries too: nothing was overwritten."""
    row = await find_household(scoped, household_no)
    told = await view_history(scoped, household_no, caller)
    household_id, sees = row["household_id"], field_classes(caller)
    members = await register.membership_rows(scoped, household_id)
    tags = await register.tag_rows(scoped, household_id, row["county"])
    return RegisterHistory(
        **dict(told),
        changes=[view_change(each, household_no) for each in await register.changes(scoped, household_id)],
        memberships=[
            MembershipEntry(**{**each, "name": each["name"] if CONTACT in sees else mask_name(each["name"])})
            for each in members
        ],
        places=await _places(scoped, row, runtime),
        tags=[
            TagEntry(
                **_tag(tag, fact),
                until=fact["ended_on"],
                recorded_at=fact["recorded_at"],
                superseded_at=fact["superseded_at"],
            )
            for each in tags
            for tag, fact in tags_of([each], sees)
        ],
    )


async def view_registered_household(
    scoped: asyncpg.Connection, household_no: str, caller: Principal, runtime: Runtime
) -> HouseholdView:
    """One household with its members and tags of today."""
    row = await find_household(scoped, household_no)
    view = await view_household(scoped, household_no, caller, runtime)
    facts = await register.tag_rows(scoped, row["household_id"], row["county"], on=runtime.clock.today())
    sees = field_classes(caller)
    tags = [TagView(**_tag(tag, fact)) for tag, fact in tags_of(facts, sees)]
    said = await details.of_household(scoped, row["household_id"])
    members = [
        each.model_copy(update={"details": shown_details(said.get(each.member_id, {}), sees)})
        for each in view.members
    ]
    shown = shown_details(said.get(None, {}), sees)
    return view.model_copy(update={"tags": tags, "members": members, "details": shown})


async def _places(scoped: asyncpg.Connection, row: Mapping[str, Any], runtime: Runtime) -> list[PlaceEntry]:
    """Where it was; of a household that never moved, where it is."""
    rows = await register.place_rows(scoped, row["household_id"])
    for role in ("living", "registered"):
        if not any(each["role"] == role for each in rows):
            dates = dict.fromkeys(("valid_from", "valid_to", "recorded_at", "superseded_at"))
            rows.append({"role": role, "division": row[f"{role}_division"], **dates})
    names = await name_places(runtime.directory_pool, {each["division"] for each in rows}, runtime.clock.today())
    return [PlaceEntry(**each, place=names[each["division"]]) for each in rows]


def _tag(tag: Any, fact: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tag": tag.code,
        "label": tag.label,
        "value": fact["value"],
        "member_id": fact["resident_id"],
        "since": fact["occurred_on"],
    }
