"""The tables of the sealed log of schema `monitoring`."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from shared.db.base import MonitoringTable
from shared.security.seal_tables import SealDayColumns, SealEntryColumns, SealHeadColumns


class SealEntry(SealEntryColumns, MonitoringTable, table=True):
    __tablename__ = "seal_entry"
    __table_args__ = (UniqueConstraint("source", "row_key"), Index(None, "day", "seq"))


class SealHead(SealHeadColumns, MonitoringTable, table=True):
    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("head_id = 1", name="one"),)


class SealDay(SealDayColumns, MonitoringTable, table=True):
    __tablename__ = "seal_day"
