"""The tables of schema `intake`; the only definition of its structure.

Row-level security (see the migration): `feed` and `self_report` by division, `feed_row_error` through its feed; the
raw chunks, the staged rows and the records of earlier feeds are for the worker alone.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)
from shared.queue.tables import ClaimColumns

# Sent again it is another feed if the first failed and its raw file is gone, or if rows of it were discarded.
SAME_FILE_COUNTS = "unauthorised = 0 AND (sealed_key IS NOT NULL OR status <> 'failed')"

_MOMENT: Any = DateTime(timezone=True)
_DIVISION: Any = String(12, collation="C")
_COUNTY: Any = String(6, collation="C")
_RECORD: Any = Text(collation="C")
_BIG: Any = BigInteger()
_BYTES: Any = LargeBinary()
_JSON: Any = JSONB()
_SMALL: Any = SmallInteger()
_TEXT: Any = Text()
_TEXTS: Any = ARRAY(TEXT)


def _said(comment: str) -> Any:
    return {"comment": comment}


def _count(comment: str) -> Any:
    return Field(default=0, sa_type=_BIG, sa_column_kwargs={"server_default": text("0"), "comment": comment})


def _of_feed() -> Any:
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
    client: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("who sent it"))
    layout: str = Field(sa_type=_TEXT)
    layout_version: int
    department: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION, sa_column_kwargs=_said("whose data it is; rows outside are refused"))
    period: str = Field(default="", sa_type=_TEXT, sa_column_kwargs=_said("as given; empty: not given"))
    snapshot_on: date = Field(sa_column_kwargs=_said("the day the list stood so: end of the period, or receipt"))
    valid_from: date = Field(sa_column_kwargs=_said("from when a roster holds: begin of the period, or receipt"))
    mode: str = Field(sa_type=_TEXT)
    media_type: str = Field(sa_type=_TEXT)
    unknown: str = Field(
        default="ignore",
        sa_type=_TEXT,
        sa_column_kwargs={"server_default": text("'ignore'"), "comment": "what becomes of unknown columns"},
    )
    sheet: str = Field(
        default="",
        sa_type=_TEXT,
        sa_column_kwargs={"server_default": text("''"), "comment": "of a workbook; empty: not named"},
    )
    digest: bytes = Field(sa_type=_BYTES, sa_column_kwargs=_said("SHA-256 of the bytes received"))
    follows: UUID | None = Field(
        default=None, sa_column_kwargs=_said("the newest other file of its data set when it came")
    )
    size_bytes: int = Field(sa_type=_BIG)
    chunks: int
    received_at: datetime = Field(sa_type=_MOMENT)
    sealed_key: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs=_said("the raw file's own key, sealed; null: destroyed")
    )
    raw_destroyed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    traceparent: str | None = Field(default=None, sa_type=_TEXT)

    status: str = Field(default="received", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'received'")})
    problem: dict[str, Any] | None = Field(
        default=None, sa_type=_JSON, sa_column_kwargs=_said("why the file as a whole was refused")
    )
    report: dict[str, Any] = Field(
        default_factory=dict,
        sa_type=_JSON,
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
        default=None, sa_type=_RECORD, sa_column_kwargs=_said("households up to this natural key are recorded")
    )
    known: int | None = Field(
        default=None, sa_type=_BIG, sa_column_kwargs=_said("how many of its records were known when it was settled")
    )
    merged_shelf: int | None = Field(
        default=None, sa_type=_SMALL, sa_column_kwargs=_said("rows that are records are recorded up to this shelf")
    )
    merged_line: int | None = Field(default=None, sa_type=_BIG, sa_column_kwargs=_said("and up to this line of it"))
    newest_on: date | None = Field(default=None, sa_column_kwargs=_said("latest day that a row speaks of"))
    started_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    confirmed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    confirmed_by: str | None = Field(default=None, sa_type=_TEXT)


class FeedChunk(IntakeTable, table=True):
    """A piece of a raw file, sealed; a table, so that one backup covers it."""

    __tablename__ = "feed_chunk"

    feed_id: UUID = Field(sa_column=_of_feed())
    seq: int = Field(primary_key=True)
    sealed: bytes = Field(sa_type=_BYTES)


class FeedRowStaged(IntakeTable, table=True):
    """A good row of a feed under way. Unlogged and without row-level security, so that COPY can fill it."""

    __tablename__ = "feed_row_staged"
    __table_args__ = (
        Index("ix_feed_row_staged_household", "feed_id", "record", postgresql_where=text("is_head IS NOT NULL")),
        {"prefixes": ["UNLOGGED"]},
    )

    feed_id: UUID = Field(primary_key=True)
    shelf: int = Field(primary_key=True, sa_type=_SMALL, sa_column_kwargs=_said("what the row is recorded with"))
    line: int = Field(primary_key=True, sa_type=_BIG)
    record: str = Field(sa_type=_RECORD)
    digest: bytes = Field(sa_type=_BYTES)
    is_head: bool | None = Field(default=None, sa_column_kwargs=_said("null: the row is a record by itself"))
    content: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs=_said("JSON, as text for COPY; null: in feed_text_staged")
    )
    sealed_number: bytes | None = Field(default=None, sa_type=_BYTES)


class FeedTextStaged(IntakeTable, table=True):
    """What many staged rows say, as one text: nobody has to look at each again. Unlogged like those."""

    __tablename__ = "feed_text_staged"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    feed_id: UUID = Field(primary_key=True)
    shelf: int = Field(primary_key=True, sa_type=_SMALL)
    last_line: int = Field(primary_key=True, sa_type=_BIG)
    first_line: int = Field(sa_type=_BIG)
    lines: bytes = Field(sa_type=_BYTES, sa_column_kwargs=_said("of the rows, eight bytes each"))
    contents: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("JSON of the rows, a line each"))


class FeedCodeStaged(IntakeTable, table=True):
    """What a staged row says of its department's own code. Unlogged like it."""

    __tablename__ = "feed_code_staged"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    feed_id: UUID = Field(primary_key=True)
    line: int = Field(primary_key=True, sa_type=_BIG)
    owner_kind: str = Field(primary_key=True, sa_type=_TEXT)
    code: bytes = Field(sa_type=_BYTES)
    owner: str = Field(sa_type=_RECORD)
    learnt_on: date


class FeedRowCoded(IntakeTable, table=True):
    """A row that carries only its department's own code: it waits, sealed, until its file is read to its end."""

    __tablename__ = "feed_row_coded"
    __table_args__ = (
        {"comment": "Rows that carry only their department's own code, until their file is read to its end"},
    )

    feed_id: UUID = Field(sa_column=_of_feed())
    line: int = Field(primary_key=True, sa_type=_BIG)
    sealed_cells: bytes = Field(sa_type=_BYTES)


class CrosswalkRow(IntakeTable, table=True):
    """Whom or what a department's own code stands for, as it said last."""

    __tablename__ = "crosswalk"
    __table_args__ = (
        CheckConstraint("owner_kind IN ('person','household','division')", name="owner_kind"),
        CheckConstraint("octet_length(code) = 32", name="code"),
        {"comment": "Departments' own codes (本部门编码)"},
    )

    department: str = Field(primary_key=True, sa_type=_TEXT)
    county: str = Field(primary_key=True, sa_type=_COUNTY)
    owner_kind: str = Field(primary_key=True, sa_type=_TEXT, sa_column_kwargs=_said("of what it is a code"))
    code: bytes = Field(
        primary_key=True, sa_type=_BYTES, sa_column_kwargs=_said("keyed digest: it may hold an identity number")
    )
    owner: str = Field(sa_type=_RECORD, sa_column_kwargs=_said("blind index (hex), household number or division"))
    learnt_on: date = Field(sa_column_kwargs=_said("the day the row, or the list it is of, speaks of"))
    layout: str = Field(sa_type=_TEXT)
    record: str = Field(sa_type=_RECORD, sa_column_kwargs=_said("natural key of the row it was learnt from"))
    feed_id: UUID
    received_at: datetime = Field(sa_type=_MOMENT)


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
    line: int = Field(sa_type=_BIG, sa_column_kwargs=_said("physical line where the row starts; 1 is the first"))
    header: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("the column; null: the row"))
    code: str = Field(sa_type=_TEXT)
    level: str = Field(sa_type=_TEXT)
    reason: str = Field(sa_type=_TEXT)
    expected: str | None = Field(default=None, sa_type=_TEXT)
    example: str | None = Field(default=None, sa_type=_TEXT)
    echo: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("the value, masked"))
    record: str | None = Field(default=None, sa_type=_RECORD, sa_column_kwargs=_said("natural key, if readable"))


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
    line: int = Field(primary_key=True, sa_type=_BIG, sa_column_kwargs=_said("physical line where the row starts"))
    record: str = Field(sa_type=_RECORD, sa_column_kwargs=_said("natural key"))
    digest: bytes = Field(sa_type=_BYTES)
    sealed_content: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs=_said("what the row says, sealed; null: settled or expired")
    )
    held_at: datetime = Field(sa_type=_MOMENT)
    decision: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("null: nobody has decided yet"))
    reason: str | None = Field(default=None, sa_type=_TEXT)
    decided_by: str | None = Field(default=None, sa_type=_TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    recorded_at: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs=_said("when a released row was recorded")
    )
    overtaken_by: UUID | None = Field(default=None, sa_column_kwargs=_said("the file that sent the record again"))


class FeedRecord(IntakeTable, table=True):
    """A record as its department last sent it, without its content: enough to tell what is new, different or gone."""

    __tablename__ = "feed_record"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 16", name="digest"),
        Index("ix_feed_record_feed_id", "feed_id"),
    )

    layout: str = Field(primary_key=True, sa_type=_TEXT)
    division: str = Field(primary_key=True, sa_type=_DIVISION, sa_column_kwargs=_said("the feed's, not the row's"))
    department: str = Field(primary_key=True, sa_type=_TEXT)
    record: str = Field(
        primary_key=True, sa_type=_RECORD, sa_column_kwargs=_said("natural key; an identity number as blind index")
    )
    digest: bytes = Field(sa_type=_BYTES)
    feed_id: UUID = Field(sa_column_kwargs=_said("the feed that listed it last"))
    ending: list[Any] | None = Field(
        default=None, sa_type=_JSON, sa_column_kwargs=_said("observations to end when a snapshot lists it no longer")
    )
    ended_on: date | None = None
    changed_at: datetime = Field(sa_type=_MOMENT)


class SelfReportRow(IntakeTable, table=True):
    """A household's own report and how far it got. Its natural key holds until it is withdrawn."""

    __tablename__ = "self_report"
    __table_args__ = (
        Index(
            "uq_self_report_natural_key",
            *("division", "person_index", "reported_on", "hardships"),
            unique=True,
            postgresql_where=text("root_id IS NULL AND withdrawn_at IS NULL"),
        ),
        Index(
            "uq_self_report_ticket",
            *("channel", "ticket_no", "division"),
            unique=True,
            postgresql_where=text("ticket_no IS NOT NULL AND root_id IS NULL"),
        ),
        Index("ix_self_report_person", "person_index", "received_at"),
        Index("ix_self_report_root", "root_id", postgresql_where=text("root_id IS NOT NULL")),
        CheckConstraint(
            "channel IN ('app','phone','window','visit','hotline_12345','hotline_12317')", name="channel"
        ),
        CheckConstraint("filed_by IN ('self','relative','cadre','hotline')", name="filed_by"),
        CheckConstraint("cardinality(hardships) BETWEEN 1 AND 9", name="hardships"),
        CheckConstraint("octet_length(person_index) = 32", name="person_index"),
        CheckConstraint("amount_fen >= 0", name="amount_fen"),
        {"comment": "Reports by households (农户自主申报)"},
    )

    report_id: UUID = Field(primary_key=True)
    client: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION)
    household_no: str | None = Field(default=None, sa_type=_TEXT)
    person_index: bytes = Field(sa_type=_BYTES, sa_column_kwargs=_said("blind index of the identity number"))
    sealed_number: bytes = Field(sa_type=_BYTES)
    reporter_name: str = Field(sa_type=_TEXT)
    sealed_phone: bytes | None = Field(default=None, sa_type=_BYTES)
    sealed_description: bytes | None = Field(default=None, sa_type=_BYTES)
    hardships: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_said("sorted, each once"))
    amount_fen: int | None = Field(default=None, sa_type=_BIG)
    on_behalf_of: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs=_said("number of the cadre who wrote it for the household")
    )
    reported_on: date
    received_at: datetime = Field(sa_type=_MOMENT)
    channel: str = Field(default="app", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'app'")})
    ticket_no: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("the hotline's own number"))
    filed_by: str = Field(default="self", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'self'")})
    sealed_filer: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs=_said("the relative who wrote it: relation, name, phone")
    )
    consent_version: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs=_said("null: made before consents were kept, or by a hotline")
    )
    basis: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs=_said("legal basis of a hotline's import")
    )
    receipt_no: int = Field(
        default=1,
        sa_type=_SMALL,
        sa_column_kwargs={
            "server_default": text("1"),
            "comment": "how many receipt codes it has had; the last counts",
        },
    )
    root_id: UUID | None = Field(default=None, sa_column_kwargs=_said("the first version; null: this is the first"))
    version: int = Field(default=1, sa_type=_SMALL, sa_column_kwargs={"server_default": text("1")})
    sealed_correction: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs=_said("why it was corrected")
    )
    withdrawn_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    sealed_withdrawal: bytes | None = Field(default=None, sa_type=_BYTES, sa_column_kwargs=_said("why"))
    outcome: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("the answer of the visit"))
    answered_by: str | None = Field(
        default=None, sa_type=_TEXT, sa_column_kwargs=_said("number of the officer who gave the answer")
    )
    matched_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    unmatched_at: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs=_said("monitoring knew nobody of that number then")
    )
    assessed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    routed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    delivered_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    verified_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    alert_id: UUID | None = Field(
        default=None, sa_column_kwargs=_said("the newest alert that answers it, in the service alerts")
    )


class HouseholdPerson(IntakeTable, table=True):
    """Who lives in which household, as the newest roster of each says."""

    __tablename__ = "household_person"
    __table_args__ = (
        Index("ix_household_person_household_no", "county", "household_no"),
        {"comment": "Who lives in which household, by the newest roster"},
    )

    county: str = Field(primary_key=True, sa_type=_COUNTY)
    person: bytes = Field(primary_key=True, sa_type=_BYTES, sa_column_kwargs=_said("blind index"))
    household_no: str = Field(primary_key=True, sa_type=_RECORD)


class AuthorisationRow(IntakeTable, table=True):
    """A scope of a form by which a household allows its assets to be compared."""

    __tablename__ = "authorisation"
    __table_args__ = (
        Index("ix_authorisation_household_no", "county", "household_no"),
        {"comment": "Authorisations (承诺授权)"},
    )

    county: str = Field(primary_key=True, sa_type=_COUNTY)
    record: str = Field(primary_key=True, sa_type=_RECORD, sa_column_kwargs=_said("form and scope"))
    scope: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("the data set it allows"))
    household_no: str | None = Field(default=None, sa_type=_RECORD)
    signed_on: date
    ended_on: date | None = Field(default=None, sa_column_kwargs=_said("the first day on which it holds no more"))
    taken_back: bool


class Receipt(IntakeTable, table=True):
    """Which report a receipt code opens: a keyed digest of the code, never the code."""

    __tablename__ = "receipt"
    __table_args__ = (Index("ix_receipt_report_id", "report_id"), {"comment": "Receipt codes (受理码)"})

    code_index: bytes = Field(primary_key=True, sa_type=_BYTES)
    report_id: UUID
    division: str = Field(sa_type=_DIVISION)


class LimitCount(IntakeTable, table=True):
    """How often something limited was done in a window of time; `subject`: a keyed digest of whoever did it."""

    __tablename__ = "limit_count"

    kind: str = Field(primary_key=True, sa_type=_TEXT)
    subject: bytes = Field(primary_key=True, sa_type=_BYTES)
    window_start: datetime = Field(primary_key=True, sa_type=_MOMENT)
    used: int


class Attachment(IntakeTable, table=True):
    """A photo or PDF of a report; its bytes lie sealed in a file outside the database, under a key of its own."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_report_id", "report_id"),
        Index(
            "ix_attachment_loose", "received_at", postgresql_where=text("report_id IS NULL AND destroyed_at IS NULL")
        ),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        CheckConstraint("metadata IN ('none','stripped','kept')", name="metadata"),
        CheckConstraint("(sealed_key IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
        {"comment": "Attachments of reports (申报附件)"},
    )

    attachment_id: UUID = Field(primary_key=True)
    report_id: UUID | None = Field(default=None, sa_column_kwargs=_said("null: uploaded before its report"))
    division: str = Field(sa_type=_DIVISION)
    client: str = Field(sa_type=_TEXT)
    media_type: str = Field(sa_type=_TEXT)
    metadata_: str = Field(
        sa_column=Column("metadata", Text, nullable=False, comment="of the photo (EXIF, GPS): none, stripped or kept")
    )
    size_bytes: int = Field(sa_type=_BIG)
    digest: bytes = Field(sa_type=_BYTES, sa_column_kwargs=_said("SHA-256 of the bytes as kept"))
    sealed_key: bytes | None = Field(default=None, sa_type=_BYTES, sa_column_kwargs=_said("null: destroyed"))
    received_at: datetime = Field(sa_type=_MOMENT)
    destroyed_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Appeal(IntakeTable, table=True):
    """An answer somebody does not accept (申诉), until another person decides it with reasons."""

    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint("state IN ('filed','looked_at','upheld','changed','withdrawn')", name="state"),
        CheckConstraint("against IN ('no_risk','removed','not_listed','other_answer')", name="against"),
        CheckConstraint(
            "decided_by IS NULL OR answered_by IS NULL OR decided_by <> answered_by", name="another_person"
        ),
        CheckConstraint("(state IN ('upheld','changed')) = (decided_at IS NOT NULL)", name="decided"),
        Index(
            "uq_appeal_open",
            "subject",
            unique=True,
            postgresql_where=text("state IN ('filed','looked_at')"),
        ),
        Index("ix_appeal_due", "due_on", postgresql_where=text("state IN ('filed','looked_at')")),
        Index("ix_appeal_report_id", "report_id"),
        {"comment": "Appeals against an answer (申诉)"},
    )

    appeal_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("what is appealed: report:<id> or household:<no>"))
    report_id: UUID | None = Field(default=None, sa_column_kwargs=_said("the first version of the report"))
    division: str = Field(sa_type=_DIVISION)
    household_no: str | None = Field(default=None, sa_type=_TEXT)
    against: str = Field(sa_type=_TEXT)
    answered_by: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("who gave the answer"))
    client: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("who filed it: a receipt code, or a person's login"))
    sealed_reason: bytes = Field(sa_type=_BYTES)
    state: str = Field(default="filed", sa_type=_TEXT, sa_column_kwargs={"server_default": text("'filed'")})
    filed_at: datetime = Field(sa_type=_MOMENT)
    due_on: date = Field(sa_column_kwargs=_said("the last day for a decision"))
    alert_id: UUID | None = None
    looked_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    looked_by: str | None = Field(default=None, sa_type=_TEXT)
    look_outcome: str | None = Field(default=None, sa_type=_TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    decided_by: str | None = Field(default=None, sa_type=_TEXT, sa_column_kwargs=_said("officer number"))
    sealed_decision: bytes | None = Field(
        default=None, sa_type=_BYTES, sa_column_kwargs=_said("the reasons, in plain words")
    )


class OwnRecord(IntakeTable, table=True):
    """What a person asked to see of his own record, and monitoring's answer, kept for a short time only."""

    __tablename__ = "own_record"
    __table_args__ = (
        Index("ix_own_record_person", "person_index", "asked_at"),
        {"comment": "Looks into one's own record (本人查询)"},
    )

    request_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION)
    person_index: bytes = Field(sa_type=_BYTES)
    asked_at: datetime = Field(sa_type=_MOMENT)
    answered_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    sealed_answer: bytes | None = Field(default=None, sa_type=_BYTES)


class OwnLayout(IntakeTable, table=True):
    """A version of a data set that a county added; the document as it was sent."""

    __tablename__ = "own_layout"
    __table_args__ = ({"comment": "Counties' own data sets (自定义数据集)"},)

    name: str = Field(primary_key=True, sa_type=_TEXT)
    version: int = Field(primary_key=True)
    division: str = Field(sa_type=_DIVISION, sa_column_kwargs=_said("whose it is, and who alone may send it"))
    document: dict[str, Any] = Field(sa_type=_JSON)
    created_by: str = Field(sa_type=_TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    changed_at: datetime = Field(sa_type=_MOMENT, sa_column_kwargs=_said("made, retired or used again"))
    retired_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class ConnectorRow(ClaimColumns, IntakeTable, table=True):
    """A department's interface that is asked regularly; due when it is next asked."""

    __tablename__ = "connector"
    __table_args__ = (
        CheckConstraint("dialect IN ('bearer','gateway_hmac','exchange_hmac')", name="dialect"),
        CheckConstraint("paging IN ('none','number','cursor')", name="paging"),
        CheckConstraint("period_unit IN ('month','day')", name="period_unit"),
        Index("ix_connector_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        {"comment": "Departments' interfaces (对接接口)"},
    )

    name: str = Field(primary_key=True, sa_type=_RECORD)
    layout: str = Field(sa_type=_TEXT)
    department: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION)
    url: str = Field(sa_type=_TEXT)
    dialect: str = Field(sa_type=_TEXT)
    client_id: str = Field(sa_type=_TEXT)
    sealed_secret: bytes = Field(sa_type=_BYTES)
    paging: str = Field(sa_type=_TEXT)
    rows_at: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("dotted path to the rows; empty: the answer itself"))
    page_param: str = Field(sa_type=_TEXT)
    size_param: str = Field(sa_type=_TEXT)
    page_size: int
    cursor_at: str = Field(sa_type=_TEXT)
    period_param: str | None = Field(default=None, sa_type=_TEXT)
    period_unit: str = Field(sa_type=_TEXT)
    query: dict[str, Any] = Field(sa_type=_JSON)
    schedule: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("crontab line, China time"))
    active: bool
    last_feed_id: UUID | None = None
    succeeded_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    failed_at: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs=_said("since when it fails; null: it does not")
    )
    failure: dict[str, Any] | None = Field(default=None, sa_type=_JSON)
    updated_at: datetime = Field(sa_type=_MOMENT)


class DataNoticeRow(IntakeTable, table=True):
    """What did not come, said once to those who can send it; closed when it came."""

    __tablename__ = "data_notice"
    __table_args__ = (
        CheckConstraint("kind IN ('late','missing','failing')", name="kind"),
        Index(
            "ux_data_notice_open",
            *("kind", "layout", "division", "connector"),
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        {"comment": "Data notices (数据催报)"},
    )

    notice_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=_TEXT)
    layout: str = Field(sa_type=_TEXT)
    department: str = Field(sa_type=_TEXT)
    division: str = Field(sa_type=_DIVISION)
    connector: str = Field(sa_type=_TEXT, sa_column_kwargs=_said("empty: no connector's"))
    due_by: date | None = None
    detail: str = Field(sa_type=_TEXT)
    opened_at: datetime = Field(sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Outbox(OutboxColumns, IntakeTable, table=True):
    __tablename__ = "outbox"


class OutboxDelivery(OutboxDeliveryColumns, IntakeTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        CheckConstraint("state IN ('due','delivered','dead')", name="state"),
    )


class Subscription(SubscriptionColumns, IntakeTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, IntakeTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, IntakeTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, IntakeTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_object", "object", "at", postgresql_where=text("object LIKE 'report:%'")),)
