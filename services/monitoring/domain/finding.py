"""What a judge found (判定): the bare outcome for one household, as the compiled text or the evaluator has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.monitoring.domain.rendering import Measured
from shared.vocabulary.money import Fen
from shared.vocabulary.terms import Cause, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One indicator: fired (True), clear (False) or unknown, and what it was held against.

    `measured` is of the whole household, in fen if money; `choice` is the position of the threshold, `line` the
    threshold itself where a medical rule set it.
    """

    fired: bool | None
    severity: Severity | None
    measured: Measured | None
    choice: int | None
    line: Fen | None = None


@dataclass(frozen=True, slots=True)
class ExclusionFinding:
    """One exclusion: fired (True), clear (False) or unknown; `exempt` only if it fired."""

    fired: bool | None
    exempt: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything decided about one household; findings and exclusions in the package's order.

    `sudden`: whether hardship came suddenly, None if the package does not ask; `noted`: the values of notes by
    name; `forward_income_basis` is in ten-thousandths of a fen.
    """

    class_code: str | None
    class_code_without_exclusions: str | None
    blocked: bool
    severity: Severity | None
    score: int
    findings: tuple[Finding, ...]
    exclusions: tuple[ExclusionFinding, ...]
    sudden: bool | None
    causes: tuple[Cause, ...]
    flags: tuple[str, ...]
    quality_flags: tuple[str, ...]
    civil_affairs: tuple[str, ...]
    removal_blockers: tuple[str, ...]
    noted: Mapping[str, Measured | None]
    members_counted: int
    net_income_fen: Fen | None
    reference_income_fen: Fen | None
    forward_income_basis: int | None
    rigid_outlay_fen: Fen | None
