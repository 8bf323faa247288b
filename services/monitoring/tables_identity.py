"""Who is who, where numbers and names leave it in doubt, and what was decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BYTES, DIVISION, JSON, MOMENT, TEXT, TEXTS, ZERO


class NumberAlias(MonitoringTable, table=True):
    """A number that names another resident than the one it was given to: a person decided that they are one."""

    __tablename__ = "number_alias"
    __table_args__ = (
        ForeignKeyConstraint(["resident_id"], ["monitoring.resident.resident_id"]),
        Index("ix_number_alias_resident_id", "resident_id"),
    )

    number_index: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    resident_id: int = Field(sa_type=BIG)


class RecordSubject(MonitoringTable, table=True):
    """By which number a source named the person of a record, where that number is an alias: an undo needs it."""

    __tablename__ = "record_subject"
    __table_args__ = (
        PrimaryKeyConstraint("data_set", "record_key", "kind"),
        Index("ix_record_subject_person", "person"),
    )

    data_set: str = Field(sa_type=TEXT, primary_key=True)
    record_key: str = Field(sa_type=TEXT, primary_key=True)
    kind: str = Field(sa_type=TEXT, primary_key=True)
    person: bytes = Field(sa_type=BYTES)
    division: str = Field(sa_type=DIVISION)
    household_id: int | None = Field(
        default=None, sa_type=BIG, sa_column_kwargs={"comment": "where the fact lay before the persons were joined"}
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
    reason: str = Field(sa_type=TEXT)
    resident_id: int = Field(sa_type=BIG)
    other: str = Field(
        sa_type=TEXT,
        sa_column_kwargs={"comment": "the other side: resident:, name:, households:, household:, waiting:"},
    )
    other_resident_id: int | None = Field(default=None, sa_type=BIG)
    household_id: int = Field(sa_type=BIG)
    other_household_id: int | None = Field(default=None, sa_type=BIG)
    told_name: str | None = Field(default=None, sa_type=TEXT)
    told_by: str | None = Field(default=None, sa_type=TEXT)
    person: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs={"comment": "blind index of a waiting person"}
    )
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    proposed_at: datetime = Field(sa_type=MOMENT)


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
    pair_id: int = Field(sa_type=BIG)
    decision: str = Field(sa_type=TEXT)
    undoes: UUID | None = Field(default=None, unique=True)
    survivor_id: int | None = Field(default=None, sa_type=BIG)
    absorbed_id: int | None = Field(default=None, sa_type=BIG)
    reason: str = Field(sa_type=TEXT)
    document_no: str | None = Field(default=None, sa_type=TEXT)
    notes: list[str] = Field(sa_type=TEXTS)
    kept: dict[str, Any] = Field(sa_type=JSON)
    decided_by: str = Field(sa_type=TEXT)
    decided_by_name: str = Field(sa_type=TEXT)
    decided_at: datetime = Field(sa_type=MOMENT)


class IdentitySweep(MonitoringTable, table=True):
    """How far the register was looked through for doubtful persons, and when it last was as a whole."""

    __tablename__ = "identity_sweep"

    sweep_id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    position: int = Field(default=0, sa_type=BIG, sa_column_kwargs=ZERO)
    swept_on: date | None = None
