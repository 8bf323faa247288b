"""The same rows, shuffled, repeated and split into files as chance will have it, leave the same records and facts."""

import itertools
import json
import random
from typing import Any

import pytest

from tests.conftest import empty_tables
from tests.services.intake.build import Department, csv_text, medical_row

ROWS = 240


async def left_behind(admin: Any) -> dict[str, Any]:
    """The records with their digests, and what monitoring was told, each thing as often as it was said."""
    records = await admin.fetch("SELECT record, digest, ended_on FROM intake.feed_record ORDER BY record")
    payloads = await admin.fetch("SELECT payload FROM intake.outbox")
    said = sorted(json.dumps(o, sort_keys=True) for row in payloads for o in row["payload"]["observations"])
    return {"records": [tuple(row) for row in records], "said": said}


def as_chance_has_it(rows: list[dict[str, str]], chance: random.Random) -> list[str]:
    """Files that hold every row at least once, in any order, some of them again and again."""
    repeated = [*rows, *chance.choices(rows, k=chance.randrange(len(rows)))]
    chance.shuffle(repeated)
    edges = sorted({0, len(repeated), *(chance.randrange(1, len(repeated)) for _ in range(chance.randrange(5)))})
    return [csv_text(repeated[start:end]) for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("seed", range(6))
async def test_shuffled_repeated_and_split_the_same_rows_say_the_same(
    department: Department, admin: Any, database: str, seed: int
) -> None:
    chance = random.Random(seed)
    # Some ordinary, some that only RowChecker can read, some with a warning.
    rows = [
        medical_row(i, **chance.choice([{}, {}, {"结算日期": "2026/1/5"}, {"姓名": " 王小明"}, {"合规自付": "299"}]))
        for i in range(ROWS)
    ]
    await department.send("medical_settlement", csv_text(rows))
    expected = await left_behind(admin)
    await empty_tables(database)
    for file in as_chance_has_it(rows, chance):
        feed = await department.send("medical_settlement", file)
        assert feed["status"] == "recorded"
    assert len(expected["records"]) == ROWS
    assert await left_behind(admin) == expected
