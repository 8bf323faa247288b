"""A medical feed (医保结算) as a department sends it: people, days, amounts, kinds; three rows in a hundred bad."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from services.intake.catalogue import layout_named
from tests.services.intake.build import number

LAYOUT = "medical_settlement"
BAD_OF_100, UNMATCHED_OF_100 = 3, 2
ROWS_A_PERSON = 4
OWN_CODE = "personal_no"  # The office's own number of a person, which this office does not send.
NAMES = ("王小明", "李秀英", "张建国", "刘玉兰", "陈志强", "阿依古丽·买买提")
VISITS = ("住院", "门诊", "门诊慢特病", "门特")
NEWEST = date(2026, 1, 31)


def people_of(size: int) -> int:
    """How many people monitoring knows."""
    return max(size // ROWS_A_PERSON, 1)


def good_row(luck: random.Random, i: int, size: int) -> list[str]:
    """The i-th settlement; its parts add up."""
    person = luck.randrange(people_of(size))
    if luck.randrange(100) < UNMATCHED_OF_100:
        person += people_of(size)
    paid = [luck.randrange(0, 500_000), luck.choice((0, 0, 5_000)), luck.choice((0, 0, 0, 20_000)), 0]
    own = [luck.randrange(0, 200_000), luck.randrange(0, 50_000)]
    amounts = [sum(paid) + sum(own), *paid, *own]
    visit = luck.choice(VISITS)
    day = NEWEST - timedelta(days=luck.randrange(365))
    return [
        f"JS{luck.randrange(40):02d}{i:09d}",
        number(person),
        name_of(person) if luck.randrange(100) else luck.choice(NAMES),
        day.isoformat(),
        visit,
        f"ZY{i:08d}" if visit == "住院" else "",
        *(f"{fen // 100}.{fen % 100:02d}" for fen in amounts),
    ]


def name_of(person: int) -> str:
    """The name by which the register knows a person; one row in a hundred says another."""
    return NAMES[person % len(NAMES)]


def spoiled(row: list[str], luck: random.Random) -> list[str]:
    """The row with one mistake in it."""
    match luck.randrange(6):
        case 0:
            row[1] = row[1][:16] + ("1" if row[1][16] != "1" else "2") + row[1][17]
        case 1:
            row[3] = "2026-02-30"
        case 2:
            row[6] = "一千元"
        case 3:
            row[4] = "体检"
        case 4:
            row[11] = "9999999.00"
        case _:
            row[0] = ""
    return row


def write_file(path: Path, size: int, seed: int) -> tuple[list[list[str]], int]:
    """Write the feed; its good rows, and how many are bad."""
    luck = random.Random(seed)
    good: list[list[str]] = []
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(c.header for c in layout_named(LAYOUT).columns if c.name != OWN_CODE) + "\r\n")
        for i in range(size):
            row = good_row(luck, i, size)
            if luck.randrange(100) < BAD_OF_100:
                row = spoiled(row, luck)
            else:
                good.append(row)
            file.write(",".join(row) + "\r\n")
    return good, size - len(good)


def typed(rows: list[list[str]]) -> Iterator[tuple[str | int | date | None, ...]]:
    """The rows as a table of them would hold them: days as days, amounts in fen."""
    for row in rows:
        amounts = (int(text.replace(".", "")) for text in row[6:])
        yield (*row[:3], date.fromisoformat(row[3]), row[4], row[5] or None, *amounts)
