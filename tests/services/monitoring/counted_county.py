"""A county of households in every state that the dashboard counts, written straight into the tables."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from services.monitoring.refresh_figures import refresh_coverage, refresh_figures
from shared.runtime import Runtime
from shared.vocabulary.terms import Cause, Outcome

COUNTY = "130624000000"
TOWNSHIPS = ("130624100000", "130624101000")
VILLAGES = ("130624100201", "130624100202", "130624100203", "130624101201", "130624101202")
ABROAD = "130625100201"
CLASSES = (None, None, "unstable_lifted_out", "marginal_at_risk", "sudden_hardship")
OUTCOMES = (None, None, *(str(each) for each in Outcome))
INDICATORS = ("medical_self_paid", "disability", "dwelling_unsafe")
DATA_SETS = ("household_register", "medical_settlement")
MORNING = datetime(2026, 3, 15, 2, tzinfo=UTC)


async def fill(admin: asyncpg.Connection, runtime: Runtime, households: int = 90, seed: int = 7) -> None:
    """Invent households, their assessments, warnings, answers, decisions and facts; and count them."""
    chance = random.Random(seed)
    async with admin.transaction():
        await admin.execute("SET LOCAL search_path = monitoring")
        for county in (COUNTY[:6], ABROAD[:6]):
            await admin.execute("SELECT ensure_county($1)", county)
        for serial in range(households):
            await _household(admin, serial, chance)
    await count(runtime)


async def count(runtime: Runtime) -> None:
    await refresh_figures(runtime)
    await refresh_coverage(runtime)


async def add(connection: asyncpg.Connection, serial: int, village: str, **columns: Any) -> int:
    """A household with these columns."""
    given = {
        "county": village[:6],
        "household_no": f"D{serial:05}",
        "registered_division": village,
        "living_division": village,
        "head_name": f"测试{'甲乙丙丁戊己庚辛壬癸'[serial % 10]}",
        "waiting_reports": [],
        **columns,
    }
    binds = ", ".join(f"${i}" for i in range(1, len(given) + 1))
    household_id: int = await connection.fetchval(
        f"INSERT INTO household ({', '.join(given)}) VALUES ({binds}) RETURNING household_id", *given.values()
    )
    return household_id


async def _household(connection: asyncpg.Connection, serial: int, chance: random.Random) -> None:
    # One in seven lives elsewhere than it is registered, some across the county's border.
    village = chance.choice(VILLAGES)
    registered = chance.choice([*VILLAGES, ABROAD]) if chance.random() < 1 / 7 else village
    household_id = await add(
        connection,
        serial,
        village,
        registered_division=registered,
        listed_as=chance.choice(CLASSES),
        last_outcome=chance.choice(OUTCOMES),
    )
    if chance.random() < 0.9:
        await assess(connection, household_id, chance)
    if chance.random() < 0.6:
        await warn(connection, household_id, chance)
    if chance.random() < 0.2:
        await connection.execute("UPDATE household SET warned_at = $2 WHERE household_id = $1", household_id, MORNING)
    for data_set in DATA_SETS:
        if chance.random() < 0.7:
            await observe(connection, household_id, "state.insured", data_set)


async def assess(connection: asyncpg.Connection, household_id: int, chance: random.Random) -> None:
    causes = sum(1 << bit for bit in range(len(Cause)) if chance.random() < 0.2)
    assessment_id = await connection.fetchval(
        """
        INSERT INTO assessment (household_id, county, on_date, known_at, policy_version, engine_version, score,
            causes, fired, unknown, flags, confidence_percent, digest, facts_version)
        VALUES ($1, '130624', '2026-03-15', now(), 'x', 'x', 0, $2, 0, $3, 0, 100, 'x', 1)
        RETURNING assessment_id
        """,
        household_id,
        causes,
        chance.choice([0, 0, 5]),
    )
    await connection.execute(
        "UPDATE standing SET assessment_id = $2 WHERE household_id = $1", household_id, assessment_id
    )
    await connection.execute(
        "UPDATE household SET recommendation = $2, severity = $3 WHERE household_id = $1",
        household_id,
        chance.choice(CLASSES),
        chance.choice([None, 1, 2, 3, 4]),
    )


async def warn(connection: asyncpg.Connection, household_id: int, chance: random.Random) -> None:
    """A warning of some months ago, and what came of it."""
    opened = MORNING - timedelta(days=chance.randrange(400))
    await connection.execute("UPDATE household SET warned_at = $2 WHERE household_id = $1", household_id, opened)
    if chance.random() < 0.3:
        return
    outcome = chance.choice([Outcome.IDENTIFY, Outcome.IDENTIFY, *Outcome])
    await answer(connection, household_id, str(outcome), opened + timedelta(days=chance.randrange(1, 20)))
    if outcome is Outcome.IDENTIFY and chance.random() < 0.7:
        await decide(
            connection, household_id, chance.choice(["enter", "enter", "remove"]), opened + timedelta(days=20)
        )
    if chance.random() < 0.5:
        await observe(connection, household_id, "event.measure", "help")


async def answer(connection: asyncpg.Connection, household_id: int, outcome: str, at: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO verification (alert_id, subject, household_id, outcome, causes, verified_at, officer_role,
            facts_version, policy_version, indicators)
        VALUES (gen_random_uuid()::text, 'x', $1, $2, '{}', $3, 'village_secretary', 1, 'x', $4)
        """,
        household_id,
        outcome,
        at,
        [name for i, name in enumerate(INDICATORS) if household_id >> i & 1],
    )
    await connection.execute("UPDATE household SET warned_at = NULL WHERE household_id = $1", household_id)


async def decide(connection: asyncpg.Connection, household_id: int, action: str, at: datetime) -> None:
    listed_as = None if action == "remove" else "marginal_at_risk"
    await connection.execute(
        """
        INSERT INTO decision (decision_id, household_id, action, listed_as, decided_on, document_no, reason,
            decided_by, decided_by_name, recorded_at)
        VALUES (gen_random_uuid(), $1, $2, $3, $4, '1号', '核实', 'C-1', '县管', $5)
        """,
        household_id,
        action,
        listed_as,
        at.date(),
        at,
    )


async def observe(connection: asyncpg.Connection, household_id: int, kind: str, data_set: str) -> None:
    await connection.execute(
        """
        INSERT INTO fact (county, household_id, kind, occurred_on, source, data_set, record_key, received_at,
            recorded_at)
        SELECT county, household_id, $2, '2026-03-14', 'department', $3, household_no || $2, now(), now()
        FROM household WHERE household_id = $1
        """,
        household_id,
        kind,
        data_set,
    )
    await connection.execute(
        "UPDATE household SET facts_version = facts_version + 1 WHERE household_id = $1", household_id
    )


def figures_in(found: Any) -> Iterator[dict[str, Any]]:
    """Every figure of an answer, wherever it stands."""
    if isinstance(found, dict):
        if {"households", "query"} <= found.keys():
            yield found
        for value in found.values():
            yield from figures_in(value)
    elif isinstance(found, list):
        for value in found:
            yield from figures_in(value)
