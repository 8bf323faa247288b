"""Figures of the dashboard in the database: counted place by place, read for a division and its children."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.monitoring.domain.dashboard import Figure
from services.monitoring.repository_lists import ANSWERS, HAPPENINGS, STAGES, VISITS, YEAR
from shared.vocabulary.division import DIGITS, FULL_LENGTH, DivisionLevel, code_range, level_of
from shared.vocabulary.terms import Cause, Severity

FACTS = "facts"
# Whoever did not ask for that long forgets all he kept.
VERSIONS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Version:
    """A count, the places that were counted and the figures that changed; 0 if nothing was counted yet."""

    number: int = 0
    counted_at: datetime | None = None
    places: tuple[str, ...] = ()
    figures: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Touched:
    """Places to be counted again; `with_facts` those where facts came too."""

    villages: Sequence[str]
    with_facts: Sequence[str]


def _severities() -> str:
    return "CASE h.severity " + " ".join(f"WHEN {each.rank} THEN '{each}'" for each in Severity) + " ELSE 'none' END"


def _each(name: str, conditions: dict[str, str]) -> str:
    return ", ".join(f"('{name}', '{key}', {condition})" for key, condition in conditions.items())


_CAUSES = {str(cause): f"a.causes >> {bit} & 1 = 1" for bit, cause in enumerate(Cause)}
_ONE_EACH = f"""
    ('total', '', true), ('assessed', '', a.assessment_id IS NOT NULL), ('unknown', '', a.unknown <> 0),
    ('recommendation', coalesce(h.recommendation, 'none'), true), ('listed_as', coalesce(h.listed_as, 'none'), true),
    ('severity', {_severities()}, true), ('last_outcome', coalesce(h.last_outcome, 'none'), true),
    {_each("visit", dict(VISITS))}, {_each("cause", _CAUSES)}
"""
_STAGES = ", ".join(f"('{key}', {condition})" for key, condition in STAGES.items())
_HAPPENINGS = " UNION ALL ".join(
    f"SELECT x.month || ':{key}' AS key FROM ({sql}) x" for key, sql in HAPPENINGS.items()
)
_ANSWERS = ", ".join(f"('{key}', {condition})" for key, condition in ANSWERS.items())

# A household is counted once under a key, however often it happened to it.
_STATES_COUNTED = """
SELECT c.figure, h.living_division, h.registered_division, c.key, count(*) AS households
FROM household h
LEFT JOIN standing s ON s.household_id = h.household_id
LEFT JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
CROSS JOIN LATERAL (VALUES {one_each}) AS c (figure, key, holds)
WHERE {places} AND c.holds GROUP BY 1, 2, 3, 4
""".replace("{one_each}", _ONE_EACH)
_STAGES_COUNTED = f"""
SELECT 'stage' AS figure, h.living_division, h.registered_division, w.year || ':' || s.key AS key,
       count(*) AS households
FROM household h
CROSS JOIN LATERAL (SELECT {YEAR} AS year, min(opened_at) AS first FROM warning_opened
                    WHERE household_id = h.household_id GROUP BY 1) w
CROSS JOIN LATERAL (VALUES {_STAGES}) AS s (key, holds)
WHERE {{places}} AND s.holds GROUP BY 2, 3, 4
"""
_HAPPENINGS_COUNTED = f"""
SELECT 'event' AS figure, h.living_division, h.registered_division, e.key,
       count(DISTINCT h.household_id) AS households
FROM household h CROSS JOIN LATERAL ({_HAPPENINGS}) e WHERE {{places}} GROUP BY 2, 3, 4
"""
_ANSWERS_COUNTED = f"""
SELECT 'indicator' AS figure, h.living_division, h.registered_division, i.name || ':' || k.key AS key,
       count(DISTINCT h.household_id) AS households
FROM household h JOIN verification v USING (household_id) CROSS JOIN LATERAL unnest(v.indicators) AS i (name)
CROSS JOIN LATERAL (VALUES {_ANSWERS}) AS k (key, holds) WHERE {{places}} AND k.holds GROUP BY 2, 3, 4
"""
_DATA_SETS_COUNTED = """
SELECT 'data_set' AS figure, h.living_division, h.registered_division, f.data_set AS key,
       count(DISTINCT h.household_id) AS households
FROM household h JOIN fact f ON f.county = h.county AND f.household_id = h.household_id AND f.superseded_at IS NULL
WHERE {places} GROUP BY 2, 3, 4
"""
_OF_STATES = (
    Figure.TOTAL,
    Figure.ASSESSED,
    Figure.UNKNOWN,
    Figure.RECOMMENDATION,
    Figure.LISTED_AS,
    Figure.SEVERITY,
    Figure.LAST_OUTCOME,
    Figure.CAUSE,
    Figure.VISIT,
)


def _write(counted: str, figures: Sequence[Figure]) -> str:
    """Make the rows of these figures what was counted; touch only those that differ, and tell of which figures.

    `{places}` is left open: the condition that picks households `h`. `{kept}`: the same for the rows that stand.
    """
    names = ", ".join(f"'{each}'" for each in figures)
    return f"""
WITH fresh AS MATERIALIZED ({counted}),
gone AS (
    DELETE FROM dashboard_figure d WHERE {{kept}} AND d.figure IN ({names}) AND NOT EXISTS (
        SELECT FROM fresh f WHERE f.figure = d.figure AND f.living_division = d.living_division
        AND f.registered_division = d.registered_division AND f.key = d.key
    ) RETURNING d.figure
),
put AS (
    INSERT INTO dashboard_figure AS d (figure, living_division, registered_division, key, households)
    SELECT figure, living_division, registered_division, key, f.households
    FROM fresh f LEFT JOIN (SELECT * FROM dashboard_figure d WHERE {{kept}}) o
    USING (figure, living_division, registered_division, key)
    WHERE o.households IS DISTINCT FROM f.households
    ON CONFLICT (figure, living_division, registered_division, key) DO UPDATE SET households = excluded.households
    RETURNING d.figure
)
SELECT figure FROM gone UNION SELECT figure FROM put
"""


WRITE_ALL = (
    _write(_STATES_COUNTED, _OF_STATES),
    _write(_STAGES_COUNTED, [Figure.STAGE]),
    _write(_HAPPENINGS_COUNTED, [Figure.HAPPENING]),
    _write(_ANSWERS_COUNTED, [Figure.INDICATOR]),
)
WRITE_DATA_SETS = _write(_DATA_SETS_COUNTED, [Figure.DATA_SET])
_OF_PLACES = {"places": "h.living_division = ANY ($1::text[])", "kept": "d.living_division = ANY ($1::text[])"}


async def try_lock(connection: asyncpg.Connection) -> bool:
    """Become the one who counts until the end of the transaction, unless somebody else does."""
    got: bool = await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('monitoring.figures', 0))"
    )
    return got


async def take_touched(connection: asyncpg.Connection, limit: int, *, facts: bool) -> Touched:
    """Take notes of changed places; with `facts` those where facts came as well."""
    rows = await connection.fetch(
        """
        WITH oldest AS (
            SELECT village FROM dashboard_touch WHERE $2 OR what = 'household' ORDER BY touch_id LIMIT 5000
        ),
        places AS MATERIALIZED (SELECT DISTINCT village FROM oldest LIMIT $1)
        DELETE FROM dashboard_touch t USING places p WHERE t.village = p.village AND ($2 OR t.what = 'household')
        RETURNING t.village, t.what
        """,
        limit,
        facts,
    )
    return Touched(
        sorted({row["village"] for row in rows}), sorted({row["village"] for row in rows if row["what"] == FACTS})
    )


async def count_again(connection: asyncpg.Connection, touched: Touched) -> set[str]:
    """Count these places as they stand now; the figures of which any number changed."""
    writes = [(text, touched.villages) for text in WRITE_ALL]
    if touched.with_facts:
        writes.append((WRITE_DATA_SETS, touched.with_facts))
    changed: set[str] = set()
    for text, places in writes:
        changed |= {row["figure"] for row in await connection.fetch(text.format(**_OF_PLACES), places)}
    return changed


async def move_version(
    connection: asyncpg.Connection, now: datetime, places: Sequence[str], figures: Collection[str]
) -> None:
    """Say which figures changed in which places; the number of the transaction never comes again."""
    await connection.execute(
        """
        INSERT INTO dashboard_version (version, counted_at, places, figures)
        VALUES (pg_current_xact_id()::text::bigint, $1, $2, $3)
        """,
        now,
        places,
        sorted(figures),
    )
    await connection.execute(
        """
        DELETE FROM dashboard_version
        WHERE version < (SELECT version FROM dashboard_version ORDER BY version DESC OFFSET $1 LIMIT 1)
        """,
        VERSIONS_KEPT,
    )


async def versions_since(pool: asyncpg.Pool, version: int) -> list[Version]:
    """This version, if it is still known, and those after it."""
    rows = await pool.fetch(
        "SELECT version, counted_at, places, figures FROM dashboard_version WHERE version >= $1 ORDER BY version",
        version,
    )
    return [
        Version(row["version"], row["counted_at"], tuple(row["places"]), frozenset(row["figures"])) for row in rows
    ]


async def newest_version(connection: asyncpg.Connection) -> int:
    """The last count that this transaction could have seen."""
    number: int = await connection.fetchval("SELECT coalesce(max(version), 0) FROM dashboard_version")
    return number


async def counts(connection: asyncpg.Connection, division: str, figures: Sequence[Figure]) -> list[asyncpg.Record]:
    """The caller's households living in a division, by figure and key for each of its children."""
    lo, hi = code_range(division)
    near, far = _digits_below(division)
    rows: list[Any] = await connection.fetch(
        f"""
        SELECT figure, key, {_CHILD} AS child, sum(households)::bigint AS households FROM dashboard_figure
        WHERE figure = ANY ($1::text[]) AND living_division >= $2 AND living_division < $3 GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        """,
        [str(each) for each in figures],
        lo,
        hi,
        division,
        near,
        far,
    )
    return rows


async def newest(connection: asyncpg.Connection, lo: str, hi: str) -> list[dict[str, Any]]:
    """How new each data set is in the counties of [lo, hi), or in the county that holds it."""
    rows = await connection.fetch(
        """
        SELECT county, data_set, newest_on, received_at FROM feed_freshness
        WHERE county || '000000' >= $1 AND county || '000000' < $2 OR county = left($1, 6) ORDER BY data_set, county
        """,
        lo,
        hi,
    )
    return [dict(row) for row in rows]


# A city without counties has its townships right below: the code of its level below is its own.
_CHILD = """
CASE WHEN rpad(left(living_division, $5), 12, '0') <> $4 THEN rpad(left(living_division, $5), 12, '0')
     ELSE rpad(left(living_division, $6), 12, '0') END
"""


def child_of(division: str, place: str) -> str:
    """The child of a division in which a place lies, as the database says it; a division's own place is its child."""
    near, far = _digits_below(division)
    child = place[:near].ljust(FULL_LENGTH, "0")
    return child if child != division else place[:far].ljust(FULL_LENGTH, "0")


def _digits_below(division: str) -> tuple[int, int]:
    """How many digits name a child of a division, and a child one level further down."""
    level = level_of(division)
    near, far = (min(level + step, DivisionLevel.VILLAGE) for step in (1, 2))
    return DIGITS[DivisionLevel(near)], DIGITS[DivisionLevel(far)] if near != far else FULL_LENGTH
