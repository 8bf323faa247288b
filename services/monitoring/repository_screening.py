"""Households assessed in sets: their measures kept, their outcome compared with what stands, only changes written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring.domain.screening import Chosen, Screening
from services.monitoring.domain.warning import MOVED


@dataclass(frozen=True, slots=True)
class RunTexts:
    """Under what assessments are written: the binds of every run (see _BY_RUN), and how sure they are."""

    binds: list[object]
    confidence: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a set came to: households done, assessments appended, and whom somebody has to look at."""

    done: int
    appended: int
    loud: list[dict[str, Any]]


async def plan_for_sets(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction: no nested loops, into which new tables lure the planner; room to sort.

    For two households or twenty thousand it makes no difference, or one of ten times.
    """
    await connection.execute(
        "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'; SET LOCAL plan_cache_mode = force_custom_plan"
    )


async def plan_for_few(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction: plans made once, which find a few households by their numbers.

    Planning the policy takes longer than running it for ten.
    """
    await connection.execute(
        "SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off;"
        " SET LOCAL plan_cache_mode = force_generic_plan"
    )


async def all_stand(connection: asyncpg.Connection, chosen: Chosen, county: str, on: date, shape: bytes) -> bool:
    """Whether the measures of all the chosen stand today, at a glance; False means that one must look closer."""
    stands: bool = await connection.fetchval(
        f"""
        SELECT (SELECT (count(*), sum(facts_version)) FROM household
                WHERE county = $1 AND {chosen.condition("household_id", 4)})
             = (SELECT (count(*), sum(facts_version)) FROM measure
                WHERE {chosen.condition("household_id", 4)} AND county = $1 AND shape = $3
                  AND measured_on <= $2 AND valid_until > $2)
        """,
        county,
        on,
        shape,
        *chosen.binds,
    )
    return stands


async def to_measure(
    connection: asyncpg.Connection, chosen: Chosen, county: str, on: date, shape: bytes, area: tuple[str, str] | None
) -> list[int]:
    """Those of the chosen households whose stored measures do not stand today; of an area only what is not due."""
    first = 6 if area else 4
    where = "AND h.due_at IS NULL AND h.living_division >= $4 AND h.living_division < $5" if area else ""
    rows = await connection.fetch(
        f"""
        SELECT h.household_id FROM household h
        LEFT JOIN measure m ON m.household_id = h.household_id AND {chosen.condition("m.household_id", first)}
        WHERE {chosen.condition("h.household_id", first)} AND h.county = $1 {where}
          AND (m.household_id IS NULL OR m.facts_version <> h.facts_version OR m.shape <> $3 OR m.county <> $1
               OR m.measured_on > $2 OR m.valid_until <= $2)
        ORDER BY h.household_id
        """,
        county,
        on,
        shape,
        *(area or ()),
        *chosen.binds,
    )
    return [row["household_id"] for row in rows]


async def keep_measures(
    connection: asyncpg.Connection,
    measured: Screening,
    columns: Sequence[str],
    chosen: Chosen,
    *,
    county: str,
    on: date,
    until: date,
    shape: bytes,
    stands_months: int,
    reads_ages: bool,
    only: Sequence[int] | None = None,
) -> None:
    """Keep what was measured; `only`: of these of the chosen.

    One statement, so that facts and facts_version are of one moment. What somebody measured of newer facts stays.
    """
    kept = ", ".join(columns)
    await connection.execute(
        f"""
        INSERT INTO measure AS s (household_id, county, measured_on, valid_until, changes_on, facts_version, shape,
            {kept})
        SELECT f.household_id, $1::text, $2::date, coalesce(c.day, $3::date), c.day, h.facts_version, $4::bytea,
               {", ".join(f"f.{each}" for each in columns)}
        FROM ({measured.text}) f
        JOIN household h ON h.household_id = f.household_id AND {chosen.condition("h.household_id", 7)}
        LEFT JOIN ({_changes(chosen, reads_ages)}) c ON c.household_id = f.household_id
        WHERE $6::bigint[] IS NULL OR f.household_id = ANY ($6::bigint[])
        ORDER BY f.household_id
        ON CONFLICT (household_id) DO UPDATE SET county = excluded.county, measured_on = excluded.measured_on,
            valid_until = excluded.valid_until, changes_on = excluded.changes_on,
            facts_version = excluded.facts_version, shape = excluded.shape,
            {", ".join(f"{each} = excluded.{each}" for each in columns)}
        WHERE s.facts_version <= excluded.facts_version
        """,
        county,
        on,
        until,
        shape,
        stands_months,
        only,
        *chosen.binds,
        *measured.binds,
    )


FIRST_MEASURED_BIND = 7


def _changes(chosen: Chosen, reads_ages: bool) -> str:
    """The first day after $2 and before $3 on which time alone changes a household's measures.

    A fact or a membership begins or ends, a yearly total stops standing, somebody has a birthday.
    """
    mine, members = chosen.condition("f.household_id", 7), chosen.condition("m.household_id", 7)
    ahead = _ahead("f.occurred_on", "f.ended_on", _STANDS_NO_LONGER)
    joins = _ahead("m.valid_from", "m.valid_to", *((_BIRTHDAY,) if reads_ages else ()))
    return f"""
        SELECT household_id, min(day) AS day FROM (
            SELECT f.household_id, {ahead} AS day FROM fact f
            WHERE f.county = $1 AND {mine} AND f.superseded_at IS NULL
              AND (f.occurred_on > $2 OR f.ended_on > $2 OR f.period_to IS NOT NULL)
            UNION ALL
            SELECT m.household_id, {joins} AS day FROM household_member m
            WHERE m.county = $1 AND {members} AND m.superseded_at IS NULL
        ) e WHERE day IS NOT NULL GROUP BY household_id
    """


_STANDS_NO_LONGER = "(f.period_to + make_interval(months => $5::integer))::date + 1"
# Of somebody born in this month, counted in days from today; 29 February of a short year falls on the next month.
_BIRTHDAY = """
    (CASE WHEN m.born / 100 % 100 = extract(month FROM $2::date)::integer
     THEN $2::date + (m.born % 100 - extract(day FROM $2::date)::integer) END)
"""


def _ahead(*days: str) -> str:
    """The first of these days after $2 and before $3; here least() is what is meant: it passes nulls over."""
    return f"least({', '.join(f'CASE WHEN {day} > $2 AND {day} < $3 THEN {day} END' for day in days)})"


# One row of a household that somebody writes: what stood (o), the household (h), as it is judged (j).
_RISK_CHANGED = """
    (o.gist IS DISTINCT FROM j.gist AND NOT (o.gist IS NULL AND h.risk IS NULL AND j.gist = ''::bytea))
"""
# Nothing but these can have news for people; the others' rows are written without anybody looking at them.
_LOUD_IN_AREA = f"(o.digest IS DISTINCT FROM j.digest AND ({_RISK_CHANGED} OR h.answered IS NOT NULL))"
_LOUD_WHEN_DUE = f"""
    ({_RISK_CHANGED} OR h.answered IS NOT NULL OR h.waiting_reports <> '[]'::jsonb
     OR (h.warned_at IS NULL AND (j.severity >= 3 OR j.class_code IS DISTINCT FROM h.listed_as)
         AND j.gist <> ''::bytea)
     OR h.risk ? '{MOVED}')
"""
# $1 county, $2 on, $3 known_at, $4 policy_version, $5 engine_version, $6 weights of the indicators, $7 fingerprint
_BY_RUN = 7
_IN_AREA = """
    h.living_division >= $8 AND h.living_division < $9 AND h.due_at IS NULL
    AND (o.digest IS DISTINCT FROM j.digest OR o.reading IS DISTINCT FROM $7::bigint)
"""
_STANDS = """
    assessment_id = CASE WHEN o.digest IS DISTINCT FROM j.digest THEN coalesce(o.assessment_id, 0) + 1
                    ELSE o.assessment_id END,
    digest = j.digest, gist = j.gist, facts_version = h.facts_version, reading = $7::bigint
"""


_CLASSED = "(h.recommendation, h.severity, h.score) IS DISTINCT FROM (j.class_code, j.severity, j.score)"
# What is told of a household, whoever reads it.
_TOLD = """
    {0}.household_no, {0}.living_division, {0}.registered_division, {0}.head_name, {0}.phone, {0}.listed_as, {0}.risk,
    {0}.answered, {0}.warned_at, {0}.waiting_reports
"""


def _written_sql(
    judged: str, chosen: Chosen, first: int, mine: str, loud: str, confidence: str, then: str, told: bool
) -> str:
    """Judge, let it stand, append what is new, and answer with whom somebody has to look at; `then`: the households.

    `told`: with what is told of them, which of many would be carried along for nothing.

    Whoever let something else stand meanwhile wins: its facts are others, or its answer is newer.
    """
    rows = " AND ".join(chosen.condition(f"{each}.household_id", first) for each in "sohm")
    return f"""
        WITH judged AS ({judged}),
        changed AS (
            UPDATE standing s SET {_STANDS}
            FROM judged j JOIN standing o ON o.household_id = j.household_id
            JOIN household h ON h.household_id = j.household_id
            JOIN measure m ON m.household_id = j.household_id AND m.facts_version = h.facts_version
            WHERE {mine} AND s.household_id = o.household_id AND s.facts_version = o.facts_version
              AND s.digest IS NOT DISTINCT FROM o.digest AND {rows}
            RETURNING j.*, s.assessment_id, o.digest IS DISTINCT FROM j.digest AS is_new, {loud} AS is_loud,
                      {_CLASSED} AS is_classed, h.facts_version, h.recommendation AS recommendation_before
                      {f", {_TOLD.format('h')}" if told else ""}
        ), added AS (
            INSERT INTO assessment (household_id, assessment_id, county, on_date, known_at, policy_version,
                engine_version, recommendation, severity, score, causes, fired, unknown, flags, confidence_percent,
                outcome, digest, facts_version)
            SELECT household_id, assessment_id, $1::text, $2::date, $3::timestamptz, $4::text, $5::text, class_code,
                   severity, score, causes, fired, unknown, flags, {confidence}, outcome, digest, facts_version
            FROM changed WHERE is_new
            RETURNING 1
        ), {then}
        SELECT (SELECT count(*) FROM changed) AS done, (SELECT count(*) FROM added) AS appended, c.household_id,
               c.facts_version, c.recommendation_before AS recommendation, c.outcome
               {f", {_TOLD.format('c')}" if told else ""}
        FROM (SELECT 1) one LEFT JOIN changed c ON c.is_loud ORDER BY c.household_id
    """


FIRST_IN_AREA, FIRST_WHEN_DUE = _BY_RUN + 3, _BY_RUN + 2


async def write_area(
    connection: asyncpg.Connection, judged: Screening, chosen: Chosen, run: RunTexts, area: tuple[str, str]
) -> Written:
    """Write what changed among households of an area; those due are left to whoever assesses them."""
    then = _classed_sql(chosen.condition("h.household_id", FIRST_IN_AREA))
    text = _written_sql(judged.text, chosen, FIRST_IN_AREA, _IN_AREA, _LOUD_IN_AREA, run.confidence, then, False)
    written = _written(await connection.fetch(text, *run.binds, *area, *judged.binds))
    await _read_told(connection, written.loud)
    return written


def _classed_sql(chosen: str) -> str:
    """Households change where their class, severity or score does; few do, and each costs more than all that stands.

    They are locked in the order of their numbers, as everywhere, and with them whoever may have news to remember.
    """
    return f"""
        held AS (
            SELECT c.household_id, c.is_classed, c.class_code, c.severity, c.score
            FROM changed c JOIN household h ON h.household_id = c.household_id AND {chosen}
            WHERE c.is_loud OR c.is_classed ORDER BY h.household_id FOR NO KEY UPDATE OF h
        ), classed AS (
            UPDATE household h SET recommendation = c.class_code, severity = c.severity, score = c.score
            FROM held c WHERE h.household_id = c.household_id AND c.is_classed AND {chosen}
        )
    """


async def _read_told(connection: asyncpg.Connection, loud: Sequence[dict[str, Any]]) -> None:
    """What is told of households, now that they are locked: somebody may have answered before they were."""
    if not loud:
        return
    rows = await connection.fetch(
        f"SELECT h.household_id, {_TOLD.format('h')} FROM household h WHERE h.household_id = ANY ($1::bigint[])",
        [each["household_id"] for each in loud],
    )
    now = {row["household_id"]: dict(row) for row in rows}
    for each in loud:
        each.update(now[each["household_id"]])


async def write_due(
    connection: asyncpg.Connection, judged: Screening, chosen: Chosen, run: RunTexts, token: UUID
) -> Written:
    """Write what changed among held households, and release them all: nothing is to be done with them any more."""
    then = _released_sql(chosen.condition("h.household_id", FIRST_WHEN_DUE))
    mine = "h.lease_token = $8"
    text = _written_sql(judged.text, chosen, FIRST_WHEN_DUE, mine, _LOUD_WHEN_DUE, run.confidence, then, True)
    return _written(await connection.fetch(text, *run.binds, token, *judged.binds))


def _released_sql(chosen: str) -> str:
    """The dashboard counts what stands, of which the households' trigger sees nothing."""
    return f"""
        released AS (
            UPDATE household h SET recommendation = c.class_code, severity = c.severity, score = c.score,
                due_at = NULL, lease_until = NULL, lease_token = NULL, attempts = 0, waiting_reports = '[]'
            FROM changed c WHERE h.household_id = c.household_id AND {chosen}
        ), noted AS (
            INSERT INTO dashboard_touch (village, what)
            SELECT DISTINCT living_division, 'household' FROM changed WHERE is_new
        )
    """


async def note_villages(connection: asyncpg.Connection, chosen: Chosen, area: tuple[str, str]) -> None:
    """Let the dashboard count the villages of these households afresh."""
    await connection.execute(
        f"""
        INSERT INTO dashboard_touch (village, what)
        SELECT DISTINCT living_division, 'household' FROM household
        WHERE living_division >= $1 AND living_division < $2 AND {chosen.condition("household_id", 3)}
        """,
        *area,
        *chosen.binds,
    )


def _written(rows: Sequence[asyncpg.Record]) -> Written:
    loud = [dict(row) for row in rows if row["household_id"] is not None]
    return Written(rows[0]["done"], rows[0]["appended"], loud)


async def hold(connection: asyncpg.Connection, household_ids: Sequence[int], token: UUID) -> int:
    """Lock claimed households, and what stands of them, in the order of their numbers; how many are still ours.

    While they are locked nobody appends facts to them, so what is assessed is what will be marked as done.
    """
    # What stands comes before households, as in an area: two who lock both in turn would wait for each other.
    await connection.execute(
        "SELECT 1 FROM standing WHERE household_id = ANY ($1::bigint[]) ORDER BY household_id FOR NO KEY UPDATE",
        household_ids,
    )
    rows = await connection.fetch(
        "SELECT 1 FROM household WHERE household_id = ANY ($1::bigint[]) AND lease_token = $2"
        " ORDER BY household_id FOR NO KEY UPDATE",
        household_ids,
        token,
    )
    return len(rows)
