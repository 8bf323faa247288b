"""`fangpin bench whatif`: a draft against the policy in force over N households, counts per township and class.

`ours` counts both policies, two connections, ranges of 20,000 households: whom the draft's values may move by the
stored measures, everybody else by what stands. Nothing is copied anywhere, so nothing has to be refreshed.
`with_lists` is the whole of what an official starts: the same, every household that either policy names written to
its list, and all figures made.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import psutil

from benchmarks.assess import rescreen, tidy
from benchmarks.assessed_county import NOW, Bench, assessed_county
from benchmarks.limit import copy_limit, result_rows
from benchmarks.report import print_result
from services.monitoring import repository_policies
from services.monitoring.begin_run import begin_run
from services.monitoring.compare_policies import ComparisonOrder, compare_due, order_comparison
from services.monitoring.domain.compared_policies import Side, from_measures, moved
from services.monitoring.domain.policy_overlay import Change, Publication, with_publications
from services.monitoring.domain.reading import reading
from services.monitoring.domain.screening import Chosen
from services.monitoring.repository_comparisons import judged_anew
from services.monitoring.repository_screening import plan_for_sets
from shared.db.scope import scoped, transaction
from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id

PROVINCE = "130000000000"
AT_ONCE = 2
RANGE = 20_000
ON = NOW.date()
DRAFT = Publication("draft", PROVINCE, "省", ON, (Change("monitoring_line", '"9800.00"', ON, "测〔2026〕1号"),))
OFFICIAL = Principal("bench", "person", PROVINCE, frozenset({"monitoring:policy"}), name="测试")

COUNTS = """
SELECT left(h.living_division, 9) AS township, b.class_code AS before, a.class_code AS after, count(*) AS households
FROM ({before}) b JOIN ({after}) a USING (household_id) JOIN household h USING (household_id)
WHERE h.household_id = any({listed}) GROUP BY 1, 2, 3
"""
STANDING = """
SELECT left(living_division, 9) AS township, recommendation AS before, recommendation AS after, count(*) AS households
FROM household WHERE household_id BETWEEN $1 AND $2 AND household_id <> ALL ($3::bigint[]) GROUP BY 1, 2
"""


async def ranges(bench: Bench) -> list[tuple[str, int, int]]:
    rows = await bench.admin.fetch(
        """
        SELECT county, min(household_id), max(household_id) FROM (
            SELECT county, household_id,
                   (row_number() OVER (PARTITION BY county ORDER BY household_id) - 1) / $1 AS part FROM household
        ) h GROUP BY county, part ORDER BY 2
        """,
        RANGE,
    )
    return [tuple(row) for row in rows]


async def side_by_side(
    bench: Bench, parts: Sequence[Any], work: Callable[[asyncpg.Connection, Any], Awaitable[None]]
) -> None:
    """All parts, each in a transaction of its own, over as many connections as there are cores to use."""
    waiting = list(reversed(parts))

    async def drain() -> None:
        while waiting:
            part = waiting.pop()
            async with transaction(bench.runtime.worker_pool) as connection:
                await plan_for_sets(connection)
                await work(connection, part)

    await asyncio.gather(*(drain() for _ in range(AT_ONCE)))


async def count_both(bench: Bench, parts: Sequence[tuple[str, int, int]]) -> tuple[float, dict[Any, int]]:
    """Both policies over everybody, counted; seconds, and the counts."""
    found: dict[Any, int] = {}

    async def count(connection: asyncpg.Connection, part: tuple[str, int, int]) -> None:
        county, first, last = part
        run = await begin_run(connection, county, ON)
        package = with_publications(run.reading.package, (DRAFT,))
        sides = (run.reading, reading(package, county, ON))
        movable = moved(*sides, first, last)
        assert movable is not None
        anew = await judged_anew(connection, PROVINCE, movable, run.reading.fingerprint)
        judged = [from_measures(each, Chosen(first, last, tuple(anew)), run.known_at) for each in sides]
        rows = await connection.fetch(STANDING, first, last, anew)
        for row in [*rows, *await connection.fetch(*_counts(*judged))]:
            key = (row["township"], row["before"], row["after"])
            found[key] = found.get(key, 0) + row["households"]

    started = time.perf_counter()
    await side_by_side(bench, parts, count)
    return time.perf_counter() - started, found


def _counts(before: Side, after: Side) -> list[Any]:
    text = COUNTS.format(before=before.classes(0), after=after.classes(len(before.binds)), listed="$6")
    return [text, *before.binds, *after.binds]


async def compare_all(bench: Bench, version: str) -> float:
    """A comparison as an official starts it, to its last figure; seconds."""
    started = time.perf_counter()
    async with scoped(bench.runtime.pool, PROVINCE) as connection:
        order = ComparisonOrder(version, "in_force", PROVINCE, ON)
        ordered = await order_comparison(connection, order, OFFICIAL, bench.runtime)

    async def work() -> None:
        while await compare_due(bench.runtime):
            pass

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    took = time.perf_counter() - started
    state = "SELECT state FROM policy_comparison WHERE comparison_id = $1"
    assert await bench.admin.fetchval(state, ordered["comparison_id"]) == "finished"
    await bench.admin.execute("TRUNCATE policy_comparison, policy_comparison_part, policy_comparison_household")
    return took


async def draft(bench: Bench) -> str:
    """Store the draft; its version."""
    row = {
        "draft_id": new_id(NOW),
        "version": DRAFT.version,
        "division": PROVINCE,
        "place_name": DRAFT.place_name,
        "base_version": "",
        "changes": [each.as_data() for each in DRAFT.changes],
        "authored_by": OFFICIAL.subject,
        "authored_by_name": OFFICIAL.name,
        "authored_at": NOW,
    }
    async with scoped(bench.runtime.pool, PROVINCE) as connection:
        await repository_policies.add(connection, row)
    return DRAFT.version


async def run(size: int, runs: int) -> dict[str, Any]:
    async with assessed_county(size) as bench:
        parts = await ranges(bench)
        screening = await rescreen(bench)
        await tidy(bench)
        version, results = await draft(bench), await result_rows(bench.admin)
        await count_both(bench, parts[:1])
        limits, ours, lists, counts = [], [], [], {}
        for _ in range(runs):
            limits.append(await copy_limit(bench.admin, results))
            took, counts = await count_both(bench, parts)
            ours.append(took)
            lists.append(await compare_all(bench, version))
        assert sum(counts.values()) == size
        entered = sum(number for (_, before, after), number in counts.items() if before is None and after)
        return {
            "name": "whatif",
            "size": size,
            "runs": runs,
            "ours": round(statistics.median(ours), 3),
            "baseline": round(statistics.median(limits), 3),
            "ratio": round(statistics.median(ours) / statistics.median(limits), 3),
            "with_lists": round(statistics.median(lists), 3),
            "with_lists_ratio": round(statistics.median(lists) / statistics.median(limits), 3),
            "unit": "s",
            "refresh_of_copies_s": 0,
            "screened_from_facts_s": round(screening, 1),
            "entered": entered,
            "peak_mib": _private_mib(bench),
        }


def _private_mib(bench: Bench) -> int:
    """Private memory of this process; the server's backends share their buffers."""
    return round(psutil.Process().memory_full_info().uss / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print_result(asyncio.run(run(given.size, given.runs)))


if __name__ == "__main__":
    main()
