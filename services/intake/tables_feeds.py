"""Departments' files: how far each was taken in, the sealed raw bytes, and what was known of its records."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, text
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.db.columns import BIG, BYTES, DIVISION, JSON, MOMENT, RECORD, SMALL, TEXT, said
from shared.queue.tables import ClaimColumns

# Sent again it is another feed if the first failed and its raw file is gone, or if rows of it were discarded.
SAME_FILE_COUNTS = "unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')"


def _count(comment: str) -> Any:
    return Field(default=0, sa_type=BIG, sa_column_kwargs={"server_default": text("0"), "comment": comment})


def of_feed() -> Any:
    """The column of a row that goes with its file."""
    return Column("feed_id", ForeignKey("intake.feed.feed_id", ondelete="CASCADE"), primary_key=True)


class Feed(ClaimColumns, IntakeTable, table=True):
    """A file from a department, how far it was taken in, and what came of it; due for ingestion."""

    __tablename__ = "feed"
    __table_args__ = (
        CheckConstraint("mode IN ('dry_run','atomic','partial')", name="mode"),
        CheckConstraint(
            "status IN ('received','reading','recording','waiting_confirmation','recorded','checked','rejected',"
            "'failed')",
            name="status",
        ),
        CheckConstraint(
            "media_type IN ('text/csv','application/x-ndjson','application/json',"
            "'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')",
            name="media_type",
        ),
        CheckConstraint("unknown IN ('ignore','reject')", name="unknown"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        CheckConstraint("accepted + rejected <= read", name="counts"),
        Index("ix_feed_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_feed_data_set", "layout", "division", "department", "feed_id"),
        Index(
            "uq_feed_same_file",
            *("client", "layout", "layout_version", "division", "period", "mode", "digest", "unknown", "sheet"),
            "follows",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text(SAME_FILE_COUNTS),
        ),
        {"comment": "Files from departments (报送批次)"},
    )

    feed_id: UUID = Field(primary_key=True)
    client: str = Field(sa_type=TEXT, sa_column_kwargs=said("who sent it"))
    layout: str = Field(sa_type=TEXT)
    layout_version: int
    department: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION, sa_column_kwargs=said("whose data it is; rows outside are refused"))
    period: str = Field(default="", sa_type=TEXT, sa_column_kwargs=said("as given; empty: not given"))
    snapshot_on: date = Field(sa_column_kwargs=said("the day the list stood so: end of the period, or receipt"))
    valid_from: date = Field(sa_column_kwargs=said("from when a roster holds: begin of the period, or receipt"))
    mode: str = Field(sa_type=TEXT)
    media_type: str = Field(sa_type=TEXT)
    unknown: str = Field(
        default="ignore",
        sa_type=TEXT,
        sa_column_kwargs={"server_default": text("'ignore'"), "comment": "what becomes of unknown columns"},
    )
    sheet: str = Field(
        default="",
        sa_type=TEXT,
        sa_column_kwargs={"server_default": text("''"), "comment": "of a workbook; empty: not named"},
    )
    digest: bytes = Field(sa_type=BYTES, sa_column_kwargs=said("SHA-256 of the bytes received"))
    follows: UUID | None = Field(
        default=None, sa_column_kwargs=said("the newest other file of its data set when it came")
    )
    size_bytes: int = Field(sa_type=BIG)
    chunks: int
    received_at: datetime = Field(sa_type=MOMENT)
    sealed_key: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs=said("the raw file's own key, sealed; null: destroyed")
    )
    raw_destroyed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    traceparent: str | None = Field(default=None, sa_type=TEXT)

    status: str = Field(default="received", sa_type=TEXT, sa_column_kwargs={"server_default": text("'received'")})
    problem: dict[str, Any] | None = Field(
        default=None, sa_type=JSON, sa_column_kwargs=said("why the file as a whole was refused")
    )
    report: dict[str, Any] = Field(
        default_factory=dict,
        sa_type=JSON,
        sa_column_kwargs={
            "server_default": text("'{}'"),
            "comment": "what was mapped, normalised, skipped, and why nothing ended",
        },
    )
    bytes_done: int = _count("bytes read so far, of the text or rows that the file holds")
    read: int = _count("rows read so far, good and bad")
    staged: int = _count("rows of this feed in feed_row_staged; fewer there: the server crashed, read again")
    accepted: int = _count("rows taken in")
    rejected: int = _count("rows refused")
    held: int = _count("rows held for review")
    duplicates: int = _count("accepted rows that repeat another row of the file")
    unauthorised: int = _count("rows about people without a live authorisation: discarded, nothing of them is kept")
    records: int = _count("records (rows, or households) that the accepted rows make")
    records_done: int = _count("records compared and recorded so far")
    added: int = _count("records not known before")
    changed: int = _count("records that differ from what was known")
    unchanged: int = _count("records known as they are")
    ended: int = _count("records that the snapshot no longer lists")
    matched: int = _count("observations that monitoring matched to a person or household")
    unmatched: int = _count("observations that monitoring could not match yet")
    merged_after: str | None = Field(
        default=None, sa_type=RECORD, sa_column_kwargs=said("households up to this natural key are recorded")
    )
    known: int | None = Field(
        default=None, sa_type=BIG, sa_column_kwargs=said("how many of its records were known when it was settled")
    )
    merged_shelf: int | None = Field(
        default=None, sa_type=SMALL, sa_column_kwargs=said("rows that are records are recorded up to this shelf")
    )
    merged_line: int | None = Field(default=None, sa_type=BIG, sa_column_kwargs=said("and up to this line of it"))
    newest_on: date | None = Field(default=None, sa_column_kwargs=said("latest day that a row speaks of"))
    started_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
    confirmed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    confirmed_by: str | None = Field(default=None, sa_type=TEXT)


class FeedChunk(IntakeTable, table=True):
    """A piece of a raw file, sealed; a table, so that one backup covers it."""

    __tablename__ = "feed_chunk"

    feed_id: UUID = Field(sa_column=of_feed())
    seq: int = Field(primary_key=True)
    sealed: bytes = Field(sa_type=BYTES)


class FeedRecord(IntakeTable, table=True):
    """A record as its department last sent it, without its content: enough to tell what is new, different or gone."""

    __tablename__ = "feed_record"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 16", name="digest"),
        Index("ix_feed_record_feed_id", "feed_id"),
    )

    layout: str = Field(primary_key=True, sa_type=TEXT)
    division: str = Field(primary_key=True, sa_type=DIVISION, sa_column_kwargs=said("the feed's, not the row's"))
    department: str = Field(primary_key=True, sa_type=TEXT)
    record: str = Field(
        primary_key=True, sa_type=RECORD, sa_column_kwargs=said("natural key; an identity number as blind index")
    )
    digest: bytes = Field(sa_type=BYTES)
    feed_id: UUID = Field(sa_column_kwargs=said("the feed that listed it last"))
    ending: list[Any] | None = Field(
        default=None, sa_type=JSON, sa_column_kwargs=said("observations to end when a snapshot lists it no longer")
    )
    ended_on: date | None = None
    changed_at: datetime = Field(sa_type=MOMENT)
