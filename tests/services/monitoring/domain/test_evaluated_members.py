"""What members answer together, with one of them not known."""

from datetime import date

import pytest

from services.monitoring.domain.evaluated_expression import Interpreter, Value
from services.monitoring.domain.evaluated_members import _aggregated
from services.monitoring.domain.expression import Name
from services.monitoring.domain.expression_type import Type
from services.monitoring.domain.member_value import MemberAggregate, MembersOf, MemberValue
from services.monitoring.domain.window import age_on, term_day
from shared.policies.unit import Unit

WHEN, VALUE = Name("holds"), Name("amount")


def together(aggregate: str, *members: tuple[bool | None, int | None]) -> Value:
    """The value over members, each with whether the condition holds and what the amount is."""
    value = MemberValue("v", "量", Type(Unit.CNY), MemberAggregate(aggregate), MembersOf.COUNTED, WHEN, VALUE)
    answers = [{"holds": holds, "amount": amount} for holds, amount in members]
    return _aggregated(value, [Interpreter(each.__getitem__) for each in answers])


@pytest.mark.parametrize(
    ("aggregate", "members", "expected"),
    [
        ("count", [(True, 1), (False, 1), (True, 1)], 2),
        ("count", [(True, 1), (None, 1)], 1),
        ("count", [(False, 1), (None, 1)], None),
        ("count", [(False, 1)], 0),
        ("count", [], None),
        ("any", [(None, 1), (True, 1)], True),
        ("any", [(None, 1), (False, 1)], None),
        ("any", [(False, 1)], False),
        ("any", [], None),
        ("sum", [(True, 3), (False, None), (True, 4)], 7),
        ("sum", [(True, 3), (None, 4)], 3),
        ("sum", [(True, 3), (None, None)], None),
        ("sum", [(True, None), (True, 4)], None),
        ("sum", [], 0),
        ("max", [(True, 3), (True, 4), (False, 9)], 4),
        ("max", [(True, 3), (True, None)], None),
        ("max", [(False, 3)], None),
        ("max", [], None),
    ],
)
def test_members_answer_together(
    aggregate: str, members: list[tuple[bool | None, int | None]], expected: Value
) -> None:
    assert together(aggregate, *members) == expected


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        (date(2000, 3, 15), date(2024, 3, 14), 23),
        (date(2000, 3, 15), date(2024, 3, 15), 24),
        (date(2000, 2, 29), date(2023, 2, 28), 22),
        (date(2000, 2, 29), date(2023, 3, 1), 23),
        (date(2000, 2, 29), date(2024, 2, 29), 24),
    ],
)
def test_a_birthday_is_reached_when_month_and_day_are(birth: date, on: date, years: int) -> None:
    assert age_on(birth, on) == years


def test_the_school_year_starts_on_the_first_of_september() -> None:
    assert term_day(date(2024, 8, 31)) == date(2023, 8, 31)
    assert term_day(date(2024, 9, 1)) == date(2024, 8, 31)
