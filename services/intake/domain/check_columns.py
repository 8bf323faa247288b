"""Rows checked as columns: which are plainly clean, and what those say; the one module of domain that knows polars.

`RowChecker` alone defines what a row means. Here most rows of most files are told in blocks: of a row found clean the
same record, digest, content and notes come out as there, without warnings; of every other row it is only said that
somebody must ask `RowChecker`. What repeats (days, codes, places) is asked of `normalise` once for each text; what
does not (identity numbers, amounts, free texts) is checked by expressions that are sure of less than `normalise`.
"""

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import reduce
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from services.intake.domain.feed_layout import Column, ColumnType, FactSpec, FeedLayout, Rule, RuleKind
from services.intake.domain.feed_row import SEPARATOR, RowContext, json_value, misplaced, row_digest, said
from services.intake.domain.normalise import BLANK_MARKS, Normal, normalise
from shared.vocabulary.identity_number import CHECK_CHARACTERS, EARLIEST_BIRTH_YEAR, WEIGHTS, holds_identity_number

MOST_REMEMBERED = 20_000  # Texts of one column.
MOST_NUMBERS = 200_000  # Identity numbers whose blind index is remembered: some 50 MiB.

LINE, RECORD, DIGEST, CONTENT = "line", "record", "digest", "content"

_WORD = r"^(?:[A-Za-z0-9_-]{2,40}|[\x{4e00}-\x{9fff}·]{2,20})$"
_MONEY = r"^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$"
_NUMBER = r"^[0-9]{17}[0-9X]$"
_LONG_RUN = r"[0-9](?:-?[0-9]){16}"
_TWO_DIGITS = r"^[0-9]{2}$"
_CHECKS = pl.Series(list(CHECK_CHARACTERS))
_REPEATED_DIGIT = 11_111_111_111_111_111
_DAYS = pl.Series([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=pl.Int64)

_WHOLE = (ColumnType.MONEY_YUAN, ColumnType.INTEGER, ColumnType.YEAR)
_REPEATING = (
    ColumnType.DATE,
    ColumnType.BOOLEAN,
    ColumnType.CODE,
    ColumnType.INTEGER,
    ColumnType.DIVISION,
    ColumnType.YEAR,
    ColumnType.MONEY_YUAN,
)
_KNOWN_FIELDS = MappingProxyType(
    {
        FactSpec: {
            *("kind", "person", "household", "division", "occurred_on", "amounts", "visit", "stay", "value"),
            *("attributes", "ends"),
        },
        Rule: {"code", "kind", "columns", "level", "message", "target", "tolerance_fen"},
    }
)


@dataclass(frozen=True, slots=True)
class CheckedColumns:
    """`clean`: line, record, digest and content of the clean rows, in order. `unsure`: positions of all others."""

    clean: pl.DataFrame
    unsure: Sequence[int]
    newest: date | None
    notes: Counter[tuple[str, str]]


class _Told(NamedTuple):
    """A column of a block: which cells are sure, and what those say.

    As text for the digest, as JSON by itself and as an attribute (all null where there is no value), and as a whole
    number. `noted` are the notes of the texts that have any.
    """

    sure: pl.Series
    spoken: pl.Series
    value: pl.Series
    attribute: pl.Series
    whole: pl.Series | None = None
    noted: Mapping[str, Sequence[str]] = MappingProxyType({})


class _Meaning(NamedTuple):
    """What one text of a column means."""

    spoken: str | None
    value: str | None
    attribute: str | None
    notes: tuple[str, ...]


def told_in_columns(layout: FeedLayout) -> bool:
    """Whether all that this layout says of a row is known here; if not, its rows are told one by one."""
    if layout.household is not None or not layout.facts:
        return False
    if any({f.name for f in fields(kind)} != known for kind, known in _KNOWN_FIELDS.items()):
        return False
    columns = {c.name: c for c in layout.columns}
    return (
        all(c.type is not ColumnType.DISABILITY_CERTIFICATE and _plain_codes(c) for c in columns.values())
        and all(not columns[name].multiple for name in layout.natural_key)
        and all(_countable(rule, columns) for rule in layout.rules)
        and all(_sayable(fact, columns) for fact in layout.facts)
    )


def _plain_codes(column: Column) -> bool:
    return all(json.dumps(code, ensure_ascii=False) == f'"{code}"' for code in column.codes.values())


def _countable(rule: Rule, columns: Mapping[str, Column]) -> bool:
    counted = (columns[name].type for name in (*rule.columns, rule.target))
    return rule.kind in (RuleKind.SUM_EQUALS, RuleKind.SUM_AT_MOST) and all(type_ in _WHOLE for type_ in counted)


def _sayable(fact: FactSpec, columns: Mapping[str, Column]) -> bool:
    def of(names: Iterable[str | None], *types: ColumnType) -> bool:
        return all(columns[name].type in types for name in names if name is not None)

    words = (ColumnType.TEXT, ColumnType.CODE)
    return (
        of([fact.occurred_on], ColumnType.DATE)
        and of([fact.person], ColumnType.IDENTITY_NUMBER)
        and of([fact.household, fact.division, fact.visit, fact.stay], *words, ColumnType.DIVISION)
        and of(fact.amounts.values(), *_WHOLE)
        and of(fact.value, *words)
        and of(fact.attributes.values(), ColumnType.TEXT, *_REPEATING)
    )


@dataclass(slots=True)
class ColumnChecker:
    """Checks blocks of one file against a layout that is `told_in_columns`."""

    layout: FeedLayout
    context: RowContext
    _meanings: dict[str, dict[str, _Meaning | None]] = field(default_factory=dict)
    _indexes: dict[str, str] = field(default_factory=dict)

    def check(self, cells: pl.DataFrame) -> CheckedColumns:
        """Check rows: `line` and the text of each column by its name; a column that is not there is blank."""
        columns = {c.name: self._tell(c, _cells(cells, c.name)) for c in self.layout.columns}
        sure = self._sure(columns)
        clean = self._clean(cells, columns, sure)
        days = [columns[name].spoken.filter(sure).max() for name in {f.occurred_on for f in self.layout.facts}]
        newest = max((date.fromisoformat(str(day)) for day in days if day is not None), default=None)
        return CheckedColumns(clean, (~sure).arg_true().to_list(), newest, self._notes(cells, columns, sure))

    def _sure(self, columns: Mapping[str, _Told]) -> pl.Series:
        holding = [_holds(rule, columns) for rule in self.layout.rules]
        there = [columns[name].spoken.is_not_null() for name in sorted(self._never_null())]
        return reduce(operator.and_, [*(told.sure for told in columns.values()), *holding, *there])

    def _never_null(self) -> set[str]:
        """Columns without which a fact cannot be said."""
        return {name for fact in self.layout.facts for name in (fact.occurred_on, *fact.value)}

    def _clean(self, cells: pl.DataFrame, columns: Mapping[str, _Told], sure: pl.Series) -> pl.DataFrame:
        spoken = pl.DataFrame({name: told.spoken for name, told in columns.items()})
        values = pl.DataFrame({_VALUE + name: told.value for name, told in columns.items()})
        attributes = pl.DataFrame({_ATTRIBUTE + name: told.attribute for name, told in columns.items()})
        rows = pl.concat([cells.select(LINE), spoken, values, attributes], how="horizontal").filter(sure)
        rows = rows.with_columns(pl.concat_str(_key_parts(self.layout), separator="/").alias(_KEY))
        texts = rows.select(
            pl.concat_str(
                [pl.lit(str(self.layout.version)), *(pl.col(c.name).fill_null("") for c in self.layout.columns)],
                separator=SEPARATOR,
            ).cast(pl.Binary)
        ).to_series()
        digests = pl.Series(DIGEST, list(map(row_digest, texts)), dtype=pl.Binary)
        content = pl.concat_str(list(_content(self.layout))).alias(CONTENT)
        return rows.select(LINE, pl.col(_KEY).alias(RECORD), digests, content)

    def _notes(self, cells: pl.DataFrame, columns: Mapping[str, _Told], sure: pl.Series) -> Counter[tuple[str, str]]:
        notes: Counter[tuple[str, str]] = Counter()
        for column in self.layout.columns:
            noted = columns[column.name].noted
            if noted:
                texts = _cells(cells, column.name).filter(sure)
                for text, count in texts.filter(texts.is_in(list(noted))).value_counts().iter_rows():
                    for note in noted[text]:
                        notes[column.header, note] += count
        return notes

    def _tell(self, column: Column, cells: pl.Series) -> _Told:
        if column.type is ColumnType.TEXT:
            return _text(column, cells)
        if column.type is ColumnType.IDENTITY_NUMBER:
            return self._numbers(column, cells)
        if column.type is ColumnType.MONEY_YUAN and column.unit == "yuan":
            return _money(column, cells)
        return self._repeating(column, cells)

    def _numbers(self, column: Column, cells: pl.Series) -> _Told:
        good = _real_numbers(cells, self.context.today)
        indexes = pl.Series(
            [
                None if number is None else self._indexes.get(number) or self._index(number)
                for number in cells.zip_with(good, _NOTHING)
            ],
            dtype=pl.String,
        )
        value = _quoted(indexes)
        return _Told(good | _blank(column, cells), indexes, value, value)

    def _index(self, number: str) -> str:
        if len(self._indexes) >= MOST_NUMBERS:
            self._indexes.clear()
        index = self._indexes[number] = self.context.index(number).hex()
        return index

    def _repeating(self, column: Column, cells: pl.Series) -> _Told:
        known = self._meanings.setdefault(column.name, {})
        if len(known) > MOST_REMEMBERED:
            known.clear()
        texts = cells.unique().to_list()
        for text in texts:
            if text not in known:
                known[text] = _meaning(column, text, self.context)
        found = {text: meaning for text in texts if (meaning := known[text]) is not None}
        spoken = _replaced(cells, {text: meaning.spoken for text, meaning in found.items()})
        value = _replaced(cells, {text: meaning.value for text, meaning in found.items()})
        attribute = _replaced(cells, {text: meaning.attribute for text, meaning in found.items()})
        whole = spoken.cast(pl.Int64) if column.type in _WHOLE else None
        noted = {text: meaning.notes for text, meaning in found.items() if meaning.notes}
        return _Told(cells.is_in(list(found)), spoken, value, attribute, whole, noted)


# No column's name begins with a blank.
_KEY, _VALUE, _ATTRIBUTE = " record", " value ", " attribute "
_NOTHING = pl.Series([None], dtype=pl.String)


def _cells(cells: pl.DataFrame, name: str) -> pl.Series:
    if name in cells.columns:
        return cells[name]
    return pl.Series([""]).new_from_index(0, cells.height)


def _blank(column: Column, cells: pl.Series) -> pl.Series:
    """Cells left empty where that is allowed."""
    return (cells == "") & (not column.required)


def _quoted(texts: pl.Series) -> pl.Series:
    return '"' + texts + '"'


def _replaced(cells: pl.Series, by: Mapping[str, str | None]) -> pl.Series:
    keys, values = pl.Series(list(by), dtype=pl.String), pl.Series(list(by.values()), dtype=pl.String)
    return cells.replace_strict(keys, values, default=None, return_dtype=pl.String)


def _meaning(column: Column, text: str, context: RowContext) -> _Meaning | None:
    """What the text means; None: it is refused, or names a place that this file may not name."""
    outcome = normalise(column, text, context.today)
    if not isinstance(outcome, Normal):
        return None
    value = outcome.value
    if value is None:
        return None if column.required else _Meaning(None, None, None, outcome.notes)
    if column.type is ColumnType.DIVISION and misplaced(value, context):
        return None
    plain = value.isoformat() if isinstance(value, date) else value
    return _Meaning(said(value), _json(plain), _json(json_value(value)), outcome.notes)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(column: Column, cells: pl.Series) -> _Told:
    good = cells.str.contains(_WORD) & (cells.str.len_chars() <= column.max_length) & ~cells.is_in(_BLANKS)
    runs = good & (cells.str.len_bytes() >= 18) & cells.str.contains(_LONG_RUN)
    if runs.any():
        good = good & ~_among(cells, runs, holds_identity_number)
    if column.pattern:
        pattern = re.compile(column.pattern)
        good = good & _among(cells, good, lambda text: pattern.fullmatch(text) is not None)
    # As an attribute two digits would be a number.
    good = good & ~cells.str.contains(_TWO_DIGITS)
    texts = cells.zip_with(good, _NOTHING)
    value = _quoted(texts)
    return _Told(good | _blank(column, cells), texts, value, value)


_BLANKS = sorted(BLANK_MARKS)


def _among(cells: pl.Series, where: pl.Series, holds: Callable[[str], bool]) -> pl.Series:
    """The cells of `where` of whose text `holds` is true."""
    return where & cells.is_in([text for text in cells.filter(where).unique() if holds(text)])


def _money(column: Column, cells: pl.Series) -> _Told:
    good = cells.str.contains(_MONEY)
    # Eleven digits are exact in a float, and a hundredfold of the nearest one rounds to the right fen.
    fen = (cells.zip_with(good, _NOTHING).cast(pl.Float64) * 100).round().cast(pl.Int64)
    good = good & (fen <= column.max_yuan * 100)
    text = fen.cast(pl.String)
    return _Told(good | _blank(column, cells), text, text, text, fen)


def _real_numbers(cells: pl.Series, today: date) -> pl.Series:
    """Which cells are an identity number in its normal form, with nothing to be noted about it."""
    shaped = cells.str.contains(_NUMBER)
    numbers = cells.zip_with(shaped, _NOTHING)
    first_17 = numbers.str.slice(0, 17).cast(pl.Int64)
    total = sum((first_17 // 10 ** (16 - at) % 10 * weight for at, weight in enumerate(WEIGHTS)), start=_ZERO)
    born = first_17 // 1000 % 100_000_000
    plain = (first_17 % 1000 != 0) & (first_17 % _REPEATED_DIGIT != 0) & ~(first_17 // 10**15).is_in([81, 82, 83])
    right = _CHECKS.gather(total % 11) == numbers.str.slice(17, 1)
    return (shaped & plain & right & _real_days(born, today)).fill_null(False)


_ZERO = pl.Series([0], dtype=pl.Int64)


def _real_days(days: pl.Series, today: date) -> pl.Series:
    """Which numbers yyyymmdd are days from 1900 to today."""
    year, month, day = days // 10_000, days // 100 % 100, days % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)) & (month == 2)
    length = _DAYS.gather(month.clip(0, 12)) + leap.cast(pl.Int64)
    within = (year >= EARLIEST_BIRTH_YEAR) & (days <= int(today.strftime("%Y%m%d")))
    return within & (month <= 12) & (day >= 1) & (day <= length)


def _holds(rule: Rule, columns: Mapping[str, _Told]) -> pl.Series:
    """Where a rule is kept or not to be asked, as in `RowChecker`."""
    target = _whole(columns[rule.target])
    parts = [_whole(columns[name]) for name in rule.columns]
    if rule.kind is RuleKind.SUM_AT_MOST:
        return (sum((part.fill_null(0) for part in parts), start=_ZERO) <= target).fill_null(True)
    return ((sum(parts, start=_ZERO) - target).abs() <= rule.tolerance_fen).fill_null(True)


def _whole(told: _Told) -> pl.Series:
    assert told.whole is not None
    return told.whole


def _key_parts(layout: FeedLayout) -> list[pl.Expr]:
    return [pl.col(name).fill_null("None") for name in layout.natural_key]


def _content(layout: FeedLayout) -> list[pl.Expr]:
    """The JSON of all observations of a row, piece by piece; no value in it needs an escape."""
    pieces: list[pl.Expr] = [pl.lit('{"observations":[')]
    for i, fact in enumerate(layout.facts):
        pieces += [pl.lit("," if i else ""), *_observation(layout, fact)]
    return [*pieces, pl.lit("]}")]


def _observation(layout: FeedLayout, fact: FactSpec) -> list[pl.Expr]:
    kind = json.dumps(fact.kind, ensure_ascii=False)
    pieces = [
        pl.lit('{"record":"'),
        pl.col(_KEY),
        pl.lit(f'","kind":{kind},"occurred_on":"'),
        pl.col(fact.occurred_on),
        pl.lit('"'),
    ]
    for name, column in (
        ("person", fact.person),
        ("household_no", fact.household),
        ("division", fact.division),
        ("visit", fact.visit),
        ("stay", fact.stay),
        *fact.amounts.items(),
    ):
        if column is not None:
            pieces.append((pl.lit(f',"{name}":') + pl.col(_VALUE + column)).fill_null(""))
    if fact.value:
        parts = [pl.col(name).str.replace_all("\x1e", "", literal=True) for name in fact.value]
        pieces += [pl.lit(',"value":"'), pl.concat_str(parts, separator="-"), pl.lit('"')]
    if fact.attributes:
        pieces += [pl.lit(',"attributes":{'), *_attributes(layout, fact), pl.lit("}")]
    return [*pieces, pl.lit("}")]


def _attributes(layout: FeedLayout, fact: FactSpec) -> list[pl.Expr]:
    pieces: list[pl.Expr] = []
    for i, (name, column) in enumerate(fact.attributes.items()):
        key = json.dumps(name, ensure_ascii=False)
        pieces += [pl.lit(f"{',' if i else ''}{key}:"), pl.col(_ATTRIBUTE + column).fill_null("null")]
    return pieces
