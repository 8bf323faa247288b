"""What is known of households, and from which news."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Sequence, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BYTES, COUNTY, CURRENT, DIVISION, JSON, MOMENT, STAMPED, TEXT, ZERO

TAG_KINDS = ("state.assistance", "state.disability", "state.monitored", "state.national_list", "state.relocated")
_TAGGED = f"superseded_at IS NULL AND kind IN ({', '.join(map(repr, TAG_KINDS))})"
# Sums over a household's facts stay far within a bigint.
MOST_FEN = 10_000_000_000_000
# Partitioned tables have no identity columns before PostgreSQL 17, so facts are numbered by a sequence.
FACT_NUMBERS: Sequence = Sequence("fact_fact_id_seq", metadata=MonitoringTable.metadata, schema="monitoring")


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
            postgresql_where=CURRENT,
        ),
        CheckConstraint("superseded_at >= recorded_at", name="known"),
        CheckConstraint("period_from <= period_to", name="period"),
        *(
            CheckConstraint(f"{column} BETWEEN 0 AND {MOST_FEN}", name=column)
            for column in ("amount_fen", "gross_fen", "compliant_fen", "other_fen", "relief_fen")
        ),
        {"postgresql_partition_by": "LIST (county)"},
    )

    county: str = Field(sa_type=COUNTY, primary_key=True)
    fact_id: int = Field(
        sa_column=Column(BigInteger, FACT_NUMBERS, server_default=FACT_NUMBERS.next_value(), primary_key=True)
    )
    household_id: int = Field(sa_type=BIG)
    resident_id: int | None = Field(default=None, sa_type=BIG)
    kind: str = Field(sa_type=TEXT)
    occurred_on: date
    ended_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    amount_fen: int | None = Field(default=None, sa_type=BIG)
    gross_fen: int | None = Field(default=None, sa_type=BIG)
    compliant_fen: int | None = Field(default=None, sa_type=BIG)
    other_fen: int | None = Field(default=None, sa_type=BIG)
    relief_fen: int | None = Field(default=None, sa_type=BIG)
    visit: str | None = Field(default=None, sa_type=TEXT)
    stay: str | None = Field(default=None, sa_type=TEXT)
    value: str | None = Field(default=None, sa_type=TEXT)
    verified: bool | None = None
    attributes: dict[str, Any] = Field(sa_type=JSON, sa_column_kwargs={"server_default": text("'{}'::jsonb")})
    source: str = Field(sa_type=TEXT)
    department: str | None = Field(default=None, sa_type=TEXT)
    data_set: str = Field(sa_type=TEXT)
    record_key: str = Field(sa_type=TEXT)
    origin: str = Field(
        default="",
        sa_type=TEXT,
        sa_column_kwargs={"server_default": text("''"), "comment": "feed or report it came with"},
    )
    received_at: datetime = Field(sa_type=MOMENT)
    ended_received_at: datetime | None = Field(
        default=None, sa_type=MOMENT, sa_column_kwargs={"comment": "when the source said that it ended"}
    )
    facts_version: int = Field(
        default=0, sa_type=BIG, sa_column_kwargs={**ZERO, "comment": "of the household, from this fact on"}
    )
    recorded_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)
    superseded_at: datetime | None = Field(default=None, sa_type=MOMENT)


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
    division: str = Field(sa_type=DIVISION)
    data_set: str = Field(sa_type=TEXT)
    record_key: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    op: str = Field(sa_type=TEXT)
    person: bytes | None = Field(default=None, sa_type=BYTES)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    origin: str = Field(sa_type=TEXT)
    received_at: datetime = Field(sa_type=MOMENT)
    entry: dict[str, Any] = Field(sa_type=JSON)
    recorded_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)


class FeedFreshness(MonitoringTable, table=True):
    """The newest thing a data set said of a county."""

    __tablename__ = "feed_freshness"

    county: str = Field(sa_type=COUNTY, primary_key=True)
    data_set: str = Field(sa_type=TEXT, primary_key=True)
    newest_on: date
    received_at: datetime = Field(sa_type=MOMENT)
    speaking: str | None = Field(
        default=None,
        sa_type=TEXT,
        sa_column_kwargs={"comment": "the feed whose messages may be taken in side by side"},
    )


class FeedCount(MonitoringTable, table=True):
    """What one message of a feed did, until it is told to intake together with others; appended, never waited for."""

    __tablename__ = "feed_count"

    count_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    feed_id: str = Field(sa_type=TEXT)
    matched: int
    unmatched: int
    changed: int
