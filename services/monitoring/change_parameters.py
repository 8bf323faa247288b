"""Change parameters: rows of name, value, day and document number become a draft for a second person to approve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_policies as repository
from services.monitoring.domain.parameter_change import MOST_ROWS, CheckedRow, Row, check_rows
from services.monitoring.domain.policy_diff import value_or_none
from services.monitoring.domain.policy_overlay import Change
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.policy_in_force import policy_in_force
from shared.clock import SHANGHAI
from shared.errors import FieldError, Forbidden, Unprocessable
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, covers, level_of
from shared.vocabulary.identifiers import new_id


class ChangesRefused(Unprocessable):
    code, title = "changes_refused", "参数调整有误"


class PlaceDecidesNothing(Unprocessable):
    """Parameters are decided by counties, prefectures and provinces."""

    code, title = "place_decides_nothing", "该区划不能规定参数"


class OnlyAPersonChangesPolicy(Forbidden):
    code, title = "only_a_person_changes_policy", "政策只能由人员办理"


class PlaceOutOfRange(Forbidden):
    code, title = "out_of_range", "超出您的行政区划范围"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rows for one place, as somebody sent them."""

    division: str
    rows: Sequence[Row]
    by: Principal
    request_id: str | None = None


async def check_changes(connection: asyncpg.Connection, proposal: Proposal, *, today: date) -> list[CheckedRow]:
    """What is wrong with each row; nothing is stored."""
    require_person(proposal.by)
    require_place(proposal.division, proposal.by)
    if not 1 <= len(proposal.rows) <= MOST_ROWS:
        raise ChangesRefused(f"一次提交 1 至 {MOST_ROWS} 行；收到 {len(proposal.rows)} 行")
    package = (await policy_in_force(connection, proposal.division, today)).package
    return check_rows(proposal.rows, package.parameters, today=today)


async def change_parameters(connection: asyncpg.Connection, proposal: Proposal, runtime: Runtime) -> str:
    """Store the rows as one draft and return its version; a bad row refuses all of them, each with its reason."""
    now, today = runtime.clock.now(), runtime.clock.today()
    checked = await check_changes(connection, proposal, today=today)
    if errors := [error for row in checked for error in row.errors]:
        bad = sum(1 for row in checked if row.errors)
        raise ChangesRefused(f"{len(checked)} 行中有 {bad} 行不符合要求，均未保存", errors=errors[:MOST_ROWS])
    base = (await policy_in_force(connection, proposal.division, today)).package
    changes = [_with_former(row.change, base, proposal.division, today) for row in checked if row.change]
    names = await name_places(runtime.directory_pool, [proposal.division], today)
    draft = _draft(proposal, changes, base.version, names[proposal.division], now)
    await repository.add(connection, draft)
    await audit(
        connection,
        proposal.by,
        "policy.draft",
        f"policy:{draft['version']}",
        now=now,
        purpose="、".join(dict.fromkeys(each["document_no"] for each in draft["changes"]))[:500],
        request_id=proposal.request_id,
        detail={"division": proposal.division, "changes": draft["changes"]},
    )
    return str(draft["version"])


def _with_former(change: Change, base: PolicyPackage, division: str, today: date) -> dict[str, Any]:
    """The change as stored: with what held when it was drafted."""
    former = value_or_none(base, change.name, division, today)
    return {
        **change.as_data(),
        "before": former.as_data()["value"] if former else None,
        "before_decided_by": former.decided_by if former else None,
    }


def _draft(
    proposal: Proposal, changes: Sequence[Mapping[str, Any]], base_version: str, place: str, now: datetime
) -> dict[str, Any]:
    draft_id: UUID = new_id(now)
    return {
        "draft_id": draft_id,
        "version": f"{proposal.division[:6]}-{now.astimezone(SHANGHAI):%Y%m%d}-{draft_id.hex[-8:]}",
        "division": proposal.division,
        "place_name": place,
        "base_version": base_version,
        "changes": list(changes),
        "authored_by": proposal.by.subject,
        "authored_by_name": proposal.by.name,
        "authored_at": now,
    }


def require_person(by: Principal) -> None:
    if not by.is_person:
        raise OnlyAPersonChangesPolicy("起草、审批、发布政策须由人员本人登录办理；系统令牌不能办理")


def require_place(division: str, by: Principal) -> None:
    """A county, a prefecture or a province within the caller's range."""
    if not covers(by.division, division):
        raise PlaceOutOfRange(f"区划 {division} 不在您的范围内")
    if level_of(division) > DivisionLevel.COUNTY:
        right = "县、市或省的区划代码（乡镇、村不规定参数）"
        error = FieldError("query/division", "place_decides_nothing", "乡镇和村不规定参数", right, "130624000000")
        raise PlaceDecidesNothing("参数由县、市、省规定", errors=[error])
