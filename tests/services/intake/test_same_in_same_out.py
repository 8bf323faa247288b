"""The same rows, shuffled, repeated and split into files as chance will have it, leave the same records and facts."""

import asyncio
import itertools
import json
import random
from typing import Any

import pytest

from tests.conftest import empty_tables
from tests.services.intake.build import Department, csv_text, disability_row, medical_row

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


async def test_an_earlier_file_after_another_says_how_things_stand_now(department: Department, said: Any) -> None:
    first = csv_text([medical_row(0), medical_row(1)])
    other = csv_text([medical_row(0, 医疗总费用="1000.01", 其他支付="0.01")])
    a, b, again = [await department.send("medical_settlement", content) for content in (first, other, first)]
    assert len({a["id"], b["id"], again["id"]}) == 3
    assert (again["counts"]["changed"], again["counts"]["unchanged"]) == (1, 1)
    assert len(await said()) == 3
    once_more = await department.post("medical_settlement", first)
    assert once_more.json() == {"id": again["id"], "status": "received", "repeated": True}


async def test_a_list_sent_again_after_another_of_its_day_is_the_list(department: Department, admin: Any) -> None:
    five, four = (csv_text(map(disability_row, range(n))) for n in (5, 4))
    for content in (five, four, five):
        feed = await department.send("disability_register", content, period="2026-02")
    assert (feed["status"], feed["counts"]["changed"]) == ("recorded", 1)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_record WHERE ended_on IS NULL") == 5


async def test_what_was_only_checked_or_refused_came_not_between(department: Department) -> None:
    content, other = csv_text([medical_row(0)]), csv_text([medical_row(1)])
    first = await department.send("medical_settlement", content)
    await department.send("medical_settlement", other, mode="dry_run")
    await department.send("medical_settlement", "医疗\r\n1\r\n")
    again = await department.post("medical_settlement", content)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


async def test_the_same_file_of_the_same_place_twice_at_once_is_one(department: Department, admin: Any) -> None:
    content = csv_text([medical_row(0)])
    await department.send("medical_settlement", content)
    await department.send("medical_settlement", csv_text([medical_row(1)]))
    answers = await asyncio.gather(*(department.post("medical_settlement", content) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 3
