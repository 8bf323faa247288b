"""How an officer's phone is known."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import BYTES, MOMENT, SMALL, TEXT


class PhoneToken(AlertsTable, table=True):
    """The link of a message, by the hash of its secret: opens one alert to one officer, once, for a day."""

    __tablename__ = "phone_token"
    __table_args__ = (
        Index(None, "expires_at"),
        CheckConstraint("expires_at <= made_at + interval '24 hours'", name="a_day_at_most"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=BYTES)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    made_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    used_at: datetime | None = Field(default=None, sa_type=MOMENT)


class PhoneSession(AlertsTable, table=True):
    """An officer's phone, by the hash of its cookie; after `unlocked_until` it asks for the PIN again."""

    __tablename__ = "phone_session"
    __table_args__ = (Index(None, "officer_no"), Index(None, "expires_at"))

    session_hash: bytes = Field(primary_key=True, sa_type=BYTES)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    made_at: datetime = Field(sa_type=MOMENT)
    unlocked_until: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)


class PhonePin(AlertsTable, table=True):
    """An officer's PIN as scrypt keeps it, and the wrong tries at it."""

    __tablename__ = "phone_pin"
    __table_args__ = (CheckConstraint("wrong BETWEEN 0 AND 4", name="wrong"),)

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    salt: bytes = Field(sa_type=BYTES)
    pin_hash: bytes = Field(sa_type=BYTES)
    set_at: datetime = Field(sa_type=MOMENT)
    wrong: int = Field(default=0, sa_type=SMALL, sa_column_kwargs={"server_default": text("0")})
    locked_until: datetime | None = Field(default=None, sa_type=MOMENT)
