"""An assessment (评估): what the policy says of a household on a day; the same facts give the same bytes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.monitoring.domain.rendering import half_up, per_head_yuan
from services.monitoring.domain.window import Period
from shared.policies.parameter import ParameterValue
from shared.policies.share import BASIS
from shared.vocabulary.money import Fen, yuan
from shared.vocabulary.terms import Cause, Severity

FIRED, CLEAR, UNKNOWN = "fired", "clear", "unknown"


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """One indicator's finding; values are texts as shown, `margin` is measured minus threshold.

    `severity` is set only when it fired; `decided_by` says whose threshold it was held against.
    """

    id: str
    state: str
    cause: Cause | None
    severity: Severity | None
    measured: str | None
    threshold: str | None
    margin: str | None
    unit: str | None
    decided_by: str | None
    sentence: str

    def as_data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state,
            "cause": self.cause,
            "severity": self.severity,
            "measured": self.measured,
            "threshold": self.threshold,
            "unit": self.unit,
            "margin": self.margin,
            "decided_by": self.decided_by,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class ExclusionResult:
    """One exclusion; `reason` says why it is a hit, or why the hit is exempt."""

    id: str
    state: str
    exempt: bool
    reason: str | None

    def as_data(self) -> dict[str, Any]:
        return {"id": self.id, "state": self.state, "exempt": self.exempt, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class NoteResult:
    """A hint with the numbers it rests on, as shown."""

    id: str
    label: str
    numbers: Mapping[str, str | None]

    def as_data(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label, "numbers": dict(self.numbers)}


@dataclass(frozen=True, slots=True)
class Assessment:
    """A recommendation to people, who decide; None recommends nothing. Money is fen of the whole household,
    `forward_income_basis` ten-thousandths of a fen."""

    on: date
    recommendation: str | None
    recommendation_without_exclusions: str | None
    severity: Severity | None
    score: int
    window: Period
    members_counted: int
    net_income_fen: Fen | None
    reference_income_fen: Fen | None
    forward_income_basis: int | None
    rigid_outlay_fen: Fen | None
    causes: tuple[Cause, ...]
    indicators: tuple[IndicatorResult, ...]
    exclusions: tuple[ExclusionResult, ...]
    flags: tuple[str, ...]
    quality_flags: tuple[str, ...]
    civil_affairs: tuple[NoteResult, ...]
    removal_blockers: tuple[str, ...]
    unknown: tuple[str, ...]
    confidence_percent: int
    policy_version: str
    parameters_used: tuple[ParameterValue, ...]

    def indicator(self, name: str) -> IndicatorResult:
        return next(each for each in self.indicators if each.id == name)

    def as_data(self) -> dict[str, Any]:
        """The answer as JSON data, in the words of POST /evaluations."""
        return {
            "on": self.on.isoformat(),
            **self.decision(),
            "window": {"from": self.window.first.isoformat(), "to": self.window.last.isoformat()},
            "indicators": [each.as_data() for each in self.indicators],
            "exclusions": [each.as_data() for each in self.exclusions],
            "unknown": list(self.unknown),
            "confidence": self.confidence_percent / 100,
            "policy": {
                "version": self.policy_version,
                "parameters_used": {each.name: each.as_data() for each in self.parameters_used},
            },
        }

    def decision(self) -> dict[str, Any]:
        """What a stored assessment is about: without dates, versions, and what only staleness changes."""
        return {
            "recommendation": self.recommendation,
            "recommendation_without_exclusions": self.recommendation_without_exclusions,
            "severity": self.severity,
            "score": self.score,
            "members_counted": self.members_counted,
            "net_income_per_capita_yuan": per_head_yuan(self.net_income_fen, self.members_counted),
            "reference_income_per_capita_yuan": per_head_yuan(self.reference_income_fen, self.members_counted),
            "forward_income_per_capita_yuan": self.forward_income_per_head(),
            "rigid_outlay_yuan": None if self.rigid_outlay_fen is None else yuan(self.rigid_outlay_fen),
            "causes": list(self.causes),
            "flags": list(self.flags),
            "quality_flags": list(self.quality_flags),
            "civil_affairs": [each.as_data() for each in self.civil_affairs],
            "removal_blockers": list(self.removal_blockers),
        }

    def forward_income_per_head(self) -> str | None:
        """Forward income per counted member, in yuan."""
        if self.forward_income_basis is None or self.members_counted == 0:
            return None
        return yuan(half_up(self.forward_income_basis, BASIS * self.members_counted))

    def canonical(self) -> bytes:
        """The assessment as canonical JSON: a replay gives these bytes."""
        return canonical_json(self.as_data())

    def digest(self) -> bytes:
        """32 bytes that stand for all of it."""
        return hashlib.sha256(self.canonical()).digest()

    def decision_digest(self) -> bytes:
        """32 bytes that change when, and only when, a new assessment is worth writing."""
        findings = [(each.id, each.state, each.severity, each.measured, each.threshold) for each in self.indicators]
        hits = [(each.id, each.exempt) for each in self.exclusions if each.state == FIRED]
        return hashlib.sha256(
            canonical_json({**self.decision(), "indicators": findings, "exclusions": hits})
        ).digest()


def canonical_json(value: object) -> bytes:
    """JSON with sorted names, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
