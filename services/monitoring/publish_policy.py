"""Publish an approved draft: cases green, workload seen, within capacity or with a reason; it holds from a day on."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.monitoring import repository_comparisons as comparisons
from services.monitoring import repository_policies as repository
from services.monitoring.approve_policy import PolicyStateDoesNotFit, hold_draft
from services.monitoring.change_parameters import require_person
from services.monitoring.domain.policy_overlay import Publication, with_publications
from services.monitoring.domain.workload import Load
from services.monitoring.policy_in_force import publications_at, shipped
from services.monitoring.rescreen import BULK, screen_area
from services.monitoring.run_cases import red_cases
from services.monitoring.settings import MonitoringSettings
from services.monitoring.worked_case import Case
from shared.db.scope import transaction
from shared.errors import Conflict, FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, level_of


class CasesAreRed(Conflict):
    code, title = "cases_red", "算例未通过，不能发布"


class WorkloadNotSeen(Conflict):
    """A change of policy shows its workload before it is published."""

    code, title = "workload_not_seen", "发布前须先比较工作量"


class AboveCapacity(Conflict):
    code, title = "above_capacity", "预计入户超过承受能力，须说明理由"


class ActivationDayPast(Unprocessable):
    code, title = "activation_day_past", "启用日期已经过去"


@dataclass(frozen=True, slots=True)
class PublicationOrder:
    """From when a draft holds; `capacity_reason` is signed by whoever publishes above the capacity."""

    activates_on: date
    capacity_reason: str | None = None


async def publish_policy(
    connection: asyncpg.Connection,
    version: str,
    order: PublicationOrder,
    by: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> None:
    """Make a draft's values hold from `activates_on` on, never before: what is past was judged as it was.

    Capacity delays nothing and hides nobody: above it, somebody answers for the load by name.
    """
    require_person(by)
    draft = await hold_draft(connection, version, by)
    _check(draft, order, runtime.clock.today())
    await require_green_cases(connection, draft, order.activates_on)
    await repository.one_at_a_time(connection)
    comparison = await _seen_workload(connection, draft)
    loads = loads_of(comparison, runtime)
    if (above := [load for load in loads if load.is_above]) and not order.capacity_reason:
        raise AboveCapacity(_too_many(above), counties=[load.as_data() for load in above])
    await repository.publish(
        connection,
        draft["draft_id"],
        by=by.subject,
        name=by.name,
        activates_on=order.activates_on,
        comparison_id=comparison["comparison_id"],
        capacity_reason=order.capacity_reason if above else None,
    )
    await audit(
        connection,
        by,
        "policy.publish",
        f"policy:{version}",
        now=runtime.clock.now(),
        purpose=order.capacity_reason,
        request_id=request_id,
        detail={
            "activates_on": order.activates_on.isoformat(),
            "comparison_id": str(comparison["comparison_id"]),
            "above_capacity": [load.as_data() for load in above],
        },
    )


def _check(draft: Mapping[str, Any], order: PublicationOrder, today: date) -> None:
    if draft["state"] != "approved":
        raise PolicyStateDoesNotFit("只有经第二人审批、尚未发布的草案可以发布")
    if order.activates_on < today:
        error = FieldError("body/activates_on", "day_past", "启用日期已经过去", f"{today} 或以后", str(today))
        raise ActivationDayPast("启用日期有误", errors=[error])


async def require_green_cases(connection: asyncpg.Connection, draft: Mapping[str, Any], activates_on: date) -> None:
    """Every worked case comes out as written on its own day, were the draft published so."""
    draft = {**draft, "activates_on": activates_on}
    publication = repository.publication_of(draft)
    standing = await publications_at(connection, draft["division"], date.max)

    def package_of(case: Case) -> Any:
        base = shipped(f"{case.county}000000", case.on)
        if not publication.concerns(f"{case.county}000000"):
            return base
        active = tuple(each for each in (*standing, publication) if _is_active(each, case.on))
        return with_publications(base, active)

    if red := await asyncio.to_thread(red_cases, package_of):
        errors = [FieldError(name, "case_red", "；".join(wrong)) for name, wrong in red.items()]
        raise CasesAreRed(f"{len(red)} 个算例与写明的结果不符", errors=errors[:100])


def _is_active(publication: Publication, on: date) -> bool:
    return publication.activates_on <= on


async def _seen_workload(connection: asyncpg.Connection, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison over the draft's whole area with what is still in force now."""
    found = await comparisons.newest_finished(connection, draft["version"], draft["division"])
    if found is None:
        raise WorkloadNotSeen(f"请先对 {draft['place_name']} 全域与现行政策作一次比较，看过工作量再发布")
    if await repository.published_since(connection, draft["division"], found["known_at"]):
        raise WorkloadNotSeen("比较之后现行政策又有变化，请重新比较")
    return found


def loads_of(comparison: Mapping[str, Any], runtime: Runtime) -> list[Load]:
    """Each county's expected visits of the month after the change, against its capacity."""
    assert isinstance(runtime.settings, MonitoringSettings)
    result, settings = comparison["result"], runtime.settings
    counties = {
        code[:6]: figures["visits_new"]
        for code, figures in result["by_division"].items()
        if level_of(code) is DivisionLevel.COUNTY
    }
    return [
        Load(
            county=county,
            usual=result["usual_visits"].get(county, 0),
            new=new,
            capacity=settings.visit_capacity.get(county, settings.usual_visit_capacity),
        )
        for county, new in sorted(counties.items())
    ]


def _too_many(above: list[Load]) -> str:
    told = "；".join(f"{each.county} 预计每月 {each.expected} 户次，承受能力 {each.capacity}" for each in above[:10])
    return f"{told}。如确需发布，请在 capacity_reason 中写明理由并由发布人负责"


async def activate_published(runtime: Runtime) -> int:
    """Let an area be assessed again on the day its new values begin to hold; how many publications (0: none).

    Whom the values judge although he lives elsewhere is made due one by one.
    """
    async with transaction(runtime.worker_pool) as connection:
        found = await repository.to_activate(connection, runtime.clock.today())
        if found is None:
            return 0
        now, reason = runtime.clock.now(), f"政策 {found['version']} 启用"
        ordered = await screen_area(connection, found["division"], reason, "monitoring", now=now, priority=BULK)
        elsewhere = await repository.mark_elsewhere_due(connection, found["division"], now=now, priority=BULK)
        await repository.activated(connection, found["draft_id"], now)
        await audit(
            connection,
            "monitoring",
            "policy.activate",
            f"policy:{found['version']}",
            now=now,
            detail={"division": found["division"], "households": ordered.households + elsewhere},
        )
    runtime.waker.wake("assess")
    runtime.waker.wake("assess_ranges")
    return 1
