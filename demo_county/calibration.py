"""The calibration: dated numbers the county is drawn from, each with its source."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("calibration.toml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One number or list of numbers; `verified` means it was read in the public text named as source."""

    value: float | tuple[float, ...]
    unit: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """All entries by "section.name", as of a day."""

    as_of: date
    entries: Mapping[str, Entry]

    def number(self, name: str) -> float:
        """The single number called `name`; a KeyError or TypeError is a mistake in the file or the caller."""
        value = self.entries[name].value
        if isinstance(value, tuple):
            raise TypeError(f"{name} is a list, expected one number")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        """The list of numbers called `name`."""
        value = self.entries[name].value
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is one number, expected a list")
        return value


@cache
def load_calibration(file: Path = FILE) -> Calibration:
    """The calibration in `file`; an entry without value, source or verified is refused by name."""
    tree = tomllib.loads(file.read_text("utf-8"))
    as_of = tree.pop("as_of")
    entries = {f"{s}.{n}": _entry(f"{s}.{n}", raw) for s, part in tree.items() for n, raw in part.items()}
    return Calibration(as_of, entries)


def _entry(name: str, raw: Mapping[str, object]) -> Entry:
    missing = {"value", "unit", "source", "verified"} - raw.keys()
    if missing:
        raise ValueError(f"calibration entry {name} lacks {', '.join(sorted(missing))}")
    value = raw["value"]
    numbers = tuple(float(v) for v in value) if isinstance(value, list) else float(str(value))
    return Entry(numbers, str(raw["unit"]), str(raw["source"]), raw["verified"] is True)
