"""A departmental data set as data (数据集版式): its columns, natural key, rules, and how a row becomes facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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


class Kind(StrEnum):
    """A transaction file adds; a snapshot (全量) is the whole list, and what it no longer lists has ended."""

    TRANSACTION = "transaction"
    SNAPSHOT = "snapshot"


class Cadence(StrEnum):
    """How often the department promised to send (报送频率)."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def days(self) -> int:
        """The longest regular distance between two files, days."""
        return {"weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}[self.value]


class RuleKind(StrEnum):
    """How columns of one row bind each other."""

    SUM_EQUALS = "sum_equals"
    SUM_AT_MOST = "sum_at_most"
    CERTIFICATE_AGREES = "certificate_agrees"


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


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule across columns; null in any of them leaves it unanswered, never failed."""

    code: str
    kind: RuleKind
    columns: tuple[str, ...]
    level: str
    message: str
    target: str
    tolerance_fen: int = 0


@dataclass(frozen=True, slots=True)
class FactSpec:
    """How a row becomes one observation: which columns are person, date, amounts, value and attributes.

    `ends`: the fact is a state that ends when a snapshot no longer lists its record.
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


@dataclass(frozen=True, slots=True)
class HouseholdSpec:
    """How rows of members become households: grouped by `number`; the `head`'s row speaks for it.

    `member_details` and `household_details` are columns that travel as they are (登记项), under their own names.
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


@dataclass(frozen=True, slots=True)
class FeedLayout:
    """One data set in one version; either `facts` (a row is a record) or `household` (a group of rows is)."""

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

    def column(self, name: str) -> Column:
        """The column of that standard name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def personal_key(self) -> bool:
        """True when the natural key holds an identity number, which is then stored as its blind index."""
        types = {self.column(name).type for name in self.natural_key}
        return bool(types & {ColumnType.IDENTITY_NUMBER, ColumnType.DISABILITY_CERTIFICATE})
