"""Checks of quality in the database: what fires in a range, what stands of earlier findings, and writing both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring.begin_run import ENGINE_VERSION
from services.monitoring.domain.compiled_columns import decided_columns, mask_columns
from services.monitoring.domain.compiled_quality import fired_sql, village_sql
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.quality_check import QualityBook, QualityCheck
from services.monitoring.domain.quality_finding import Fired, Settlement, Standing, Subject, due_on
from shared.vocabulary.identifiers import new_id

STANDING = "state IN ('open', 'accepted')"


@dataclass(frozen=True, slots=True)
class Extent:
    """Households of a county in the order of their numbers; with `ids`, only those of them."""

    county: str
    first: int
    last: int
    ids: tuple[int, ...] | None = None

    @property
    def binds(self) -> tuple[Any, ...]:
        return self.county, self.first, self.last, None if self.ids is None else list(self.ids)


async def plan_for_checks(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction: one large statement, planned for its very range and not compiled.

    A plan made once for any range takes thirty times as long.
    """
    await connection.execute(
        "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL plan_cache_mode = force_custom_plan"
    )


async def fired(
    connection: asyncpg.Connection, book: QualityBook, extent: Extent, on: date, place: str, line: int | None
) -> list[Fired]:
    """The checks of members and households that fire; a household's resident is null."""
    day = on.year * 10_000 + on.month * 100 + on.day
    rows = await connection.fetch(fired_sql(book, line), *extent.binds, on, day, place)
    return [Fired(Subject(row["code"], row["household_id"], row["resident_id"]), row["digest"]) for row in rows]


async def noted(
    connection: asyncpg.Connection, package: PolicyPackage, checks: Sequence[QualityCheck], extent: Extent
) -> tuple[list[Fired], list[Subject]]:
    """What assessments by this package say for these checks, and what none of them could say."""
    names, words = [each.name for each in package.quality_flags], [name for name, _ in decided_columns(package)]
    rows = await connection.fetch(
        """
        SELECT h.household_id, a.digest, a.outcome FROM household h
        LEFT JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
          AND a.policy_version = $5 AND a.engine_version = $6
        WHERE h.county = $1 AND h.household_id BETWEEN $2 AND $3 AND h.ended_on IS NULL
          AND ($4::bigint[] IS NULL OR h.household_id = ANY ($4))
        """,
        *extent.binds,
        package.version,
        ENGINE_VERSION,
    )
    says, silent = [], []
    for check in checks:
        bit = names.index(check.note) if check.note in names else None
        column = None if bit is None else words.index(mask_columns("quality", len(names))[bit // MASK_BITS])
        for row in rows:
            subject = Subject(check.code, row["household_id"], None)
            if row["outcome"] is None or bit is None or column is None:
                silent.append(subject)
            elif row["outcome"][column] >> bit % MASK_BITS & 1:
                says.append(Fired(subject, row["digest"]))
    return says, silent


async def standing(connection: asyncpg.Connection, extent: Extent) -> list[Standing]:
    """The findings that stand in the range, held until the transaction ends."""
    rows = await connection.fetch(
        f"""
        SELECT finding_id, check_code, household_id, resident_id, state, digest FROM quality_finding
        WHERE household_id BETWEEN $2 AND $3 AND county = $1 AND {STANDING}
          AND ($4::bigint[] IS NULL OR household_id = ANY ($4)) ORDER BY finding_id FOR UPDATE
        """,
        *extent.binds,
    )
    return [
        Standing(
            row["finding_id"],
            Subject(row["check_code"], row["household_id"], row["resident_id"]),
            row["state"],
            row["digest"],
        )
        for row in rows
    ]


async def write(
    connection: asyncpg.Connection, book: QualityBook, settlement: Settlement, *, on: date, now: datetime
) -> int:
    """Write what a check settled; how many findings were opened."""
    await _close(connection, settlement.mended, "mended", now)
    await _close(connection, settlement.lapsed, "lapsed", now)
    await connection.execute(
        """
        UPDATE quality_finding q SET digest = n.digest FROM unnest($1::uuid[], $2::bytea[]) AS n (finding_id, digest)
        WHERE q.finding_id = n.finding_id
        """,
        [finding for finding, _ in settlement.changed],
        [digest for _, digest in settlement.changed],
    )
    return await _open(connection, book.checks, settlement.opened, on, now)


async def _close(connection: asyncpg.Connection, findings: Sequence[UUID], state: str, now: datetime) -> None:
    await connection.execute(
        """
        UPDATE quality_finding SET state = $2, closed_at = coalesce(closed_at, $3)
        WHERE finding_id = ANY ($1::uuid[])
        """,
        findings,
        state,
        now,
    )


async def _open(
    connection: asyncpg.Connection,
    checks: Mapping[str, QualityCheck],
    found: Sequence[Fired],
    on: date,
    now: datetime,
) -> int:
    rows = [(new_id(now), *each.subject, each.digest, checks[each.subject.code]) for each in found]
    tag = await connection.execute(
        """
        INSERT INTO quality_finding (finding_id, check_code, county, division, household_id, resident_id, owner,
            severity, opened_on, due_on, state, digest, opened_at)
        SELECT n.finding_id, n.code, h.county, h.living_division, n.household_id, n.resident_id, n.owner, n.severity,
               $8, n.due_on, 'open', n.digest, $9
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::smallint[],
                    $10::date[])
             AS n (finding_id, code, household_id, resident_id, digest, owner, severity, due_on)
        JOIN household h USING (household_id) ORDER BY n.finding_id
        ON CONFLICT DO NOTHING
        """,
        *[list(column) for column in zip(*[row[:5] for row in rows], strict=True)] if rows else [[]] * 5,
        [row[5].owner for row in rows],
        [row[5].severity for row in rows],
        on,
        now,
        [due_on(on, row[5].days) for row in rows],
    )
    return int(tag.rpartition(" ")[2])


async def follow_moves(connection: asyncpg.Connection, extent: Extent) -> None:
    """Let open findings lie where their households live now."""
    await connection.execute(
        f"""
        UPDATE quality_finding q SET division = h.living_division, county = h.county FROM household h
        WHERE h.household_id = q.household_id AND h.household_id BETWEEN $2 AND $3 AND h.county = $1
          AND ($4::bigint[] IS NULL OR h.household_id = ANY ($4)) AND q.{STANDING}
          AND (q.division, q.county) IS DISTINCT FROM (h.living_division, h.county)
        """,
        *extent.binds,
    )


async def claimed_extents(connection: asyncpg.Connection, household_ids: Iterable[int]) -> list[Extent]:
    """These households by the county they are in."""
    rows = await connection.fetch(
        """
        SELECT county, array_agg(household_id ORDER BY household_id) AS ids FROM household
        WHERE household_id = ANY ($1::bigint[]) GROUP BY county ORDER BY county
        """,
        list(household_ids),
    )
    return [Extent(row["county"], row["ids"][0], row["ids"][-1], tuple(row["ids"])) for row in rows]


async def versions(connection: asyncpg.Connection, household_ids: Sequence[int]) -> dict[int, int]:
    """The facts_version of households, before they are checked."""
    rows = await connection.fetch(
        "SELECT household_id, facts_version FROM household WHERE household_id = ANY ($1::bigint[])", household_ids
    )
    return {row["household_id"]: row["facts_version"] for row in rows}


async def checked(connection: asyncpg.Connection, seen: Mapping[int, int], token: UUID) -> None:
    """Households are checked as they were `seen` (by facts_version); those that changed since stay due.

    Who changes a household holds its row from before it marks it due: what is locked is being changed.
    """
    await connection.execute(
        """
        WITH same AS MATERIALIZED (
            SELECT h.household_id FROM household h
            JOIN unnest($1::bigint[], $2::bigint[]) AS s (household_id, facts_version)
                USING (household_id, facts_version)
            FOR SHARE OF h SKIP LOCKED
        ), done AS (
            DELETE FROM quality_due q USING same
            WHERE q.household_id = same.household_id AND q.lease_token = $3 RETURNING q.household_id
        )
        UPDATE quality_due SET lease_until = NULL, lease_token = NULL
        WHERE household_id = ANY ($1::bigint[]) AND lease_token = $3
          AND household_id NOT IN (SELECT household_id FROM done)
        """,
        list(seen),
        list(seen.values()),
        token,
    )


async def fired_villages(connection: asyncpg.Connection, book: QualityBook, county: str) -> list[asyncpg.Record]:
    """The checks of villages that fire: village, code, digest."""
    return await connection.fetch(village_sql(book), county)


async def settle_villages(
    connection: asyncpg.Connection,
    book: QualityBook,
    county: str,
    fired_now: Sequence[asyncpg.Record],
    *,
    on: date,
    now: datetime,
) -> int:
    """Close what fires no more or was accepted for other values, open the rest; how many findings stand."""
    codes, villages = [row["code"] for row in fired_now], [row["village"] for row in fired_now]
    digests = [row["digest"] for row in fired_now]
    checks = [book.checks[code] for code in codes]
    await connection.execute(
        f"""
        UPDATE quality_finding q SET state = CASE state WHEN 'open' THEN 'mended' ELSE 'lapsed' END,
               closed_at = coalesce(closed_at, $5)
        WHERE q.household_id IS NULL AND q.county = $1 AND q.{STANDING} AND NOT EXISTS (
            SELECT FROM unnest($2::text[], $3::text[], $4::bytea[]) AS n (code, village, digest)
            WHERE n.code = q.check_code AND n.village = q.division AND (q.state = 'open' OR n.digest = q.digest))
        """,
        county,
        codes,
        villages,
        digests,
        now,
    )
    await connection.execute(
        """
        INSERT INTO quality_finding (finding_id, check_code, county, division, owner, severity, opened_on, due_on,
            state, digest, opened_at)
        SELECT n.finding_id, n.code, $1, n.village, n.owner, n.severity, $8, n.due_on, 'open', n.digest, $9
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::smallint[], $10::date[])
             AS n (finding_id, code, village, digest, owner, severity, due_on)
        ON CONFLICT DO NOTHING
        """,
        county,
        [new_id(now) for _ in codes],
        codes,
        villages,
        digests,
        [check.owner for check in checks],
        [check.severity for check in checks],
        on,
        now,
        [due_on(on, check.days) for check in checks],
    )
    return len(codes)
