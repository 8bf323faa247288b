"""Score practices against the truth, from the written files alone: visits made, and people found."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from demo_county.calibration import load_calibration
from demo_county.departments import DISABILITY_FILE, MEDICAL_FILES, ROSTER_FILE
from demo_county.generate import MISTAKES_FILE, TRUTH_FILE
from demo_county.manifest import read_manifest
from shared.vocabulary.identity_number import parse_identity_number

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """A practice: households visited, those found in need, all in need that the truth knows, all there are."""

    warned: int
    confirmed: int
    in_need: int
    households: int

    @property
    def share(self) -> float:
        """Which part of all households is visited."""
        return self.warned / self.households if self.households else 0.0

    @property
    def precision(self) -> float:
        return self.confirmed / self.warned if self.warned else 0.0

    @property
    def recall(self) -> float:
        return self.confirmed / self.in_need if self.in_need else 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """A policy's year: in a county that has watched before, and in one that begins with nothing dealt with."""

    running: Figures
    from_cold: Figures


@dataclass(frozen=True, slots=True)
class Need:
    """The months (YYYY-MM) of a household's need, both included; no `to_month`: it lasts."""

    from_month: str
    to_month: str | None

    def is_felt(self, day: date) -> bool:
        month = day.isoformat()[:7]
        return self.from_month <= month and (self.to_month is None or month <= self.to_month)


@dataclass(frozen=True, slots=True)
class Registered:
    """What the register says of a household."""

    is_formerly_poor: bool
    has_uninsured: bool
    lives_unsafely: bool


class Files:
    """A generated folder as a careful reader sees it: refused rows left out, odd writing put right."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        manifest = read_manifest(folder)
        self.until, self.size = manifest.until, manifest.households
        self._refused = {(m["file"], m["line"]) for m in _lines(folder / MISTAKES_FILE) if m["rejected"]}
        self.needs = dict(_needs(folder))
        self.in_need = frozenset(self.needs)
        self.household_of: dict[str, str] = {}
        self.households: dict[str, Registered] = {}
        self._read_register()

    def medical_costs(self) -> dict[str, Decimal]:
        """Self-paid yuan by household over the twelve monthly files."""
        costs: dict[str, Decimal] = {}
        for path in sorted(self._folder.glob(MEDICAL_FILES)):
            for row in self.rows(path):
                household = self.household_of.get(self.number(row))
                if household is not None:
                    paid = _money(row["合规自付"]) + _money(row["目录外自付"])
                    costs[household] = costs.get(household, Decimal(0)) + paid
        return costs

    def newly_disabled(self) -> set[str]:
        """Households with a certificate issued within the last 365 days."""
        since = self.until - timedelta(days=365)
        rows = self.rows(self._folder / DISABILITY_FILE)
        new = (self.number(r) for r in rows if date.fromisoformat(r["发证日期"]) > since)
        return {self.household_of[number] for number in new if number in self.household_of}

    def _read_register(self) -> None:
        for row in self.rows(self._folder / ROSTER_FILE):
            number = row["户编号"]
            self.household_of[self.number(row)] = number
            before = self.households.get(number)
            uninsured = row["参加居民医保"] == row["参加职工医保"] == "否"
            unsafe = "C" in (grades := row["住房等级"] + row["实际居住房屋等级"]) or "D" in grades
            is_poor = row["户类型"] == "脱贫户"
            already = before is not None and before.has_uninsured
            self.households[number] = Registered(is_poor, already or uninsured, unsafe)

    def rows(self, path: Path) -> Iterator[Row]:
        """The accepted rows of a sheet."""
        with path.open(encoding=_encoding(path), newline="") as file:
            reader = csv.DictReader(file)
            for line, row in enumerate(reader, start=2):
                if (path.name, line) not in self._refused:
                    yield row

    def number(self, row: Row) -> str:
        """The identity number a row names."""
        return parse_identity_number(row["证件号码"], self.until).number


def single_threshold_practice(folder: Path) -> Figures:
    """One visit to each household outside the register whose self-paid medical cost exceeds the threshold."""
    files = Files(folder)
    return figures_of(files, _over_threshold(files))


def any_signal_practice(folder: Path) -> Figures:
    """One visit on any department's signal: that cost, new certificate, uninsured member, unsafe house."""
    files = Files(folder)
    listed = {n for n, h in files.households.items() if h.has_uninsured or h.lives_unsafely}
    return figures_of(files, listed | _over_threshold(files) | files.newly_disabled())


def _over_threshold(files: Files) -> set[str]:
    threshold = Decimal(str(load_calibration().number("reports.visit_threshold")))
    costs = files.medical_costs()
    return {n for n, c in costs.items() if c > threshold and not files.households[n].is_formerly_poor}


def figures_of(files: Files, warned: set[str]) -> Figures:
    """The figures of a practice that visits these households."""
    return Figures(len(warned), len(warned & files.in_need), len(files.in_need), files.size)


def _needs(folder: Path) -> Iterator[tuple[str, Need]]:
    for truth in _lines(folder / TRUTH_FILE):
        if truth["needs_help"]:
            yield truth["household_no"], Need(truth["from_month"], truth["to_month"])


def _money(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _encoding(path: Path) -> str:
    """UTF-8 if the whole file is, else GB18030."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for _ in file:
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
