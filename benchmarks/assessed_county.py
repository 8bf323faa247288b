"""Invented counties for benchmarks: N households written by SQL, 3.2 members and about ten facts each.

Facts lie in the ledger in the order they arrived: by the day they are of, households mixed.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from services.monitoring.settings import MonitoringSettings
from shared.clock import SHANGHAI, FixedClock
from shared.db.embedded import CONFIGURATION, EmbeddedServer
from shared.db.key_check import remember_keys
from shared.db.migrate import create_roles, migrate
from shared.runtime import Runtime, open_runtime
from shared.security.keys import create_keys

NOW = datetime(2026, 3, 15, 10, 0, tzinfo=SHANGHAI)
HOUSEHOLDS_A_COUNTY = 50_000
HOUSEHOLDS_A_VILLAGE = 400
# The same server for both sides of every ratio; log written ahead is not cut short in the middle of a run.
SERVER = "\nshared_buffers = 1GB\nmax_wal_size = 16GB\ncheckpoint_timeout = 30min\nautovacuum = off\n"

HOUSEHOLDS = """
INSERT INTO household (county, household_no, registered_division, living_division, head_name, phone, facts_version)
SELECT left(village, 6), 'H' || g, village, village, '测试户', '19900000001', 1
FROM generate_series(1, $1::bigint) g,
     LATERAL (SELECT (130601 + (g - 1) / $2::bigint)::text || '1' || lpad(((g - 1) % $2::bigint / 4000)::text, 2, '0')
              || '2' || lpad(((g - 1) / $3::bigint % 10)::text, 2, '0') AS village) v
"""
RESIDENTS = """
INSERT INTO resident (resident_id, number_index, sealed_number, name, sex, birth_date) OVERRIDING SYSTEM VALUE
SELECT h.household_id * 4 + m, int8send(h.household_id * 4 + m) || '\\x00', '', '测试', 'male',
       date '1940-01-01' + (abs(hashint8(h.household_id * 4 + m)) % 29000)
FROM household h, generate_series(0, CASE WHEN h.household_id % 5 = 0 THEN 3 ELSE 2 END) m
"""
MEMBERS = """
INSERT INTO household_member (household_id, resident_id, county, relation, valid_from, recorded_at, born)
SELECT h.household_id, r.resident_id, h.county, '家庭成员', date '2020-01-01', timestamptz '2026-01-05',
       to_char(r.birth_date, 'YYYYMMDD')::integer
FROM household h JOIN resident r ON r.resident_id / 4 = h.household_id ORDER BY h.household_id
"""
# Four per cent are poor by income; one in two has a bill, one in fifty a large one.
FACTS = """
CREATE UNLOGGED TABLE arriving AS
WITH h AS (
    SELECT household_id, county, abs(hashint8(household_id)) AS luck,
           CASE WHEN household_id % 5 = 0 THEN 4 ELSE 3 END AS n
    FROM household WHERE county = '{county}'
)
SELECT household_id, NULL::bigint AS resident_id, 'income.wage' AS kind, date '2025-12-31' AS occurred_on,
       date '2025-01-01' AS period_from, date '2025-12-31' AS period_to,
       n * CASE WHEN luck % 100 < 4 THEN 600000 + luck % 250000 ELSE 1100000 + luck % 1900000 END AS amount_fen,
       NULL::bigint AS compliant_fen, NULL AS visit, NULL AS value, '{{}}'::jsonb AS attributes,
       'household_register' AS data_set FROM h
UNION ALL SELECT household_id, NULL, 'income.business_sales', '2025-12-31', '2025-01-01', '2025-12-31', luck % 500000,
       NULL, NULL, NULL, '{{}}', 'household_register' FROM h
UNION ALL SELECT household_id, NULL, 'cost.production', '2025-12-31', '2025-01-01', '2025-12-31',
       luck % 200000, NULL, NULL, NULL, '{{}}', 'household_register' FROM h
UNION ALL SELECT household_id, NULL, 'income.transfer_regular', '2025-12-31', '2025-01-01', '2025-12-31',
       luck % 300000,
       NULL, NULL, NULL, '{{}}', 'household_register' FROM h
UNION ALL SELECT household_id, NULL, 'state.base_group', '2021-01-01', NULL, NULL, NULL, NULL, NULL,
       CASE WHEN luck % 9 = 0 THEN 'lifted_out' ELSE 'general' END, '{{}}', 'household_register' FROM h
UNION ALL SELECT household_id, NULL, 'state.dwelling', '2022-06-01', NULL, NULL, NULL, NULL, NULL, 'A',
       '{{"occupied": "A"}}', 'household_register' FROM h
UNION ALL SELECT household_id, household_id * 4 + m, 'state.insured',
       date '2025-10-01' + (luck + m)::integer % 120, NULL, NULL, NULL, NULL, NULL,
       CASE WHEN (luck / 7 + m) % 200 = 0 THEN 'none' ELSE 'resident' END, '{{}}', 'insured'
       FROM h, generate_series(0, 2) m
UNION ALL SELECT household_id, household_id * 4 + m, 'expense.medical',
       date '2025-03-15' + (abs(hashint8(household_id * 8 + m)) % 365), NULL, NULL, NULL,
       CASE WHEN (luck / 3) % 50 = 0 THEN 900000 + luck % 3000000 ELSE 3000 + luck % 60000 END, 'inpatient', NULL,
       '{{}}', 'medical_settlement' FROM h, generate_series(0, 1) m WHERE luck % 2 = 0
"""
LEDGER = """
CREATE TABLE fact_{county} (LIKE fact INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE fact_{county} OWNER TO fangpin_owner;
INSERT INTO fact_{county} (county, household_id, resident_id, kind, occurred_on, period_from, period_to, amount_fen,
    gross_fen, compliant_fen, other_fen, visit, value, attributes, source, department, data_set, record_key,
    received_at, facts_version, recorded_at)
SELECT '{county}', household_id, resident_id, kind, occurred_on, period_from, period_to, amount_fen,
       compliant_fen * 3,
       compliant_fen, compliant_fen / 10, visit, value, attributes, 'department', '部门', data_set,
       household_id || '/' || kind || coalesce(resident_id::text, '') || occurred_on, timestamptz '2026-03-01', 1,
       timestamptz '2026-03-01'
FROM arriving ORDER BY occurred_on, hashint8(household_id);
DROP TABLE arriving;
ALTER TABLE fact_{county} ENABLE ROW LEVEL SECURITY;
ALTER TABLE fact_{county} FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON fact_{county} TO fangpin_monitoring_worker USING (true) WITH CHECK (true);
ALTER TABLE fact ATTACH PARTITION fact_{county} FOR VALUES IN ('{county}');
"""


@dataclass(slots=True)
class Bench:
    """A server with N invented households, monitoring running over it, and a superuser's connection."""

    size: int
    runtime: Runtime
    admin: asyncpg.Connection
    server: EmbeddedServer


@asynccontextmanager
async def assessed_county(size: int) -> AsyncIterator[Bench]:
    """Build the server, the tables and N households that were never assessed; all is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="fangpin-bench-"))
    server = EmbeddedServer(folder / "pg")
    server._server.ensure_pgdata_inited()
    (server._server.pgdata / "postgresql.auto.conf").write_text(CONFIGURATION + SERVER)
    server.start()
    try:
        async with _running(server, folder, size) as bench:
            yield bench
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _running(server: EmbeddedServer, folder: Path, size: int) -> AsyncIterator[Bench]:
    admin = await asyncpg.connect(server.admin_url)
    await admin.execute("CREATE DATABASE fangpin")
    await admin.close()
    await create_roles(server.url)
    await migrate(server.url)
    create_keys(folder / "keys", demo=True)
    admin = await asyncpg.connect(server.url, server_settings={"search_path": "monitoring", "jit": "off"})
    await remember_keys(admin, folder / "keys")
    await fill(admin, size)
    house = "http://house"
    settings = MonitoringSettings(
        data=folder,
        demo=True,
        database_url=server.url,
        intake_url=house,
        monitoring_url=house,
        alerts_url=house,
        public_url=house,
        pool_size=4,
        log_level="ERROR",
    )
    async with open_runtime("monitoring", settings, clock=FixedClock(NOW)) as runtime:
        yield Bench(size, runtime, admin, server)
    await admin.close()


async def fill(admin: asyncpg.Connection, size: int) -> None:
    """Write N households with their people and facts."""
    await admin.execute("SET synchronous_commit = off; SET work_mem = '512MB'; SET maintenance_work_mem = '512MB'")
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(HOUSEHOLDS, size, HOUSEHOLDS_A_COUNTY, HOUSEHOLDS_A_VILLAGE)
    await admin.execute("INSERT INTO standing (household_id) SELECT household_id FROM household")
    await admin.execute(RESIDENTS)
    await admin.execute(MEMBERS)
    for row in await admin.fetch("SELECT DISTINCT county FROM household ORDER BY 1"):
        await admin.execute(FACTS.format(county=row["county"]))
        await admin.execute(LEDGER.format(county=row["county"]))
    await admin.execute("SET session_replication_role = origin")
    await admin.execute("VACUUM ANALYZE household, standing, resident, household_member, fact")
    await admin.execute("CHECKPOINT; RESET work_mem; RESET synchronous_commit")
