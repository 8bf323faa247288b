"""When a warning opens (预警): visits are scarce, so other changes are only told, with the reason why no more."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from shared.vocabulary.terms import Outcome, Severity

Reason = Literal["recommendation", "finding", "hardship_report"]

# What is worse by a tenth of the line is news, though the kind of evidence is the same. What is better is none.
WORSENING_TENTHS = 1

ALREADY_LISTED = "已按建议类别纳入监测"
WEAK_FINDING = "仅有黄色、蓝色指标，列入走访清单"
NO_RISK_LEFT = "目前没有风险指标"
# Stands beside the risk that was told of a household when it lived, or was registered, elsewhere.
MOVED = "moved"
VERIFIED = "已核实为“{}”，此后没有新的依据"


@dataclass(frozen=True, slots=True)
class FiredIndicator:
    """An indicator that fired, with the amounts it rests on as decimal strings."""

    indicator: str
    severity: Severity | None = None
    measured: str | None = None
    threshold: str | None = None

    @property
    def calls_for_visit(self) -> bool:
        """Red and orange findings open a warning of their own."""
        return self.severity in {Severity.RED, Severity.ORANGE}

    def as_json(self) -> dict[str, Any]:
        return {
            "indicator": self.indicator,
            "severity": self.severity,
            "measured": self.measured,
            "threshold": self.threshold,
        }


@dataclass(frozen=True, slots=True)
class Risk:
    """What an assessment says that people act on."""

    recommendation: str | None = None
    severity: Severity | None = None
    fired: tuple[FiredIndicator, ...] = ()

    def is_like(self, other: "Risk | None") -> bool:
        """The same class, severity and findings, whatever their amounts."""
        return other is not None and self._gist() == other._gist()

    def only(self, indicators: Collection[str]) -> "Risk":
        """The same risk as far as these indicators go."""
        return replace(self, fired=tuple(each for each in self.fired if each.indicator in indicators))

    def as_json(self) -> dict[str, Any]:
        fired = [
            {
                "indicator": one.indicator,
                "severity": one.severity,
                "measured": one.measured,
                "threshold": one.threshold,
            }
            for one in self.fired
        ]
        return {"recommendation": self.recommendation, "severity": self.severity, "fired": fired}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "Risk":
        if data is None:
            return cls()
        fired = tuple(FiredIndicator(**{**each, "severity": _severity(each["severity"])}) for each in data["fired"])
        return cls(data["recommendation"], _severity(data["severity"]), fired)

    def _gist(self) -> tuple[Any, ...]:
        return self.recommendation, self.severity, [(each.indicator, each.severity) for each in self.fired]


@dataclass(frozen=True, slots=True)
class Answered:
    """A visitor's answer, the risk it answered as far as that still stands, and the facts it rested on."""

    outcome: Outcome
    facts_version: int
    risk: Risk

    def after(self, risk: Risk) -> "Answered":
        """The answer after an assessment: what cleared meanwhile is news when it comes back."""
        still = self.risk.only({each.indicator for each in risk.fired})
        same = self.risk.recommendation == risk.recommendation
        return replace(self, risk=still if same else replace(still, recommendation=None))

    def as_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome, "facts_version": self.facts_version, "risk": self.risk.as_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Answered":
        return cls(Outcome(data["outcome"]), data["facts_version"], Risk.from_json(data["risk"]))


@dataclass(frozen=True, slots=True)
class Warning:
    """Whether a warning opens, why it is told at all, and if it does not open, why not."""

    opens: bool
    reason: Reason
    withheld_because: str | None = None


def decide(
    risk: Risk, *, listed_as: str | None, answered: Answered | None, newer: Collection[str], reports: Sequence[str]
) -> Warning:
    """Decide whether a warning opens; `newer` names indicators with facts newer than those the answer rested on.

    It does when a person reported hardship, whatever else holds; when a recommendation differs from what the
    household is listed as; or when a red or orange indicator fires. After a visit the same evidence opens nothing
    again: there must be newer facts that weigh, or another recommendation.
    """
    if reports:
        return Warning(True, "hardship_report")
    wanted = risk.recommendation is not None and risk.recommendation != listed_as
    urgent = [each for each in risk.fired if each.calls_for_visit]
    if answered is None:
        return _first(risk, wanted, bool(urgent))
    if wanted and (risk.recommendation != answered.risk.recommendation or _any_news(risk.fired, answered, newer)):
        return Warning(True, "recommendation")
    if _any_news(urgent, answered, newer):
        return Warning(True, "finding")
    if wanted or urgent:
        return Warning(False, "recommendation" if wanted else "finding", VERIFIED.format(answered.outcome.zh))
    return _quiet(risk)


def _first(risk: Risk, wanted: bool, urgent: bool) -> Warning:
    if wanted:
        return Warning(True, "recommendation")
    return Warning(True, "finding") if urgent else _quiet(risk)


def _quiet(risk: Risk) -> Warning:
    """Nothing to visit for: the class is what the county listed, or the findings are weak, or nothing is left."""
    if risk.recommendation is not None:
        return Warning(False, "recommendation", ALREADY_LISTED)
    if risk.fired:
        return Warning(False, "finding", WEAK_FINDING)
    return Warning(False, "recommendation", NO_RISK_LEFT)


def _any_news(fired: Sequence[FiredIndicator], answered: Answered, newer: Collection[str]) -> bool:
    then = {each.indicator: each for each in answered.risk.fired}
    return any(_is_news(now, then, newer) for now in fired)


def _is_news(now: FiredIndicator, then: Mapping[str, FiredIndicator], newer: Collection[str]) -> bool:
    """An indicator that did not fire then, or is graver now, or rests on newer facts that weigh.

    A fact weighs if the measured amount lies a tenth of the line further beyond it; where nothing is measured,
    each does.
    """
    before = then.get(now.indicator)
    if before is None or _rank(now.severity) > _rank(before.severity):
        return True
    if now.indicator not in newer:
        return False
    amounts = _amount(now.measured), _amount(before.measured), _amount(now.threshold)
    if any(each is None for each in amounts):
        return True
    measured, then_measured, line = (each for each in amounts if each is not None)
    return _worsening(measured, then_measured, line) * 10 >= abs(line) * WORSENING_TENTHS


def _worsening(measured: Decimal, before: Decimal, line: Decimal) -> Decimal:
    """How much further an amount lies beyond its line: incomes fall below theirs, costs rise above."""
    if measured == line:
        return abs(measured - before)
    return before - measured if measured < line else measured - before


def _amount(text: str | None) -> Decimal | None:
    """A measured amount; None for what is no number, such as a grade."""
    try:
        return Decimal(text) if text is not None else None
    except InvalidOperation:
        return None


def _severity(code: str | None) -> Severity | None:
    return Severity(code) if code is not None else None


def _rank(severity: Severity | None) -> int:
    return severity.rank if severity is not None else 0
