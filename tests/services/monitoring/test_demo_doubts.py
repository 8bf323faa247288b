"""The demo county's register: every planted doubt is found, and what else is found is little."""

import csv
import json
from collections import defaultdict
from datetime import date
from pathlib import Path

from demo_county.generate import generate
from demo_county.register_details import DOUBTS_FILE
from services.intake.domain.feed_row import FeedRow, RawRow, RowChecker, RowContext
from services.monitoring.check_quality import check_due
from services.monitoring.quality_book import quality_book
from services.places import shipped_villages
from shared.runtime import Runtime
from tests.services.monitoring.build import assess_all, deliver
from tests.services.monitoring.quality_cases import LAYOUT, told

UNTIL = date(2026, 3, 15)
HOUSEHOLDS, A_MESSAGE = 300, 100


def groups_of(folder: Path, runtime: Runtime) -> tuple[dict[str, list[FeedRow]], dict[int, str]]:
    """Households of which every row is good, and the household of each line."""
    context = RowContext(UNTIL, ("130624000000", "130625000000"), runtime.keys.blind_index)
    checker, lines = RowChecker(LAYOUT, context), {}
    good: dict[str, list[FeedRow]] = defaultdict(list)
    spoilt = set()
    with (folder / "household_register.csv").open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            lines[line] = row["户编号"]
            checked = checker.check(RawRow(line, [row.get(column.header, "") for column in LAYOUT.columns]))
            if isinstance(checked, FeedRow):
                good[row["户编号"]].append(checked)
            else:
                spoilt.add(row["户编号"])
    return {no: rows for no, rows in good.items() if no not in spoilt}, lines


async def test_planted_doubts_are_found_and_few_others(monitoring_runtime: Runtime, tmp_path: Path) -> None:
    runtime = monitoring_runtime
    generate(tmp_path, households=HOUSEHOLDS, seed=11, until=UNTIL, villages=shipped_villages())
    groups, _ = groups_of(tmp_path, runtime)
    numbers = list(groups)
    for first in range(0, len(numbers), A_MESSAGE):
        some = {no: groups[no] for no in numbers[first : first + A_MESSAGE]}
        await deliver(runtime, told(some, runtime.keys, {}))
    await assess_all(runtime)
    while await check_due(runtime):
        pass
    rows = await runtime.worker_pool.fetch(
        "SELECT household_no, check_code FROM quality_finding JOIN household USING (household_id)"
    )
    checks = quality_book().checks
    found = {(row["household_no"], checks[row["check_code"]].number) for row in rows}
    lines = (tmp_path / DOUBTS_FILE).read_text(encoding="utf-8").splitlines()
    planted = {(each["household_no"], each["check"]) for each in map(json.loads, lines)}
    planted = {each for each in planted if each[0] in groups}
    assert len(planted) > 5
    assert planted <= found
    assert len({no for no, _ in found}) < 0.3 * len(groups), sorted(found)
