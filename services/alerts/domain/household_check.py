"""What a visitor saw of the two worries and three guarantees (两不愁三保障) and of drinking water."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.vocabulary.terms import Term


class Need(Term):
    """What no household may lack (两不愁：吃、穿；三保障：教育、医疗、住房；另加饮水)."""

    FOOD = "food", "吃饭"
    CLOTHING = "clothing", "穿衣"
    EDUCATION = "education", "义务教育"
    MEDICAL = "medical", "基本医疗"
    HOUSING = "housing", "住房安全"
    WATER = "water", "饮水安全"


class Seen(Term):
    """How a need was found; `not_seen` claims nothing."""

    FINE = "fine", "有保障"
    LACKING = "lacking", "有问题"
    NOT_SEEN = "not_seen", "没看到"


MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One need as it was found, in a line of the visitor's own."""

    need: Need
    seen: Seen
    note: str | None = None


def lacking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What the household lacks."""
    return tuple(finding for finding in findings if finding.seen is Seen.LACKING)


def said(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that say something; all the others are left out of what is kept."""
    return tuple(finding for finding in findings if finding.seen is not Seen.NOT_SEEN or finding.note)


def as_json(findings: Iterable[Finding]) -> dict[str, dict[str, str | None]] | None:
    """The findings by need, as they are kept; None if nothing was looked at."""
    kept = {f.need.value: {"seen": f.seen.value, "note": f.note} for f in said(findings)}
    return kept or None


def read_findings(kept: dict[str, dict[str, str | None]] | None) -> tuple[Finding, ...]:
    """The findings as they were kept, in the order of the needs."""
    known = kept or {}
    return tuple(
        Finding(need, Seen(str(known[need.value]["seen"])), known[need.value]["note"])
        for need in Need
        if need.value in known
    )
