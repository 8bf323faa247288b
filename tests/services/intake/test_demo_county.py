"""The demo county's files: exactly the mistakes planted in them are found, on their lines."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from demo_county.generate import MISTAKES_FILE, generate
from services.places import shipped_villages
from tests.services.intake.build import Department

UNTIL = date(2026, 3, 15)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    generate(folder, households=400, seed=7, until=UNTIL, villages=shipped_villages())
    return folder


def planted(folder: Path) -> dict[str, set[int]]:
    """Lines to be refused by file; of two that contradict each other, both."""
    found: dict[str, set[int]] = {}
    for line in (folder / MISTAKES_FILE).read_text(encoding="utf-8").splitlines():
        mistake = json.loads(line)
        if mistake["rejected"]:
            lines = found.setdefault(mistake["file"], set())
            lines.add(mistake["line"])
            if mistake.get("conflicts_with_line"):
                lines.add(mistake["conflicts_with_line"])
    return found


async def test_the_planted_mistakes_are_found(county: Path, department: Department, admin: Any) -> None:
    expected = planted(county)
    layouts = {"household_register.csv": "household_register", "disability_register.csv": "disability_register"}
    for path in sorted(county / name for name in layouts) + sorted(county.glob("medical_*.csv"))[-3:]:
        feed = await department.send(layouts.get(path.name, "medical_settlement"), path.read_bytes())
        assert feed["status"] == "recorded", feed["problem"]
        rows = await admin.fetch(
            "SELECT DISTINCT line FROM intake.feed_row_error WHERE feed_id = $1 AND level = 'error'"
            " AND code <> 'household_without_head'",
            feed["id"],
        )
        assert {row["line"] for row in rows} == expected.get(path.name, set()), path.name
