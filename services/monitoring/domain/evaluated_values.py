"""Answers every name a package uses, for one household."""

from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.evaluated_members import AskedMembers
from services.monitoring.domain.evaluated_rules import MedicalAccount, RuleFinding
from services.monitoring.domain.expression import Expression
from services.monitoring.domain.policy_package import RURAL_INCOME
from services.monitoring.domain.rendering import Measured
from shared.policies.parameter_set import ParameterSet

BASE_GROUP, MONITORED_AS = "base_group", "monitored_as"


class HouseholdValues:
    """Works values out on demand and remembers them; `rule` is what the medical rules found."""

    def __init__(self, measured: MeasuredHousehold, parameters: ParameterSet) -> None:
        self.package, self.parameters = measured.package, parameters
        members = AskedMembers(measured, parameters, measured.built_in())
        self.known = measured.values() | members.values()
        self.interpreter = Interpreter(self.value_of)
        self.rule = self._judged_by_rules(measured)

    def value_of(self, name: str) -> Value:
        if name not in self.known:
            self.known[name] = self._worked_out(name)
        return self.known[name]

    def truth(self, expression: Expression) -> bool | None:
        return self.interpreter.truth(expression)

    def number(self, name: str) -> int | None:
        value = self.value_of(name)
        return None if value is None else int(str(value))

    def shown(self, name: str) -> Measured | None:
        """A value that may be told to people; a list may not."""
        value = self.value_of(name)
        return None if isinstance(value, frozenset | tuple) else value

    @property
    def is_monitored(self) -> bool:
        return self.known.get(MONITORED_AS) is not None

    def _worked_out(self, name: str) -> Value:
        if name in self.package.parameters:
            unit = self.package.parameters[name].unit
            return self.parameters.texts(name) if unit.is_listed else self.parameters.value(name)
        if name in self.package.indicators:
            return self.interpreter.truth(self.package.indicators[name].when)
        if name in self.package.derived:
            return self.interpreter.value(self.package.derived[name].expression)
        return {"rule_fired": self.rule.fired, "rule_measured": self.rule.measured}[name]

    def _judged_by_rules(self, measured: MeasuredHousehold) -> RuleFinding:
        if self.package.medical_rules is None:
            return RuleFinding(None, None, None)
        base_group = self.known.get(BASE_GROUP)
        account = MedicalAccount(
            measured,
            base_group if isinstance(base_group, str) else None,
            self.is_monitored,
            self.parameters.number(RURAL_INCOME),
        )
        return account.judged(self.parameters.rules(self.package.medical_rules))
