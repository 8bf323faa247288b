"""A policy package (政策包) as the engine uses it: typed, checked, frozen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from services.monitoring.domain.answer_parameters import AnswerParameters
from services.monitoring.domain.data_set import DataSet
from services.monitoring.domain.exclusion import Exclusion, ExclusionTerms
from services.monitoring.domain.expression import Comparison, Expression, Literal, Name, names_in, parts
from services.monitoring.domain.expression_type import Type
from services.monitoring.domain.indicator import (
    CauseRule,
    ClassRule,
    Clocks,
    Deadline,
    Derived,
    Indicator,
)
from services.monitoring.domain.measure import Measure
from services.monitoring.domain.member_value import MemberValue
from services.monitoring.domain.note import Note
from shared.policies.medical_rule import MedicalRule, RuleShape
from shared.policies.parameter import Parameter
from shared.policies.parameter_set import ParameterSet, parameters_at
from shared.vocabulary.terms import Severity

OUTLAY_UNTIL = "outlay_until"
TOTAL_STANDS_MONTHS = "total_stands_months"
RURAL_INCOME = "rural_income_last_year"
REQUIRED_PARAMETERS = (OUTLAY_UNTIL, TOTAL_STANDS_MONTHS)
REQUIRED_DERIVED = ("persons", "net_income", "reference_income", "rigid_outlay")


@dataclass(frozen=True, slots=True)
class Scores:
    """Names of the points parameters: one for each severity, and the cap of their sum."""

    weights: Mapping[Severity, str]
    cap: str


@dataclass(frozen=True, slots=True)
class Regime:
    """The package that is in force at a place from a day on."""

    since: date
    package: str


@dataclass(frozen=True, slots=True, eq=False)
class PolicyPackage:
    """Everything one regime says; `version` is the declared version with a digest of the package's files.

    `data_sets`: by name, what facts come under and may be stale. `medical_rules`: the parameter whose rules an
    indicator is judged by. `regimes`: by place, ascending by day.
    """

    name: str
    version: str
    label_zh: str
    applies_from: date
    parameters: Mapping[str, Parameter]
    places: Mapping[str, str]
    data_sets: Mapping[str, DataSet]
    measures: Mapping[str, Measure]
    member_values: Mapping[str, MemberValue]
    derived: Mapping[str, Derived]
    indicators: Mapping[str, Indicator]
    causes: tuple[CauseRule, ...]
    classes: tuple[ClassRule, ...]
    flags: tuple[Note, ...]
    scores: Scores
    deadlines: Mapping[Severity, Deadline]
    answers: AnswerParameters
    types: Mapping[str, Type]
    exclusions: tuple[Exclusion, ...] = ()
    exclusion_terms: ExclusionTerms | None = None
    quality_flags: tuple[Note, ...] = ()
    civil_affairs: tuple[Note, ...] = ()
    removal_blockers: tuple[Note, ...] = ()
    medical_rules: str | None = None
    regimes: Mapping[str, tuple[Regime, ...]] = field(default_factory=dict)

    def parameters_for(self, division: str, on: date) -> ParameterSet:
        """Every parameter in force at a division on a day; one without a value is an error that names it."""
        return parameters_at(self.parameters, division, on)

    def clocks(self, severity: Severity, parameters: ParameterSet) -> Clocks:
        """How long a warning of this severity may wait there and then."""
        deadline = self.deadlines[severity]
        acknowledge, verify = deadline.acknowledge_hours, deadline.verify_days
        units = self.parameters[acknowledge].unit, self.parameters[verify].unit
        return Clocks(parameters.number(acknowledge), parameters.number(verify), *units)

    def label(self, code: str) -> str:
        """The Chinese name of a class code, the code itself if another regime's."""
        return next((each.label_zh for each in self.classes if each.code == code), code)

    def place_name(self, decided_by: str) -> str:
        """Who decided a value, as people say it."""
        return self.places.get(decided_by, decided_by)

    @property
    def weight_parameters(self) -> tuple[str, ...]:
        """The points of each indicator, whether it fired or not: of the gravest severity it can have."""
        return _weight_parameters(self)

    @property
    def parameters_read(self) -> tuple[str, ...]:
        """The parameters an assessment depends on, by name."""
        return _parameters_read(self)

    @property
    def rule_shapes(self) -> tuple[RuleShape, ...]:
        """Every shape of medical rule that some place has at some date, in a fixed order."""
        return _rule_shapes(self)

    @property
    def reads_listing(self) -> bool:
        """Whether the package asks for how long a household has been listed."""
        return _reads_listing(self)

    @property
    def ages_read(self) -> tuple[int, ...]:
        """The ages at which the answer may change: those that conditions on members compare with."""
        return _ages_read(self)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes of all four kinds."""
        return (*self.flags, *self.quality_flags, *self.civil_affairs, *self.removal_blockers)

    def definition(self, name: str) -> Expression | None:
        """The expression behind a derived value or an indicator; None for what is counted or bound."""
        if name in self.derived:
            return self.derived[name].expression
        return self.indicators[name].when if name in self.indicators else None

    def depends_on(self, name: str) -> set[str]:
        """The names that a derived value or an indicator reads directly."""
        expression = self.definition(name)
        return set() if expression is None else set(names_in(expression))

    def expressions(self) -> Iterator[Expression]:
        """Every expression that is decided once for a household."""
        for indicator in self.indicators.values():
            yield indicator.when
            yield from (rule.when for rule in indicator.severities if rule.when is not None)
            for threshold in indicator.thresholds:
                yield Name(threshold.parameter)
                if threshold.when is not None:
                    yield threshold.when
        yield from (each.expression for each in self.derived.values())
        yield from (each.when for rules in (self.causes, self.classes, self.notes) for each in rules)
        yield from (Name(value) for each in self.notes for value in each.numbers.values())
        for exclusion in self.exclusions:
            yield from (exclusion.when, exclusion.counts_when)
        yield from (each for value in self.member_values.values() for each in value.expressions)


@cache
def _weight_parameters(package: PolicyPackage) -> tuple[str, ...]:
    indicators = package.indicators.values()
    return tuple(each.weight or package.scores.weights[each.gravest or Severity.BLUE] for each in indicators)


@cache
def _reads_listing(package: PolicyPackage) -> bool:
    return any("months_monitored" in names_in(each) for each in package.expressions())


@cache
def _ages_read(package: PolicyPackage) -> tuple[int, ...]:
    expressions = [each for value in package.member_values.values() for each in value.expressions]
    return tuple(sorted({age for each in expressions for age in _ages_compared(each)}))


def _ages_compared(expression: Expression) -> Iterator[int]:
    match expression:
        case Comparison(sign, Name("age"), Literal(int(age))):
            yield age + (sign in (">", "<="))
            if sign in ("=", "<>"):
                yield age + 1
    for each in parts(expression):
        yield from _ages_compared(each)


@cache
def _rule_shapes(package: PolicyPackage) -> tuple[RuleShape, ...]:
    if package.medical_rules is None:
        return ()
    dated = (each for values in package.parameters[package.medical_rules].values.values() for each in values)
    rules = (each for one in dated if isinstance(one.value, tuple) for each in one.value)
    return tuple(sorted({each.shape for each in rules if isinstance(each, MedicalRule)}))


@cache
def _parameters_read(package: PolicyPackage) -> tuple[str, ...]:
    read = {name for each in package.expressions() for name in names_in(each)}
    read &= package.parameters.keys()
    read |= {*REQUIRED_PARAMETERS, package.scores.cap, *package.scores.weights.values()}
    read |= {each.weight for each in package.indicators.values() if each.weight}
    if package.exclusion_terms is not None:
        read |= {package.exclusion_terms.effect, package.exclusion_terms.exempt_on_sudden}
    if package.medical_rules is not None:
        read |= {package.medical_rules, RURAL_INCOME}
    return tuple(sorted(read))
