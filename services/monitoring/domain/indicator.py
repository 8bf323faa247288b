"""What a package judges: indicators, classes, causes, and how severe each is."""

from dataclasses import dataclass

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import Type
from shared.policies.unit import Unit
from shared.vocabulary.terms import Cause, Severity


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """A severity, and when it holds; the first rule whose condition is true (or absent) decides."""

    severity: Severity
    when: Expression | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """The parameter a measured value is held against, and when; the first whose condition is true decides."""

    parameter: str
    when: Expression | None


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is told to people; {measured}, {threshold} and {margin} are filled in (margin without its sign).

    `without` is told instead of `clear` where nothing was measured, because no rule applies.
    """

    fired: str
    clear: str
    unknown: str
    without: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One finding (预警指标); `weight` names a points parameter, used instead of the severity's.

    `rules` names a parameter of medical rules which measure, hold the line and fire in place of the rest: then
    `when` is the name `rule_fired`, `measured` is `rule_measured`, and there are no thresholds.

    `measured` names a value; `per_person` divides it by `persons`. Staleness: an indicator that is clear is
    unknown while one of `clear_needs` is stale, one that fired is unknown while one of `fired_needs` is.
    """

    name: str
    label_zh: str
    department: str
    basis: str
    when: Expression
    cause: Cause | None
    severities: tuple[SeverityRule, ...]
    weight: str | None
    measured: str | None
    measured_type: Type | None
    per_person: bool
    thresholds: tuple[Threshold, ...]
    clear_needs: frozenset[str]
    fired_needs: frozenset[str]
    sentences: Sentences
    rules: str | None = None

    @property
    def varies_in_severity(self) -> bool:
        """Whether its severity depends on a condition."""
        return any(rule.when is not None for rule in self.severities)

    @property
    def varies_in_threshold(self) -> bool:
        """Whether the parameter it is held against depends on a condition."""
        return any(each.when is not None for each in self.thresholds)

    @property
    def gravest(self) -> Severity | None:
        """The highest severity it can have: its weight where it is not known whether it fired."""
        return max((rule.severity for rule in self.severities), key=lambda each: each.rank, default=None)


@dataclass(frozen=True, slots=True)
class ClassRule:
    """A class (三类户) and when it is recommended; the first that holds decides. Without a code: a severity only."""

    code: str | None
    label_zh: str
    when: Expression
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class CauseRule:
    cause: Cause
    when: Expression


@dataclass(frozen=True, slots=True)
class Derived:
    """A named expression over measures, parameters, indicators and other derived values (派生值)."""

    name: str
    label_zh: str
    type: Type
    expression: Expression


ACKNOWLEDGE_UNITS = (Unit.HOURS, Unit.WORKING_HOURS, Unit.WORKING_DAYS)
VERIFY_UNITS = (Unit.DAYS, Unit.WORKING_DAYS)


@dataclass(frozen=True, slots=True)
class Deadline:
    """Names of the parameters that say how long a severity may wait."""

    acknowledge_hours: str
    verify_days: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long a warning may wait until somebody acknowledges, and until the visit; in the parameters' units."""

    acknowledge_hours: int
    verify_days: int
    acknowledge_unit: Unit = Unit.HOURS
    verify_unit: Unit = Unit.DAYS
