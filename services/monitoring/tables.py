"""The tables of schema `monitoring`; the only definition of its structure."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field

from services.monitoring.domain.stored_measures import MOST_MEASURES
from shared.db.base import MonitoringTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)
from shared.queue.tables import ClaimColumns

_MOMENT: Any = DateTime(timezone=True)
_DIVISION: Any = String(12, collation="C")
_COUNTY: Any = String(6, collation="C")
_TEXT: Any = Text()
_BIG: Any = BigInteger()
_SMALL: Any = SmallInteger()
_BYTES: Any = LargeBinary()
_JSON: Any = JSONB()
_TEXTS: Any = ARRAY(TEXT)
_BIGS: Any = ARRAY(BigInteger)
_NOW = {"server_default": text("clock_timestamp()")}
_ZERO = {"server_default": text("0")}
_CURRENT = text("superseded_at IS NULL")

# How a name is compared: NFKC, without blanks and the middle dots of minority names, in lower case.
NAME_KEY = "lower(translate(normalize(name, NFKC), ' .·•‧∙・●⋅᛫'::text, ''::text))"
TAG_KINDS = ("state.assistance", "state.disability", "state.monitored", "state.national_list", "state.relocated")
_TAGGED = f"superseded_at IS NULL AND kind IN ({', '.join(map(repr, TAG_KINDS))})"

# Sums over a household's facts stay far within a bigint.
MOST_FEN = 10_000_000_000_000

# Partitioned tables have no identity columns before PostgreSQL 17, so facts are numbered by a sequence.
FACT_NUMBERS: Sequence = Sequence("fact_fact_id_seq", metadata=MonitoringTable.metadata, schema="monitoring")
CHANGE_NUMBERS: Sequence = Sequence("outbox_position_seq", metadata=MonitoringTable.metadata, schema="monitoring")


class Household(ClaimColumns, MonitoringTable, table=True):
    """A household, where it is registered and where it lives, and its risk as assessed last; due for assessment."""

    __tablename__ = "household"
    __table_args__ = (
        Index("ix_household_living_division", "living_division"),
        Index("ix_household_registered_division", "registered_division"),
        Index("ix_household_county", "county", "household_id"),
        Index("ix_household_phone", "phone", postgresql_where=text("phone IS NOT NULL")),
        Index("ix_household_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_household_next_change_on", "next_change_on", postgresql_where=text("next_change_on IS NOT NULL")),
        Index("ix_household_rescreen", "rescreen_id", postgresql_where=text("rescreen_id IS NOT NULL")),
        CheckConstraint("severity BETWEEN 1 AND 4", name="severity"),
    )

    household_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    county: str = Field(sa_type=_COUNTY)
    household_no: str = Field(sa_type=_TEXT, unique=True)
    registered_division: str = Field(sa_type=_DIVISION)
    living_division: str = Field(sa_type=_DIVISION)
    head_name: str = Field(default="", sa_type=_TEXT, sa_column_kwargs={"server_default": text("''")})
    phone: str | None = Field(default=None, sa_type=_TEXT)
    roster_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "date of the newest roster that lists it"}
    )
    roster_received_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    listed_as: str | None = Field(default=None, sa_type=_TEXT)
    listed_on: date | None = None
    last_outcome: str | None = Field(default=None, sa_type=_TEXT)
    last_verified_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    facts_version: int = Field(default=0, sa_type=_BIG, sa_column_kwargs=_ZERO)
    next_change_on: date | None = None
    recommendation: str | None = Field(default=None, sa_type=_TEXT)
    severity: int | None = Field(
        default=None, sa_type=_SMALL, sa_column_kwargs={"comment": "4 red, 3 orange, 2 yellow, 1 blue"}
    )
    score: int = Field(default=0, sa_type=_SMALL, sa_column_kwargs=_ZERO)
    risk: dict[str, Any] | None = Field(
        default=None,
        sa_type=_JSON,
        sa_column_kwargs={"comment": "recommendation, severity and what fired, as assessed last"},
    )
    answered: dict[str, Any] | None = Field(
        default=None,
        sa_type=_JSON,
        sa_column_kwargs={"comment": "the last visitor's outcome, with as much of the risk he saw as still stands"},
    )
    warned_at: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs={"comment": "a warning opened and was not verified since"}
    )
    waiting_reports: list[dict[str, Any]] = Field(
        sa_type=_JSON, sa_column_kwargs={"server_default": text("'[]'::jsonb"), "comment": "reports not assessed yet"}
    )
    rescreen_id: UUID | None = None
    ended_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "the day it ceased to be a household of its own"}
    )
    merged_into: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs={"comment": "the household that took over its people and facts"}
    )
    created_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)


class Standing(MonitoringTable, table=True):
    """What stands of a household's assessments; every household has one, made by a trigger.

    Narrow, because a rescreen writes it for all. Whoever writes it and the household locks this row first.
    """

    __tablename__ = "standing"

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    assessment_id: int | None = Field(default=None, sa_type=_BIG)
    facts_version: int = Field(default=0, sa_type=_BIG, sa_column_kwargs=_ZERO)
    reading: int | None = Field(
        default=None,
        sa_type=_BIG,
        sa_column_kwargs={"comment": "fingerprint of the policy and values it was judged by"},
    )
    digest: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs={"comment": "of the assessment that stands"}
    )
    gist: bytes | None = Field(
        default=None,
        sa_type=_BYTES,
        sa_column_kwargs={"comment": "digest of class, severity and what fired; empty: no risk"},
    )


class Resident(MonitoringTable, table=True):
    """A person, found by the blind index of the identity number; the number itself is sealed."""

    __tablename__ = "resident"
    __table_args__ = (
        Index("ix_resident_name_key", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
        Index("ix_resident_birth", "birth_date", "name_key"),
        CheckConstraint("sealed_number IS NOT NULL OR no_id_reason IS NOT NULL", name="number"),
    )

    resident_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    number_index: bytes = Field(sa_type=_BYTES, unique=True)
    sealed_number: bytes | None = Field(
        default=None,
        sa_type=_BYTES,
        sa_column_kwargs={"comment": "AAD: resident, sealed_number, hex of number_index"},
    )
    no_id_reason: str | None = Field(
        default=None,
        sa_type=_TEXT,
        sa_column_kwargs={
            "comment": "why there is no number; number_index then stands in for one, nothing is sealed"
        },
    )
    name: str = Field(sa_type=_TEXT)
    sex: str = Field(sa_type=_TEXT)
    birth_date: date
    died_on: date | None = None
    name_key: str | None = Field(
        default=None,
        sa_column=Column(
            "name_key",
            Text(),
            Computed(NAME_KEY, persisted=True),
            comment="the name in normal form: width, blanks and middle dots aside",
        ),
    )


class HouseholdMember(MonitoringTable, table=True):
    """A resident belongs to a household in [valid_from, valid_to), as known in [recorded_at, superseded_at)."""

    __tablename__ = "household_member"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        ForeignKeyConstraint(["resident_id"], ["monitoring.resident.resident_id"]),
        Index(
            "uq_household_member_current",
            "household_id",
            "resident_id",
            "valid_from",
            unique=True,
            postgresql_where=_CURRENT,
        ),
        Index("ix_household_member_county", "county", "household_id"),
        Index("ix_household_member_resident_id", "resident_id"),
        CheckConstraint("status IN ('living', 'deceased', 'imprisoned', 'missing', 'long_term_away')", name="status"),
        CheckConstraint("valid_to >= valid_from", name="validity"),
    )

    member_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=_BIG)
    resident_id: int = Field(sa_type=_BIG)
    county: str = Field(sa_type=_COUNTY)
    relation: str = Field(sa_type=_TEXT)
    status: str = Field(default="living", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'living'")})
    valid_from: date
    valid_to: date | None = None
    recorded_at: datetime = Field(sa_type=_MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    born: int = Field(sa_column_kwargs={"comment": "yyyymmdd; of the resident, kept in step by a trigger"})
    died_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "of the resident, kept in step by a trigger"}
    )


class Fact(MonitoringTable, table=True):
    """Something true of a resident or a household from `occurred_on` (until `ended_on`); append-only, money in fen.

    Known at T: recorded_at <= T and (superseded_at is null or superseded_at > T). `record_key` is the natural key
    at the source, preceded by the place whose source it is; the newest `received_at` of a record wins.
    """

    __tablename__ = "fact"
    __table_args__ = (
        Index("ix_fact_household", "county", "household_id", "kind", "occurred_on"),
        Index("ix_fact_resident", "resident_id", postgresql_where=text("resident_id IS NOT NULL")),
        Index("ix_fact_tag", "kind", "value", "household_id", postgresql_where=text(_TAGGED)),
        Index(
            "uq_fact_record",
            "data_set",
            "record_key",
            "kind",
            "household_id",
            "county",
            unique=True,
            postgresql_where=_CURRENT,
        ),
        CheckConstraint("superseded_at >= recorded_at", name="known"),
        CheckConstraint("period_from <= period_to", name="period"),
        *(
            CheckConstraint(f"{column} BETWEEN 0 AND {MOST_FEN}", name=column)
            for column in ("amount_fen", "gross_fen", "compliant_fen", "other_fen", "relief_fen")
        ),
        {"postgresql_partition_by": "LIST (county)"},
    )

    county: str = Field(sa_type=_COUNTY, primary_key=True)
    fact_id: int = Field(
        sa_column=Column(BigInteger, FACT_NUMBERS, server_default=FACT_NUMBERS.next_value(), primary_key=True)
    )
    household_id: int = Field(sa_type=_BIG)
    resident_id: int | None = Field(default=None, sa_type=_BIG)
    kind: str = Field(sa_type=_TEXT)
    occurred_on: date
    ended_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    amount_fen: int | None = Field(default=None, sa_type=_BIG)
    gross_fen: int | None = Field(default=None, sa_type=_BIG)
    compliant_fen: int | None = Field(default=None, sa_type=_BIG)
    other_fen: int | None = Field(default=None, sa_type=_BIG)
    relief_fen: int | None = Field(default=None, sa_type=_BIG)
    visit: str | None = Field(default=None, sa_type=_TEXT)
    stay: str | None = Field(default=None, sa_type=_TEXT)
    value: str | None = Field(default=None, sa_type=_TEXT)
    verified: bool | None = None
    attributes: dict[str, Any] = Field(sa_type=_JSON, sa_column_kwargs={"server_default": text("'{}'::jsonb")})
    source: str = Field(sa_type=_TEXT)
    department: str | None = Field(default=None, sa_type=_TEXT)
    data_set: str = Field(sa_type=_TEXT)
    record_key: str = Field(sa_type=_TEXT)
    origin: str = Field(
        default="",
        sa_type=_TEXT,
        sa_column_kwargs={"server_default": text("''"), "comment": "feed or report it came with"},
    )
    received_at: datetime = Field(sa_type=_MOMENT)
    ended_received_at: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs={"comment": "when the source said that it ended"}
    )
    facts_version: int = Field(
        default=0, sa_type=_BIG, sa_column_kwargs={**_ZERO, "comment": "of the household, from this fact on"}
    )
    recorded_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)
    superseded_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class UnmatchedObservation(MonitoringTable, table=True):
    """What was observed of somebody no roster lists yet, or the end of a record not seen yet; waits for its match."""

    __tablename__ = "unmatched_observation"
    __table_args__ = (
        Index("uq_unmatched_observation_record", "data_set", "record_key", "kind", "op", unique=True),
        Index("ix_unmatched_observation_person", "person", postgresql_where=text("person IS NOT NULL")),
        Index(
            "ix_unmatched_observation_household_no",
            "household_no",
            postgresql_where=text("household_no IS NOT NULL"),
        ),
        Index("ix_unmatched_observation_division", "division"),
        CheckConstraint("op IN ('put', 'end', 'withdraw', 'reverse')", name="op"),
    )

    unmatched_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    division: str = Field(sa_type=_DIVISION)
    data_set: str = Field(sa_type=_TEXT)
    record_key: str = Field(sa_type=_TEXT)
    kind: str = Field(sa_type=_TEXT)
    op: str = Field(sa_type=_TEXT)
    person: bytes | None = Field(default=None, sa_type=_BYTES)
    household_no: str | None = Field(default=None, sa_type=_TEXT)
    origin: str = Field(sa_type=_TEXT)
    received_at: datetime = Field(sa_type=_MOMENT)
    entry: dict[str, Any] = Field(sa_type=_JSON)
    recorded_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)


class NumberAlias(MonitoringTable, table=True):
    """A number that names another resident than the one it was given to: a person decided that they are one."""

    __tablename__ = "number_alias"
    __table_args__ = (
        ForeignKeyConstraint(["resident_id"], ["monitoring.resident.resident_id"]),
        Index("ix_number_alias_resident_id", "resident_id"),
    )

    number_index: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    resident_id: int = Field(sa_type=_BIG)


class RecordSubject(MonitoringTable, table=True):
    """By which number a source named the person of a record, where that number is an alias: an undo needs it."""

    __tablename__ = "record_subject"
    __table_args__ = (
        PrimaryKeyConstraint("data_set", "record_key", "kind"),
        Index("ix_record_subject_person", "person"),
    )

    data_set: str = Field(sa_type=_TEXT, primary_key=True)
    record_key: str = Field(sa_type=_TEXT, primary_key=True)
    kind: str = Field(sa_type=_TEXT, primary_key=True)
    person: bytes = Field(sa_type=_BYTES)
    division: str = Field(sa_type=_DIVISION)
    household_id: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs={"comment": "where the fact lay before the persons were joined"}
    )


class IdentityPair(MonitoringTable, table=True):
    """Two who may be one, or one who may be two: once for each pair and reason; a person decides."""

    __tablename__ = "identity_pair"
    __table_args__ = (
        ForeignKeyConstraint(["resident_id"], ["monitoring.resident.resident_id"]),
        Index("uq_identity_pair_subject", "reason", "resident_id", "other", unique=True),
        Index("ix_identity_pair_open", "reason", "pair_id", postgresql_where=text("state = 'open'")),
        Index("ix_identity_pair_resident_id", "resident_id"),
        Index("ix_identity_pair_other_resident_id", "other_resident_id"),
        CheckConstraint("state IN ('open', 'same', 'different', 'moved', 'gone')", name="state"),
        CheckConstraint("resident_id < other_resident_id", name="unordered"),
    )

    pair_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    reason: str = Field(sa_type=_TEXT)
    resident_id: int = Field(sa_type=_BIG)
    other: str = Field(
        sa_type=_TEXT,
        sa_column_kwargs={"comment": "the other side: resident:, name:, households:, household:, waiting:"},
    )
    other_resident_id: int | None = Field(default=None, sa_type=_BIG)
    household_id: int = Field(sa_type=_BIG)
    other_household_id: int | None = Field(default=None, sa_type=_BIG)
    told_name: str | None = Field(default=None, sa_type=_TEXT)
    told_by: str | None = Field(default=None, sa_type=_TEXT)
    person: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs={"comment": "blind index of a waiting person"}
    )
    state: str = Field(default="open", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'open'")})
    proposed_at: datetime = Field(sa_type=_MOMENT)


class IdentityDecision(MonitoringTable, table=True):
    """What was decided of a pair, by whom, and all that an undo needs; append-only, an undo is a row of its own."""

    __tablename__ = "identity_decision"
    __table_args__ = (
        ForeignKeyConstraint(["pair_id"], ["monitoring.identity_pair.pair_id"]),
        Index("ix_identity_decision_pair_id", "pair_id", "decision_no"),
        Index("ix_identity_decision_survivor_id", "survivor_id"),
        Index("ix_identity_decision_absorbed_id", "absorbed_id"),
        CheckConstraint("decision IN ('same', 'different', 'moved', 'undo')", name="decision"),
    )

    decision_id: UUID = Field(primary_key=True)
    decision_no: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    pair_id: int = Field(sa_type=_BIG)
    decision: str = Field(sa_type=_TEXT)
    undoes: UUID | None = Field(default=None, unique=True)
    survivor_id: int | None = Field(default=None, sa_type=_BIG)
    absorbed_id: int | None = Field(default=None, sa_type=_BIG)
    reason: str = Field(sa_type=_TEXT)
    document_no: str | None = Field(default=None, sa_type=_TEXT)
    notes: list[str] = Field(sa_type=_TEXTS)
    kept: dict[str, Any] = Field(sa_type=_JSON)
    decided_by: str = Field(sa_type=_TEXT)
    decided_by_name: str = Field(sa_type=_TEXT)
    decided_at: datetime = Field(sa_type=_MOMENT)


class IdentitySweep(MonitoringTable, table=True):
    """How far the register was looked through for doubtful persons, and when it last was as a whole."""

    __tablename__ = "identity_sweep"

    sweep_id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    position: int = Field(default=0, sa_type=_BIG, sa_column_kwargs=_ZERO)
    swept_on: date | None = None


class Assessment(MonitoringTable, table=True):
    """What the policy said of a household; append-only, written only when the answer changed."""

    __tablename__ = "assessment"
    __table_args__ = (
        # No foreign key: whoever writes holds the household's row, and checking it doubles the cost of a rescreen.
        PrimaryKeyConstraint("household_id", "assessment_id"),
    )

    assessment_id: int = Field(
        sa_column=Column(
            BigInteger, primary_key=True, autoincrement=False, comment="numbers the assessments of a household"
        )
    )
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    county: str = Field(sa_type=_COUNTY)
    on_date: date
    known_at: datetime = Field(sa_type=_MOMENT)
    policy_version: str = Field(sa_type=_TEXT)
    engine_version: str = Field(sa_type=_TEXT)
    recommendation: str | None = Field(default=None, sa_type=_TEXT)
    severity: int | None = Field(default=None, sa_type=_SMALL)
    score: int = Field(sa_type=_SMALL)
    causes: int = Field(sa_type=_BIG)
    fired: int = Field(sa_type=_BIG)
    unknown: int = Field(sa_type=_BIG)
    flags: int = Field(sa_type=_BIG)
    confidence_percent: int = Field(sa_type=_SMALL)
    measured: dict[str, Any] | None = Field(
        default=None, sa_type=_JSON, sa_column_kwargs={"comment": "engine 1: the compiled statement's row as JSON"}
    )
    digest: bytes = Field(sa_type=_BYTES)
    facts_version: int = Field(sa_type=_BIG)
    created_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)
    outcome: list[int] | None = Field(
        default=None,
        sa_type=_BIGS,
        sa_column_kwargs={"comment": "the compiled statement's row in the package's order; see stored_outcome"},
    )


class HouseholdMeasures(MonitoringTable, table=True):
    """What is counted from the facts of a household: the first half of the compiled text, kept for the second.

    It stands while the household's facts_version is the same, from `measured_on` until the day before `valid_until`.
    The columns v1, v2, … hold the values in the package's order (see domain/stored_measures); unknown is null.
    """

    __tablename__ = "measure"
    __table_args__ = (
        Index("ix_measure_county", "county", "household_id"),
        Index("ix_measure_changes_on", "changes_on", postgresql_where=text("changes_on IS NOT NULL")),
    )

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    county: str = Field(sa_type=_COUNTY)
    measured_on: date
    valid_until: date
    changes_on: date | None = Field(
        default=None,
        sa_column_kwargs={"comment": "first day before the next month on which time alone changes them"},
    )
    facts_version: int = Field(sa_type=_BIG)
    shape: bytes = Field(sa_type=_BYTES, sa_column_kwargs={"comment": "digest of the measures' definitions"})


for _number in range(1, MOST_MEASURES + 1):
    HouseholdMeasures.__table__.append_column(Column(f"v{_number}", BigInteger))  # type: ignore[attr-defined]


class Verification(MonitoringTable, table=True):
    """The answer of the person who visited."""

    __tablename__ = "verification"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_verification_household_id", "household_id", "verification_id"),
    )

    verification_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    alert_id: str = Field(sa_type=_TEXT, unique=True)
    subject: str = Field(sa_type=_TEXT)
    household_id: int | None = Field(default=None, sa_type=_BIG)
    outcome: str = Field(sa_type=_TEXT)
    causes: list[str] = Field(sa_type=_TEXTS)
    visited_on: date | None = None
    visit_minutes: int | None = Field(
        default=None, sa_type=_SMALL, sa_column_kwargs={"comment": "way included; null: not timed, or nobody went"}
    )
    verified_at: datetime = Field(sa_type=_MOMENT)
    officer_role: str = Field(sa_type=_TEXT)
    facts_version: int = Field(sa_type=_BIG)
    policy_version: str = Field(sa_type=_TEXT)
    indicators: list[str] = Field(sa_type=_TEXTS)
    assessment_id: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs={"comment": "the assessment that stood when the answer came"}
    )
    recorded_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)


class Decision(MonitoringTable, table=True):
    """A named county person entered, changed or removed a household's class."""

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_decision_household_id", "household_id", "decided_on"),
        CheckConstraint("action IN ('enter', 'change', 'remove')", name="action"),
        CheckConstraint("(action = 'remove') = (listed_as IS NULL)", name="class"),
    )

    decision_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_type=_BIG)
    action: str = Field(sa_type=_TEXT)
    listed_as: str | None = Field(default=None, sa_type=_TEXT)
    previously: str | None = Field(default=None, sa_type=_TEXT)
    recommended: str | None = Field(default=None, sa_type=_TEXT)
    assessment_id: int | None = Field(default=None, sa_type=_BIG)
    decided_on: date
    document_no: str = Field(sa_type=_TEXT)
    reason: str = Field(sa_type=_TEXT)
    decided_by: str = Field(sa_type=_TEXT)
    decided_by_name: str = Field(sa_type=_TEXT)
    removal_blockers: list[str] = Field(
        sa_type=_TEXTS,
        sa_column_kwargs={
            "server_default": text("'{}'"),
            "comment": "what spoke against removing it when it was removed; told, not enforced",
        },
    )
    recorded_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_NOW)


class RosterDetail(MonitoringTable, table=True):
    """What a roster says of a household, or of a member in it, that is no fact of the policy (登记项).

    Holds from `valid_from` on, as known in [recorded_at, superseded_at); checks of quality read it.
    """

    __tablename__ = "roster_detail"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index(
            "uq_roster_detail_current",
            "household_id",
            "resident_id",
            unique=True,
            postgresql_where=_CURRENT,
            postgresql_nulls_not_distinct=True,
        ),
    )

    detail_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=_BIG)
    resident_id: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs={"comment": "null: of the household"}
    )
    details: dict[str, Any] = Field(sa_type=_JSON, sa_column_kwargs={"comment": "by column of the layout"})
    valid_from: date
    origin: str = Field(sa_type=_TEXT, sa_column_kwargs={"comment": "the feed that said so"})
    received_at: datetime = Field(sa_type=_MOMENT)
    recorded_at: datetime = Field(sa_type=_MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class QualityFinding(MonitoringTable, table=True):
    """A check of quality that a household, a member or a village does not pass (疑点数据), and who is to mend it.

    Open until the data pass (mended) or somebody says with a reason that they are right as they are (accepted); an
    acceptance lapses when the values it was given for change.
    """

    __tablename__ = "quality_finding"
    __table_args__ = (
        Index(
            "uq_quality_finding_household",
            "check_code",
            "household_id",
            "resident_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'accepted') AND household_id IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_quality_finding_village",
            "check_code",
            "division",
            unique=True,
            postgresql_where=text("state IN ('open', 'accepted') AND household_id IS NULL"),
        ),
        Index("ix_quality_finding_household_id", "household_id", "state"),
        Index("ix_quality_finding_division", "division", "state"),
        Index("ix_quality_finding_owner", "owner", "state"),
        CheckConstraint("state IN ('open', 'mended', 'accepted', 'lapsed')", name="state"),
        CheckConstraint("severity BETWEEN 1 AND 5", name="severity"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
    )

    finding_id: UUID = Field(primary_key=True)
    check_code: str = Field(sa_type=_TEXT)
    county: str = Field(sa_type=_COUNTY)
    division: str = Field(sa_type=_DIVISION, sa_column_kwargs={"comment": "the village where it was found"})
    household_id: int | None = Field(default=None, sa_type=_BIG, sa_column_kwargs={"comment": "null: of the village"})
    resident_id: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs={"comment": "null: not of one member"}
    )
    owner: str = Field(
        sa_type=_TEXT, sa_column_kwargs={"comment": "village, township, or the name of the department"}
    )
    severity: int = Field(sa_type=_SMALL)
    opened_on: date
    due_on: date
    state: str = Field(default="open", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'open'")})
    digest: bytes = Field(sa_type=_BYTES, sa_column_kwargs={"comment": "of the values that the check read"})
    opened_at: datetime = Field(sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_by: str | None = Field(default=None, sa_type=_TEXT)
    closed_by_name: str | None = Field(default=None, sa_type=_TEXT)
    closed_reason: str | None = Field(default=None, sa_type=_TEXT)


class QualityDue(ClaimColumns, MonitoringTable, table=True):
    """A household whose data changed since its quality was checked; claimed once it has been assessed."""

    __tablename__ = "quality_due"
    __table_args__ = (Index("ix_quality_due_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class QualityRun(MonitoringTable, table=True):
    """An order to check the quality of every household of an area; its progress is that of its ranges."""

    __tablename__ = "quality_run"
    __table_args__ = (Index("ix_quality_run_division", "division", "requested_at"),)

    run_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    households: int
    reason: str = Field(sa_type=_TEXT)
    requested_by: str = Field(sa_type=_TEXT)
    requested_at: datetime = Field(sa_type=_MOMENT)


class QualityRunRange(ClaimColumns, MonitoringTable, table=True):
    """Households of one county in the order of their numbers, checked in one transaction; claimed."""

    __tablename__ = "quality_run_range"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], ["monitoring.quality_run.run_id"]),
        Index("ix_quality_run_range_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    run_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=_COUNTY, primary_key=True)
    first_household: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    last_household: int = Field(sa_type=_BIG)
    households: int
    opened: int | None = None
    mended: int | None = None
    finished_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class VillageFigure(MonitoringTable, table=True):
    """What a village says of itself as a whole (村级信息): counts and areas, as of a day."""

    __tablename__ = "village_figure"

    village: str = Field(sa_type=_DIVISION, primary_key=True)
    as_of: date
    figures: dict[str, Any] = Field(sa_type=_JSON)
    recorded_by: str = Field(sa_type=_TEXT)
    recorded_by_name: str = Field(sa_type=_TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class HouseholdPlace(MonitoringTable, table=True):
    """Where a household was registered or lived in [valid_from, valid_to), as known in [recorded_at, superseded_at).

    Rows are written from the first move on; a null `valid_from` means for as long as the household is known.
    """

    __tablename__ = "household_place"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_household_place_household_id", "household_id", "role"),
        CheckConstraint("role IN ('living', 'registered')", name="role"),
        CheckConstraint("valid_to > valid_from", name="validity"),
    )

    place_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=_BIG)
    role: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION)
    valid_from: date | None = None
    valid_to: date | None = None
    origin: str = Field(sa_type=_TEXT, sa_column_kwargs={"comment": "the change, or the feed, that said so"})
    recorded_at: datetime = Field(sa_type=_MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class HouseholdChange(MonitoringTable, table=True):
    """What somebody entered in the register of a household; a split or merger has a row for each of its two."""

    __tablename__ = "household_change"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_household_change_household_id", "household_id", "recorded_at"),
    )

    change_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(sa_type=_TEXT)
    occurred_on: date
    other_household_id: int | None = Field(default=None, sa_type=_BIG)
    document_no: str | None = Field(default=None, sa_type=_TEXT)
    reason: str = Field(sa_type=_TEXT)
    detail: dict[str, Any] = Field(sa_type=_JSON)
    notes: list[str] = Field(sa_type=_TEXTS)
    changed_by: str = Field(sa_type=_TEXT)
    changed_by_kind: str = Field(sa_type=_TEXT)
    changed_by_name: str = Field(sa_type=_TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class MonitoredImport(MonitoringTable, table=True):
    """An export of the national system's monitored list that was taken in."""

    __tablename__ = "monitored_import"
    __table_args__ = (Index("ix_monitored_import_division", "division", "imported_at"),)

    import_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    as_of: date
    complete: bool
    counts: dict[str, Any] = Field(sa_type=_JSON)
    imported_by: str = Field(sa_type=_TEXT)
    imported_by_name: str = Field(sa_type=_TEXT)
    imported_at: datetime = Field(sa_type=_MOMENT)


class MonitoredEntry(MonitoringTable, table=True):
    """A household on the national system's monitored list, as known in [recorded_at, superseded_at)."""

    __tablename__ = "monitored_entry"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("uq_monitored_entry_current", "county", "household_no", unique=True, postgresql_where=_CURRENT),
        Index("ix_monitored_entry_household_id", "household_id", postgresql_where=_CURRENT),
        Index("ix_monitored_entry_division", "division"),
    )

    entry_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    import_id: UUID
    county: str = Field(sa_type=_COUNTY)
    division: str = Field(sa_type=_DIVISION)
    household_no: str = Field(sa_type=_TEXT)
    household_id: int | None = Field(default=None, sa_type=_BIG)
    head_name: str = Field(sa_type=_TEXT)
    listed_as: str = Field(sa_type=_TEXT)
    identified_on: date | None = None
    removed_on: date | None = None
    removal_mode: str | None = Field(default=None, sa_type=_TEXT)
    causes: list[str] = Field(sa_type=_TEXTS)
    vanished: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": text("false"), "comment": "a complete export no longer has it"},
    )
    recorded_at: datetime = Field(sa_type=_MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class ListComparison(ClaimColumns, MonitoringTable, table=True):
    """A comparison of a county's lists with the register and each other; due until it is made."""

    __tablename__ = "list_comparison"
    __table_args__ = (
        Index("ux_list_comparison_due", "county", unique=True, postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_list_comparison_month", "county", "month"),
        {"comment": "Monthly comparisons (每月20日数据比对)"},
    )

    comparison_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=_COUNTY)
    month: date = Field(sa_column_kwargs={"comment": "its first day"})
    requested_by: str = Field(sa_type=_TEXT)
    requested_at: datetime = Field(sa_type=_MOMENT)
    compared_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    compared_on: date | None = None


class ListFinding(MonitoringTable, table=True):
    """Somebody who is on one list and not on another, as a comparison found it."""

    __tablename__ = "list_finding"
    __table_args__ = (
        Index("ix_list_finding_comparison", "comparison_id", "division", "check_code"),
        Index("ix_list_finding_household_id", "household_id"),
    )

    finding_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    comparison_id: UUID = Field(
        sa_column=Column(
            "comparison_id",
            ForeignKey("monitoring.list_comparison.comparison_id", ondelete="CASCADE"),
            nullable=False,
        )
    )
    check_code: str = Field(sa_type=_TEXT)
    household_id: int = Field(sa_type=_BIG)
    resident_id: int | None = Field(default=None, sa_type=_BIG)
    division: str = Field(sa_type=_DIVISION, sa_column_kwargs={"comment": "where the household lived then"})


class FeedFreshness(MonitoringTable, table=True):
    """The newest thing a data set said of a county."""

    __tablename__ = "feed_freshness"

    county: str = Field(sa_type=_COUNTY, primary_key=True)
    data_set: str = Field(sa_type=_TEXT, primary_key=True)
    newest_on: date
    received_at: datetime = Field(sa_type=_MOMENT)
    speaking: str | None = Field(
        default=None,
        sa_type=_TEXT,
        sa_column_kwargs={"comment": "the feed whose messages may be taken in side by side"},
    )


class PolicyActivation(MonitoringTable, table=True):
    """From when a policy version assesses a division."""

    __tablename__ = "policy_activation"

    activation_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    policy_version: str = Field(sa_type=_TEXT)
    activated_at: datetime = Field(sa_type=_MOMENT)
    activated_by: str = Field(sa_type=_TEXT)


class Rescreen(MonitoringTable, table=True):
    """An order to assess every household of an area again; its progress is that of its ranges."""

    __tablename__ = "rescreen"

    rescreen_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    households: int
    reason: str = Field(sa_type=_TEXT)
    requested_by: str = Field(sa_type=_TEXT)
    requested_at: datetime = Field(sa_type=_MOMENT)
    cancelled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    cancelled_by: str | None = Field(default=None, sa_type=_TEXT)


class RescreenRange(ClaimColumns, MonitoringTable, table=True):
    """Households of one county in the order of their numbers, assessed again in one transaction; claimed."""

    __tablename__ = "rescreen_range"
    __table_args__ = (
        ForeignKeyConstraint(["rescreen_id"], ["monitoring.rescreen.rescreen_id"]),
        Index("ix_rescreen_range_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    rescreen_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=_COUNTY, primary_key=True)
    first_household: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    last_household: int = Field(sa_type=_BIG)
    households: int
    changed: int | None = Field(default=None, sa_column_kwargs={"comment": "assessments appended"})
    told: int | None = Field(default=None, sa_column_kwargs={"comment": "households whose risk was told"})
    finished_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class CalendarRun(MonitoringTable, table=True):
    """A rescreen that the calendar asked for in a county; each day of a kind is run once."""

    __tablename__ = "calendar_run"
    __table_args__ = (CheckConstraint("kind IN ('time', 'monthly', 'quarterly')", name="kind"),)

    kind: str = Field(sa_type=_TEXT, primary_key=True)
    county: str = Field(sa_type=_COUNTY, primary_key=True)
    day: date = Field(primary_key=True)
    rescreen_id: UUID | None = Field(default=None, sa_column_kwargs={"comment": "null: nothing was to be done"})
    ran_at: datetime = Field(sa_type=_MOMENT)


class PolicyDraft(MonitoringTable, table=True):
    """Values a place wants to decide: drafted by one person, approved by another, published from a day on.

    The changes of a row never change; a published row is part of the policy of its place from `activates_on` on.
    """

    __tablename__ = "policy_draft"
    __table_args__ = (
        Index("ix_policy_draft_division", "division", "draft_id"),
        Index("ix_policy_draft_waiting", "activates_on", postgresql_where=text("activated_at IS NULL")),
        CheckConstraint("approved_by <> authored_by", name="second_person"),
        CheckConstraint("published_at IS NULL OR approved_at IS NOT NULL", name="approved_first"),
        CheckConstraint("(published_at IS NULL) = (activates_on IS NULL)", name="published_from"),
        CheckConstraint("withdrawn_at IS NULL OR published_at IS NULL", name="withdrawn_unpublished"),
    )

    draft_id: UUID = Field(primary_key=True)
    version: str = Field(sa_type=_TEXT, unique=True)
    division: str = Field(sa_type=_DIVISION)
    place_name: str = Field(sa_type=_TEXT)
    base_version: str = Field(sa_type=_TEXT)
    changes: list[dict[str, Any]] = Field(
        sa_type=_JSON, sa_column_kwargs={"comment": "name, value as written, from, document_no"}
    )
    authored_by: str = Field(sa_type=_TEXT)
    authored_by_name: str = Field(sa_type=_TEXT)
    authored_at: datetime = Field(sa_type=_MOMENT)
    approved_by: str | None = Field(default=None, sa_type=_TEXT)
    approved_by_name: str | None = Field(default=None, sa_type=_TEXT)
    approved_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    published_by: str | None = Field(default=None, sa_type=_TEXT)
    published_by_name: str | None = Field(default=None, sa_type=_TEXT)
    published_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    activates_on: date | None = None
    comparison_id: UUID | None = Field(
        default=None, sa_column_kwargs={"comment": "the workload that was shown before publication"}
    )
    capacity_reason: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs={"comment": "why it was published above the capacity"}
    )
    activated_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    withdrawn_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    withdrawn_by: str | None = Field(default=None, sa_type=_TEXT)
    withdrawn_by_name: str | None = Field(default=None, sa_type=_TEXT)
    withdrawn_reason: str | None = Field(default=None, sa_type=_TEXT)


class PolicyComparison(MonitoringTable, table=True):
    """A what-if: one policy against another over an area, as of a day; counted when all its parts are done."""

    __tablename__ = "policy_comparison"
    __table_args__ = (
        Index("ix_policy_comparison_version", "version", "requested_at"),
        CheckConstraint("state IN ('running', 'finished', 'failed', 'cancelled')", name="state"),
    )

    comparison_id: UUID = Field(primary_key=True)
    version: str = Field(sa_type=_TEXT)
    against: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION)
    on_date: date
    known_at: datetime = Field(sa_type=_MOMENT)
    state: str = Field(default="running", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'running'")})
    problem: str | None = Field(default=None, sa_type=_TEXT)
    households: int
    result: dict[str, Any] | None = Field(default=None, sa_type=_JSON)
    requested_by: str = Field(sa_type=_TEXT)
    requested_at: datetime = Field(sa_type=_MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class PolicyComparisonPart(ClaimColumns, MonitoringTable, table=True):
    """A range of one county's households to be compared; claimed by a worker."""

    __tablename__ = "policy_comparison_part"
    __table_args__ = (
        ForeignKeyConstraint(["comparison_id"], ["monitoring.policy_comparison.comparison_id"], ondelete="CASCADE"),
        Index("ix_policy_comparison_part_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    comparison_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=_COUNTY, primary_key=True)
    first_id: int = Field(sa_type=_BIG, primary_key=True)
    last_id: int = Field(sa_type=_BIG)
    households: int


class PolicyComparisonHousehold(MonitoringTable, table=True):
    """A household of which either policy says something, with what each says.

    No foreign keys: it is written in bulk, out of the tables they would point to.
    """

    __tablename__ = "policy_comparison_household"

    comparison_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    living_division: str = Field(sa_type=_DIVISION)
    class_before: str | None = Field(default=None, sa_type=_TEXT)
    class_after: str | None = Field(default=None, sa_type=_TEXT)
    severity_before: int | None = Field(default=None, sa_type=_SMALL)
    severity_after: int | None = Field(default=None, sa_type=_SMALL)
    causes_before: int = Field(sa_type=_BIG)
    causes_after: int = Field(sa_type=_BIG)
    fired_before: list[int] = Field(
        sa_type=_BIGS,
        sa_column_kwargs={"comment": "which indicators fired, 62 to a word, in the order of the policy"},
    )
    fired_after: list[int] = Field(sa_type=_BIGS)
    visit_before: bool
    visit_after: bool


class WarningOpened(MonitoringTable, table=True):
    """A warning opened over a household; appended by the database when `household.warned_at` is set."""

    __tablename__ = "warning_opened"
    __table_args__ = (Index("ix_warning_opened_household_id", "household_id", "opened_at"),)

    warning_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=_BIG)
    opened_at: datetime = Field(sa_type=_MOMENT)


class DashboardFigure(MonitoringTable, table=True):
    """How many households of a living and a registered place fall under a key of a figure; counted by the worker."""

    __tablename__ = "dashboard_figure"
    __table_args__ = (Index("ix_dashboard_figure_living_division", "living_division"),)

    figure: str = Field(sa_type=_TEXT, primary_key=True)
    living_division: str = Field(sa_type=_DIVISION, primary_key=True)
    registered_division: str = Field(sa_type=_DIVISION, primary_key=True)
    key: str = Field(sa_type=_TEXT, primary_key=True)
    households: int


class FeedCount(MonitoringTable, table=True):
    """What one message of a feed did, until it is told to intake together with others; appended, never waited for."""

    __tablename__ = "feed_count"

    count_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    feed_id: str = Field(sa_type=_TEXT)
    matched: int
    unmatched: int
    changed: int


class DashboardTouch(MonitoringTable, table=True):
    """A place whose figures changed since they were counted; appended by the database, never waited for."""

    __tablename__ = "dashboard_touch"
    __table_args__ = (CheckConstraint("what IN ('household', 'facts')", name="what"),)

    touch_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    village: str = Field(sa_type=_DIVISION)
    what: str = Field(sa_type=_TEXT)


class DashboardVersion(MonitoringTable, table=True):
    """Which figures of which places a count changed, lately; `version` rises with every count and never repeats."""

    __tablename__ = "dashboard_version"

    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    counted_at: datetime = Field(sa_type=_MOMENT)
    places: list[str] = Field(sa_type=_TEXTS)
    figures: list[str] = Field(sa_type=_TEXTS)


class Outbox(OutboxColumns, MonitoringTable, table=True):
    """Messages; those that other systems pull are numbered once they are committed."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_position", "position", unique=True),
        Index(
            "ix_outbox_unnumbered",
            "id",
            postgresql_where=text("position IS NULL AND type = 'cn.fangpin.monitoring.risk_changed.v1'"),
        ),
    )

    position: int | None = Field(
        default=None,
        sa_type=_BIG,
        sa_column_kwargs={"comment": "among the changes that are pulled; given after the commit"},
    )


class OutboxDelivery(OutboxDeliveryColumns, MonitoringTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


class Subscription(SubscriptionColumns, MonitoringTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, MonitoringTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, MonitoringTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, MonitoringTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "at"),
        Index("ix_audit_log_object", "object", "at", postgresql_where=text("object LIKE 'household:%'")),
    )
