"""The columns of both halves of the compiled text, by name and kind: bigint, boolean or text."""

from collections.abc import Iterator
from functools import cache

from services.monitoring.domain.compiled_bills import shape_name
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.measure import Aggregate, Scope
from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.unit import Unit

Columns = tuple[tuple[str, str], ...]
KINDS = {Unit.FLAG: "boolean", Unit.TEXT: "text"}
BY_AGGREGATE = {Aggregate.EXISTS: "boolean", Aggregate.LATEST: "text"}


@cache
def measured_columns(package: PolicyPackage) -> Columns:
    """Of the first half, without household_id and facts_complete."""
    household = (each for each in package.measures.values() if each.scope is Scope.HOUSEHOLD)
    return (
        ("members_counted", "bigint"),
        ("members_not_counted", "bigint"),
        *((("months_monitored", "bigint"),) if package.reads_listing else ()),
        *((each.name, KINDS.get(each.type.unit, "bigint")) for each in package.member_values.values()),
        *((each.name, BY_AGGREGATE.get(each.aggregate, "bigint")) for each in household),
        *((shape_name(index), "bigint") for index in range(len(package.rule_shapes))),
    )


@cache
def decided_columns(package: PolicyPackage) -> Columns:
    """Of the answer, without household_id."""
    return tuple(_decided(package))


def mask_columns(mask: str, entries: int) -> tuple[str, ...]:
    """The words of a mask over so many entries; there is always a first."""
    return tuple(f"{mask}_{word}" if word else mask for word in range(max(-(-entries // MASK_BITS), 1)))


def _decided(package: PolicyPackage) -> Iterator[tuple[str, str]]:
    yield from (("class_code", "text"), ("class_code_without_exclusions", "text"))
    yield from (("blocked", "boolean"), ("sudden", "boolean"), ("severity", "bigint"), ("score", "bigint"))
    for mask, entries in masks(package).items():
        yield from ((name, "bigint") for name in mask_columns(mask, entries))
    yield from ((name, "bigint") for name in ("members_counted", "net_income_fen", "reference_income_fen"))
    yield from (("forward_income_basis", "bigint"), ("rigid_outlay_fen", "bigint"))
    for name in dict.fromkeys(each.measured for each in package.indicators.values() if each.measured):
        yield f"measured_{name}", KINDS.get(package.types[name].unit, "bigint")
    for each in package.indicators.values():
        if each.rules:
            yield from ((f"measured_{each.name}", "bigint"), (f"threshold_{each.name}", "bigint"))
        if each.varies_in_threshold:
            yield f"choice_{each.name}", "bigint"
        if each.varies_in_severity:
            yield f"severity_{each.name}", "bigint"
    for name in dict.fromkeys(value for each in package.notes for value in each.numbers.values()):
        yield f"noted_{name}", KINDS.get(package.types[name].unit, "bigint")


def masks(package: PolicyPackage) -> dict[str, int]:
    """Every mask of the answer with how many entries it has."""
    return {
        "fired": len(package.indicators),
        "unknown": len(package.indicators),
        "exclusions_fired": len(package.exclusions),
        "exclusions_unknown": len(package.exclusions),
        "exclusions_exempt": len(package.exclusions),
        "causes": 0,
        "flags": len(package.flags),
        "quality": len(package.quality_flags),
        "civil": len(package.civil_affairs),
        "removal": len(package.removal_blockers),
    }
