"""The lists that come with the program: the country down to townships, and one county's villages."""

import csv
import gzip
import io
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from shared.regions.region import Region
from shared.vocabulary.division import parse_division

STATISTICAL_LIST: Final = "nbs-2023"
_DATA = files("shared.regions") / "data"


def shipped_regions() -> Iterator[Region]:
    """Every shipped region, each list in the order of its codes; about 45,000, no (code, day) twice."""
    for row in _rows("divisions.csv.gz"):
        yield _region(row)
    for name in ("townships.csv.gz", "villages_130624.csv.gz"):
        for row in _rows(name):
            yield _region(row)


@cache
def list_dates() -> dict[str, date]:
    """The day each shipped list describes, by its name."""
    listed = tomllib.loads((_DATA / "SOURCES.toml").read_text("utf-8"))
    return {name: source["state"] for name, source in listed.items()}


def _region(row: dict[str, str]) -> Region:
    source = row.get("source") or STATISTICAL_LIST
    return Region(
        code=parse_division(row["code"]),
        name=row["name"],
        valid_from=list_dates()[source],
        source=source,
        valid_to=date.fromisoformat(row["valid_to"]) if row.get("valid_to") else None,
        successor=parse_division(row["successor"]) if row.get("successor") else None,
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = gzip.decompress((_DATA / name).read_bytes()).decode("utf-8")
    return csv.DictReader(io.StringIO(text))
