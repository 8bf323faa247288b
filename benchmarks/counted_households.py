"""Households in every state that the dashboard counts, made by SQL: five counties, 300 households a village."""

import asyncpg

PREFECTURE = "130600000000"
COUNTIES = ("130623", "130624", "130625", "130626", "130627")
TOWNSHIPS_A_COUNTY = 20
A_VILLAGE = 300

HOUSEHOLDS = """
INSERT INTO household (county, household_no, registered_division, living_division, head_name, listed_as, last_outcome,
    recommendation, severity, warned_at, roster_on)
SELECT left(place, 6), 'B' || i, place, place, '测试', CASE WHEN i % 50 = 0 THEN 'marginal_at_risk' END,
       CASE WHEN i % 20 = 0 THEN (ARRAY['no_risk', 'identify', 'need_met'])[1 + i / 20 % 3] END,
       CASE WHEN i % 40 = 0 THEN (ARRAY['sudden_hardship', 'marginal_at_risk'])[1 + i / 40 % 2] END,
       CASE WHEN i % 10 = 0 THEN 1 + i / 10 % 4 END,
       CASE WHEN i % 100 = 7 THEN now() - i % 300 * interval '1 day' END, '2026-01-01'
FROM generate_series(0, $1::bigint - 1) AS i
CROSS JOIN LATERAL (SELECT i / $2 AS v) AS number
CROSS JOIN LATERAL (SELECT ($3::text[])[1 + v % 5] || lpad((100 + v / 5 % $4)::text, 3, '0')
                           || lpad((200 + v / 5 / $4)::text, 3, '0') AS place) AS home
"""
ASSESSMENTS = """
INSERT INTO assessment (household_id, assessment_id, county, on_date, known_at, policy_version, engine_version,
    recommendation, severity, score, causes, fired, unknown, flags, confidence_percent, digest, facts_version)
SELECT household_id, 1, county, current_date, now(), 'bench', 'bench', recommendation, severity, 0,
       CASE WHEN severity IS NOT NULL THEN 1 << (household_id % 11)::int ELSE 0 END, 0,
       CASE WHEN household_id % 8 = 0 THEN 1 ELSE 0 END, 0, 100, 'x', 1 FROM household
"""
REST = (
    "INSERT INTO standing (household_id, assessment_id) SELECT household_id, assessment_id FROM assessment",
    "INSERT INTO warning_opened (household_id, opened_at)"
    " SELECT household_id, now() - household_id % 300 * interval '1 day' FROM household WHERE household_id % 20 < 2",
    "INSERT INTO verification (alert_id, subject, household_id, outcome, causes, verified_at,"
    " officer_role, facts_version, policy_version, indicators) SELECT household_no, household_no, household_id,"
    " CASE WHEN household_id % 7 = 0 THEN 'identify' ELSE 'no_risk' END, '{}',"
    " now() - household_id % 280 * interval '1 day', 'village_secretary', 1, 'bench',"
    " ARRAY[(ARRAY['medical_self_paid', 'disability', 'dwelling_unsafe', 'job_loss', 'education_cost',"
    " 'income_below_line'])[1 + household_id % 6]] FROM household WHERE household_id % 20 = 0",
    "INSERT INTO decision (decision_id, household_id, action, listed_as, decided_on, document_no, reason,"
    " decided_by, decided_by_name) SELECT gen_random_uuid(), household_id, 'enter', 'marginal_at_risk',"
    " current_date, '1号', '核实', 'C-1', '县管' FROM household WHERE household_id % 140 = 0",
    "INSERT INTO fact (county, household_id, kind, occurred_on, source, data_set, record_key, received_at,"
    " recorded_at) SELECT county, household_id, 'state.insured', current_date, 'department',"
    " CASE WHEN household_id % 3 = 0 THEN 'medical_settlement' ELSE 'household_register' END, household_no, now(),"
    " now() FROM household",
    "VACUUM ANALYZE household, standing, assessment, verification, warning_opened, decision, fact",
)


async def fill(admin: asyncpg.Connection, households: int) -> None:
    """Write them past the triggers; nothing is counted yet."""
    await admin.execute("SET search_path = monitoring; SET session_replication_role = replica; SET jit = off")
    for county in COUNTIES:
        await admin.execute("SELECT ensure_county($1)", county)
    await admin.execute(HOUSEHOLDS, households, A_VILLAGE, list(COUNTIES), TOWNSHIPS_A_COUNTY)
    await admin.execute(ASSESSMENTS)
    for statement in REST:
        await admin.execute(statement)
    await admin.execute("SET session_replication_role = DEFAULT")


async def count_all(admin: asyncpg.Connection) -> None:
    """The roll-up of every village at once, by the statements that count a few again."""
    from datetime import UTC, datetime

    from services.monitoring import repository_figures as repository
    from services.monitoring.domain.dashboard import Figure

    for write in (*repository.WRITE_ALL, repository.WRITE_DATA_SETS):
        await admin.execute(write.format(places="true", kept="true"))
    # Here rather than by itself in the middle of what is measured.
    await admin.execute("VACUUM ANALYZE dashboard_figure")
    places = [f"{county}000000" for county in COUNTIES]
    await repository.move_version(admin, datetime.now(UTC), places, [str(each) for each in Figure])
