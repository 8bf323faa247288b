"""What households report themselves, what belongs to a report, and what guards its doors."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text, text
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.db.columns import BIG, BYTES, DIVISION, MOMENT, SMALL, TEXT, TEXTS, said


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
    client: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    person_index: bytes = Field(sa_type=BYTES, sa_column_kwargs=said("blind index of the identity number"))
    sealed_number: bytes = Field(sa_type=BYTES)
    reporter_name: str = Field(sa_type=TEXT)
    sealed_phone: bytes | None = Field(default=None, sa_type=BYTES)
    sealed_description: bytes | None = Field(default=None, sa_type=BYTES)
    hardships: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=said("sorted, each once"))
    amount_fen: int | None = Field(default=None, sa_type=BIG)
    on_behalf_of: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs=said("number of the cadre who wrote it for the household")
    )
    reported_on: date
    received_at: datetime = Field(sa_type=MOMENT)
    channel: str = Field(default="app", sa_type=TEXT, sa_column_kwargs={"server_default": text("'app'")})
    ticket_no: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("the hotline's own number"))
    filed_by: str = Field(default="self", sa_type=TEXT, sa_column_kwargs={"server_default": text("'self'")})
    sealed_filer: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs=said("the relative who wrote it: relation, name, phone")
    )
    consent_version: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs=said("null: made before consents were kept, or by a hotline")
    )
    basis: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("legal basis of a hotline's import"))
    receipt_no: int = Field(
        default=1,
        sa_type=SMALL,
        sa_column_kwargs={
            "server_default": text("1"),
            "comment": "how many receipt codes it has had; the last counts",
        },
    )
    about_officer: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs=said("number of the officer whom it complains of")
    )
    root_id: UUID | None = Field(default=None, sa_column_kwargs=said("the first version; null: this is the first"))
    version: int = Field(default=1, sa_type=SMALL, sa_column_kwargs={"server_default": text("1")})
    sealed_correction: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs=said("why it was corrected")
    )
    withdrawn_at: datetime | None = Field(default=None, sa_type=MOMENT)
    sealed_withdrawal: bytes | None = Field(default=None, sa_type=BYTES, sa_column_kwargs=said("why"))
    outcome: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("the answer of the visit"))
    answered_by: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs=said("number of the officer who gave the answer")
    )
    matched_at: datetime | None = Field(default=None, sa_type=MOMENT)
    unmatched_at: datetime | None = Field(
        default=None, sa_type=MOMENT, sa_column_kwargs=said("monitoring knew nobody of that number then")
    )
    assessed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    routed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    delivered_at: datetime | None = Field(default=None, sa_type=MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=MOMENT)
    verified_at: datetime | None = Field(default=None, sa_type=MOMENT)
    alert_id: UUID | None = Field(
        default=None, sa_column_kwargs=said("the newest alert that answers it, in the service alerts")
    )


class Receipt(IntakeTable, table=True):
    """Which report a receipt code opens: a keyed digest of the code, never the code."""

    __tablename__ = "receipt"
    __table_args__ = (Index("ix_receipt_report_id", "report_id"), {"comment": "Receipt codes (受理码)"})

    code_index: bytes = Field(primary_key=True, sa_type=BYTES)
    report_id: UUID
    division: str = Field(sa_type=DIVISION)


class LimitCount(IntakeTable, table=True):
    """How often something limited was done in a window of time; `subject`: a keyed digest of whoever did it."""

    __tablename__ = "limit_count"

    kind: str = Field(primary_key=True, sa_type=TEXT)
    subject: bytes = Field(primary_key=True, sa_type=BYTES)
    window_start: datetime = Field(primary_key=True, sa_type=MOMENT)
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
    report_id: UUID | None = Field(default=None, sa_column_kwargs=said("null: uploaded before its report"))
    division: str = Field(sa_type=DIVISION)
    client: str = Field(sa_type=TEXT)
    media_type: str = Field(sa_type=TEXT)
    metadata_: str = Field(
        sa_column=Column("metadata", Text, nullable=False, comment="of the photo (EXIF, GPS): none, stripped or kept")
    )
    size_bytes: int = Field(sa_type=BIG)
    digest: bytes = Field(sa_type=BYTES, sa_column_kwargs=said("SHA-256 of the bytes as kept"))
    sealed_key: bytes | None = Field(default=None, sa_type=BYTES, sa_column_kwargs=said("null: destroyed"))
    received_at: datetime = Field(sa_type=MOMENT)
    destroyed_at: datetime | None = Field(default=None, sa_type=MOMENT)
