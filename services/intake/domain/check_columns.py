"""Rows checked as columns: which are plainly clean, and what those say.

`RowChecker` alone defines what a row means. Here most rows of most files are told in blocks: of a row found clean the
same record, digest, content and notes come out as there, without warnings; of every other row it is only said that
somebody must ask `RowChecker`. What repeats (days, codes, places) is asked of `normalise` once for each text; what
does not (identity numbers, amounts, free texts) is checked by expressions that are sure of less than `normalise`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from services.intake.domain.column_cells import (
    ATTRIBUTE,
    COUNTED,
    NUMBERED,
    OK,
    SPOKEN,
    VALUE,
    WHOLE,
    all_hold,
    expressions,
    held,
    kept,
    known,
    looked_up,
    number_in,
)
from services.intake.domain.column_content import RECORD_KEY, as_json, content
from services.intake.domain.feed_layout import (
    Asked,
    Column,
    ColumnType,
    Condition,
    FactSpec,
    FeedLayout,
    OwnCode,
    Owner,
    Reversal,
    Rule,
    RuleKind,
)
from services.intake.domain.feed_row import (
    SEPARATOR,
    RowContext,
    digested,
    json_value,
    misplaced,
    row_digests,
    said,
)
from services.intake.domain.normalise import Normal, normalise
from services.intake.domain.own_code import code_of

MOST_REMEMBERED = 20_000  # Texts of one column.
MOST_NUMBERS = 250_000  # Identity numbers whose blind index is remembered: some 70 MiB.

LINE, RECORD, DIGEST, CONTENT, PERSON = "line", "record", "digest", "content", "person"
OWNER_KIND, CODE, OWNER, ON = "owner_kind", "code", "owner", "on"

_SURE = " sure"
_EPOCH = date(1970, 1, 1).toordinal()
_WORDS = (ColumnType.TEXT, ColumnType.CODE)
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
        Condition: "column codes asked",
        Reversal: "column codes of",
    }
)


@dataclass(frozen=True, slots=True)
class CheckedColumns:
    """`clean`: line, record, digest, content and person (blind index, hex) of the clean rows, in order.

    `unsure`: positions of all others.
    `named`: what clean rows say of the department's own codes: line, of what, the code, its owner, on which day.
    """

    clean: pl.DataFrame
    unsure: Sequence[int]
    newest: date | None
    notes: Counter[tuple[str, str]]
    named: pl.DataFrame | None = None


class _Meaning(NamedTuple):
    """What one text of a column means; `held` says which of the conditions asked of the column hold."""

    spoken: str | None
    whole: int | None
    value: str | None
    attribute: str | None
    held: tuple[bool, ...]
    notes: tuple[str, ...]


def told_in_columns(layout: FeedLayout) -> bool:
    """Whether all that this layout says of a row is known here; if not, its rows are told one by one.

    Households are gathered from several rows, and what a row says of them is not told here.
    """
    if layout.household is not None or not layout.facts:
        return False
    if any({f.name for f in fields(kind)} != set(names.split()) for kind, names in _KNOWN_FIELDS.items()):
        return False
    columns = {c.name: c for c in layout.columns}
    return (
        all(_plain_codes(c) for c in columns.values())
        and all(_keyable(columns[name]) for name in layout.natural_key)
        and all(_askable(each, columns[each.column]) for each in _conditions(layout))
        and all(_countable(rule, columns) for rule in layout.rules)
        and all(_sayable(fact, columns) for fact in layout.facts)
        and _ownable(layout, columns)
    )


def _plain_codes(column: Column) -> bool:
    return all(as_json(code) == f'"{code}"' for code in column.codes.values())


def _keyable(column: Column) -> bool:
    return not column.multiple and not column.withheld and column.type is not ColumnType.DISABILITY_CERTIFICATE


def _conditions(layout: FeedLayout) -> list[Condition]:
    """All that is asked of a row: by rules, by facts, and whether it takes something back."""
    conditions = [*(rule.when for rule in layout.rules), *(fact.when for fact in layout.facts)]
    asked = [condition for when in conditions for condition in when]
    if layout.reversal is not None:
        asked.append(Condition(layout.reversal.column, layout.reversal.codes))
    return asked


def _askable(condition: Condition, column: Column) -> bool:
    if condition.asked is Asked.POSITIVE:
        return column.type in (*COUNTED, ColumnType.PERCENT)
    return condition.asked is not None or (looked_up(column) and column.type in (ColumnType.CODE, ColumnType.BOOLEAN))


def _countable(rule: Rule, columns: Mapping[str, Column]) -> bool:
    every = [columns[name] for name in (*rule.columns, rule.target)]
    match rule.kind:
        case RuleKind.SUM_EQUALS | RuleKind.SUM_AT_MOST:
            return all(column.type in COUNTED for column in every)
        case RuleKind.IN_ORDER | RuleKind.WHOLE_YEAR:
            return all(column.type is ColumnType.DATE for column in every)
        case RuleKind.CERTIFICATE_AGREES:
            return _comparable(*every)
    return rule.kind is RuleKind.ANY_KNOWN


def _comparable(number: Column, types: Column, grade: Column, certificate: Column) -> bool:
    """A certificate's parts are single characters, and can be found in codes that are."""
    coded = types.multiple and not grade.multiple and grade.type is ColumnType.CODE
    of_type = number.type is ColumnType.IDENTITY_NUMBER and certificate.type is ColumnType.DISABILITY_CERTIFICATE
    read = not any(column.withheld for column in (number, types, grade, certificate))
    return coded and of_type and read and all(len(code) == 1 for code in types.codes.values())


def _sayable(fact: FactSpec, columns: Mapping[str, Column]) -> bool:
    def of(names: Iterable[str | None], *types: ColumnType) -> bool:
        return all(columns[name].type in types for name in names if name is not None)

    told = [column for _, column in fact.told_as_is if column is not None]
    return (
        _said_once(fact)
        and columns[fact.occurred_on].required
        and not any(columns[name].withheld for name in (*told, *fact.value, fact.occurred_on))
        and of([fact.occurred_on, fact.ended_on, fact.last_day, *(fact.period or ())], ColumnType.DATE)
        and of([fact.person], ColumnType.IDENTITY_NUMBER)
        and of([fact.household, fact.division, fact.visit, fact.stay], *_WORDS, ColumnType.DIVISION)
        and of(fact.amounts.values(), *COUNTED)
        and of(fact.value, *_WORDS)
        and of([fact.person_name], ColumnType.TEXT)
        and not any(columns[name].type in NUMBERED for name in fact.attributes.values())
    )


def _said_once(fact: FactSpec) -> bool:
    """Whether nothing that a fact says would take the place of something else it says."""
    told = {name for name, column in fact.told_as_is if column is not None} | ({"value"} if fact.value else set())
    attributes = fact.attributes.keys() & fact.fixed_attributes.keys()
    return not attributes and not told & fact.fixed.keys() and (fact.ended_on is None or fact.last_day is None)


def _ownable(layout: FeedLayout, columns: Mapping[str, Column]) -> bool:
    if not layout.own_codes:
        return True
    named = [name for fact in layout.facts for name in (*fact.attributes, *fact.fixed_attributes)]
    told = {columns[name].type for name in layout.told_codes.values()}
    persons = {columns[name].type for owner, name in layout.own_codes.items() if owner == Owner.PERSON}
    read = not any(columns[each.column].withheld for each in layout.crosswalk)
    known = told <= {*_WORDS, ColumnType.DIVISION} and persons <= {ColumnType.TEXT, ColumnType.DISABILITY_CERTIFICATE}
    return "own_codes" not in named and known and read


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
    """Checks blocks of one file against a layout that is `told_in_columns`; what is asked is worked out once."""

    layout: FeedLayout
    context: RowContext
    _asked: dict[str, list[Condition]] = field(init=False)
    _demands: list[pl.Expr] = field(init=False)
    _content: pl.Expr = field(init=False)
    _needed: frozenset[str] = field(init=False)
    _meanings: dict[str, dict[str, _Meaning | None]] = field(default_factory=dict)
    _indexes: dict[str, str] = field(default_factory=dict)
    _codes: dict[tuple[Owner, str], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        conditions = dict.fromkeys(_conditions(self.layout))
        self._asked = {c.name: [each for each in conditions if each.column == c.name] for c in self.layout.columns}
        self._demands, self._content = _demands(self.layout), content(self.layout)
        self._needed = frozenset(name for each in (*self._demands, self._content) for name in each.meta.root_names())

    def check(self, cells: pl.DataFrame) -> CheckedColumns:
        """Check rows: `line` and the text of each column by its name; a column that is not there is blank."""
        return self.say(self.tell(cells))

    def tell(self, cells: pl.DataFrame) -> ToldBlock:
        """The first half of `check`: which rows are sure. It may go on while an earlier block is being said."""
        absent = [pl.lit("").alias(c.name) for c in self.layout.columns if c.name not in cells.columns]
        cells = cells.with_columns(absent)
        meanings = {c.name: self._look_up(c, cells[c.name]) for c in self.layout.columns if looked_up(c)}
        return ToldBlock(cells, self._tell(cells, meanings), meanings)

    def say(self, block: ToldBlock) -> CheckedColumns:
        """The second half: what the sure rows say."""
        sure = block.told[_SURE]
        clean = block.told if sure.all() else block.told.filter(sure)
        days = [clean[SPOKEN + name].max() for name in {f.occurred_on for f in self.layout.facts}]
        newest = max((date.fromisoformat(str(day)) for day in days if day is not None), default=None)
        notes = self._notes(clean, block.meanings)
        clean = clean.with_columns(
            self._public(c, clean[c.name]).alias(SPOKEN + c.name)
            for c in self.layout.columns
            if c.type in NUMBERED and not c.withheld
        )
        return CheckedColumns(self._say(clean), (~sure).arg_true().to_list(), newest, notes, self._named(clean))

    def _look_up(self, column: Column, cells: pl.Series) -> Mapping[str, _Meaning]:
        """What the texts of a column of this block mean, as far as they mean something."""
        remembered = self._meanings.setdefault(column.name, {})
        if len(remembered) > MOST_REMEMBERED:
            remembered.clear()
        texts = cells.unique().to_list()
        for text in texts:
            if text not in remembered:
                remembered[text] = _meaning(column, text, self.context, self._asked[column.name])
        return {text: meaning for text in texts if (meaning := remembered[text]) is not None}

    def _tell(self, cells: pl.DataFrame, meanings: Mapping[str, Mapping[str, _Meaning]]) -> pl.DataFrame:
        """The cells, what each column says, and whether the whole row is sure."""
        meant = [
            cells.select(name).join(self._table(name, found), on=name, how="left", maintain_order="left").drop(name)
            for name, found in meanings.items()
        ]
        told = pl.concat([cells, *meant], how="horizontal").lazy()
        # Numbers first, so that each is read once however often it is asked about.
        numbers = {c.name: number for c in self.layout.columns if (number := number_in(c)) is not None}
        told = told.with_columns(number.alias(WHOLE + name) for name, number in numbers.items())
        told = told.with_columns(
            each for c in self.layout.columns for each in expressions(c, cells[c.name], self.context.today)
        )
        sure = [pl.col(OK + c.name) for c in self.layout.columns]
        every = pl.all_horizontal(each.fill_null(False) for each in (*sure, *self._demands))
        return told.with_columns(every.alias(_SURE)).collect()

    def _table(self, name: str, found: Mapping[str, _Meaning]) -> pl.DataFrame:
        """What the texts of a column mean, to be joined to its cells, as far as anything here asks."""
        meanings = found.values()
        optional = {
            WHOLE + name: pl.Series([m.whole for m in meanings], dtype=pl.Int64),
            VALUE + name: pl.Series([m.value for m in meanings], dtype=pl.String),
            ATTRIBUTE + name: pl.Series([m.attribute for m in meanings], dtype=pl.String),
        }
        for at, condition in enumerate(self._asked[name]):
            optional[held(condition)] = pl.Series([m.held[at] for m in meanings], dtype=pl.Boolean)
        return pl.DataFrame(
            {
                name: pl.Series(list(found), dtype=pl.String),
                OK + name: pl.Series([True] * len(found), dtype=pl.Boolean),
                SPOKEN + name: pl.Series([m.spoken for m in meanings], dtype=pl.String),
                **{column: told for column, told in optional.items() if column in self._needed},
            }
        )

    def _say(self, clean: pl.DataFrame) -> pl.DataFrame:
        """Line, record, digest, content and person of clean rows."""
        person = next((fact.person for fact in self.layout.facts if fact.person is not None), None)
        spoken = (pl.col(SPOKEN + name).fill_null("") for name in digested(self.layout))
        version = pl.lit(str(self.layout.version))
        key = pl.concat_str((pl.col(SPOKEN + n).fill_null("None") for n in self.layout.natural_key), separator="/")
        said = (
            clean.lazy()
            .with_columns(key.alias(RECORD_KEY))
            .select(
                LINE,
                pl.col(RECORD_KEY).alias(RECORD),
                pl.concat_str(version, *spoken, separator=SEPARATOR).cast(pl.Binary).alias(DIGEST),
                self._content.alias(CONTENT),
                (pl.lit(None, pl.String) if person is None else pl.col(SPOKEN + person)).alias(PERSON),
            )
            .collect()
        )
        digests = pl.Series(DIGEST, row_digests(said[DIGEST].to_list()), dtype=pl.Binary)
        return said.with_columns(digests)

    def _named(self, clean: pl.DataFrame) -> pl.DataFrame | None:
        """What clean rows say of own codes."""
        days = pl.max_horizontal(SPOKEN + fact.occurred_on for fact in self.layout.facts)
        found = [self._named_by(each, clean, days) for each in self.layout.crosswalk]
        return pl.concat(found) if found else None

    def _named_by(self, each: OwnCode, clean: pl.DataFrame, days: pl.Expr) -> pl.DataFrame:
        column = self.layout.column(each.column)
        # A certificate is told without the number of its last issue.
        text = pl.col(column.name).str.slice(0, 20) if column.type in NUMBERED else pl.col(SPOKEN + column.name)
        named = clean.filter(known(column) & pl.col(SPOKEN + each.stands_for).is_not_null()).select(
            LINE,
            pl.lit(each.owner.value).alias(OWNER_KIND),
            text.alias(CODE),
            pl.col(SPOKEN + each.stands_for).alias(OWNER),
            days.alias(ON),
        )
        codes = [self._code(each.owner, text) for text in named[CODE].to_list()]
        return named.with_columns(pl.Series(CODE, codes, dtype=pl.Binary))

    def _code(self, owner: Owner, text: str) -> bytes:
        code = self._codes.get((owner, text))
        if code is None:
            if len(self._codes) >= MOST_NUMBERS:
                self._codes.clear()
            code = self._codes[owner, text] = code_of(owner, text, self.context.index)[1]
        return code

    def _public(self, column: Column, cells: pl.Series) -> pl.Series:
        """What may be said of each number: its blind index, of a certificate type and grade too; of a blank null."""
        if column.type is ColumnType.IDENTITY_NUMBER:
            return self._indexes_of(cells)
        parts = [self._indexes_of(cells.str.slice(0, 18)), cells.str.slice(18, 1), cells.str.slice(19, 1)]
        return pl.select(pl.concat_str(parts, separator="\x1e")).to_series()

    def _indexes_of(self, numbers: pl.Series) -> pl.Series:
        """The blind index of each number, hex; of a blank null."""
        remembered, found = self._indexes, []
        for number in numbers.to_list():
            index = remembered.get(number)
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


def _demands(layout: FeedLayout) -> list[pl.Expr]:
    """What a sure row fulfils besides its cells: it says of whom it speaks, keeps the rules, takes nothing back."""
    demands = [_somebodys(layout, fact) for fact in layout.facts]
    demands += [kept(rule, layout) for rule in layout.rules]
    if layout.reversal is not None:
        demands.append(~all_hold((Condition(layout.reversal.column, layout.reversal.codes),), layout))
    return [*demands, *(_said_beside(each, layout) for each in layout.crosswalk)]


def _said_beside(code: OwnCode, layout: FeedLayout) -> pl.Expr:
    """Where an own code does not stand alone; a household's may, if the row names its person."""
    beside = {code.stands_for}
    if code.owner is Owner.HOUSEHOLD:
        beside |= {fact.person for fact in layout.facts if fact.person is not None}
    return ~known(layout.column(code.column)) | pl.any_horizontal(
        known(layout.column(name)) for name in sorted(beside)
    )


def _somebodys(layout: FeedLayout, fact: FactSpec) -> pl.Expr:
    """Where the fact is somebody's, if the row tells of it."""
    named = [known(layout.column(name)) for name in (fact.person, fact.household) if name is not None]
    somebody = pl.any_horizontal(named)
    return somebody | ~all_hold(fact.when, layout) if fact.when else somebody


def _meaning(column: Column, text: str, context: RowContext, asked: Sequence[Condition]) -> _Meaning | None:
    """What the text means; None: it is refused, or names a place that this file may not name."""
    outcome = normalise(column, text, context.today)
    if not isinstance(outcome, Normal):
        return None
    value = outcome.value
    holding = tuple(each.holds({column.name: value}) for each in asked)
    if value is None:
        return None if column.required else _Meaning(None, None, None, None, holding, outcome.notes)
    if column.type is ColumnType.DIVISION and misplaced(value, context):
        return None
    plain = value.isoformat() if isinstance(value, date) else value
    return _Meaning(said(value), _whole(value), as_json(plain), as_json(json_value(value)), holding, outcome.notes)


def _whole(value: Any) -> int | None:
    """A number, or a day as days since 1970."""
    return value.toordinal() - _EPOCH if isinstance(value, date) else value if isinstance(value, int) else None
