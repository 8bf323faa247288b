"""The tables of the sealed log of schema `intake`, and what the sealer finds new rows by."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from services.intake.tables_messages import AuditLog
from shared.db.base import IntakeTable
from shared.security.seal_tables import SealDayColumns, SealEntryColumns, SealHeadColumns


class SealEntry(SealEntryColumns, IntakeTable, table=True):
    __tablename__ = "seal_entry"
    __table_args__ = (UniqueConstraint("source", "row_key"), Index(None, "day", "seq"))


class SealHead(SealHeadColumns, IntakeTable, table=True):
    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("head_id = 1", name="one"),)


class SealDay(SealDayColumns, IntakeTable, table=True):
    __tablename__ = "seal_day"


# Rows come in order of time: a block range is enough, and costs the writer nothing.
Index(
    "ix_audit_log_at", IntakeTable.metadata.tables[f"intake.{AuditLog.__tablename__}"].c.at, postgresql_using="brin"
)
