"""Files of which most rows are told as columns leave the same behind as if every row had been told by itself."""

import json
from random import Random
from typing import Any

import pytest

from services.intake import read_feed
from services.intake.catalogue import layouts
from services.intake.domain.check_columns import CheckedColumns, ColumnChecker, ToldBlock
from services.intake.domain.feed_layout import ColumnType, FeedLayout
from tests.conftest import empty_tables
from tests.services.intake.build import Department, csv_text
from tests.services.intake.ordinary_rows import good_row
from tests.services.intake.test_same_in_same_out import left_behind

ROWS = 220
MESS = (
    "",
    "无",
    "2026/1/5",
    "2026-02",
    "九千",
    "1,000.00",
    "甲",
    "冀F00001",
    " 王小明",
    "\u3000",
    "A\\B",
    "-5",
    "100%",
)


def a_file(layout: FeedLayout, media_type: str, chance: Random) -> str:
    """Rows with a key of their own, one in four with something else in one cell."""
    rows = []
    for i in range(ROWS):
        row = dict(zip((c.name for c in layout.columns), good_row(layout, chance), strict=True))
        if chance.random() < 0.25:
            row[chance.choice(layout.columns).name] = chance.choice(MESS)
        row |= {name: f"K{i:05d}" for name in layout.natural_key if layout.column(name).type is ColumnType.TEXT}
        rows.append({c.header: row[c.name] for c in layout.columns})
    return csv_text(rows) if media_type == "text/csv" else "\n".join(map(json.dumps, rows))


async def outcome(department: Department, admin: Any, layout: FeedLayout, content: str, form: str) -> dict[str, Any]:
    feed = await department.send(layout.name, content, media_type=form)
    errors = await department.errors(feed["id"])
    return {**await left_behind(admin), "counts": feed["counts"], "errors": errors, "notes": feed["report"]["notes"]}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were told as columns, block by block."""
    blocks: list[int] = []
    say = ColumnChecker.say

    def counted(checker: ColumnChecker, block: ToldBlock) -> CheckedColumns:
        checked = say(checker, block)
        blocks.append(checked.clean.height)
        return checked

    monkeypatch.setattr(ColumnChecker, "say", counted)
    return blocks


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("accidents", "text/csv"),
        ("temporary_relief", "application/x-ndjson"),
        ("household_visit_general", "text/csv"),
        ("employment", "text/csv"),
        ("vehicles", "text/csv"),
    ],
)
async def test_both_ways_leave_the_same_behind(
    department: Department,
    admin: Any,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    told: list[int],
    name: str,
    form: str,
) -> None:
    layout = layouts()[name]
    content = a_file(layout, form, Random(name))
    as_columns = await outcome(department, admin, layout, content, form)
    assert sum(told) > ROWS / 10
    told.clear()
    await empty_tables(database)
    monkeypatch.setattr(read_feed, "told_in_columns", lambda _: False)
    assert await outcome(department, admin, layout, content, form) == as_columns
    assert told == []
    assert as_columns["counts"]["read"] == ROWS
    assert as_columns["errors"]
