"""Summarise the households of a division as figures, each with the query that lists what it counts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring.domain.judgement import severity_of_rank
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.read_household import CLASS
from services.monitoring.schemas import DashboardSummary, Figure, IndicatorPrecision, PrecisionView
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.division import DIGITS, DivisionLevel, code_range, level_of
from shared.vocabulary.terms import Outcome

LISTS = "/monitoring/v1/households"

# GROUPING() gives a bit for each dimension that a row does not split by, the first column the highest bit.
_SPLIT_BY = {
    0b01111: "recommendation",
    0b10111: "listed_as",
    0b11011: "severity",
    0b11101: "last_outcome",
    0b11110: "child",
    0b11111: "total",
}


async def summarise(
    connection: asyncpg.Connection, division: str, caller: Principal, package: PolicyPackage, runtime: Runtime
) -> DashboardSummary:
    """Count the households living in `division` that the caller may list."""
    lo, hi = code_range(division)
    rows = await repository.counts(connection, lo, hi, _digits_below(division))
    children = (_whole(row["child"]) for row in rows if row["child"] is not None)
    places = await name_places(runtime.directory_pool, children, runtime.clock.today())
    figures: dict[str, list[Figure]] = {name: [] for name in _SPLIT_BY.values()}
    for row in rows:
        split = _SPLIT_BY[row["dimension"]]
        figures[split].append(_figure(split, row, division, package, places))
    [assessed] = [row["assessed"] for row in rows if _SPLIT_BY[row["dimension"]] == "total"]
    sees_class = CLASS in field_classes(caller)
    return DashboardSummary(
        division=division,
        total=figures["total"][0],
        assessed=assessed,
        by_recommendation=figures["recommendation"] if sees_class else None,
        by_listed_as=figures["listed_as"] if sees_class else None,
        by_severity=figures["severity"],
        by_last_outcome=figures["last_outcome"],
        by_division=figures["child"],
        generated_at=runtime.clock.now(),
    )


async def measure_precision(connection: asyncpg.Connection, package: PolicyPackage) -> PrecisionView:
    """How often each indicator's warnings led to identification, by the answers in the caller's range."""
    labels = {name: each.label_zh for name, each in package.indicators.items()}
    rows = await repository.precision(connection)
    return PrecisionView(
        indicators=[IndicatorPrecision(**row, label=labels.get(row["indicator"], row["indicator"])) for row in rows]
    )


def _figure(
    split: str, row: Mapping[str, Any], division: str, package: PolicyPackage, places: Mapping[str, str]
) -> Figure:
    """One count; everything counted passes here, so that what must be suppressed can be."""
    if split == "total":
        return Figure(key=None, label="合计", households=row["households"], query=_query(division, {}))
    if split == "child":
        child = _whole(row["child"])
        return Figure(key=child, label=places[child], households=row["households"], query=_query(child, {}))
    key = row[split] if split != "severity" else severity_of_rank(row[split])
    return Figure(
        key=key,
        label=_label(split, key, package),
        households=row["households"],
        query=_query(division, {split: key or repository.NONE}),
    )


def _label(split: str, key: str | None, package: PolicyPackage) -> str:
    if key is None:
        return "无"
    if split == "last_outcome":
        return Outcome(key).zh
    severity = getattr(key, "zh", None)
    return severity if severity is not None else package.label(key)


def _whole(digits: str) -> str:
    """The 12-digit code of a division named by its first digits."""
    return digits.ljust(12, "0")


def _query(division: str, filters: Mapping[str, str]) -> str:
    return f"{LISTS}?{urlencode({'division': division, **filters})}"


def _digits_below(division: str) -> int:
    """How many digits name a child of a division; a village's households have no smaller place."""
    level = level_of(division)
    return DIGITS[DivisionLevel(min(level + 1, DivisionLevel.VILLAGE))]
