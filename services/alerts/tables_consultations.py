"""What ends a joint consultation besides a decision."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import TEXT
from sqlmodel import Field

from shared.db.base import AlertsTable

_MOMENT: Any = DateTime(timezone=True)


class ConsultationCancelled(AlertsTable, table=True):
    """Why a joint consultation was called off (取消会商); its opinions stay, the alert goes on without it."""

    __tablename__ = "consultation_cancelled"

    consultation_id: UUID = Field(primary_key=True, foreign_key="alerts.consultation.consultation_id")
    reason: str = Field(sa_type=TEXT)
    cancelled_by: str = Field(sa_type=TEXT)
    cancelled_at: datetime = Field(sa_type=_MOMENT)
