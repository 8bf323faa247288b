"""`fangpin bench incremental`: k households' facts inserted until their new assessments are committed, in ms.

For k = 10 and k = 1,000 of --size households. The facts come as medical settlements through the verb that appends
them; the assessor runs at once. The baseline is the same k rows inserted by COPY into a logged table and committed.
"""

import argparse
import statistics
import time
from datetime import timedelta
from typing import Any

import uvloop

from benchmarks.assess import rescreen, tidy
from benchmarks.assessed_county import NOW, Bench, assessed_county
from benchmarks.memory import PeakMemory
from benchmarks.report import print_result
from services.monitoring.append_facts import append_facts
from services.monitoring.assess_households import assess_due
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from shared.clock import FixedClock
from shared.db.scope import transaction

KINDS_OF_RUN = (10, 1_000)
# Each connection of the pool plans the policy once.
WARM_UP = 6


def settlements(bench: Bench, ids: list[int], county: str, run: int) -> list[Entry]:
    """One new bill of a member of each household."""
    return [
        Entry(
            key=Key("medical_settlement", f"bench/{run}/{household}", "expense.medical"),
            said=Said(NOW + timedelta(seconds=run), f"bench-{run}"),
            content=Content(
                NOW.date() - timedelta(days=20),
                gross_fen=300_000,
                compliant_fen=100_000 + run,
                other_fen=10_000,
                visit="inpatient",
            ),
            source="department",
            division=f"{county}000000",
            op="put",
            place=Place(household, county, household * 4),
        )
        for household in ids
    ]


async def once(bench: Bench, ids: list[int], county: str, run: int) -> float:
    """Milliseconds until the facts of these households are committed and assessed."""
    assert isinstance(bench.runtime.clock, FixedClock)
    entries = settlements(bench, ids, county, run)
    started = time.perf_counter()
    async with transaction(bench.runtime.worker_pool) as connection:
        await append_facts(connection, entries, now=bench.runtime.clock.now(), priority=5)
    while await assess_due(bench.runtime):
        pass
    return (time.perf_counter() - started) * 1000


async def bare(bench: Bench, ids: list[int]) -> float:
    """Milliseconds to insert and commit as many small rows, and nothing else."""
    started = time.perf_counter()
    await bench.admin.copy_records_to_table("bare", records=[(one, NOW, 1) for one in ids])
    return (time.perf_counter() - started) * 1000


async def measure(size: int, runs: int) -> dict[str, Any]:
    async with assessed_county(size) as bench:
        await rescreen(bench)
        await tidy(bench)
        await bench.admin.execute("CREATE TABLE bare (household_id bigint, at timestamptz, amount bigint)")
        county = await bench.admin.fetchval("SELECT min(county) FROM household")
        ids = [
            row[0] for row in await bench.admin.fetch("SELECT household_id FROM household WHERE county = $1", county)
        ]
        postmaster = bench.server._server._postmaster_info
        assert postmaster is not None
        assert postmaster.pid is not None
        found: dict[str, Any] = {}
        with PeakMemory(postmaster.pid) as peak:
            for k in KINDS_OF_RUN:
                await tidy(bench)
                apart = max(len(ids) // k, 1)
                # Other households in each run: nobody gets a bill every day.
                some = [ids[run % apart :: apart][:k] for run in range(WARM_UP + runs)]
                ours = [await once(bench, each, county, run + k * 1000) for run, each in enumerate(some)][WARM_UP:]
                baseline = [await bare(bench, each) for each in some[WARM_UP:]]
                found[f"k{k}_ms"] = round(statistics.median(ours), 2)
                found[f"k{k}_baseline_ms"] = round(statistics.median(baseline), 2)
                found[f"k{k}_runs_ms"] = [round(one, 1) for one in ours]
        return {**found, "peak_mib": round(peak.mib)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    found = uvloop.run(measure(given.size, given.runs))
    ours, baseline = found["k10_ms"], found["k10_baseline_ms"]
    print_result(
        {
            "name": "incremental",
            "size": given.size,
            "runs": given.runs,
            "ours": ours,
            "baseline": baseline,
            "ratio": round(ours / baseline, 2),
            "unit": "ms, 10 households",
            **found,
        }
    )


if __name__ == "__main__":
    main()
