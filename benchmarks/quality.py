"""`fangpin bench quality`: one pass of all checks over --size households with their roster details, in seconds.

The first pass finds what is wrong in about three of a hundred households' details; the second finds the same and
writes nothing. The baseline is a bare COPY of one narrow row for each household.
"""

import argparse
import statistics
import time
from typing import Any

import uvloop

from benchmarks.assess import rescreen, tidy
from benchmarks.assessed_county import NOW, Bench, assessed_county
from benchmarks.memory import PeakMemory
from benchmarks.report import print_result
from services.monitoring.check_quality import check_ranges
from services.monitoring.order_quality_run import check_nightly

RELATIONS = """
UPDATE household_member SET relation = CASE WHEN resident_id % 4 = 0 THEN '户主' ELSE '之子' END
"""
PHONES = "UPDATE household SET phone = '139' || lpad((household_id % 100000000)::text, 8, '0')"
DETAILS = """
INSERT INTO roster_detail (household_id, resident_id, details, valid_from, origin, received_at, recorded_at)
SELECT m.household_id, m.resident_id, jsonb_build_object('sex', 'male', 'nation', '汉族',
       'education', CASE WHEN m.born < 20040101 THEN 'junior' END, 'school',
       CASE WHEN m.born >= 20140101 THEN 'primary' WHEN m.born >= 20040101 THEN 'vocational' END,
       'health', CASE WHEN abs(hashint8(m.resident_id)) % 100 < 97 THEN '["healthy"]'::jsonb ELSE '["disabled"]' END,
       'labour', CASE WHEN m.born >= 20040101 OR m.born < 19660101 THEN 'none' ELSE 'ordinary' END, 'working', false,
       'insured_resident', true, 'insured_employee', false, 'critical_insurance', true, 'pension_resident', true,
       'pension_employee', false, 'dibao', 'none', 'tekun', 'none'),
       date '2026-01-01', 'bench', timestamptz '2026-03-01', timestamptz '2026-03-01'
FROM household_member m
UNION ALL
SELECT h.household_id, NULL, jsonb_build_object('head_count', CASE WHEN h.household_id % 5 = 0 THEN 4 ELSE 3 END,
       'dangerous_house', false, 'house_area', '96.5', 'safe_water', true, 'electricity', true, 'road_km', '0.8',
       'arable_mu', CASE WHEN h.household_id % 100 = 0 THEN '160' ELSE '6' END, 'forest_mu', '3', 'returned_mu', '0',
       'fruit_mu', '0', 'pasture_mu', '0', 'water_mu', '0'),
       date '2026-01-01', 'bench', timestamptz '2026-03-01', timestamptz '2026-03-01'
FROM household h
"""


async def fill_details(bench: Bench) -> None:
    """Let the register hold what a roster of version 2 says."""
    await bench.admin.execute("SET session_replication_role = replica")
    for statement in (RELATIONS, PHONES, DETAILS):
        await bench.admin.execute(statement)
    await bench.admin.execute("SET session_replication_role = origin")
    await bench.admin.execute("VACUUM ANALYZE household, household_member, roster_detail")


async def one_pass(bench: Bench) -> float:
    """Seconds until every county was checked, with the ranges one after the other."""
    await bench.admin.execute("UPDATE quality_run SET requested_at = requested_at - interval '1 day'")
    started = time.perf_counter()
    await check_nightly(bench.runtime)
    while await check_ranges(bench.runtime):
        pass
    return time.perf_counter() - started


async def bare(bench: Bench) -> float:
    """Seconds to insert and commit a narrow row for each household."""
    await bench.admin.execute("CREATE TABLE IF NOT EXISTS bare (household_id bigint, at timestamptz, amount bigint)")
    started = time.perf_counter()
    await bench.admin.copy_records_to_table("bare", records=((one, NOW, 1) for one in range(bench.size)))
    return time.perf_counter() - started


async def measure(size: int, runs: int) -> dict[str, Any]:
    async with assessed_county(size) as bench:
        await rescreen(bench)
        await tidy(bench)
        await fill_details(bench)
        postmaster = bench.server._server._postmaster_info
        assert postmaster is not None
        assert postmaster.pid is not None
        with PeakMemory(postmaster.pid) as memory:
            first = await one_pass(bench)
            again = [(await one_pass(bench), await bare(bench)) for _ in range(runs)]
        found = await bench.admin.fetchval("SELECT count(*) FROM quality_finding")
    ours, baseline = (statistics.median(each) for each in zip(*again, strict=True))
    return {
        "name": "quality",
        "size": size,
        "runs": runs,
        "ours": round(ours, 2),
        "baseline": round(baseline, 3),
        "ratio": round(ours / baseline, 1),
        "unit": "s",
        "peak_mib": round(memory.mib),
        "first_pass_s": round(first, 2),
        "findings": found,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print_result(uvloop.run(measure(given.size, given.runs)))


if __name__ == "__main__":
    main()
