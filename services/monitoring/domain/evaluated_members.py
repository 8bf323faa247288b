"""Works out, member by member, what a package asks of the members of one household."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.household import Member
from services.monitoring.domain.member_value import MEMBER_BUILT_IN, MemberAggregate, MembersOf, MemberValue
from services.monitoring.domain.window import age_on, term_day
from shared.policies.parameter_set import ParameterSet


@dataclass(frozen=True, slots=True)
class AskedMembers:
    """The members of a measured household, who answer the package's conditions one by one."""

    measured: MeasuredHousehold
    parameters: ParameterSet
    built_in: Mapping[str, Value]

    def values(self) -> dict[str, Value]:
        """Every value over the members."""
        each_member = {each.key: self._interpreter(each) for each in self.measured.household.members}
        asked = {
            MembersOf.COUNTED: [each_member[member.key] for member in self.measured.counted],
            MembersOf.LATELY: [each_member[member.key] for member in self.measured.lately],
            MembersOf.ALL: list(each_member.values()),
        }
        values = self.measured.package.member_values.values()
        return {each.name: _aggregated(each, asked[each.of]) for each in values}

    def _interpreter(self, member: Member) -> Interpreter:
        known: dict[str, Value] = {}

        def value_of(name: str) -> Value:
            if name not in known:
                known[name] = self._value_of(member, name)
            return known[name]

        return Interpreter(value_of)

    def _value_of(self, member: Member, name: str) -> Value:
        if name in MEMBER_BUILT_IN:
            return self._of_the_register(member, name)
        if name in self.measured.package.measures:
            return self.measured.of_member(self.measured.package.measures[name], member)
        return self.built_in[name] if name in self.built_in else self._of_parameter(name)

    def _of_parameter(self, name: str) -> Value:
        unit = self.parameters[name].unit
        return self.parameters.texts(name) if unit.is_listed else self.parameters.value(name)

    def _of_the_register(self, member: Member, name: str) -> Value:
        match name:
            case "is_counted":
                return member.is_counted
            case "status":
                return member.status
            case "shares_budget":
                return member.shares_budget
            case "died_in_window":
                return member.died_on is not None and member.died_on in self.measured.windows.outlay
        on = self.measured.windows.on
        days = {"age": on, "age_at_term": term_day(on), "age_at_death": member.died_on}
        return _age(member.birth_date, days[name])


def _age(birth: date | None, on: date | None) -> int | None:
    return None if birth is None or on is None else age_on(birth, on)


def _aggregated(value: MemberValue, members: list[Interpreter]) -> Value:
    """What the members answer together; see MemberAggregate."""
    match value.aggregate:
        case MemberAggregate.COUNT:
            return _counted([_truth(value, each) for each in members])
        case MemberAggregate.ANY:
            return _any([_truth(value, each) for each in members])
    amounts = list(_amounts(value, members))
    known = [each for each in amounts if each is not None]
    if len(known) < len(amounts):
        return None
    return sum(known) if value.aggregate is MemberAggregate.SUM else max(known, default=None)


def _truth(value: MemberValue, member: Interpreter) -> bool | None:
    return True if value.when is None else member.truth(value.when)


def _amounts(value: MemberValue, members: list[Interpreter]) -> Iterator[int | None]:
    """The amounts to join: of whom the condition is true of, and what is unknown of whom it may be true of."""
    assert value.value is not None, "the reader lets no sum or max be without a value"
    for member in members:
        truth = _truth(value, member)
        amount = None if truth is False else member.number(value.value)
        if truth or (truth is None and amount is None):
            yield amount


def _counted(truths: list[bool | None]) -> int | None:
    found = truths.count(True)
    return None if not found and (None in truths or not truths) else found


def _any(truths: list[bool | None]) -> bool | None:
    if True in truths:
        return True
    return None if None in truths or not truths else False
