"""Compare the national list with ours: who should be on it and is not, who is and should not be, who differs."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from services.monitoring import repository_monitored as repository
from services.monitoring.domain.national_list import NationalList, national_list
from services.monitoring.domain.policy import load_policy
from services.monitoring.list_households import FilterNotForPost
from services.monitoring.read_household import CLASS, CONTACT
from services.monitoring.schemas_register import Comparison, Difference, DifferenceCount, DivisionDifferences
from shared.db.scope import transaction
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, code_range, county_of, digits_below, level_of
from shared.web.page import next_cursor

PATH = "/monitoring/v1/monitored-list/comparison"
AGREE = "agree"
LABELS: Mapping[str, str] = {
    "should_enter": "应纳未纳",
    "should_remove": "应消未消",
    "class_differs": "类别不一致",
    "not_listed_here": "国家系统在册、本系统尚未决定",
    "unknown_here": "本系统花名册中没有",
}


async def compare_monitored_list(
    scoped: asyncpg.Connection,
    caller: Principal,
    runtime: Runtime,
    *,
    division: str,
    kind: str | None,
    after: str,
    limit: int,
) -> Comparison:
    """Counts of every kind by division below, and a page of the households (of one kind, or all that differ)."""
    if CLASS not in field_classes(caller):
        raise FilterNotForPost("名单比对需要查看监测类别的权限")
    lo, hi = code_range(division)
    told = await list_told(runtime, division)
    counted = await repository.counts(scoped, told, lo, hi, digits_below(division))
    rows = await repository.differences(scoped, told, lo, hi, [kind] if kind else list(LABELS), after, limit + 1)
    shown = rows[:limit]
    codes = {row["division"] for row in shown} | {_division(row["child"]) for row in counted}
    places = await name_places(runtime.directory_pool, codes, runtime.clock.today())
    total = _totals(counted)
    return Comparison(
        division=division,
        as_of=told.as_of,
        source=told.source,
        agree=total.get(AGREE, 0),
        counts=[
            DifferenceCount(
                kind=each, label=label, households=total.get(each, 0), query=f"{PATH}?division={division}&kind={each}"
            )
            for each, label in LABELS.items()
        ],
        by_division=_below(counted, places),
        items=[_difference(row, caller, places) for row in shown],
        next_cursor=next_cursor(rows, limit, after="household_no"),
    )


async def list_told(runtime: Runtime, division: str) -> NationalList:
    """Which list counts in a place. Asked without a scope: a village is compared by the list of its county."""
    whole = f"{county_of(division)}000000" if level_of(division) > DivisionLevel.COUNTY else division
    async with transaction(runtime.worker_pool) as connection:
        return national_list(division, *await repository.newest_lists(connection, *code_range(whole)))


def _totals(counted: list[dict[str, Any]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in counted:
        total[row["kind"]] = total.get(row["kind"], 0) + row["households"]
    return total


def _below(counted: list[dict[str, Any]], places: Mapping[str, str]) -> list[DivisionDifferences]:
    found: dict[str, dict[str, int]] = {}
    for row in counted:
        found.setdefault(_division(row["child"]), {})[row["kind"]] = row["households"]
    return [DivisionDifferences(division=code, place=places[code], counts=each) for code, each in found.items()]


def _division(prefix: str) -> str:
    return prefix.ljust(12, "0")


def _difference(row: Mapping[str, Any], caller: Principal, places: Mapping[str, str]) -> Difference:
    because, sentence = _because(row)
    return Difference(
        kind=row["kind"],
        because=because,
        sentence=sentence,
        household_no=row["household_no"],
        head_name=row["head_name"] if CONTACT in field_classes(caller) else mask_name(row["head_name"]),
        division=row["division"],
        place=places[row["division"]],
        listed_as=row["listed_as"],
        recommendation=row["recommendation"],
        national_listed_as=row["national"],
        national_identified_on=row["identified_on"],
    )


def _because(row: Mapping[str, Any]) -> tuple[str, str]:
    """Why the household is of its kind, as a code and as a sentence; what to do is for people."""
    ours, theirs, seen = (_label(row[name]) for name in ("listed_as", "national", "recommendation"))
    match row["kind"]:
        case "should_enter" if row["listed_as"] is not None:
            return "listed", f"本系统已定为{ours}，国家系统不在册，请录入"
        case "should_enter":
            return "recommended", f"评估建议为{seen}，国家系统不在册，请核实是否应纳入"
        case "should_remove" if row["listed_as"] is None and row["listed_on"] is not None:
            return "removed", f"本系统已于 {row['listed_on']} 消除，国家系统仍为{theirs}，请录入消除"
        case "should_remove":
            return "no_risk_seen", f"国家系统为{theirs}，评估未见风险，请核实是否符合消除条件"
        case "class_differs":
            return "class", f"本系统为{ours}，国家系统为{theirs}，请核对"
        case "not_listed_here":
            return "no_decision", f"国家系统为{theirs}，本系统尚无决定，请补办"
    return "unknown", f"国家系统为{theirs}，本系统花名册中没有此户，请核对户编号或补录"


def _label(code: str | None) -> str:
    return load_policy().label(code) if code is not None else "无"
