"""Evaluates one household in plain Python (试算): no database, whole numbers, straight from the policy language.

It is the oracle of the compiler. Slow and plain on purpose.
"""

from collections.abc import Collection
from datetime import date

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.evaluated_values import HouseholdValues
from services.monitoring.domain.exclusion import Exclusion
from services.monitoring.domain.finding import ExclusionFinding, Finding, Judgement
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.indicator import ClassRule, Indicator, SeverityRule
from services.monitoring.domain.judgement import MOST_CAUSES
from services.monitoring.domain.note import Note
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import presented
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from shared.vocabulary.terms import Cause, Severity

FORWARD_INCOME = "forward_income"


def evaluate(
    package: PolicyPackage,
    parameters: ParameterSet,
    household: HouseholdFacts,
    on: date,
    *,
    stale: Collection[str] = (),
) -> Assessment:
    """What the policy says of a household on a day.

    Facts dated after `on` do not exist yet. `stale` data sets make indicators unknown, never the class.
    """
    return presented(package, judged(package, parameters, household, on, stale=stale), parameters, on)


def judged(
    package: PolicyPackage,
    parameters: ParameterSet,
    household: HouseholdFacts,
    on: date,
    *,
    stale: Collection[str] = (),
) -> Judgement:
    """The bare outcome, not yet in words."""
    measured = MeasuredHousehold(package, household, windows_on(on, parameters))
    return _Judge(HouseholdValues(measured, parameters)).judge(stale)


class _Judge:
    """Decides, from the values of one household."""

    def __init__(self, values: HouseholdValues) -> None:
        self.values, self.package, self.parameters = values, values.package, values.parameters

    def judge(self, stale: Collection[str]) -> Judgement:
        class_ = self._class()
        exclusions = tuple(self._exclusion(each, stale) for each in self.package.exclusions)
        blocked = self._blocks(exclusions)
        code = None if class_ is None else class_.code
        return Judgement(
            class_code=None if blocked else code,
            class_code_without_exclusions=code,
            blocked=blocked,
            severity=self._severity(class_),
            score=self._score(),
            findings=tuple(self._finding(each, stale) for each in self.package.indicators.values()),
            exclusions=exclusions,
            sudden=self._sudden(),
            causes=self._causes(),
            flags=self._told(self.package.flags),
            quality_flags=self._told(self.package.quality_flags),
            civil_affairs=self._told(self.package.civil_affairs),
            removal_blockers=self._told(self.package.removal_blockers) if self.values.is_monitored else (),
            noted={value: self.values.shown(value) for each in self.package.notes for value in each.numbers.values()},
            members_counted=self.values.number("members_counted") or 0,
            net_income_fen=self.values.number("net_income"),
            reference_income_fen=self.values.number("reference_income"),
            forward_income_basis=self.values.number(FORWARD_INCOME)
            if FORWARD_INCOME in self.package.derived
            else None,
            rigid_outlay_fen=self.values.number("rigid_outlay"),
        )

    def _told(self, notes: tuple[Note, ...]) -> tuple[str, ...]:
        return tuple(each.name for each in notes if self.values.truth(each.when))

    def _causes(self) -> tuple[Cause, ...]:
        """In the order in which the package first names them, at most five."""
        found = {each.cause for each in self.package.causes if self.values.truth(each.when)}
        named = dict.fromkeys(each.cause for each in self.package.causes)
        return tuple(each for each in named if each in found)[:MOST_CAUSES]

    def _fired(self) -> list[Indicator]:
        return [each for each in self.package.indicators.values() if self.values.value_of(each.name) is True]

    def _class(self) -> ClassRule | None:
        return next((each for each in self.package.classes if self.values.truth(each.when)), None)

    def _sudden(self) -> bool | None:
        terms = self.package.exclusion_terms
        return None if terms is None else self.values.value_of(terms.sudden) is True

    def _exclusion(self, exclusion: Exclusion, stale: Collection[str]) -> ExclusionFinding:
        """A hit is exempt by its kind, or because hardship came suddenly where the county says so."""
        fired = self.values.truth(exclusion.when)
        exempt = fired is True and (self.values.truth(exclusion.counts_when) is False or self._exempts_sudden())
        if fired is False and exclusion.clear_needs.intersection(stale):
            fired = None
        return ExclusionFinding(fired, exempt)

    def _exempts_sudden(self) -> bool:
        terms = self.package.exclusion_terms
        return terms is not None and self.parameters.value(terms.exempt_on_sudden) is True and bool(self._sudden())

    def _blocks(self, exclusions: tuple[ExclusionFinding, ...]) -> bool:
        terms = self.package.exclusion_terms
        if terms is None or self.parameters.value(terms.effect) != "blocks":
            return False
        return any(each.fired and not each.exempt for each in exclusions)

    def _severity(self, class_: ClassRule | None) -> Severity | None:
        found = [self._severity_of(each) for each in self._fired()]
        found.append(None if class_ is None else class_.severity)
        return max((each for each in found if each is not None), key=lambda each: each.rank, default=None)

    def _severity_of(self, indicator: Indicator) -> Severity | None:
        return next((rule.severity for rule in indicator.severities if self._holds(rule)), None)

    def _holds(self, rule: SeverityRule) -> bool:
        return rule.when is None or self.values.truth(rule.when) is True

    def _score(self) -> int:
        total = sum(self._points(each) for each in self._fired())
        return min(total, self.parameters.number(self.package.scores.cap))

    def _points(self, indicator: Indicator) -> int:
        if indicator.weight is not None:
            return self.parameters.number(indicator.weight)
        severity = self._severity_of(indicator)
        return 0 if severity is None else self.parameters.number(self.package.scores.weights[severity])

    def _finding(self, indicator: Indicator, stale: Collection[str]) -> Finding:
        fired = self.values.truth(indicator.when)
        doubted = indicator.fired_needs if fired else indicator.clear_needs
        if fired is not None and doubted.intersection(stale):
            fired = None
        return Finding(
            fired,
            self._severity_of(indicator) if fired else None,
            None if indicator.measured is None else self.values.shown(indicator.measured),
            self._choice(indicator),
            self.values.rule.threshold if indicator.rules else None,
        )

    def _choice(self, indicator: Indicator) -> int | None:
        """Which threshold the indicator is held against."""
        for index, each in enumerate(indicator.thresholds):
            if each.when is None or self.values.truth(each.when):
                return index
        return None
