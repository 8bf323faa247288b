"""Where data comes from: counties' own data sets, departments' interfaces, and what did not come."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.db.columns import BYTES, DIVISION, JSON, MOMENT, RECORD, TEXT, said
from shared.queue.tables import ClaimColumns


class OwnLayout(IntakeTable, table=True):
    """A version of a data set that a county added; the document as it was sent."""

    __tablename__ = "own_layout"
    __table_args__ = ({"comment": "Counties' own data sets (自定义数据集)"},)

    name: str = Field(primary_key=True, sa_type=TEXT)
    version: int = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION, sa_column_kwargs=said("whose it is, and who alone may send it"))
    document: dict[str, Any] = Field(sa_type=JSON)
    created_by: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=MOMENT)
    changed_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=said("made, retired or used again"))
    retired_at: datetime | None = Field(default=None, sa_type=MOMENT)


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

    name: str = Field(primary_key=True, sa_type=RECORD)
    layout: str = Field(sa_type=TEXT)
    department: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    url: str = Field(sa_type=TEXT)
    dialect: str = Field(sa_type=TEXT)
    client_id: str = Field(sa_type=TEXT)
    sealed_secret: bytes = Field(sa_type=BYTES)
    paging: str = Field(sa_type=TEXT)
    rows_at: str = Field(sa_type=TEXT, sa_column_kwargs=said("dotted path to the rows; empty: the answer itself"))
    page_param: str = Field(sa_type=TEXT)
    size_param: str = Field(sa_type=TEXT)
    page_size: int
    cursor_at: str = Field(sa_type=TEXT)
    period_param: str | None = Field(default=None, sa_type=TEXT)
    period_unit: str = Field(sa_type=TEXT)
    query: dict[str, Any] = Field(sa_type=JSON)
    schedule: str = Field(sa_type=TEXT, sa_column_kwargs=said("crontab line, China time"))
    active: bool
    last_feed_id: UUID | None = None
    succeeded_at: datetime | None = Field(default=None, sa_type=MOMENT)
    failed_at: datetime | None = Field(
        default=None, sa_type=MOMENT, sa_column_kwargs=said("since when it fails; null: it does not")
    )
    failure: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    updated_at: datetime = Field(sa_type=MOMENT)


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
    kind: str = Field(sa_type=TEXT)
    layout: str = Field(sa_type=TEXT)
    department: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    connector: str = Field(sa_type=TEXT, sa_column_kwargs=said("empty: no connector's"))
    due_by: date | None = None
    detail: str = Field(sa_type=TEXT)
    opened_at: datetime = Field(sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
