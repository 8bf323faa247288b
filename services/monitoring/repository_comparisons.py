"""Comparisons in the database: orders, parts, what either policy says of each household, and its counts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring.domain.compared_policies import Side, standing_select
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.screening import Screening
from services.monitoring.domain.workload import Firing, Group
from shared.queue.claim import Queue, claim, finish
from shared.vocabulary.division import code_range

PARTS = Queue("policy_comparison_part", ("comparison_id", "county", "first_id"))

_COLUMNS = """
    comparison_id, version, against, division, on_date, known_at, state, problem, households, result, requested_by,
    requested_at, finished_at
"""


async def add(connection: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    binds = ", ".join(f"${index}" for index in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO policy_comparison ({names}) VALUES ({binds})", *row.values())


async def add_parts(
    connection: asyncpg.Connection, comparison_id: UUID, division: str, *, size: int, now: datetime
) -> tuple[int, int]:
    """Cut the households living in a division into ranges of one county each; how many parts and households."""
    lo, hi = code_range(division)
    row = await connection.fetchrow(
        """
        WITH numbered AS (
            SELECT county, household_id,
                   (row_number() OVER (PARTITION BY county ORDER BY household_id) - 1) / $4 AS part
            FROM household WHERE living_division >= $2 AND living_division < $3 AND ended_on IS NULL
        ), parts AS (
            INSERT INTO policy_comparison_part
                (comparison_id, county, first_id, last_id, households, due_at, priority)
            SELECT $1, county, min(household_id), max(household_id), count(*), $5, 7
            FROM numbered GROUP BY county, part
            RETURNING households
        )
        SELECT count(*) AS parts, coalesce(sum(households), 0)::integer AS households FROM parts
        """,
        comparison_id,
        lo,
        hi,
        size,
        now,
    )
    assert row is not None
    return row["parts"], row["households"]


async def count(connection: asyncpg.Connection, comparison_id: UUID, households: int) -> None:
    await connection.execute(
        "UPDATE policy_comparison SET households = $2 WHERE comparison_id = $1", comparison_id, households
    )


async def households_in(connection: asyncpg.Connection, division: str, most: int) -> int:
    """How many households live in a division, counted no further than `most` and one."""
    lo, hi = code_range(division)
    found: int = await connection.fetchval(
        """
        SELECT count(*) FROM (
            SELECT FROM household WHERE living_division >= $1 AND living_division < $2 AND ended_on IS NULL LIMIT $3
        ) h
        """,
        lo,
        hi,
        most + 1,
    )
    return found


async def find(connection: asyncpg.Connection, comparison_id: UUID) -> dict[str, Any] | None:
    row = await connection.fetchrow(
        f"""
        SELECT {_COLUMNS},
               (SELECT coalesce(sum(p.households), 0)::integer FROM policy_comparison_part p
                WHERE p.comparison_id = c.comparison_id AND p.due_at IS NULL) AS done
        FROM policy_comparison c WHERE comparison_id = $1
        """,
        comparison_id,
    )
    return dict(row) if row is not None else None


async def newest_finished(connection: asyncpg.Connection, version: str, division: str) -> dict[str, Any] | None:
    """The newest comparison of a version with what is in force, over the whole of a division."""
    row = await connection.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM policy_comparison
        WHERE version = $1 AND division = $2 AND against = 'in_force' AND state = 'finished'
        ORDER BY requested_at DESC, known_at DESC LIMIT 1
        """,
        version,
        division,
    )
    return dict(row) if row is not None else None


async def parts_of(connection: asyncpg.Connection, comparison_id: UUID) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        "SELECT county, first_id, last_id, households FROM policy_comparison_part WHERE comparison_id = $1",
        comparison_id,
    )
    return [dict(row) for row in rows]


async def claim_part(connection: asyncpg.Connection, *, now: datetime, lease: timedelta) -> dict[str, Any] | None:
    rows = await claim(connection, PARTS, now=now, limit=1, lease=lease)
    return dict(rows[0]) if rows else None


async def finish_part(connection: asyncpg.Connection, part: Mapping[str, Any]) -> bool:
    """Release a part that is done; whether it was the last. Raises LeaseLost.

    The comparison is locked first, so that of two that end at once exactly one is the last.
    """
    await connection.execute(
        "SELECT FROM policy_comparison WHERE comparison_id = $1 FOR NO KEY UPDATE", part["comparison_id"]
    )
    await finish(connection, PARTS, [part[name] for name in PARTS.key], part["lease_token"])
    return not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM policy_comparison_part WHERE comparison_id = $1 AND due_at IS NOT NULL)",
        part["comparison_id"],
    )


async def close_parts(connection: asyncpg.Connection, comparison_id: UUID) -> None:
    """Nothing of a comparison is left to do, whoever had some of it in hand."""
    await connection.execute(
        """
        UPDATE policy_comparison_part SET due_at = NULL, lease_until = NULL, lease_token = NULL
        WHERE comparison_id = $1
        """,
        comparison_id,
    )


async def end(
    connection: asyncpg.Connection,
    comparison_id: UUID,
    state: str,
    *,
    now: datetime,
    result: Mapping[str, Any] | None = None,
    problem: str | None = None,
) -> None:
    await connection.execute(
        """
        UPDATE policy_comparison SET state = $2, result = $3, problem = $4, finished_at = $5
        WHERE comparison_id = $1 AND state = 'running'
        """,
        comparison_id,
        state,
        result,
        problem,
        now,
    )


async def not_measured(
    connection: asyncpg.Connection, division: str, part: Mapping[str, Any], shape: bytes, on: date
) -> list[int]:
    """Households of a part whose stored measures do not stand on a day: their facts are read."""
    lo, hi = code_range(division)
    rows = await connection.fetch(
        """
        SELECT h.household_id FROM household h
        LEFT JOIN measure m ON m.household_id = h.household_id AND m.household_id BETWEEN $1 AND $2
        WHERE h.household_id BETWEEN $1 AND $2 AND h.county = $3
          AND h.living_division >= $4 AND h.living_division < $5 AND h.ended_on IS NULL
          AND (m.household_id IS NULL OR m.facts_version <> h.facts_version OR m.shape <> $6 OR m.county <> $3
               OR m.measured_on > $7 OR m.valid_until <= $7)
        ORDER BY h.household_id
        """,
        part["first_id"],
        part["last_id"],
        part["county"],
        lo,
        hi,
        shape,
        on,
    )
    return [row["household_id"] for row in rows]


async def compare(
    connection: asyncpg.Connection,
    comparison: Mapping[str, Any],
    before: Side,
    after: Side,
    *,
    but: Sequence[int] = (),
) -> None:
    """Write what either policy says of households that live in the division, if it says anything; not of `but`.

    A visit is called for by a class that the household is not listed as, or by a red or orange finding.
    """
    lo, hi = code_range(comparison["division"])
    binds: list[object] = [comparison["comparison_id"], lo, hi, list(but), *before.binds, *after.binds]
    await connection.execute(
        f"""
        WITH b AS MATERIALIZED (
        {before.select(4)}
        ), a AS MATERIALIZED (
        {after.select(4 + len(before.binds))}
        )
        INSERT INTO policy_comparison_household (comparison_id, household_id, living_division, class_before,
            class_after, severity_before, severity_after, causes_before, causes_after, fired_before, fired_after,
            visit_before, visit_after)
        SELECT $1, h.household_id, h.living_division, b.class_code, a.class_code, b.severity, a.severity, b.causes,
               a.causes, b.fired, a.fired,
               b.urgent OR (b.class_code IS NOT NULL AND b.class_code IS DISTINCT FROM h.listed_as),
               a.urgent OR (a.class_code IS NOT NULL AND a.class_code IS DISTINCT FROM h.listed_as)
        FROM household h JOIN b USING (household_id) JOIN a USING (household_id)
        WHERE h.living_division >= $2 AND h.living_division < $3 AND h.ended_on IS NULL
          AND h.household_id <> ALL ($4::bigint[])
          AND (b.class_code IS NOT NULL OR a.class_code IS NOT NULL OR b.severity IS NOT NULL
               OR a.severity IS NOT NULL OR 0 <> ANY (b.fired) OR 0 <> ANY (a.fired))
        ON CONFLICT DO NOTHING
        """,
        *binds,
    )


async def judged_anew(
    connection: asyncpg.Connection,
    division: str,
    movable: Screening,
    fingerprint: int,
) -> list[int]:
    """Households of a part that other values may move, and those whose standing assessment has other values."""
    place = len(movable.binds)
    rows = await connection.fetch(
        f"""
        SELECT h.household_id FROM household h JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN ({movable.text}) t ON t.household_id = h.household_id
        WHERE h.household_id BETWEEN $1 AND $2 AND s.household_id BETWEEN $1 AND $2 AND h.county = $3
          AND h.living_division >= ${place + 1} AND h.living_division < ${place + 2} AND h.ended_on IS NULL
          AND (t.household_id IS NOT NULL OR s.reading IS DISTINCT FROM ${place + 3}
               OR s.facts_version <> h.facts_version)
        ORDER BY h.household_id
        """,
        *movable.binds,
        *code_range(division),
        fingerprint,
    )
    return [row["household_id"] for row in rows]


async def take_standing(
    connection: asyncpg.Connection,
    comparison: Mapping[str, Any],
    part: Mapping[str, Any],
    package: PolicyPackage,
    *,
    but: Sequence[int],
) -> None:
    """Write what stands as what either policy says, of households of a part but these, if it says anything."""
    lo, hi = code_range(comparison["division"])
    await connection.execute(
        f"""
        INSERT INTO policy_comparison_household (comparison_id, household_id, living_division, class_before,
            class_after, severity_before, severity_after, causes_before, causes_after, fired_before, fired_after,
            visit_before, visit_after)
        SELECT $1, household_id, living_division, class_code, class_code, severity, severity, causes, causes, fired,
               fired, visit, visit
        FROM (
            SELECT t.*, t.urgent OR (t.class_code IS NOT NULL AND t.class_code IS DISTINCT FROM t.listed_as) AS visit
            FROM (
                SELECT h.household_id, h.living_division, h.listed_as, {standing_select(package)}
                FROM household h JOIN standing s ON s.household_id = h.household_id
                JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
                WHERE h.household_id BETWEEN $4 AND $5 AND s.household_id BETWEEN $4 AND $5
                  AND a.household_id BETWEEN $4 AND $5 AND h.county = $6
                  AND h.living_division >= $2 AND h.living_division < $3 AND h.ended_on IS NULL
                  AND s.gist <> ''::bytea AND h.household_id <> ALL ($7::bigint[])
            ) t
        ) t
        ON CONFLICT DO NOTHING
        """,
        comparison["comparison_id"],
        lo,
        hi,
        part["first_id"],
        part["last_id"],
        part["county"],
        list(but),
    )


async def villages(connection: asyncpg.Connection, division: str) -> dict[str, int]:
    """How many households live in each village of a division."""
    lo, hi = code_range(division)
    rows = await connection.fetch(
        """
        SELECT living_division, count(*) AS households FROM household
        WHERE living_division >= $1 AND living_division < $2 AND ended_on IS NULL GROUP BY living_division
        """,
        lo,
        hi,
    )
    return {row["living_division"]: row["households"] for row in rows}


async def groups(connection: asyncpg.Connection, comparison_id: UUID) -> list[Group]:
    rows = await connection.fetch(
        """
        SELECT living_division, class_before, class_after, visit_before, visit_after, count(*) AS households
        FROM policy_comparison_household WHERE comparison_id = $1 GROUP BY 1, 2, 3, 4, 5
        """,
        comparison_id,
    )
    return [Group(*row.values()) for row in rows]


async def causes(connection: asyncpg.Connection, comparison_id: UUID) -> list[tuple[int, int, int]]:
    rows = await connection.fetch(
        """
        SELECT causes_before, causes_after, count(*) FROM policy_comparison_household WHERE comparison_id = $1
        GROUP BY 1, 2
        """,
        comparison_id,
    )
    return [tuple(row.values()) for row in rows]


async def severities(connection: asyncpg.Connection, comparison_id: UUID) -> list[tuple[int | None, int | None, int]]:
    rows = await connection.fetch(
        """
        SELECT severity_before, severity_after, count(*) FROM policy_comparison_household WHERE comparison_id = $1
        GROUP BY 1, 2
        """,
        comparison_id,
    )
    return [tuple(row.values()) for row in rows]


async def firings(connection: asyncpg.Connection, comparison_id: UUID) -> list[Firing]:
    rows = await connection.fetch(
        """
        SELECT fired_before, fired_after, count(*) AS households FROM policy_comparison_household
        WHERE comparison_id = $1 GROUP BY 1, 2
        """,
        comparison_id,
    )
    return [Firing(*row.values()) for row in rows]


async def visits_since(connection: asyncpg.Connection, division: str, since: datetime) -> dict[str, int]:
    """How many visits were reported since a moment, by the county the household lives in."""
    lo, hi = code_range(division)
    rows = await connection.fetch(
        """
        SELECT left(h.living_division, 6) AS county, count(*) AS visits
        FROM verification v JOIN household h USING (household_id)
        WHERE v.verified_at >= $3 AND h.living_division >= $1 AND h.living_division < $2 GROUP BY 1
        """,
        lo,
        hi,
        since,
    )
    return {row["county"]: row["visits"] for row in rows}


async def timed_visits(connection: asyncpg.Connection, division: str, since: datetime) -> tuple[int, int]:
    """How many visits to households of a division were timed since a moment, and their median minutes, half up."""
    lo, hi = code_range(division)
    row = await connection.fetchrow(
        """
        SELECT count(*) AS visits,
               floor(percentile_cont(0.5) WITHIN GROUP (ORDER BY v.visit_minutes) + 0.5)::int AS minutes
        FROM verification v JOIN household h USING (household_id)
        WHERE v.visit_minutes IS NOT NULL AND v.verified_at >= $3
          AND h.living_division >= $1 AND h.living_division < $2
        """,
        lo,
        hi,
        since,
    )
    assert row is not None
    return row["visits"], row["minutes"] or 0


async def compared_households(
    connection: asyncpg.Connection,
    comparison_id: UUID,
    conditions: Sequence[str],
    binds: Sequence[object],
    *,
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Households of a comparison that fit all conditions (over `c`, binds from $4 on), in order."""
    rows = await connection.fetch(
        f"""
        SELECT h.household_id, h.household_no, c.living_division, h.head_name, h.listed_as, c.class_before,
               c.class_after, c.severity_before, c.severity_after, c.causes_before, c.causes_after, c.fired_before,
               c.fired_after, c.visit_before, c.visit_after
        FROM policy_comparison_household c JOIN household h USING (household_id)
        WHERE c.comparison_id = $1 AND c.household_id > $2 {"".join(f" AND {each}" for each in conditions)}
        ORDER BY c.household_id LIMIT $3
        """,
        comparison_id,
        after,
        limit,
        *binds,
    )
    return [dict(row) for row in rows]
