"""Rows checked as columns: which are plainly clean, and what those say; the one module of domain that knows polars.

`RowChecker` alone defines what a row means. Here most rows of most files are told in blocks: of a row found clean the
same record, digest, content and notes come out as there, without warnings; of every other row it is only said that
somebody must ask `RowChecker`. What repeats (days, codes, places) is asked of `normalise` once for each text; what
does not (identity numbers, amounts, free texts) is checked by expressions that are sure of less than `normalise`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from services.intake.domain.feed_layout import Column, ColumnType, FactSpec, FeedLayout, Rule, RuleKind
from services.intake.domain.feed_row import SEPARATOR, RowContext, json_value, misplaced, row_digests, said
from services.intake.domain.normalise import BLANK_MARKS, Normal, normalise
from shared.vocabulary.identity_number import CHECK_CHARACTERS, EARLIEST_BIRTH_YEAR, WEIGHTS, holds_identity_number

MOST_REMEMBERED = 20_000  # Texts of one column.
MOST_NUMBERS = 250_000  # Identity numbers whose blind index is remembered: some 70 MiB.

LINE, RECORD, DIGEST, CONTENT = "line", "record", "digest", "content"

# Not two digits: as an attribute they would be a number.
_WORD = r"^(?:[A-Za-z0-9_-]{3,40}|[A-Za-z_-][A-Za-z0-9_-]|[0-9][A-Za-z_-]|[\x{4e00}-\x{9fff}·]{2,20})$"
_MONEY = r"^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?$"
_NUMBER = r"^[0-9]{17}[0-9X]$"
_LONG_RUN = r"[0-9](?:-?[0-9]){16}"
_CHECKS = pl.Series(list(CHECK_CHARACTERS))
_REPEATED_DIGIT = 11_111_111_111_111_111
_DAYS = pl.Series([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=pl.Int64)

_COUNTED = (ColumnType.MONEY_YUAN, ColumnType.INTEGER, ColumnType.YEAR)
_REPEATING = (
    ColumnType.DATE,
    ColumnType.BOOLEAN,
    ColumnType.CODE,
    ColumnType.INTEGER,
    ColumnType.DIVISION,
    ColumnType.YEAR,
    ColumnType.PERCENT,
    ColumnType.MONEY_YUAN,
)
_BOUNDED = (ColumnType.TEXT, ColumnType.MONEY_YUAN, ColumnType.IDENTITY_NUMBER)
# What a layout may say, as far as it was thought of here: whoever adds to it finds all rows told one by one.
_KNOWN_FIELDS: Mapping[type, str] = MappingProxyType(
    {
        FeedLayout: "name version title department department_title kind cadence overdue_after_days natural_key"
        " purpose legal_basis retention_months raw_retention_days owner columns rules facts household source"
        " needs_authorisation reversal own_codes",
        Column: "name header type required synonyms codes multiple unit negative max_yuan max_length pattern tolerant"
        " personal future example most month withheld typed open_ended",
        FactSpec: "kind person household division occurred_on amounts visit stay value attributes ends when fixed"
        " fixed_attributes period ended_on last_day part person_name",
        Rule: "code kind columns level message target tolerance_fen when",
    }
)


@dataclass(frozen=True, slots=True)
class CheckedColumns:
    """`clean`: line, record, digest and content of the clean rows, in order. `unsure`: positions of all others."""

    clean: pl.DataFrame
    unsure: Sequence[int]
    newest: date | None
    notes: Counter[tuple[str, str]]


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
    if layout.reversal is not None or layout.own_codes or layout.needs_authorisation:
        return False
    if any({f.name for f in fields(kind)} != set(known.split()) for kind, known in _KNOWN_FIELDS.items()):
        return False
    columns = {c.name: c for c in layout.columns}
    return (
        all(_readable(c) for c in columns.values())
        and all(not columns[name].multiple for name in layout.natural_key)
        and all(_countable(rule, columns) for rule in layout.rules)
        and all(_sayable(fact, columns) for fact in layout.facts)
    )


def _readable(column: Column) -> bool:
    if column.withheld or column.typed or column.open_ended or column.type not in (*_BOUNDED, *_REPEATING):
        return False
    return _plain_codes(column) and (column.most is None or column.type not in _BOUNDED)


def _plain_codes(column: Column) -> bool:
    return all(json.dumps(code, ensure_ascii=False) == f'"{code}"' for code in column.codes.values())


def _countable(rule: Rule, columns: Mapping[str, Column]) -> bool:
    counted = (columns[name].type for name in (*rule.columns, rule.target))
    summed = rule.kind in (RuleKind.SUM_EQUALS, RuleKind.SUM_AT_MOST) and not rule.when
    return summed and all(type_ in _COUNTED for type_ in counted)


def _sayable(fact: FactSpec, columns: Mapping[str, Column]) -> bool:
    def of(names: Iterable[str | None], *types: ColumnType) -> bool:
        return all(columns[name].type in types for name in names if name is not None)

    words = (ColumnType.TEXT, ColumnType.CODE)
    if fact.when or fact.fixed or fact.fixed_attributes or fact.period or fact.ended_on or fact.last_day or fact.part:
        return False
    return (
        of([fact.occurred_on], ColumnType.DATE)
        and of([fact.person], ColumnType.IDENTITY_NUMBER)
        and of([fact.household, fact.division, fact.visit, fact.stay], *words, ColumnType.DIVISION)
        and of(fact.amounts.values(), *_COUNTED)
        and of(fact.value, *words)
        and of([fact.person_name], ColumnType.TEXT)
        and of(fact.attributes.values(), ColumnType.TEXT, *_REPEATING)
    )


@dataclass(frozen=True, slots=True)
class ToldBlock:
    """A block half checked: its cells, what each column says, and what its texts mean."""

    cells: pl.DataFrame
    told: pl.DataFrame
    meanings: Mapping[str, Mapping[str, _Meaning]]

    def __len__(self) -> int:
        return self.cells.height


@dataclass(slots=True)
class ColumnChecker:
    """Checks blocks of one file against a layout that is `told_in_columns`."""

    layout: FeedLayout
    context: RowContext
    _meanings: dict[str, dict[str, _Meaning | None]] = field(default_factory=dict)
    _indexes: dict[str, str] = field(default_factory=dict)

    def check(self, cells: pl.DataFrame) -> CheckedColumns:
        """Check rows: `line` and the text of each column by its name; a column that is not there is blank."""
        return self.say(self.tell(cells))

    def tell(self, cells: pl.DataFrame) -> ToldBlock:
        """The first half of `check`: which rows are sure. It may go on while an earlier block is being said."""
        absent = [pl.lit("").alias(c.name) for c in self.layout.columns if c.name not in cells.columns]
        cells = cells.with_columns(absent)
        meanings = {c.name: self._look_up(c, cells[c.name]) for c in self.layout.columns if _repeats(c)}
        return ToldBlock(cells, self._tell(cells, meanings), meanings)

    def say(self, block: ToldBlock) -> CheckedColumns:
        """The second half: what the sure rows say."""
        sure = block.told[_SURE]
        clean = block.told.filter(sure)
        days = [clean[_SPOKEN + name].max() for name in {f.occurred_on for f in self.layout.facts}]
        newest = max((date.fromisoformat(str(day)) for day in days if day is not None), default=None)
        notes = self._notes(clean, block.meanings)
        return CheckedColumns(self._say(clean), (~sure).arg_true().to_list(), newest, notes)

    def _look_up(self, column: Column, cells: pl.Series) -> Mapping[str, _Meaning]:
        """What the texts of a column of this block mean, as far as they mean something."""
        known = self._meanings.setdefault(column.name, {})
        if len(known) > MOST_REMEMBERED:
            known.clear()
        texts = cells.unique().to_list()
        for text in texts:
            if text not in known:
                known[text] = _meaning(column, text, self.context)
        return {text: meaning for text in texts if (meaning := known[text]) is not None}

    def _tell(self, cells: pl.DataFrame, meanings: Mapping[str, Mapping[str, _Meaning]]) -> pl.DataFrame:
        """The cells, what each column says, and whether the whole row is sure."""
        looked_up = [
            cells.select(name).join(_table(name, found), on=name, how="left", maintain_order="left").drop(name)
            for name, found in meanings.items()
        ]
        told = pl.concat([cells, *looked_up], how="horizontal").lazy()
        # Numbers first, so that each is read once however often it is asked about.
        told = told.with_columns(_number_in(c).alias(_WHOLE + c.name) for c in self.layout.columns if _numbered(c))
        told = told.with_columns(each for c in self.layout.columns for each in self._expressions(c, cells))
        sure = [pl.col(_OK + c.name) for c in self.layout.columns]
        there = [
            pl.any_horizontal(_known(self.layout.column(name)) for name in names) for names in self._never_null()
        ]
        holding = [_holds(rule) for rule in self.layout.rules]
        every = pl.all_horizontal(each.fill_null(False) for each in (*sure, *there, *holding))
        return told.with_columns(every.alias(_SURE)).collect()

    def _never_null(self) -> list[list[str]]:
        """Columns of which one at least says something: a fact has its day, and is somebody's."""
        facts = self.layout.facts
        named = [[name for name in (fact.person, fact.household) if name is not None] for fact in facts]
        return [*([fact.occurred_on] for fact in facts), *named]

    def _expressions(self, column: Column, cells: pl.DataFrame) -> list[pl.Expr]:
        if _repeats(column):
            return (
                [pl.col(_SPOKEN + column.name).cast(pl.Int64).alias(_WHOLE + column.name)] if _counts(column) else []
            )
        if column.type is ColumnType.TEXT:
            return _text(column, cells[column.name])
        if column.type is ColumnType.IDENTITY_NUMBER:
            return _number(column, self.context.today)
        return _money(column)

    def _say(self, clean: pl.DataFrame) -> pl.DataFrame:
        """Line, record, digest and content of clean rows."""
        indexes = [
            self._indexes_of(clean[c.name]).alias(_SPOKEN + c.name)
            for c in self.layout.columns
            if c.type is ColumnType.IDENTITY_NUMBER
        ]
        spoken = (pl.col(_SPOKEN + c.name).fill_null("") for c in self.layout.columns)
        version = pl.lit(str(self.layout.version))
        key = pl.concat_str((pl.col(_SPOKEN + n).fill_null("None") for n in self.layout.natural_key), separator="/")
        said = (
            clean.lazy()
            .with_columns(indexes)
            .with_columns(key.alias(_KEY))
            .select(
                LINE,
                pl.col(_KEY).alias(RECORD),
                pl.concat_str(version, *spoken, separator=SEPARATOR).cast(pl.Binary).alias(DIGEST),
                pl.concat_str(_content(self.layout)).alias(CONTENT),
            )
            .collect()
        )
        digests = pl.Series(DIGEST, row_digests(said[DIGEST].to_list()), dtype=pl.Binary)
        return said.with_columns(digests)

    def _indexes_of(self, numbers: pl.Series) -> pl.Series:
        """The blind index of each number, hex; of a blank null."""
        known, found = self._indexes, []
        for number in numbers.to_list():
            index = known.get(number)
            found.append(self._index(number) if index is None and number else index)
        return pl.Series(found, dtype=pl.String)

    def _index(self, number: str) -> str:
        if len(self._indexes) >= MOST_NUMBERS:
            self._indexes.clear()
        index = self._indexes[number] = self.context.index(number).hex()
        return index

    def _notes(self, clean: pl.DataFrame, meanings: Mapping[str, Mapping[str, _Meaning]]) -> Counter[tuple[str, str]]:
        notes: Counter[tuple[str, str]] = Counter()
        for name, found in meanings.items():
            noted = {text: meaning.notes for text, meaning in found.items() if meaning.notes}
            header, texts = self.layout.column(name).header, clean[name]
            for text, count in texts.filter(texts.is_in(list(noted))).value_counts().iter_rows() if noted else ():
                for note in noted[text]:
                    notes[header, note] += count
        return notes


# What is told of a column stands in columns of these names before its own; no column's name begins with a blank.
# Its text for the digest, null where there is no value; what it is as a number; as JSON by itself, as an attribute.
_OK, _SPOKEN, _WHOLE, _VALUE, _ATTRIBUTE = " ok ", " spoken ", " whole ", " value ", " attribute "
_SURE, _KEY = " sure", " record"


def _repeats(column: Column) -> bool:
    """Whether the texts of a column are few, or else too seldom met to be worth an expression."""
    return column.type in _REPEATING and not (column.type is ColumnType.MONEY_YUAN and column.unit == "yuan")


def _counts(column: Column) -> bool:
    return column.type in _COUNTED


def _numbered(column: Column) -> bool:
    return _counts(column) or column.type is ColumnType.IDENTITY_NUMBER


def _number_in(column: Column) -> pl.Expr:
    """The number a cell says, amounts in fen; of an identity number the first 17 digits, if it looks like one."""
    cell = pl.col(column.name)
    if column.type is ColumnType.IDENTITY_NUMBER:
        return pl.when(cell.str.contains(_NUMBER)).then(cell.str.slice(0, 17)).cast(pl.Int64)
    if _repeats(column):
        return pl.col(_SPOKEN + column.name).cast(pl.Int64)
    # Eleven digits are exact in a float, and a hundredfold of the nearest one rounds to the right fen.
    return (cell.cast(pl.Float64, strict=False) * 100).round().cast(pl.Int64, strict=False)


def _table(name: str, found: Mapping[str, _Meaning]) -> pl.DataFrame:
    """What the texts of a column mean, to be joined to its cells."""
    return pl.DataFrame(
        {
            name: pl.Series(list(found), dtype=pl.String),
            _OK + name: pl.Series([True] * len(found), dtype=pl.Boolean),
            _SPOKEN + name: pl.Series([m.spoken for m in found.values()], dtype=pl.String),
            _VALUE + name: pl.Series([m.value for m in found.values()], dtype=pl.String),
            _ATTRIBUTE + name: pl.Series([m.attribute for m in found.values()], dtype=pl.String),
        }
    )


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


def _text(column: Column, cells: pl.Series) -> list[pl.Expr]:
    cell = pl.col(column.name)
    good = cell.str.contains(_WORD) & (cell.str.len_chars() <= column.max_length) & ~cell.is_in(_BLANKS)
    if (cells.str.len_bytes().max() or 0) >= 18:  # type: ignore[operator]
        runs = cells.filter(cells.str.contains(_LONG_RUN)).unique().to_list()
        good = good & ~cell.is_in([text for text in runs if holds_identity_number(text)])
    if column.pattern:
        pattern = re.compile(column.pattern)
        good = good & cell.is_in([text for text in cells.unique().to_list() if pattern.fullmatch(text)])
    said = pl.when(cell != "").then(cell)
    return [(good | _blank(column)).alias(_OK + column.name), said.alias(_SPOKEN + column.name)]


_BLANKS = sorted(BLANK_MARKS)


def _known(column: Column) -> pl.Expr:
    """Where a cell says something, if the row is sure at all."""
    if column.type is ColumnType.IDENTITY_NUMBER:
        return pl.col(column.name) != ""
    return pl.col(_SPOKEN + column.name).is_not_null()


def _blank(column: Column) -> pl.Expr:
    """Where a cell is left empty and may be."""
    return pl.lit(False) if column.required else pl.col(column.name) == ""


def _money(column: Column) -> list[pl.Expr]:
    fen = pl.col(_WHOLE + column.name)
    good = pl.col(column.name).str.contains(_MONEY) & (fen <= column.max_yuan * 100)
    return [(good | _blank(column)).alias(_OK + column.name), fen.cast(pl.String).alias(_SPOKEN + column.name)]


def _number(column: Column, today: date) -> list[pl.Expr]:
    """Sure of a number in its normal form, with nothing to be noted about it; what it says is its blind index."""
    cell, first_17 = pl.col(column.name), pl.col(_WHOLE + column.name)
    total = pl.sum_horizontal(first_17 // 10 ** (16 - at) % 10 * weight for at, weight in enumerate(WEIGHTS))
    plain = (first_17 % 1000 != 0) & (first_17 % _REPEATED_DIGIT != 0) & ~(first_17 // 10**15).is_in([81, 82, 83])
    plain = plain & ~(first_17 // 10**14).is_between(911, 965)  # Foreign residents' cards have a note.
    right = pl.lit(_CHECKS).gather(total % 11) == cell.str.slice(17, 1)
    born = _real_day(first_17 // 1000 % 100_000_000, today)
    return [((plain & right & born) | _blank(column)).alias(_OK + column.name)]


def _real_day(number: pl.Expr, today: date) -> pl.Expr:
    """Where a number yyyymmdd is a day from 1900 to today."""
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)) & (month == 2)
    length = pl.lit(_DAYS).gather(month.clip(0, 12)) + leap.cast(pl.Int64)
    within = (year >= EARLIEST_BIRTH_YEAR) & (number <= int(today.strftime("%Y%m%d")))
    return within & (month <= 12) & (day >= 1) & (day <= length)


def _holds(rule: Rule) -> pl.Expr:
    """Where a rule is kept or not to be asked, as in `RowChecker`."""
    target, parts = pl.col(_WHOLE + rule.target), [pl.col(_WHOLE + name) for name in rule.columns]
    if rule.kind is RuleKind.SUM_AT_MOST:
        return (pl.sum_horizontal(parts) <= target).fill_null(True)
    whole = pl.sum_horizontal(parts, ignore_nulls=False)
    return ((whole - target).abs() <= rule.tolerance_fen).fill_null(True)


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
        pl.col(_SPOKEN + fact.occurred_on),
        pl.lit('"'),
    ]
    for name, column in fact.told_as_is:
        if column is not None:
            value = _json_of(layout.column(column), _VALUE)
            pieces.append((pl.lit(f',"{name}":') + value).fill_null(""))
    if fact.person is not None and fact.person_name is not None:
        name_ = pl.lit(',"person_name":') + _json_of(layout.column(fact.person_name), _VALUE)
        pieces.append(pl.when(pl.col(_SPOKEN + fact.person).is_not_null()).then(name_).fill_null(""))
    if fact.value:
        parts = [pl.col(_SPOKEN + name).str.replace_all("\x1e", "", literal=True) for name in fact.value]
        value = pl.lit(',"value":"') + pl.concat_str(parts, separator="-") + pl.lit('"')
        pieces.append(value.fill_null(""))
    if fact.attributes:
        pieces.append(_attributes(layout, fact))
    return [*pieces, pl.lit("}")]


def _attributes(layout: FeedLayout, fact: FactSpec) -> pl.Expr:
    said = [
        (pl.lit(f",{_json(name)}:") + _json_of(layout.column(column), _ATTRIBUTE)).fill_null("")
        for name, column in fact.attributes.items()
    ]
    listed = pl.concat_str(said).str.slice(1)
    return pl.when(listed != "").then(pl.lit(',"attributes":{') + listed + pl.lit("}")).otherwise(pl.lit(""))


def _json_of(column: Column, form: str) -> pl.Expr:
    """A column's value as JSON: looked up by its text, or what it says, in quotes if that is no number."""
    if _repeats(column):
        return pl.col(form + column.name)
    said = pl.col(_SPOKEN + column.name)
    return said if _counts(column) else pl.lit('"') + said + pl.lit('"')
