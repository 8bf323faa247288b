"""A small county for these tests: made-up villages, and a reader of its files that shares no code with it."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

VILLAGES = [
    (f"130624{township}{number}", f"示范{township}{number}村")
    for township in ("100", "101", "203")
    for number in range(201, 209)
]
UNTIL = date(2026, 11, 22)
SEED = 7

Row = dict[str, str]


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line number (header is 1) and cells of each row."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")
    reader = csv.reader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",")
    header = next(reader)
    for line, cells in enumerate(reader, start=2):
        assert len(cells) == len(header)
        yield line, dict(zip(header, cells, strict=True))


def records(path: Path) -> list[dict[str, Any]]:
    """The objects of an NDJSON file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
