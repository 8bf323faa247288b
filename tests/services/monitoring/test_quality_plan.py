"""The checks of quality look places up: they read no table whole for each household."""

from datetime import date
from typing import Any

from services.monitoring.domain.compiled_quality import fired_sql
from services.monitoring.quality_book import quality_book
from services.monitoring.repository_quality import plan_for_checks
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.conftest import COUNTY

VILLAGE = "130624100200"
HOUSEHOLDS = """
INSERT INTO monitoring.household
    (county, household_no, registered_division, living_division, head_name, facts_version)
SELECT left($1, 6), 'H' || i, $1, $1, '测试户', 1 FROM generate_series(1, 4000) i
"""


async def test_a_number_that_names_no_place_is_not_looked_for_in_the_whole_table(
    monitoring_runtime: Runtime, admin: Any
) -> None:
    """All households of one village, as after a first import: the planner takes each for the one it looks for."""
    await admin.execute("SELECT monitoring.ensure_county($1)", VILLAGE[:6])
    await admin.execute(HOUSEHOLDS.replace("$1", f"'{VILLAGE}'"))
    await admin.execute("ANALYZE monitoring.household")
    ids = [row["household_id"] for row in await admin.fetch("SELECT household_id FROM monitoring.household LIMIT 50")]
    binds = (COUNTY[:6], min(ids), max(ids), ids, date(2026, 3, 15), 20260315, "某县")
    async with transaction(monitoring_runtime.worker_pool) as connection:
        await plan_for_checks(connection)
        plan = await connection.fetch("EXPLAIN (ANALYZE) " + fired_sql(quality_book(), 800_000), *binds)
    read_whole = [row[0] for row in plan if "Seq Scan on household " in row[0] and "loops=50" in row[0]]
    assert read_whole == []
