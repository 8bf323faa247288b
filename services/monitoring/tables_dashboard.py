"""The figures of the dashboard, and which of them are to be counted again."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import DIVISION, MOMENT, TEXT, TEXTS


class DashboardFigure(MonitoringTable, table=True):
    """How many households of a living and a registered place fall under a key of a figure; counted by the worker."""

    __tablename__ = "dashboard_figure"
    __table_args__ = (Index("ix_dashboard_figure_living_division", "living_division"),)

    figure: str = Field(sa_type=TEXT, primary_key=True)
    living_division: str = Field(sa_type=DIVISION, primary_key=True)
    registered_division: str = Field(sa_type=DIVISION, primary_key=True)
    key: str = Field(sa_type=TEXT, primary_key=True)
    households: int


class DashboardTouch(MonitoringTable, table=True):
    """A place whose figures changed since they were counted; appended by the database, never waited for."""

    __tablename__ = "dashboard_touch"
    __table_args__ = (CheckConstraint("what IN ('household', 'facts')", name="what"),)

    touch_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    village: str = Field(sa_type=DIVISION)
    what: str = Field(sa_type=TEXT)


class DashboardVersion(MonitoringTable, table=True):
    """Which figures of which places a count changed, lately; `version` rises with every count and never repeats."""

    __tablename__ = "dashboard_version"

    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    counted_at: datetime = Field(sa_type=MOMENT)
    places: list[str] = Field(sa_type=TEXTS)
    figures: list[str] = Field(sa_type=TEXTS)
