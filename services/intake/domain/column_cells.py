"""Cells checked as columns: which are plainly in their normal form, what they are, which rules and conditions hold.

What is told of a column stands beside it in columns of its own name behind a prefix; no column's name begins with a
blank. Expressions here are sure of less than `normalise`, never of more.
"""

import re
from datetime import date
from types import MappingProxyType

import polars as pl

from services.intake.domain.feed_layout import Asked, Column, ColumnType, Condition, FeedLayout, Rule, RuleKind
from services.intake.domain.normalise import BLANK_MARKS
from shared.vocabulary.identity_number import CHECK_CHARACTERS, EARLIEST_BIRTH_YEAR, WEIGHTS, holds_identity_number

# Whether the cell is sure; its text for the digest, null where there is no value; what it is as a number, days since
# 1970 and amounts in fen; what it is as JSON by itself, and as an attribute.
OK, SPOKEN, WHOLE, VALUE, ATTRIBUTE = " ok ", " spoken ", " whole ", " value ", " attribute "

# A short run of digits is not sure: as an attribute it would be a number.
_WORD = (
    r"^(?:[A-Za-z0-9_-]{3,40}|[A-Za-z_-][A-Za-z0-9_-]|[0-9][A-Za-z_-]"
    r"|[A-Za-z0-9_-]*[\x{4e00}-\x{9fff}][A-Za-z0-9_\x{4e00}-\x{9fff}·、，。；：（）-]*)$"
)
# What means the same to polars as to Python, of words that are sure: sets of letters and digits, repeated.
_PLAIN_PATTERN = re.compile(r"(?:\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+_?-?\](?:[+*?]|\{[0-9]+\})?|\|)+")
_MONEY = r"^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$"
_NUMBER = r"^[0-9]{17}[0-9X]$"
_CERTIFICATE = r"^[0-9]{17}[0-9X][1-7][1-4](?:B[0-9])?$"
_LONG_RUN = r"[0-9](?:-?[0-9]){16}"
_BLANKS = sorted(BLANK_MARKS)
_CHECKS = pl.Series(list(CHECK_CHARACTERS))
_REPEATED_DIGIT = 11_111_111_111_111_111
_DAYS = pl.Series([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=pl.Int64)
_SEVERAL = "7"  # The type of a certificate that agrees with any.

COUNTED = (ColumnType.MONEY_YUAN, ColumnType.INTEGER, ColumnType.YEAR)
NUMBERED = (ColumnType.IDENTITY_NUMBER, ColumnType.DISABILITY_CERTIFICATE)
READ_ONE_BY_ONE = (ColumnType.TEXT, ColumnType.MONEY_YUAN, *NUMBERED)
LOOKED_UP = tuple(type_ for type_ in ColumnType if type_ not in READ_ONE_BY_ONE)


def looked_up(column: Column) -> bool:
    """Whether the texts of a column are few, or else too seldom met to be worth an expression."""
    tens_of_thousands = column.type is ColumnType.MONEY_YUAN and column.unit != "yuan"
    return not column.withheld and (column.type in LOOKED_UP or tens_of_thousands)


def number_in(column: Column) -> pl.Expr | None:
    """The number a cell says, amounts in fen; of an identity number the first 17 digits, if it looks like one."""
    cell = pl.col(column.name)
    if column.withheld or looked_up(column):
        return None
    if column.type in NUMBERED:
        form = _NUMBER if column.type is ColumnType.IDENTITY_NUMBER else _CERTIFICATE
        return pl.when(cell.str.contains(form)).then(cell.str.slice(0, 17)).cast(pl.Int64)
    if column.type is ColumnType.MONEY_YUAN:
        # Eleven digits are exact in a float, and a hundredfold of the nearest one rounds to the right fen.
        return (cell.cast(pl.Float64, strict=False) * 100).round().cast(pl.Int64, strict=False)
    return None


def expressions(column: Column, cells: pl.Series, today: date) -> list[pl.Expr]:
    """What is told of the cells of a column that is not looked up; of numbers only whether they are sure."""
    if column.withheld:
        return _unread(column)
    if looked_up(column):
        return []
    if column.type is ColumnType.TEXT:
        return _text(column, cells)
    return [_number(column, today)] if column.type in NUMBERED else _money(column)


def known(column: Column) -> pl.Expr:
    """Where a cell says something, if the row is sure at all."""
    if column.type in NUMBERED and not column.withheld:
        return pl.col(column.name) != ""
    return pl.col(SPOKEN + column.name).is_not_null()


def _unread(column: Column) -> list[pl.Expr]:
    """What is withheld is not even looked at."""
    nothing = pl.lit(None, dtype=pl.String)
    whole = pl.lit(None, dtype=pl.Int64)
    return [
        pl.lit(True).alias(OK + column.name),
        whole.alias(WHOLE + column.name),
        *(nothing.alias(form + column.name) for form in (SPOKEN, VALUE, ATTRIBUTE)),
    ]


def _text(column: Column, cells: pl.Series) -> list[pl.Expr]:
    cell = pl.col(column.name)
    good = cell.str.contains(_WORD) & (cell.str.len_chars() <= column.max_length) & ~cell.is_in(_BLANKS)
    if (cells.str.len_bytes().max() or 0) >= 18:  # type: ignore[operator]
        runs = cells.filter(cells.str.contains(_LONG_RUN)).unique().to_list()
        good = good & ~cell.is_in([text for text in runs if holds_identity_number(text)])
    if column.pattern:
        good = good & _fits(column.pattern, cell, cells)
    said = pl.when(cell != "").then(cell)
    return [(good | _blank(column)).alias(OK + column.name), said.alias(SPOKEN + column.name)]


def _fits(pattern: str, cell: pl.Expr, cells: pl.Series) -> pl.Expr:
    """Where a word is of a form that Python would find whole."""
    if _PLAIN_PATTERN.fullmatch(pattern):
        return cell.str.contains(f"^(?:{pattern})$")
    form = re.compile(pattern)
    return cell.is_in([text for text in cells.unique().to_list() if form.fullmatch(text)])


def _blank(column: Column) -> pl.Expr:
    """Where a cell is left empty and may be."""
    return pl.lit(False) if column.required else pl.col(column.name) == ""


def _money(column: Column) -> list[pl.Expr]:
    fen = pl.col(WHOLE + column.name)
    good = pl.col(column.name).str.contains(_MONEY) & (fen <= column.max_yuan * 100)
    return [(good | _blank(column)).alias(OK + column.name), fen.cast(pl.String).alias(SPOKEN + column.name)]


def _number(column: Column, today: date) -> pl.Expr:
    """Sure of a number in its normal form, with nothing to be noted about it; what it says is its blind index."""
    cell, first_17 = pl.col(column.name), pl.col(WHOLE + column.name)
    total = pl.sum_horizontal(first_17 // 10 ** (16 - at) % 10 * weight for at, weight in enumerate(WEIGHTS))
    plain = (first_17 % 1000 != 0) & (first_17 % _REPEATED_DIGIT != 0) & ~(first_17 // 10**15).is_in([81, 82, 83])
    plain = plain & ~(first_17 // 10**14).is_between(911, 965)  # Foreign residents' cards have a note.
    right = pl.lit(_CHECKS).gather(total % 11) == cell.str.slice(17, 1)
    born = _real_day(first_17 // 1000 % 100_000_000, today)
    return ((plain & right & born) | _blank(column)).alias(OK + column.name)


def _real_day(number: pl.Expr, today: date) -> pl.Expr:
    """Where a number yyyymmdd is a day from 1900 to today."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)) & (month == 2)
    length = pl.lit(_DAYS).gather(month.clip(0, 12)) + leap.cast(pl.Int64)
    within = (year >= EARLIEST_BIRTH_YEAR) & (number <= int(today.strftime("%Y%m%d")))
    return within & (month <= 12) & (day >= 1) & (day <= length)


def held(condition: Condition) -> str:
    """The name of the column that says where a condition on a column that is looked up holds."""
    return f" when {condition.column} {condition.asked or '|'.join(sorted(condition.codes))}"


def all_hold(conditions: tuple[Condition, ...], layout: FeedLayout) -> pl.Expr:
    """Where all conditions hold, if the row is sure at all."""
    return pl.all_horizontal(_holds(each, layout.column(each.column)) for each in conditions)


def _holds(condition: Condition, column: Column) -> pl.Expr:
    if looked_up(column):
        return pl.col(held(condition))
    if condition.asked is Asked.POSITIVE:
        return (pl.col(WHOLE + column.name) > 0).fill_null(False)
    there = known(column)
    return there if condition.asked is Asked.KNOWN else ~there


def kept(rule: Rule, layout: FeedLayout) -> pl.Expr:
    """Where a rule is kept or not to be asked, as in `RowChecker`."""
    holds = _KEPT[rule.kind](rule, layout).fill_null(True)
    return holds | ~all_hold(rule.when, layout) if rule.when else holds


def _wholes(rule: Rule) -> tuple[pl.Expr, list[pl.Expr]]:
    return pl.col(WHOLE + rule.target), [pl.col(WHOLE + name) for name in rule.columns]


def _sum_equals(rule: Rule, _: FeedLayout) -> pl.Expr:
    target, parts = _wholes(rule)
    return (pl.sum_horizontal(parts, ignore_nulls=False) - target).abs() <= rule.tolerance_fen


def _sum_at_most(rule: Rule, _: FeedLayout) -> pl.Expr:
    target, parts = _wholes(rule)
    return pl.sum_horizontal(parts) <= target


def _any_known(rule: Rule, layout: FeedLayout) -> pl.Expr:
    return pl.any_horizontal(known(layout.column(name)) for name in (*rule.columns, rule.target))


def _in_order(rule: Rule, _: FeedLayout) -> pl.Expr:
    target, days = _wholes(rule)
    return pl.max_horizontal(days) <= target


def _whole_year(rule: Rule, _: FeedLayout) -> pl.Expr:
    target, days = _wholes(rule)
    return (target - days[0]).is_between(364, 366)


def _certificate_agrees(rule: Rule, _: FeedLayout) -> pl.Expr:
    """A blank certificate contradicts nothing."""
    number, types, grade = rule.columns
    cell, owner, said = pl.col(rule.target), pl.col(number), pl.col(SPOKEN + types)
    type_ = cell.str.slice(18, 1)
    same_owner = (owner == "") | (cell.str.slice(0, 18) == owner)
    same_type = (type_ == _SEVERAL) | (said == _SEVERAL) | said.str.contains(type_, literal=True)
    same_grade = cell.str.slice(19, 1) == pl.col(SPOKEN + grade)
    return (cell == "") | (same_owner & same_type.fill_null(True) & same_grade.fill_null(True))


_KEPT = MappingProxyType(
    {
        RuleKind.SUM_EQUALS: _sum_equals,
        RuleKind.SUM_AT_MOST: _sum_at_most,
        RuleKind.ANY_KNOWN: _any_known,
        RuleKind.IN_ORDER: _in_order,
        RuleKind.WHOLE_YEAR: _whole_year,
        RuleKind.CERTIFICATE_AGREES: _certificate_agrees,
    }
)
