"""Units of policy values: how a value is written, kept as an integer inside, and written again."""

import re
from decimal import Decimal
from enum import Enum

from shared.policies.medical_rule import MedicalRule
from shared.policies.share import BASIS, share_in_basis
from shared.vocabulary.money import MoneyError, parse_yuan, yuan

Scalar = int | bool | str
Value = Scalar | tuple[str, ...] | tuple[MedicalRule, ...]

_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)


class Unit(Enum):
    """What a number means; two different units never meet in a sum or a comparison.

    Money is kept in fen, a share in basis points (1 = 10000), everything countable as it is.
    """

    CNY = "CNY"
    CNY_PER_PERSON_YEAR = "CNY/person/year"
    SHARE = "share"
    PERSONS = "persons"
    FACTS = "facts"
    MONTHS = "months"
    DAYS = "days"
    HOURS = "hours"
    WORKING_DAYS = "working_days"
    WORKING_HOURS = "working_hours"
    PERCENT = "percent"
    POINTS = "points"
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    LIST = "list"
    TEXTS = "texts"
    MEDICAL_RULES = "medical_rules"

    @property
    def is_money(self) -> bool:
        return self in (Unit.CNY, Unit.CNY_PER_PERSON_YEAR)

    @property
    def is_countable(self) -> bool:
        return not self.is_money and self is not Unit.SHARE and self.is_numeric

    @property
    def is_numeric(self) -> bool:
        """Whether its values may be calculated with."""
        return self not in (Unit.FLAG, Unit.TEXT) and not self.is_listed

    @property
    def is_listed(self) -> bool:
        return self in (Unit.LIST, Unit.TEXTS, Unit.MEDICAL_RULES)

    def read(self, text: str) -> Scalar:
        """The value written as `text`; a ValueError says in Chinese what is right."""
        if self.is_money:
            return _money(text)
        if self is Unit.SHARE:
            return _basis_points(text)
        if self is Unit.FLAG:
            return _flag(text)
        return text if self is Unit.TEXT else _whole(text)

    def write(self, value: Scalar) -> str:
        """The text that `read` understands; money with two decimals."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if self.is_money:
            return yuan(int(value))
        if self is Unit.SHARE:
            return f"{(Decimal(value) / BASIS).normalize():f}"
        return str(value)

    @property
    def example(self) -> str:
        if self.is_money:
            return '"7300.00"'
        return EXAMPLES.get(self, "18")


EXAMPLES = {
    Unit.SHARE: '"0.2"',
    Unit.FLAG: "false",
    Unit.TEXT: "on",
    Unit.TEXTS: "[illness, disaster]",
    Unit.MEDICAL_RULES: "{scope: household, window: year_to_date, visits: [inpatient], groups: [general], "
    'threshold_yuan: "10000.00"}',
}


def _money(text: str) -> int:
    try:
        return parse_yuan(text)
    except MoneyError as error:
        raise ValueError(error.message) from error


def _basis_points(text: str) -> int:
    if (basis := share_in_basis(text)) is None:
        raise ValueError("比例应为最多四位小数的数字，1 表示 100 %")
    return basis


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("应为 true 或 false")
    return text == "true"


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("应为整数")
    return int(text)
