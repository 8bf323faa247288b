"""What is worked out for each member and then for the household (成员量)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import FLAG, Type
from shared.policies.unit import Unit


class MemberAggregate(StrEnum):
    """How members become one value; a member whose condition is false is passed over.

    `count`: unknown if it holds of nobody and is unknown of one, or there is no such member.
    `any`: true of one is true, else unknown of one is unknown; of no member at all unknown.
    `sum`: unknown if the value of one whose condition is true or unknown is unknown; of nobody 0.
    `max`: the same, but of nobody unknown.
    """

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    ANY = "any"


class MembersOf(StrEnum):
    """Which members are asked: those counted, those and who died inside the window or since, or everybody."""

    COUNTED = "counted"
    LATELY = "lately"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class MemberValue:
    """One named value over the members; `when` is absent only beside a `value`, which only sum and max have."""

    name: str
    label_zh: str
    type: Type
    aggregate: MemberAggregate
    of: MembersOf
    when: Expression | None
    value: Expression | None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(each for each in (self.when, self.value) if each is not None)


MEMBER_BUILT_IN: Mapping[str, Type] = {
    "is_counted": FLAG,
    "status": Type(Unit.TEXT, frozenset(("living", "long_term_away", "deceased", "imprisoned", "missing"))),
    "shares_budget": FLAG,
    "age": Type(Unit.NUMBER),
    "age_at_term": Type(Unit.NUMBER),
    "age_at_death": Type(Unit.NUMBER),
    "died_in_window": FLAG,
}
"""What an expression on one member may read besides measures and parameters.

`age`: whole years on the day of assessment; `age_at_term`: on the 31 August before the current school year, which
starts on 1 September; both unknown without a date of birth. `died_in_window`: whether `died_on` lies in the
window of outlay, never unknown. `shares_budget`: as recorded, unknown if nobody said.
"""
