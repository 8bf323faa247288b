"""Units of policy values: how a value is written, kept as an integer inside, and written again."""

import re
from decimal import Decimal
from enum import Enum

from shared.vocabulary.money import MoneyError, parse_yuan, yuan

Value = int | bool | str

_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)


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
    PERCENT = "percent"
    POINTS = "points"
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    LIST = "list"

    @property
    def is_money(self) -> bool:
        return self in (Unit.CNY, Unit.CNY_PER_PERSON_YEAR)

    @property
    def is_countable(self) -> bool:
        return not self.is_money and self not in (Unit.SHARE, Unit.FLAG, Unit.TEXT, Unit.LIST)

    def read(self, text: str) -> Value:
        """The value written as `text`; a ValueError says in Chinese what is right."""
        if self.is_money:
            return _money(text)
        if self is Unit.SHARE:
            return _basis_points(text)
        if self is Unit.FLAG:
            return _flag(text)
        return text if self is Unit.TEXT else _whole(text)

    def write(self, value: Value) -> str:
        """The text that `read` understands; money with two decimals."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if self.is_money:
            return yuan(int(value))
        if self is Unit.SHARE:
            return str((Decimal(value) / 10000).normalize())
        return str(value)

    @property
    def example(self) -> str:
        if self.is_money:
            return '"7300.00"'
        return {Unit.SHARE: '"0.2"', Unit.FLAG: "false", Unit.TEXT: "on"}.get(self, "18")


def _money(text: str) -> int:
    try:
        return parse_yuan(text)
    except MoneyError as error:
        raise ValueError(error.message) from error


def _basis_points(text: str) -> int:
    if not _SHARE.fullmatch(text):
        raise ValueError("比例应为最多四位小数的数字，1 表示 100 %")
    return int(Decimal(text) * 10000)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("应为 true 或 false")
    return text == "true"


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("应为整数")
    return int(text)
