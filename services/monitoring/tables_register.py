"""Households, their members and places, as the register (台账) has them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    text,
)
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BYTES, COUNTY, CURRENT, DIVISION, JSON, MOMENT, SMALL, STAMPED, TEXT, TEXTS, ZERO
from shared.queue.tables import ClaimColumns

# How a name is compared: NFKC, without blanks and the middle dots of minority names, in lower case.
NAME_KEY = "lower(translate(normalize(name, NFKC), ' .·•‧∙・●⋅᛫'::text, ''::text))"


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
    county: str = Field(sa_type=COUNTY)
    household_no: str = Field(sa_type=TEXT, unique=True)
    registered_division: str = Field(sa_type=DIVISION)
    living_division: str = Field(sa_type=DIVISION)
    head_name: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": text("''")})
    phone: str | None = Field(default=None, sa_type=TEXT)
    roster_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "date of the newest roster that lists it"}
    )
    roster_received_at: datetime | None = Field(default=None, sa_type=MOMENT)
    listed_as: str | None = Field(default=None, sa_type=TEXT)
    listed_on: date | None = None
    last_outcome: str | None = Field(default=None, sa_type=TEXT)
    last_verified_at: datetime | None = Field(default=None, sa_type=MOMENT)
    facts_version: int = Field(default=0, sa_type=BIG, sa_column_kwargs=ZERO)
    next_change_on: date | None = None
    recommendation: str | None = Field(default=None, sa_type=TEXT)
    severity: int | None = Field(
        default=None, sa_type=SMALL, sa_column_kwargs={"comment": "4 red, 3 orange, 2 yellow, 1 blue"}
    )
    score: int = Field(default=0, sa_type=SMALL, sa_column_kwargs=ZERO)
    risk: dict[str, Any] | None = Field(
        default=None,
        sa_type=JSON,
        sa_column_kwargs={"comment": "recommendation, severity and what fired, as assessed last"},
    )
    answered: dict[str, Any] | None = Field(
        default=None,
        sa_type=JSON,
        sa_column_kwargs={"comment": "the last visitor's outcome, with as much of the risk he saw as still stands"},
    )
    warned_at: datetime | None = Field(
        default=None, sa_type=MOMENT, sa_column_kwargs={"comment": "a warning opened and was not verified since"}
    )
    waiting_reports: list[dict[str, Any]] = Field(
        sa_type=JSON, sa_column_kwargs={"server_default": text("'[]'::jsonb"), "comment": "reports not assessed yet"}
    )
    rescreen_id: UUID | None = None
    ended_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "the day it ceased to be a household of its own"}
    )
    merged_into: int | None = Field(
        default=None, sa_type=BIG, sa_column_kwargs={"comment": "the household that took over its people and facts"}
    )
    created_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)


class Standing(MonitoringTable, table=True):
    """What stands of a household's assessments; every household has one, made by a trigger.

    Narrow, because a rescreen writes it for all. Whoever writes it and the household locks this row first.
    """

    __tablename__ = "standing"

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    assessment_id: int | None = Field(default=None, sa_type=BIG)
    facts_version: int = Field(default=0, sa_type=BIG, sa_column_kwargs=ZERO)
    reading: int | None = Field(
        default=None,
        sa_type=BIG,
        sa_column_kwargs={"comment": "fingerprint of the policy and values it was judged by"},
    )
    digest: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs={"comment": "of the assessment that stands"}
    )
    gist: bytes | None = Field(
        default=None,
        sa_type=BYTES,
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
    number_index: bytes = Field(sa_type=BYTES, unique=True)
    sealed_number: bytes | None = Field(
        default=None,
        sa_type=BYTES,
        sa_column_kwargs={"comment": "AAD: resident, sealed_number, hex of number_index"},
    )
    no_id_reason: str | None = Field(
        default=None,
        sa_type=TEXT,
        sa_column_kwargs={
            "comment": "why there is no number; number_index then stands in for one, nothing is sealed"
        },
    )
    name: str = Field(sa_type=TEXT)
    sex: str = Field(sa_type=TEXT)
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
            postgresql_where=CURRENT,
        ),
        Index("ix_household_member_county", "county", "household_id"),
        Index("ix_household_member_resident_id", "resident_id"),
        CheckConstraint("status IN ('living', 'deceased', 'imprisoned', 'missing', 'long_term_away')", name="status"),
        CheckConstraint("valid_to >= valid_from", name="validity"),
    )

    member_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=BIG)
    resident_id: int = Field(sa_type=BIG)
    county: str = Field(sa_type=COUNTY)
    relation: str = Field(sa_type=TEXT)
    status: str = Field(default="living", sa_type=TEXT, sa_column_kwargs={"server_default": text("'living'")})
    valid_from: date
    valid_to: date | None = None
    recorded_at: datetime = Field(sa_type=MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=MOMENT)
    born: int = Field(sa_column_kwargs={"comment": "yyyymmdd; of the resident, kept in step by a trigger"})
    died_on: date | None = Field(
        default=None, sa_column_kwargs={"comment": "of the resident, kept in step by a trigger"}
    )


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
    household_id: int = Field(sa_type=BIG)
    role: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    valid_from: date | None = None
    valid_to: date | None = None
    origin: str = Field(sa_type=TEXT, sa_column_kwargs={"comment": "the change, or the feed, that said so"})
    recorded_at: datetime = Field(sa_type=MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=MOMENT)


class HouseholdChange(MonitoringTable, table=True):
    """What somebody entered in the register of a household; a split or merger has a row for each of its two."""

    __tablename__ = "household_change"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_household_change_household_id", "household_id", "recorded_at"),
    )

    change_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(sa_type=TEXT)
    occurred_on: date
    other_household_id: int | None = Field(default=None, sa_type=BIG)
    document_no: str | None = Field(default=None, sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    detail: dict[str, Any] = Field(sa_type=JSON)
    notes: list[str] = Field(sa_type=TEXTS)
    changed_by: str = Field(sa_type=TEXT)
    changed_by_kind: str = Field(sa_type=TEXT)
    changed_by_name: str = Field(sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)
