"""How far warnings have climbed, and the watch over the tasks that make them climb."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import JSON, MOMENT, SMALL, TEXT


class AlertEscalation(AlertsTable, table=True):
    """How far an alert has climbed (逐级督办): the levels as they were at its opening, and when it climbs next.

    `step` is the level it stands at, 1 the grid, the last mostly the county; `since` is when it came there or was
    acknowledged. The timer is this row: what is due is found by `next_step_at`, and `token` is another after every
    change.
    """

    __tablename__ = "alert_escalation"
    __table_args__ = (
        Index("ix_alert_escalation_due", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
        CheckConstraint("step >= 1", name="step"),
        CheckConstraint("(next_step_at IS NULL) = (finished_at IS NOT NULL)", name="finished"),
    )

    alert_id: UUID = Field(primary_key=True, foreign_key="alerts.alert.alert_id")
    chain_snapshot: list[dict[str, Any]] = Field(sa_type=JSON)
    step: int = Field(sa_type=SMALL)
    since: datetime = Field(sa_type=MOMENT)
    next_step_at: datetime | None = Field(default=None, sa_type=MOMENT)
    token: UUID
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)


class WatchBeat(AlertsTable, table=True):
    """When a task that must come regularly was last seen to end well."""

    __tablename__ = "watch_beat"

    name: str = Field(primary_key=True, sa_type=TEXT)
    every_seconds: int
    last_at: datetime = Field(sa_type=MOMENT)


class WatchIncident(AlertsTable, table=True):
    """Something that stands still; one at a time of each trouble, told when it begins and when it is over."""

    __tablename__ = "watch_incident"
    __table_args__ = (
        Index("ux_watch_incident_open", "trouble", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    incident_id: UUID = Field(primary_key=True)
    trouble: str = Field(sa_type=TEXT)
    detail: str = Field(sa_type=TEXT)
    opened_at: datetime = Field(sa_type=MOMENT)
    told_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    end_told_at: datetime | None = Field(default=None, sa_type=MOMENT)
