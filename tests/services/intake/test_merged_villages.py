"""A village that was merged since: its old code means the village that took it over, if the directory knows which."""

from datetime import date
from typing import Any

import pytest

from services.intake.domain.feed_row import successors
from tests.services.intake.build import VILLAGE, Department, csv_text, register_row

MERGED, LOST, OLDER = "130624100901", "130624100902", "130624100903"


@pytest.fixture
async def merged(admin: Any) -> Any:
    """Three villages that are no more: one has become today's village, one that one, of one nobody knows."""
    for code, successor in ((MERGED, VILLAGE), (OLDER, MERGED), (LOST, None)):
        await admin.execute(
            "INSERT INTO directory.region (code, valid_from, name, level, parent, valid_to, successor, source)"
            " VALUES ($1, $2, '示例村', 5, left($1, 9) || '000', $3, $4, 'test')",
            code,
            date(2020, 1, 1),
            date(2025, 7, 1),
            successor,
        )
    yield
    await admin.execute("DELETE FROM directory.region WHERE source = 'test'")


@pytest.mark.parametrize("code", [MERGED, OLDER])
async def test_an_old_code_is_taken_as_the_new_one_and_noted(
    code: str, merged: None, department: Department, said: Any
) -> None:
    feed = await department.send("household_register", csv_text([register_row(1, 行政区划代码=code)]))
    assert (feed["status"], feed["counts"]["rejected"]) == ("recorded", 0)
    notes = {(note["column"], note["code"]) for note in feed["report"]["notes"]}
    assert ("行政区划代码", "division_succeeded") in notes
    assert (await said())[0][1]["households"][0]["division"] == VILLAGE


async def test_without_a_known_successor_it_is_refused(merged: None, department: Department) -> None:
    feed = await department.send("household_register", csv_text([register_row(1, 行政区划代码=LOST)]))
    assert "division_unknown" in {error["code"] for error in await department.errors(feed["id"])}


def test_a_chain_ends_in_force_or_nowhere() -> None:
    assert successors({"a": "b", "b": "c", "x": "y", "p": "q", "q": "p"}, {"c"}) == {"a": "c", "b": "c"}
