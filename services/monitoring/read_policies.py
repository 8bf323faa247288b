"""Read policies: what is in force, drafts and publications, one version in full, and what differs between two."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_policies as repository
from services.monitoring.approve_policy import PolicyNotFound
from services.monitoring.domain.parameter_change import CheckedRow, Row
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.policy_diff import (
    ParameterDifference,
    parameter_differences,
    shape_differences,
    value_or_none,
)
from services.monitoring.domain.policy_overlay import shape_changed, with_publications
from services.monitoring.policy_in_force import policy_in_force, publications_at, shipped, shipped_version
from services.monitoring.schemas_policies import (
    ChangeView,
    DiffView,
    InForceView,
    ParameterDifferenceView,
    ParameterView,
    PolicyDetail,
    PolicyListView,
    PolicySummary,
    RowView,
    ShapeDifferenceView,
)
from shared.policies.parameter import Parameter, ParameterValue
from shared.web.page import next_cursor
from shared.web.problem import ProblemField

IN_FORCE = "in_force"


async def list_policies(
    connection: asyncpg.Connection,
    division: str,
    *,
    today: date,
    state: str | None,
    before: UUID | None,
    limit: int,
) -> PolicyListView:
    """The policy in force and a page of drafts and publications, newest first."""
    rows = await repository.several(connection, division, state=state, before=before, limit=limit + 1)
    more = next_cursor(rows, limit, before="draft_id")
    package = (await policy_in_force(connection, division, today)).package
    published = await publications_at(connection, division, today)
    base = shipped(division, today)
    return PolicyListView(
        division=division,
        in_force=InForceView(
            version=package.version,
            package_version=base.version,
            label=base.label_zh,
            applies_from=base.applies_from,
            publications=[each.version for each in published],
        ),
        items=[summary(row) for row in rows[:limit]],
        next_cursor=more,
    )


def summary(row: Mapping[str, Any]) -> PolicySummary:
    return PolicySummary(
        version=row["version"],
        state=row["state"],
        division=row["division"],
        place=row["place_name"],
        base_version=row["base_version"],
        changes=len(row["changes"]),
        document_nos=list(dict.fromkeys(each["document_no"] for each in row["changes"])),
        authored_by=row["authored_by_name"],
        authored_at=row["authored_at"],
        approved_by=row["approved_by_name"],
        approved_at=row["approved_at"],
        published_by=row["published_by_name"],
        published_at=row["published_at"],
        activates_on=row["activates_on"],
        capacity_reason=row["capacity_reason"],
        comparison_id=row["comparison_id"],
        withdrawn_by=row["withdrawn_by_name"],
        withdrawn_at=row["withdrawn_at"],
        withdrawn_reason=row["withdrawn_reason"],
    )


async def view_policy(connection: asyncpg.Connection, version: str, division: str, *, today: date) -> PolicyDetail:
    """A version's changes, and every parameter of it at a place: of a draft on the day all of it holds."""
    draft = await repository.find(connection, _own_name(version))
    if draft is None:
        package = await _package(connection, version, division, today)
        return _detail(package, version, division, today)
    publication = repository.publication_of(draft)
    place, on = publication.division, max([today, *(each.since for each in publication.changes)])
    package = await _package(connection, version, place, today)
    detail = _detail(package, draft["version"], place, on)
    changes = [_change(each, package) for each in draft["changes"]]
    return detail.model_copy(update={"kind": "draft", "draft": summary(draft), "changes": changes})


def _change(change: Mapping[str, Any], package: PolicyPackage) -> ChangeView:
    parameter = package.parameters.get(change["name"])
    label, unit = (parameter.label_zh, parameter.unit.value) if parameter else (change["name"], "")
    return ChangeView(**change, label=label, unit=unit)


def _detail(package: PolicyPackage, version: str, division: str, on: date) -> PolicyDetail:
    return PolicyDetail(
        version=version,
        kind="package",
        label=package.label_zh,
        division=division,
        on=on,
        draft=None,
        changes=[],
        parameters=[
            _parameter(each, value_or_none(package, name, division, on)) for name, each in package.parameters.items()
        ],
    )


def _parameter(parameter: Parameter, value: ParameterValue | None) -> ParameterView:
    bounds = [parameter.unit.write(each) for each in parameter.bounds] if parameter.bounds else None
    view = ParameterView(
        name=parameter.name,
        label=parameter.label_zh,
        unit=parameter.unit.value,
        bounds=bounds,
        choices=list(parameter.choices),
    )
    if value is None:
        return view
    stated = {
        "since": value.since,
        "decided_by": value.decided_by,
        "source": value.source,
        "verified": value.verified,
    }
    return view.model_copy(update={"value": written(value), **stated})


def written(value: ParameterValue | None) -> Any:
    """The value as JSON says it."""
    return None if value is None else value.as_data()["value"]


async def diff_policies(
    connection: asyncpg.Connection, version: str, against: str, division: str, *, today: date
) -> DiffView:
    """What differs at a place: of a draft all its dates are taken to have come."""
    sides = [await _package(connection, name, division, today) for name in (against, version)]
    days = [await _day(connection, name, today) for name in (against, version)]
    before, after = sides
    found = parameter_differences(before, after, division, *days)
    shapes = shape_differences(before, after)
    return DiffView(
        version=version,
        against=against,
        division=division,
        parameters=[_parameter_difference(each) for each in found],
        shapes=[ShapeDifferenceView(section=e.section, name=e.name, change=e.change) for e in shapes],
        remeasures=shape_changed(before, after) or any(e.section in MEASURING for e in shapes),
    )


MEASURING = ("measures", "member_values", "member_counts", "rule_shapes")


def _parameter_difference(found: ParameterDifference) -> ParameterDifferenceView:
    known = found.after or found.before
    return ParameterDifferenceView(
        name=found.name,
        label=found.label_zh,
        unit=known.unit.value if known else "",
        before=written(found.before),
        before_decided_by=found.before.decided_by if found.before else None,
        after=written(found.after),
        after_since=found.after.since if found.after else None,
        after_decided_by=found.after.decided_by if found.after else None,
        source=found.after.source if found.after else None,
    )


async def _day(connection: asyncpg.Connection, version: str, today: date) -> date:
    """The day on which all of a version holds."""
    draft = await repository.find(connection, _own_name(version))
    if draft is None:
        return today
    days: list[date] = [today, draft["activates_on"] or today, *_dates(draft)]
    return max(days)


def _dates(draft: Mapping[str, Any]) -> list[date]:
    return [date.fromisoformat(each["from"]) for each in draft["changes"]]


async def _package(connection: asyncpg.Connection, version: str, division: str, today: date) -> PolicyPackage:
    """The package a version means at a place: a shipped one, what is in force, or that with a draft laid over it."""
    if version == IN_FORCE:
        return (await policy_in_force(connection, division, today)).package
    if (package := shipped_version(version)) is not None:
        return package
    draft = await repository.find(connection, _own_name(version))
    if draft is None:
        raise PolicyNotFound
    standing = await publications_at(connection, division, today)
    others = tuple(each for each in standing if each.version != draft["version"])
    return with_publications(shipped(division, today), (*others, repository.publication_of(draft)))


async def division_of(connection: asyncpg.Connection, version: str) -> str | None:
    """The place whose draft a version is."""
    draft = await repository.find(connection, _own_name(version))
    return draft["division"] if draft else None


def _own_name(version: str) -> str:
    """The publication's own part of a version such as `national-2026.1+1a2b~130624-20260315-…`."""
    return version.rsplit("~", 1)[-1]


def view_rows(
    rows: Sequence[Row], checked: Sequence[CheckedRow], package: PolicyPackage, division: str, today: date
) -> list[RowView]:
    """What was read of each row, what holds now, and what is wrong with it."""
    return [_row(row, each, package, division, today) for row, each in zip(rows, checked, strict=True)]


def _row(row: Row, checked: CheckedRow, package: PolicyPackage, division: str, today: date) -> RowView:
    name = row.get("name")
    parameter = package.parameters.get(name) if isinstance(name, str) else None
    standing = value_or_none(package, parameter.name, division, today) if parameter else None
    change, note = checked.change, None
    if change and parameter and standing and parameter.read(change.value) == standing.value:
        note = "与现行取值相同"
    return RowView(
        row=checked.row,
        name=parameter.name if parameter else None,
        label=parameter.label_zh if parameter else None,
        value=change.value if change else None,
        from_=change.since if change else None,
        document_no=change.document_no if change else None,
        before=written(standing),
        note=note,
        errors=[ProblemField(**each.as_json()) for each in checked.errors],
    )
