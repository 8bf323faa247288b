"""Evaluates one household in plain Python (试算): no database, whole numbers, straight from the policy language.

It is the oracle of the compiler. Slow and plain on purpose.
"""

from collections.abc import Collection
from datetime import date

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.indicator import ClassRule, Indicator, SeverityRule
from services.monitoring.domain.judgement import Finding, Judgement, presented
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from shared.vocabulary.terms import Cause, Severity


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
    measured = MeasuredHousehold(package, household, windows_on(on, parameters)).values()
    return presented(package, _Judge(package, parameters, measured).judge(stale), parameters, on)


class _Judge:
    """Answers names on demand and remembers the answers."""

    def __init__(self, package: PolicyPackage, parameters: ParameterSet, measured: dict[str, Value]) -> None:
        self.package, self.parameters = package, parameters
        self.known = dict(measured)
        self.interpreter = Interpreter(self.value_of)

    def judge(self, stale: Collection[str]) -> Judgement:
        class_ = self._class()
        causes = [each.cause for each in self.package.causes if self.interpreter.truth(each.when)]
        return Judgement(
            class_code=None if class_ is None else class_.code,
            severity=self._severity(class_),
            score=self._score(),
            findings=tuple(self._finding(each, stale) for each in self.package.indicators.values()),
            causes=tuple(dict[Cause, None].fromkeys(causes)),
            flags=tuple(each.name for each in self.package.flags if self.interpreter.truth(each.when)),
            members_counted=self._number("members_counted") or 0,
            net_income_fen=self._number("net_income"),
            reference_income_fen=self._number("reference_income"),
            rigid_outlay_fen=self._number("rigid_outlay"),
        )

    def value_of(self, name: str) -> Value:
        if name not in self.known:
            self.known[name] = self._worked_out(name)
        return self.known[name]

    def _worked_out(self, name: str) -> Value:
        if name in self.parameters:
            return self.parameters.value(name)
        if name in self.package.indicators:
            return self.interpreter.truth(self.package.indicators[name].when)
        return self.interpreter.value(self.package.derived[name].expression)

    def _number(self, name: str) -> int | None:
        value = self.value_of(name)
        return None if value is None else int(str(value))

    def _fired(self) -> list[Indicator]:
        return [each for each in self.package.indicators.values() if self.value_of(each.name) is True]

    def _class(self) -> ClassRule | None:
        return next((each for each in self.package.classes if self.interpreter.truth(each.when)), None)

    def _severity(self, class_: ClassRule | None) -> Severity | None:
        found = [self._severity_of(each) for each in self._fired()]
        found.append(None if class_ is None else class_.severity)
        return max((each for each in found if each is not None), key=lambda each: each.rank, default=None)

    def _severity_of(self, indicator: Indicator) -> Severity | None:
        return next((rule.severity for rule in indicator.severities if self._holds(rule)), None)

    def _holds(self, rule: SeverityRule) -> bool:
        return rule.when is None or self.interpreter.truth(rule.when) is True

    def _score(self) -> int:
        total = sum(self._points(each) for each in self._fired())
        return min(total, self.parameters.number(self.package.scores.cap))

    def _points(self, indicator: Indicator) -> int:
        if indicator.weight is not None:
            return self.parameters.number(indicator.weight)
        severity = self._severity_of(indicator)
        return 0 if severity is None else self.parameters.number(self.package.scores.weights[severity])

    def _finding(self, indicator: Indicator, stale: Collection[str]) -> Finding:
        fired = self.interpreter.truth(indicator.when)
        doubted = indicator.fired_needs if fired else indicator.clear_needs
        if fired is not None and doubted.intersection(stale):
            fired = None
        measured = None if indicator.measured is None else self.value_of(indicator.measured)
        return Finding(
            fired,
            self._severity_of(indicator) if fired else None,
            None if isinstance(measured, frozenset) else measured,
            self._choice(indicator),
        )

    def _choice(self, indicator: Indicator) -> int | None:
        """Which threshold the indicator is held against."""
        for index, each in enumerate(indicator.thresholds):
            if each.when is None or self.interpreter.truth(each.when):
                return index
        return None
