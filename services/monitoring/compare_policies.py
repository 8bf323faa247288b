"""Compare a policy with the one in force over an area (政策试算): who enters, who leaves, how many visits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_comparisons as repository
from services.monitoring import repository_policies as policies
from services.monitoring.approve_policy import PolicyNotFound, PolicyStateDoesNotFit
from services.monitoring.change_parameters import PlaceOutOfRange, require_person
from services.monitoring.domain.compared_policies import Side, from_facts, from_measures, moved
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.policy_overlay import with_publications
from services.monitoring.domain.reading import Reading, reading
from services.monitoring.domain.screening import Chosen, shape
from services.monitoring.domain.workload import by_cause, by_class, by_division, by_indicator, overlap
from services.monitoring.policy_in_force import policy_in_force, publications_at, shipped, shipped_version
from services.monitoring.repository_households import database_time
from services.monitoring.repository_screening import plan_for_sets
from services.monitoring.settings import MonitoringSettings
from shared.db.scope import transaction
from shared.policies import ParameterUnknown
from shared.queue.claim import LeaseLost
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, covers, level_of
from shared.vocabulary.identifiers import new_id

IN_FORCE = "in_force"
PART = 20_000
INLINE = 500
LEASE = timedelta(minutes=2)
USUAL_DAYS = 90
MOST_ANEW = 3
TIMED_DAYS = 365


class ComparisonNotFound(PolicyNotFound):
    code, title = "comparison_not_found", "没有找到这次比较"


@dataclass(frozen=True, slots=True)
class ComparisonOrder:
    """What to compare: `version` against `against`, over the households living in `division`, as of `on`."""

    version: str
    against: str
    division: str
    on: date


async def order_comparison(
    connection: asyncpg.Connection,
    order: ComparisonOrder,
    by: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Store the order, and for a small area its answer too; a large one is left to workers, part by part."""
    require_person(by)
    if not covers(by.division, order.division):
        raise PlaceOutOfRange(f"区划 {order.division} 不在您的范围内")
    known_at = await database_time(connection)
    for version in (order.version, order.against):
        await _policy(connection, version, order.division, order.on, known_at)
    now, comparison_id = runtime.clock.now(), new_id(runtime.clock.now())
    comparison = {
        "comparison_id": comparison_id,
        "version": order.version,
        "against": order.against,
        "division": order.division,
        "on_date": order.on,
        "known_at": known_at,
        "households": 0,
        "requested_by": by.subject,
        "requested_at": now,
    }
    small = await repository.households_in(connection, order.division, INLINE) <= INLINE
    await _start(connection, comparison, runtime, small=small)
    await audit(
        connection,
        by,
        "policy.compare",
        f"policy:{order.version}",
        now=now,
        request_id=request_id,
        detail={"against": order.against, "division": order.division, "on": order.on.isoformat()},
    )
    return await find_comparison(connection, order.version, comparison_id)


async def _start(
    connection: asyncpg.Connection, comparison: dict[str, Any], runtime: Runtime, *, small: bool
) -> None:
    comparison_id, division = comparison["comparison_id"], comparison["division"]
    await repository.add(connection, comparison)
    size = INLINE if small else PART
    parts, households = await repository.add_parts(
        connection, comparison_id, division, size=size, now=comparison["requested_at"]
    )
    await repository.count(connection, comparison_id, households)
    if small or not parts:
        for part in await repository.parts_of(connection, comparison_id):
            await _compare(connection, comparison, part, runtime.clock.today())
        await repository.close_parts(connection, comparison_id)
        await _conclude(connection, comparison, runtime)


async def find_comparison(connection: asyncpg.Connection, version: str, comparison_id: UUID) -> dict[str, Any]:
    """A comparison of the caller's range."""
    found = await repository.find(connection, comparison_id)
    if found is None or found["version"] != version:
        raise ComparisonNotFound
    return found


async def cancel_comparison(
    connection: asyncpg.Connection,
    version: str,
    comparison_id: UUID,
    by: Principal,
    runtime: Runtime,
    *,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Stop a comparison; what was counted of it so far is not shown."""
    require_person(by)
    found = await find_comparison(connection, version, comparison_id)
    if found["state"] != "running":
        raise PolicyStateDoesNotFit("这次比较已经结束")
    now = runtime.clock.now()
    await repository.end(connection, comparison_id, "cancelled", now=now)
    await repository.close_parts(connection, comparison_id)
    await audit(connection, by, "policy.compare.cancel", f"policy:{version}", now=now, request_id=request_id)
    return await find_comparison(connection, version, comparison_id)


async def compare_due(runtime: Runtime) -> int:
    """Compare one part; the last one ends with the counts. How many households (0: nothing to do)."""
    async with transaction(runtime.worker_pool) as connection:
        part = await repository.claim_part(connection, now=runtime.clock.now(), lease=LEASE)
    if part is None:
        return 0
    try:
        async with transaction(runtime.worker_pool) as connection:
            comparison = await repository.find(connection, part["comparison_id"])
            assert comparison is not None, "a part is deleted with its comparison"
            if comparison["state"] == "running":
                await _compare(connection, comparison, part, runtime.clock.today())
            is_last = await repository.finish_part(connection, part)
            if is_last and comparison["state"] == "running":
                await _conclude(connection, comparison, runtime)
    except ParameterUnknown as unknown:
        await _fail(runtime, part["comparison_id"], unknown.detail)
    except LeaseLost:
        pass  # Cancelled, or another worker has it; what this one wrote is rolled back.
    return max(int(part["households"]), 1)


async def _fail(runtime: Runtime, comparison_id: UUID, problem: str) -> None:
    """A place without its parameters cannot be compared, and saying so is the answer."""
    async with transaction(runtime.worker_pool) as connection:
        await repository.end(connection, comparison_id, "failed", now=runtime.clock.now(), problem=problem)
        await repository.close_parts(connection, comparison_id)


async def _compare(
    connection: asyncpg.Connection, comparison: Mapping[str, Any], part: Mapping[str, Any], today: date
) -> None:
    """Both policies over one part: today's by the stored measures that stand, everything else from facts."""
    before, after = [
        await _reading(connection, comparison[name], comparison, part["county"]) for name in ("against", "version")
    ]
    known_at, whole = comparison["known_at"], Chosen(part["first_id"], part["last_id"])
    await plan_for_sets(connection)
    if comparison["on_date"] != today or shape(before) != shape(after):
        await repository.compare(connection, comparison, *_from_facts(before, after, whole, known_at))
        return
    loose = await repository.not_measured(connection, comparison["division"], part, shape(before), today)
    await _compare_measured(connection, comparison, part, before, after, loose)
    if loose:
        chosen = Chosen(min(loose), max(loose), tuple(loose))
        await repository.compare(connection, comparison, *_from_facts(before, after, chosen, known_at))


def _from_facts(before: Reading, after: Reading, chosen: Chosen, known_at: datetime) -> tuple[Side, Side]:
    return from_facts(before, chosen, known_at), from_facts(after, chosen, known_at)


async def _compare_measured(
    connection: asyncpg.Connection,
    comparison: Mapping[str, Any],
    part: Mapping[str, Any],
    before: Reading,
    after: Reading,
    loose: Sequence[int],
) -> None:
    """Of whom the draft moves, both answers; of everybody else the one that stands."""
    anew = await _judged_anew(connection, comparison, part, before, after)
    if anew is None:
        chosen = Chosen(part["first_id"], part["last_id"])
    else:
        await repository.take_standing(connection, comparison, part, before.package, but=[*anew, *loose])
        chosen = Chosen(part["first_id"], part["last_id"], tuple(anew))
    if anew is None or anew:
        sides = (from_measures(each, chosen, comparison["known_at"]) for each in (before, after))
        await repository.compare(connection, comparison, *sides, but=loose)


async def _judged_anew(
    connection: asyncpg.Connection,
    comparison: Mapping[str, Any],
    part: Mapping[str, Any],
    before: Reading,
    after: Reading,
) -> list[int] | None:
    """Whom to judge by both policies; None: everybody, since few would be left out."""
    movable = moved(before, after, part["first_id"], part["last_id"])
    if movable is None:
        return None
    found = await repository.judged_anew(connection, comparison["division"], movable, before.fingerprint)
    return found if MOST_ANEW * len(found) <= part["households"] else None


async def _reading(
    connection: asyncpg.Connection, version: str, comparison: Mapping[str, Any], county: str
) -> Reading:
    on = comparison["on_date"]
    package = await _policy(connection, version, f"{county}000000", on, comparison["known_at"])
    return reading(package, county, on)


async def _policy(
    connection: asyncpg.Connection, version: str, division: str, on: date, known_at: datetime
) -> PolicyPackage:
    """The package that a version means for a county: what is in force there, with the draft as if it were too."""
    if version == IN_FORCE:
        return (await policy_in_force(connection, division, on, known_at=known_at)).package
    if (package := shipped_version(version)) is not None:
        return package
    draft = await policies.find(connection, version)
    if draft is None:
        raise PolicyNotFound
    published = await publications_at(connection, division, on, known_at)
    publication = policies.publication_of(draft)
    if publication.concerns(division):
        published = (*published, publication.standing_on(on))
    return with_publications(shipped(division, on), published)


async def _conclude(connection: asyncpg.Connection, comparison: Mapping[str, Any], runtime: Runtime) -> None:
    """Count what was written, once."""
    result = await _count(connection, comparison, runtime)
    await repository.end(connection, comparison["comparison_id"], "finished", now=runtime.clock.now(), result=result)


async def _count(connection: asyncpg.Connection, comparison: Mapping[str, Any], runtime: Runtime) -> dict[str, Any]:
    comparison_id, division = comparison["comparison_id"], comparison["division"]
    names = [await _indicators(connection, comparison, side) for side in ("against", "version")]
    groups = await repository.groups(connection, comparison_id)
    firings = await repository.firings(connection, comparison_id)
    since = runtime.clock.now() - timedelta(days=USUAL_DAYS)
    visits = await repository.visits_since(connection, division, since)
    pairs = overlap(firings, *names)
    return {
        "by_division": by_division(division, await repository.villages(connection, division), groups),
        "by_class": by_class(groups),
        "by_severity": await repository.severities(connection, comparison_id),
        "by_cause": by_cause(await repository.causes(connection, comparison_id)),
        "by_indicator": by_indicator(firings, *names),
        "overlap": [{"indicators": list(pair), **pairs[pair]} for pair in sorted(pairs)],
        "usual_visits": {county: -(-number * 30 // USUAL_DAYS) for county, number in visits.items()},
        **await _visit_minutes(connection, division, runtime),
        "indicators_before": names[0],
        "indicators_after": names[1],
    }


async def _visit_minutes(connection: asyncpg.Connection, division: str, runtime: Runtime) -> dict[str, int]:
    """What a visit takes: the median of those that were timed, or what is assumed where too few were.

    In a township or village it is the whole county's, which has more of them and the same roads.
    """
    settings = runtime.settings
    assert isinstance(settings, MonitoringSettings)
    area = f"{division[:6]}000000" if level_of(division) > DivisionLevel.COUNTY else division
    since = runtime.clock.now() - timedelta(days=TIMED_DAYS)
    timed, median = await repository.timed_visits(connection, area, since)
    if timed < settings.fewest_timed_visits:
        return {"visit_minutes": settings.visit_minutes, "timed_visits": 0}
    return {"visit_minutes": median, "timed_visits": timed}


async def _indicators(connection: asyncpg.Connection, comparison: Mapping[str, Any], side: str) -> list[str]:
    """The order in which a side's fired words are kept."""
    package = await _policy(
        connection, comparison[side], comparison["division"], comparison["on_date"], comparison["known_at"]
    )
    return list(package.indicators)
