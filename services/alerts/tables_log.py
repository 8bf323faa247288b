"""The tables of the sealed log of schema `alerts`, and what the sealer finds new rows by."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from services.alerts.tables_alerts import AlertLog
from services.alerts.tables_departments import SectorTaskLog
from shared.db.base import AlertsTable
from shared.security.seal_tables import SealDayColumns, SealEntryColumns, SealHeadColumns


class SealEntry(SealEntryColumns, AlertsTable, table=True):
    __tablename__ = "seal_entry"
    __table_args__ = (UniqueConstraint("source", "row_key"), Index(None, "day", "seq"))


class SealHead(SealHeadColumns, AlertsTable, table=True):
    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("head_id = 1", name="one"),)


class SealDay(SealDayColumns, AlertsTable, table=True):
    __tablename__ = "seal_day"


# Rows come in order of time: a block range is enough, and costs the writer nothing.
for _table in (AlertLog, SectorTaskLog):
    _name = str(_table.__tablename__)
    Index(f"ix_{_name}_at", AlertsTable.metadata.tables[f"alerts.{_name}"].c.at, postgresql_using="brin")
