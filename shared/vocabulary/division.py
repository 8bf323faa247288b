"""Administrative divisions (行政区划) as codes: 12 digits that sort so that a division is a range.

Two digits each for province, prefecture and county, three each for township and village; what is below the
division itself is zero. Source: rules of the statistical division codes (统计用区划代码编制规则). Pure text work;
whether a code exists on some day is asked of `shared.regions`.
"""

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import NewType

DivisionCode = NewType("DivisionCode", str)
"""A division in full form, 12 digits; made by `parse_division` only."""


class DivisionLevel(IntEnum):
    """How far down a division is: 省, 市(地), 县, 乡, 村."""

    PROVINCE = 1
    PREFECTURE = 2
    COUNTY = 3
    TOWNSHIP = 4
    VILLAGE = 5


DIGITS = {
    DivisionLevel.PROVINCE: 2,
    DivisionLevel.PREFECTURE: 4,
    DivisionLevel.COUNTY: 6,
    DivisionLevel.TOWNSHIP: 9,
    DivisionLevel.VILLAGE: 12,
}

_PROVINCES = (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71, 81, 82))
PROVINCES = frozenset(str(number) for numbers in _PROVINCES for number in numbers)
"""The first two digits in use (GB/T 2260)."""

FULL_LENGTH = 12
AFTER_EVERYTHING = ":00000000000"  # The character after "9": nothing made of digits sorts behind it.
EXPECTED = "12位数字，或只写到省、市、县、乡的2、4、6、9位数字，例如 130624100200 或 130624"

_SHORT_LENGTHS = frozenset(DIGITS.values())
_DIGITS_ONLY = re.compile(r"[0-9]+")
# No level is skipped but the county: 东莞 and three other cities have townships and no county.
_CODE = re.compile(r"(?!00)[0-9]{2}(?!00(?!0{8}))[0-9]{4}(?!000(?!000))[0-9]{6}")


class DivisionCodeError(ValueError):
    """The text is no division code: a stable `code` and a Chinese `message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_division(text: str) -> DivisionCode:
    """Read a division code in full or short form; a DivisionCodeError says what is wrong with it."""
    if len(text) == FULL_LENGTH and _CODE.fullmatch(text):
        return DivisionCode(text)
    if not _DIGITS_ONLY.fullmatch(text):
        raise DivisionCodeError("division_format", f"区划代码只能是数字（文本格式），应为{EXPECTED}")
    if len(text) not in _SHORT_LENGTHS:
        raise DivisionCodeError("division_length", f"区划代码是{len(text)}位，应为{EXPECTED}")
    return _checked(text.ljust(FULL_LENGTH, "0"))


def level_of(code: str) -> DivisionLevel:
    """The level of a division in full form."""
    _checked(code)
    if code[9:] != "000":
        return DivisionLevel.VILLAGE
    if code[6:9] != "000":
        return DivisionLevel.TOWNSHIP
    if code[4:6] != "00":
        return DivisionLevel.COUNTY
    return DivisionLevel.PREFECTURE if code[2:4] != "00" else DivisionLevel.PROVINCE


@lru_cache(maxsize=65_536)
def parent_of(code: str) -> DivisionCode | None:
    """The division just above, or None above a province; above a township without a county is its city."""
    level = level_of(code)
    if level is DivisionLevel.PROVINCE:
        return None
    kept = DIGITS[DivisionLevel(level - 1)]
    return DivisionCode(code[:kept].ljust(FULL_LENGTH, "0"))


@lru_cache(maxsize=65_536)
def lineage_of(code: str) -> tuple[DivisionCode, ...]:
    """The province, what lies between, and the division itself, from the top down."""
    above = parent_of(code)
    return (*(lineage_of(above) if above is not None else ()), DivisionCode(code))


def county_of(code: str) -> str:
    """The six digits of the county a division lies in (its own first six digits if it is above a county)."""
    return _checked(code)[:6]


@lru_cache(maxsize=65_536)
def code_range(code: str) -> tuple[str, str]:
    """The half-open range [lo, hi) that holds a division and everything below it, and nothing else.

    Both ends are 12 characters to be compared bytewise (`COLLATE "C"`); `hi` need not be a division.
    """
    prefix = code[: DIGITS[level_of(code)]]
    after = str(int(prefix) + 1).zfill(len(prefix))
    if len(after) > len(prefix):
        return code, AFTER_EVERYTHING
    return code, after.ljust(FULL_LENGTH, "0")


def covers(scope: str, code: str) -> bool:
    """Whether `code` is `scope` or lies below it; both in full form."""
    lo, hi = code_range(scope)
    return lo <= _checked(code) < hi


def narrowest_over(codes: Iterable[str]) -> DivisionCode | None:
    """The narrowest division that covers all of these; None of none, or of several provinces."""
    common = [levels[0] for levels in zip(*map(lineage_of, codes), strict=False) if len(set(levels)) == 1]
    return common[-1] if common else None


def _checked(code: str) -> DivisionCode:
    """A code in full form; anything else is refused, so that a short or empty scope never opens a range."""
    if not _CODE.fullmatch(code):
        raise DivisionCodeError("division_structure", f"不是有效的12位区划代码结构，应为{EXPECTED}")
    return DivisionCode(code)


def digits_below(division: str) -> int:
    """How many digits tell the divisions right below this one apart; of a village, itself."""
    level = level_of(division)
    return DIGITS[DivisionLevel(level + 1)] if level < DivisionLevel.VILLAGE else DIGITS[level]
