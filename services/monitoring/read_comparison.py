"""Read a what-if: its figures, each with the query of its list, and the lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import asyncpg

from services.monitoring import repository_comparisons as repository
from services.monitoring.domain.compared_policies import names_in_words
from services.monitoring.domain.judgement import MASK_BITS, severity_of_rank
from services.monitoring.policy_in_force import shipped_packages
from services.monitoring.publish_policy import loads_of
from services.monitoring.schemas_policies import (
    ComparedHousehold,
    ComparisonResult,
    ComparisonView,
    DivisionView,
    FigureView,
    LoadView,
    OverlapView,
    SidesView,
    SideView,
)
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.masking import mask_name
from shared.vocabulary.division import code_range, level_of
from shared.vocabulary.terms import Cause, Severity
from shared.web.page import Page, next_cursor

NONE = "none"
SIDES = ("before", "after", "entered", "left")


async def view_comparison(comparison: Mapping[str, Any], runtime: Runtime, today: date) -> ComparisonView:
    """How far it got; the figures once it is finished."""
    finished = comparison["result"] is not None
    shown = {name: comparison[name] for name in ComparisonView.model_fields if name not in {"on", "result", "done"}}
    return ComparisonView(
        **shown,
        on=comparison["on_date"],
        done=comparison["households"] if finished else comparison["done"],
        result=await _result(comparison, runtime, today) if finished else None,
    )


async def _result(comparison: Mapping[str, Any], runtime: Runtime, today: date) -> ComparisonResult:
    result = comparison["result"]
    queries = _Queries(f"/monitoring/v1/policies/{comparison['version']}/comparisons/{comparison['comparison_id']}")
    places = await name_places(runtime.directory_pool, result["by_division"], today)
    return ComparisonResult(
        by_class=_sides("class", result["by_class"], _class_label, queries),
        by_severity=_severities(result["by_severity"], queries),
        by_cause=_sides("cause", result["by_cause"], lambda key: Cause(key).zh, queries),
        by_indicator=_sides("indicator", result["by_indicator"], _label, queries),
        overlap=[_overlap(each, queries) for each in result["overlap"]],
        by_division=[
            _division(code, figures, places[code], result["visit_minutes"], queries)
            for code, figures in result["by_division"].items()
        ],
        load=[LoadView(**load.as_data(), above=load.is_above) for load in loads_of(comparison, runtime)],
        visit_minutes=result["visit_minutes"],
        # Of before visits were timed there is no such number.
        timed_visits=result.get("timed_visits", 0),
    )


@dataclass(frozen=True, slots=True)
class _Queries:
    """Gives every number the query of its list."""

    base: str

    def figure(self, households: int, **filters: Any) -> FigureView:
        return FigureView(households=households, query=f"{self.base}/households?{urlencode(filters, doseq=True)}")


def _class_label(code: str) -> str:
    """The Chinese name of a class of whichever regime."""
    return next((label for each in shipped_packages() if (label := each.label(code)) != code), code)


def _label(indicator: str) -> str:
    found = (each.indicators.get(indicator) for each in shipped_packages())
    return next((each.label_zh for each in found if each), indicator)


def _sides(
    kind: str, found: Mapping[str, Mapping[str, int]], label: Callable[[str], str], queries: _Queries
) -> list[SidesView]:
    return [
        SidesView(
            key=key,
            label=label(key),
            **{side: queries.figure(figures[side], **{kind: key, "side": side}) for side in SIDES},
        )
        for key, figures in found.items()
    ]


def _severities(rows: Sequence[Sequence[Any]], queries: _Queries) -> list[SidesView]:
    """Counts by severity before and after (ranks), most urgent first."""
    found: dict[str, dict[str, int]] = {each.value: dict.fromkeys(SIDES, 0) for each in Severity}
    for before, after, number in rows:
        was, now = severity_of_rank(before), severity_of_rank(after)
        for severity, side, moved in ((was, "before", "left"), (now, "after", "entered")):
            if severity is not None:
                found[severity.value][side] += number
                found[severity.value][moved] += number * (was is not now)
    return _sides("severity", found, lambda key: Severity(key).zh, queries)


def _overlap(each: Mapping[str, Any], queries: _Queries) -> OverlapView:
    pair = each["indicators"]
    return OverlapView(
        indicators=pair,
        labels=[_label(name) for name in pair],
        before=queries.figure(each["before"], indicator=pair, side="before"),
        after=queries.figure(each["after"], indicator=pair, side="after"),
    )


def _division(code: str, figures: Mapping[str, int], place: str, minutes: int, queries: _Queries) -> DivisionView:
    moved = {name: number for name, number in figures.items() if name != "households"}
    all_of_them = f"/monitoring/v1/households?{urlencode({'division': code})}"
    before, after = figures["visits_before"] * minutes, figures["visits_after"] * minutes
    return DivisionView(
        division=code,
        place=place,
        level=level_of(code).name.lower(),
        households=FigureView(households=figures["households"], query=all_of_them),
        **{name: queries.figure(number, figure=name, division=code) for name, number in moved.items()},
        minutes_before=before,
        minutes_after=after,
        hours_before=round(before / 60, 1),
        hours_after=round(after / 60, 1),
    )


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which households of a comparison: a figure of a division, or a kind of finding on a side of it."""

    division: str | None = None
    figure: str | None = None
    class_: str | None = None
    severity: str | None = None
    cause: str | None = None
    indicators: tuple[str, ...] = ()
    side: str = "after"


FIGURES = {
    "listed_before": "c.class_before IS NOT NULL",
    "listed_after": "c.class_after IS NOT NULL",
    "entered": "c.class_before IS NULL AND c.class_after IS NOT NULL",
    "left": "c.class_before IS NOT NULL AND c.class_after IS NULL",
    "changed": "c.class_before <> c.class_after",
    "visits_before": "c.visit_before",
    "visits_after": "c.visit_after",
    "visits_new": "c.visit_after AND NOT c.visit_before",
    "visits_spared": "c.visit_before AND NOT c.visit_after",
}


async def list_compared(
    connection: asyncpg.Connection,
    comparison: Mapping[str, Any],
    wanted: ListFilter,
    runtime: Runtime,
    *,
    after: int,
    limit: int,
) -> Page[ComparedHousehold]:
    """The households behind a number, with what either policy says of each; names masked."""
    conditions, binds = _conditions(wanted, comparison["result"] or {})
    rows = await repository.compared_households(
        connection, comparison["comparison_id"], conditions, binds, after=after, limit=limit + 1
    )
    places = await name_places(runtime.directory_pool, (r["living_division"] for r in rows), runtime.clock.today())
    more = next_cursor(rows, limit, after="household_id")
    return Page(items=[_household(row, comparison["result"] or {}, places) for row in rows[:limit]], next_cursor=more)


def _conditions(wanted: ListFilter, result: Mapping[str, Any]) -> tuple[list[str], list[object]]:
    conditions, binds = [], list[object]()

    def bind(value: object) -> str:
        binds.append(value)
        return f"${3 + len(binds)}"

    if wanted.division is not None:
        lo, hi = code_range(wanted.division)
        conditions.append(f"c.living_division >= {bind(lo)} AND c.living_division < {bind(hi)}")
    if wanted.figure is not None:
        conditions.append(f"({FIGURES[wanted.figure]})")
    conditions += _on_side(wanted.side, lambda side: _said(wanted, side, result, bind))
    return conditions, binds


def _said(wanted: ListFilter, side: str, result: Mapping[str, Any], bind: Callable[[object], str]) -> str:
    """What one side must have said; empty if nothing in particular."""
    said = []
    if wanted.class_ is not None:
        value = None if wanted.class_ == NONE else wanted.class_
        said.append(f"c.class_{side} IS NOT DISTINCT FROM {bind(value)}::text")
    if wanted.severity is not None:
        rank = None if wanted.severity == NONE else Severity(wanted.severity).rank
        said.append(f"c.severity_{side} IS NOT DISTINCT FROM {bind(rank)}::smallint")
    if wanted.cause is not None:
        said.append(f"c.causes_{side} >> {bind(list(Cause).index(Cause(wanted.cause)))}::integer & 1 = 1")
    names: list[str] = result.get(f"indicators_{side}", [])
    for each in wanted.indicators:
        index = names.index(each) if each in names else None
        said.append(
            "false" if index is None else f"c.fired_{side}[{index // MASK_BITS + 1}] >> {index % MASK_BITS} & 1 = 1"
        )
    return " AND ".join(said)


def _on_side(side: str, said: Callable[[str], str]) -> list[str]:
    """Only what is asked of is written, for a bind that no condition reads is an error."""
    if side in {"before", "after"}:
        return [f"({found})"] if (found := said(side)) else []
    was, is_now = said("before"), said("after")
    if not was:
        return []
    return [f"({is_now}) AND NOT ({was})" if side == "entered" else f"({was}) AND NOT ({is_now})"]


def _household(row: Mapping[str, Any], result: Mapping[str, Any], places: Mapping[str, str]) -> ComparedHousehold:
    return ComparedHousehold(
        household_no=row["household_no"],
        living_division=row["living_division"],
        living_place=places[row["living_division"]],
        head_name=mask_name(row["head_name"]),
        listed_as=row["listed_as"],
        before=_side(row, "before", result),
        after=_side(row, "after", result),
    )


def _side(row: Mapping[str, Any], side: str, result: Mapping[str, Any]) -> SideView:
    return SideView(
        recommendation=row[f"class_{side}"],
        severity=severity_of_rank(row[f"severity_{side}"]),
        causes=[each.value for index, each in enumerate(Cause) if row[f"causes_{side}"] >> index & 1],
        fired=names_in_words(result.get(f"indicators_{side}", []), row[f"fired_{side}"]),
        visit=row[f"visit_{side}"],
    )
