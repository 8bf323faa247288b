"""`fangpin bench assess`: a full rescreen with everything written, against the binary COPY of the same rows.

The limit is a COPY of the measure rows out and a COPY of (household, class, severity, causes, fired, unknown, net,
reference, rigid) into a logged table with a primary key. Timed against it: counties publish another line and
everybody is screened from the stored measures (`ours`, `ratio`); one per cent is due again (`rerun_ratio`); nobody
was ever measured or assessed (`from_facts_ratio`, the ledger in arrival order).
"""

import argparse
import io
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from benchmarks.assessed_county import NOW, Bench, assessed_county
from benchmarks.memory import PeakMemory
from benchmarks.report import print_result
from services.monitoring import repository_rescreens as rescreens
from services.monitoring.assess_households import assess_due
from services.monitoring.rescreen import screen_area
from services.monitoring.screen_ranges import screen_ranges
from shared.db.scope import transaction
from shared.vocabulary.identifiers import new_id

RESULT = """
CREATE TABLE limit_in (household_id bigint PRIMARY KEY, class text, severity smallint, causes bigint, fired bigint,
                       unknown bigint, net bigint, reference bigint, rigid bigint)
"""
RESULT_ROWS = """
SELECT h.household_id, a.recommendation, a.severity, a.causes, a.fired, a.unknown, a.household_id * 3,
       a.household_id * 5, a.household_id * 7
FROM standing h JOIN assessment a USING (household_id, assessment_id) ORDER BY h.household_id
"""
PUBLISH = """
INSERT INTO policy_draft (draft_id, version, division, place_name, base_version, changes, authored_by,
    authored_by_name, authored_at, approved_by, approved_by_name, approved_at, published_by, published_by_name,
    published_at, activates_on, activated_at)
SELECT gen_random_uuid(), $1 || county, county || '000000', '测试', '', jsonb_build_array(jsonb_build_object(
           'name', 'monitoring_line', 'value', $2::text, 'from', $3::text, 'document_no', '测试')),
       'a', '甲', now(), 'b', '乙', now(), 'b', '乙', now(), $3::date, now()
FROM (SELECT DISTINCT county FROM household) c
"""


async def limit(bench: Bench) -> float:
    """Seconds of both COPYs."""
    results = io.BytesIO()
    await bench.admin.copy_from_query(RESULT_ROWS, output=results, format="binary")
    results.seek(0)
    await bench.admin.execute(RESULT)
    started = time.perf_counter()
    await bench.admin.copy_from_query("SELECT * FROM measure", output=_swallow, format="binary")
    await bench.admin.copy_to_table("limit_in", source=results, format="binary")
    took = time.perf_counter() - started
    await bench.admin.execute("DROP TABLE limit_in")
    return took


async def _swallow(data: bytes) -> None:
    pass


async def rescreen(bench: Bench) -> float:
    """Seconds until every household of every county was screened and all that follows is committed."""
    runtime = bench.runtime
    started = time.perf_counter()
    async with transaction(runtime.worker_pool) as connection:
        for county in await rescreens.counties(connection):
            await screen_area(connection, f"{county}000000", "测量", "bench", now=runtime.clock.now())
    while await screen_ranges(runtime):
        pass
    return time.perf_counter() - started


async def rerun(bench: Bench) -> float:
    """Seconds until one per cent of the households, made due, were assessed."""
    await bench.admin.execute("UPDATE household SET due_at = $1, priority = 9 WHERE household_id % 100 = 7", NOW)
    started = time.perf_counter()
    while await assess_due(bench.runtime):
        pass
    return time.perf_counter() - started


async def publish_line(bench: Bench, run: int) -> None:
    """Another monitoring line for every county, now a little above, now a little below."""
    await bench.admin.execute(PUBLISH, f"line-{run}-{new_id(NOW)}-", f"{9_800 + 100 * (run % 2)}.00", str(NOW.date()))
    await tidy(bench)


async def forget_assessments(bench: Bench) -> None:
    """As if nobody had ever been assessed."""
    await bench.admin.execute(
        """
        TRUNCATE measure, assessment, outbox, outbox_delivery, dashboard_touch, warning_opened, rescreen_range,
            rescreen CASCADE;
        UPDATE standing SET assessment_id = NULL, facts_version = 0, reading = NULL, digest = NULL, gist = NULL;
        UPDATE household SET risk = NULL, recommendation = NULL, severity = NULL, score = 0, warned_at = NULL,
            due_at = NULL
        """
    )
    await tidy(bench)


async def tidy(bench: Bench) -> None:
    """What autovacuum does between two rescreens; kept out of what is timed, for both sides."""
    await bench.admin.execute("VACUUM ANALYZE household, standing, measure, assessment, outbox, outbox_delivery")
    await bench.admin.execute("CHECKPOINT")


Step = Callable[[Bench], Awaitable[float]]


async def measure(size: int, runs: int) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {"limit": [], "from_facts": [], "assess": [], "rerun": [], "nothing": []}
    async with assessed_county(size) as bench:
        postmaster = bench.server._server._postmaster_info
        assert postmaster is not None
        assert postmaster.pid is not None
        with PeakMemory(postmaster.pid) as peak:
            for run in range(runs):
                await forget_assessments(bench)
                seconds["from_facts"].append(await rescreen(bench))
                await tidy(bench)
                seconds["limit"].append(await limit(bench))
                seconds["nothing"].append(await rescreen(bench))
                await publish_line(bench, run)
                seconds["assess"].append(await rescreen(bench))
                await tidy(bench)
                seconds["rerun"].append(await rerun(bench))
                seconds["limit"].append(await limit(bench))
        counts = await _counts(bench)
    return {**_ratios(seconds), **counts, "peak_mib": round(peak.mib)}


async def _counts(bench: Bench) -> dict[str, Any]:
    told = await bench.admin.fetch(
        "SELECT sum(changed)::integer AS changed, sum(told)::integer AS told FROM rescreen_range r"
        " JOIN rescreen o USING (rescreen_id) GROUP BY o.requested_at, o.rescreen_id ORDER BY o.rescreen_id"
    )
    facts = await bench.admin.fetchval("SELECT count(*) FROM fact")
    return {"facts": facts, "changed_and_told": [[row["changed"], row["told"]] for row in told][:60]}


def _ratios(seconds: dict[str, list[float]]) -> dict[str, Any]:
    medians = {name: statistics.median(took) for name, took in seconds.items()}
    limit_seconds = medians["limit"]
    return {
        "ours": round(medians["assess"], 3),
        "baseline": round(limit_seconds, 3),
        "ratio": round(medians["assess"] / limit_seconds, 3),
        "rerun_ratio": round(medians["rerun"] / limit_seconds, 3),
        "from_facts_ratio": round(medians["from_facts"] / limit_seconds, 3),
        "nothing_changed_ratio": round(medians["nothing"] / limit_seconds, 3),
        "seconds": {name: [round(one, 3) for one in took] for name, took in seconds.items()},
        "unit": "s",
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.size, given.runs))
    print_result({"name": "assess", "size": given.size, "runs": given.runs, **found})


if __name__ == "__main__":
    main()
