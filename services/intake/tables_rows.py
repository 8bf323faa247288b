"""The rows of a file under way or at fault: staged, waiting for a code, refused, held for review."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, text
from sqlmodel import Field

from services.intake.tables_feeds import of_feed
from shared.db.base import IntakeTable
from shared.db.columns import BIG, BYTES, MOMENT, RECORD, SMALL, TEXT, said


class FeedRowStaged(IntakeTable, table=True):
    """A good row of a feed under way. Unlogged and without row-level security, so that COPY can fill it."""

    __tablename__ = "feed_row_staged"
    __table_args__ = (
        Index("ix_feed_row_staged_household", "feed_id", "record", postgresql_where=text("is_head IS NOT NULL")),
        {"prefixes": ["UNLOGGED"]},
    )

    feed_id: UUID = Field(primary_key=True)
    shelf: int = Field(primary_key=True, sa_type=SMALL, sa_column_kwargs=said("what the row is recorded with"))
    line: int = Field(primary_key=True, sa_type=BIG)
    record: str = Field(sa_type=RECORD)
    digest: bytes = Field(sa_type=BYTES)
    is_head: bool | None = Field(default=None, sa_column_kwargs=said("null: the row is a record by itself"))
    content: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs=said("JSON, as text for COPY; null: in feed_text_staged")
    )
    sealed_number: bytes | None = Field(default=None, sa_type=BYTES)


class FeedTextStaged(IntakeTable, table=True):
    """What many staged rows say, as one text: nobody has to look at each again. Unlogged like those."""

    __tablename__ = "feed_text_staged"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    feed_id: UUID = Field(primary_key=True)
    shelf: int = Field(primary_key=True, sa_type=SMALL)
    last_line: int = Field(primary_key=True, sa_type=BIG)
    first_line: int = Field(sa_type=BIG)
    lines: bytes = Field(sa_type=BYTES, sa_column_kwargs=said("of the rows, eight bytes each"))
    contents: str = Field(sa_type=TEXT, sa_column_kwargs=said("JSON of the rows, a line each"))


class FeedCodeStaged(IntakeTable, table=True):
    """What a staged row says of its department's own code. Unlogged like it."""

    __tablename__ = "feed_code_staged"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    feed_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True, sa_type=BIG)
    owner_kind: str = Field(primary_key=True, sa_type=TEXT)
    code: bytes = Field(sa_type=BYTES)
    owner: str = Field(sa_type=RECORD)
    learnt_on: date


class FeedRowCoded(IntakeTable, table=True):
    """A row that carries only its department's own code: it waits, sealed, until its file is read to its end."""

    __tablename__ = "feed_row_coded"
    __table_args__ = (
        {"comment": "Rows that carry only their department's own code, until their file is read to its end"},
    )

    feed_id: UUID = Field(sa_column=of_feed())
    line: int = Field(primary_key=True, sa_type=BIG)
    sealed_cells: bytes = Field(sa_type=BYTES)


class FeedRowError(IntakeTable, table=True):
    """What is wrong with one row, for the person who can mend it; values are masked."""

    __tablename__ = "feed_row_error"
    __table_args__ = (
        CheckConstraint("level IN ('error','warning','review')", name="level"),
        Index("ix_feed_row_error_feed_id", "feed_id", "line", "error_id"),
        Index("ix_feed_row_error_record", "feed_id", "record"),
    )

    error_id: int = Field(sa_column=Column("error_id", BigInteger, Identity(always=True), primary_key=True))
    feed_id: UUID = Field(
        sa_column=Column("feed_id", ForeignKey("intake.feed.feed_id", ondelete="CASCADE"), nullable=False)
    )
    line: int = Field(sa_type=BIG, sa_column_kwargs=said("physical line where the row starts; 1 is the first"))
    header: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("the column; null: the row"))
    code: str = Field(sa_type=TEXT)
    level: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    expected: str | None = Field(default=None, sa_type=TEXT)
    example: str | None = Field(default=None, sa_type=TEXT)
    echo: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("the value, masked"))
    record: str | None = Field(default=None, sa_type=RECORD, sa_column_kwargs=said("natural key, if readable"))


class FeedRowHeld(IntakeTable, table=True):
    """A row whose only fault is an implausible amount: it waits for a person to release or refuse it."""

    __tablename__ = "feed_row_held"
    __table_args__ = (
        CheckConstraint("decision IN ('release','refuse')", name="decision"),
        CheckConstraint("octet_length(digest) = 16", name="digest"),
        Index(
            "ix_feed_row_held_released",
            "decided_at",
            postgresql_where=text("decision = 'release' AND recorded_at IS NULL AND overtaken_by IS NULL"),
        ),
        Index("ix_feed_row_held_record", "record"),
        {"comment": "Rows with an implausible amount, held until a person decides"},
    )

    feed_id: UUID = Field(
        sa_column=Column("feed_id", ForeignKey("intake.feed.feed_id", ondelete="CASCADE"), primary_key=True)
    )
    line: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs=said("physical line where the row starts"))
    record: str = Field(sa_type=RECORD, sa_column_kwargs=said("natural key"))
    digest: bytes = Field(sa_type=BYTES)
    sealed_content: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs=said("what the row says, sealed; null: settled or expired")
    )
    held_at: datetime = Field(sa_type=MOMENT)
    decision: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("null: nobody has decided yet"))
    reason: str | None = Field(default=None, sa_type=TEXT)
    decided_by: str | None = Field(default=None, sa_type=TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=MOMENT)
    recorded_at: datetime | None = Field(
        default=None, sa_type=MOMENT, sa_column_kwargs=said("when a released row was recorded")
    )
    overtaken_by: UUID | None = Field(default=None, sa_column_kwargs=said("the file that sent the record again"))
