"""A departmental data set as data (数据集版式): its columns, natural key, rules, and how a row becomes facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.vocabulary.terms import Source


class ColumnType(StrEnum):
    """What a column's text is read as; each has one normaliser in `normalise`."""

    TEXT = "text"
    IDENTITY_NUMBER = "identity_number"
    DISABILITY_CERTIFICATE = "disability_certificate"
    DATE = "date"
    MONEY_YUAN = "money_yuan"
    BOOLEAN = "boolean"
    CODE = "code"
    INTEGER = "integer"
    DIVISION = "division"
    YEAR = "year"
    PERCENT = "percent"


class Kind(StrEnum):
    """A transaction file adds; a snapshot (全量) is the whole list, and what it no longer lists has ended."""

    TRANSACTION = "transaction"
    SNAPSHOT = "snapshot"


class Cadence(StrEnum):
    """How often the department promised to send (报送频率)."""

    EVENT = "event"
    WEEKLY = "weekly"
    TEN_DAYS = "ten_days"
    FORTNIGHT = "fortnight"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def days(self) -> int:
        """The longest regular distance between two files, days; what is sent as it happens, at least monthly."""
        return {
            "event": 31,
            "weekly": 7,
            "ten_days": 11,
            "fortnight": 16,
            "monthly": 31,
            "quarterly": 92,
            "yearly": 366,
        }[self.value]


class RuleKind(StrEnum):
    """How columns of one row bind each other."""

    SUM_EQUALS = "sum_equals"
    SUM_AT_MOST = "sum_at_most"
    CERTIFICATE_AGREES = "certificate_agrees"
    ANY_KNOWN = "any_known"
    IN_ORDER = "in_order"
    WHOLE_YEAR = "whole_year"


class Month(StrEnum):
    """Which day a bare month stands for, where a department keeps no days."""

    FIRST = "first"
    LAST = "last"


class LayoutInvalid(ValueError):
    """A layout file is not a layout: which file, which key, what is right."""

    def __init__(self, file: str, key: str, message: str) -> None:
        super().__init__(f"{file}: {key}: {message}")
        self.file, self.key, self.message = file, key, message


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` is ours, `header` the department's, `synonyms` other headers seen.

    `codes` maps accepted texts to codes (type code). `tolerant`: a bad value is a warning and is left out.
    `personal`: never shown in an error. Money: `unit` yuan or ten_thousand_yuan, `max_yuan` is the plausible most.
    Percentages: `unit` basis_points or percent (whole, rounded down). `most` bounds a number, `month` says which day
    a bare month means (first or last). `withheld`: never read, it stays in the sealed file alone (诉求原文).
    `open_ended`: "长期" or 9999-12-31 means that no end is set. `typed`: sent by a typed interface (JSON), where an
    amount has no thousands commas, currency marks or 万; no layout says so, the reader does.
    """

    name: str
    header: str
    type: ColumnType
    required: bool = False
    synonyms: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    multiple: bool = False
    unit: str = "yuan"
    negative: bool = False
    max_yuan: int = 10_000_000
    max_length: int = 100
    pattern: str | None = None
    tolerant: bool = False
    personal: bool = False
    future: bool = False
    example: str | None = None
    most: int | None = None
    month: Month | None = None
    withheld: bool = False
    open_ended: bool = False
    typed: bool = False


class Asked(StrEnum):
    """What a condition may ask of a column besides its codes."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row must say for a fact or a rule to apply: one of these codes, or what is `asked`."""

    column: str
    codes: frozenset[str] = frozenset()
    asked: Asked | None = None

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether a row with these normal values says so; of several codes in one cell one is enough."""
        value = values[self.column]
        match self.asked:
            case Asked.KNOWN:
                return value is not None
            case Asked.UNKNOWN:
                return value is None
            case Asked.POSITIVE:
                return value is not None and value > 0
        return not self.codes.isdisjoint(value if isinstance(value, tuple) else (as_word(value),))


def as_word(value: Any) -> str | None:
    """A code, a flag or a number as facts and conditions write it."""
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule across columns, where `when` holds; null in any of them leaves it unanswered, never failed."""

    code: str
    kind: RuleKind
    columns: tuple[str, ...]
    level: str
    message: str
    target: str
    tolerance_fen: int = 0
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class FactSpec:
    """How a row becomes one observation: which columns are person, date, amounts, value and attributes.

    `ends`: the fact is a state that ends when a snapshot no longer lists its record. `when`: said only of rows for
    which all of it holds. `fixed` are fields, `fixed_attributes` attributes that are the same for every row. `part`
    tells facts of one kind and row apart. `ended_on` is the first day on which the fact holds no more, `last_day` the
    last on which it does. It concerns the person if the row names one, else the household; his name goes along, if a
    column has it, to be compared with the register's.
    """

    kind: str
    person: str | None
    household: str | None
    division: str | None
    occurred_on: str
    amounts: Mapping[str, str] = field(default_factory=dict)
    visit: str | None = None
    stay: str | None = None
    value: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False
    when: tuple[Condition, ...] = ()
    fixed: Mapping[str, str | bool] = field(default_factory=dict)
    fixed_attributes: Mapping[str, str | bool | int] = field(default_factory=dict)
    period: tuple[str, str] | None = None
    ended_on: str | None = None
    last_day: str | None = None
    part: str | None = None
    person_name: str | None = None

    @property
    def told_as_is(self) -> tuple[tuple[str, str | None], ...]:
        """Fields of the observation that hold a column's public value as it is, and the columns (None: not told)."""
        return (
            ("person", self.person),
            ("household_no", self.household),
            ("division", self.division),
            ("visit", self.visit),
            ("stay", self.stay),
            *self.amounts.items(),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose content the fact tells."""
        told = [column for _, column in self.told_as_is]
        single = (*told, self.occurred_on, self.ended_on, self.last_day)
        many = (*self.value, *self.attributes.values(), *(self.period or ()))
        return (*(name for name in single if name), *many)


@dataclass(frozen=True, slots=True)
class Reversal:
    """Which rows take an earlier record back (冲销): those with one of `codes`; `of` names the record taken back."""

    column: str
    codes: frozenset[str]
    of: str


class Owner(StrEnum):
    """Of what a department may have a code of its own (本部门编码)."""

    PERSON = "person"
    HOUSEHOLD = "household"
    DIVISION = "division"


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A column with the department's own code, and the column that it stands in for where that is blank."""

    owner: Owner
    column: str
    stands_for: str


@dataclass(frozen=True, slots=True)
class HouseholdSpec:
    """How rows of members become households: grouped by `number`; the `head`'s row speaks for it.

    `member_details` and `household_details` are columns that travel as they are (登记项), under their own names.
    `member` may name the columns that tell of somebody without a number why, and his sex and birthday.
    """

    number: str
    division: str
    relation: str
    head: str
    member: Mapping[str, str]
    of_head: Mapping[str, str]
    income_year: str
    income: Mapping[str, str]
    member_details: tuple[str, ...] = ()
    household_details: tuple[str, ...] = ()

    @property
    def tells_unnumbered(self) -> bool:
        """Whether a member without an identity number can be told of."""
        return "no_id_reason" in self.member


@dataclass(frozen=True, slots=True)
class FeedLayout:
    """One data set in one version; either `facts` (a row is a record) or `household` (a group of rows is).

    `needs_authorisation`: asset data, taken only of households that allowed it (承诺授权). `own_codes`: the columns
    with the department's own numbers of household, person and division; those of household and division are kept
    with each fact.
    """

    name: str
    version: int
    title: str
    department: str
    department_title: str
    kind: Kind
    cadence: Cadence
    overdue_after_days: int
    natural_key: tuple[str, ...]
    purpose: str
    legal_basis: str
    retention_months: int
    raw_retention_days: int
    owner: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    facts: tuple[FactSpec, ...] = ()
    household: HouseholdSpec | None = None
    source: Source = Source.DEPARTMENT
    needs_authorisation: bool = False
    reversal: Reversal | None = None
    own_codes: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """The column of that standard name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def told_codes(self) -> Mapping[str, str]:
        """The own codes kept with each fact: all but a person's, who is known by the blind index of his number."""
        return {owner: column for owner, column in self.own_codes.items() if owner != Owner.PERSON}

    @property
    def crosswalk(self) -> tuple[OwnCode, ...]:
        """The own codes that find whom they are of, where no other column says it; a person's come first."""
        found = []
        for owner in Owner:
            of_facts = {column for fact in self.facts if (column := getattr(fact, owner)) is not None}
            if owner in self.own_codes and len(of_facts) == 1 and self.own_codes[owner] not in of_facts:
                found.append(OwnCode(owner, self.own_codes[owner], of_facts.pop()))
        return tuple(found)

    @property
    def unsaid(self) -> frozenset[str]:
        """The columns of persons' own codes, which only say who it is: with or without them a row says the same."""
        codes = {each.column for each in self.crosswalk if each.owner is Owner.PERSON}
        told = {column for fact in self.facts for column in fact.columns}
        return frozenset(codes - told - {*self.natural_key} - {self.reversal.of if self.reversal else None})

    @property
    def holds_rows(self) -> bool:
        """Whether a row with an implausible amount waits for a person: a list is whole, and assets leave no trace."""
        return self.kind is Kind.TRANSACTION and self.household is None and not self.needs_authorisation
