"""Who is on duty, who stands in, and who helps which household."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import DIVISION, MOMENT, TEXT, row_number


class Officer(AlertsTable, table=True):
    """A person who may be on duty (干部); `division`..`division_hi` is the half-open range of his home.

    That is the narrowest place that covers all his posts in force; who holds none keeps the home he had.
    `household_no` is his own household: warnings about it are not his (回避). `department` is a liaison's.
    """

    __tablename__ = "officer"
    __table_args__ = (
        Index("ix_officer_household_no", "household_no", postgresql_where=text("household_no IS NOT NULL")),
    )

    officer_no: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    phone: str | None = Field(default=None, sa_type=TEXT)
    email: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    household_no: str | None = Field(default=None, sa_type=TEXT)
    department: str | None = Field(default=None, sa_type=TEXT)
    updated_at: datetime = Field(sa_type=MOMENT)


class Duty(AlertsTable, table=True):
    """A post held by an officer over a division, from `valid_from` until before `valid_to`.

    `deputy_no` (代理) hears while he is away; `households` is how many the grid has, as the county's list says.
    """

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("officer_no", "role", "division", "valid_from"),
        Index(None, "division", "role"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid"),
        CheckConstraint(
            "role IN ('grid_worker','village_secretary','first_secretary','village_cadre','township_deputy',"
            "'township_leader','county_admin','liaison')",
            name="role",
        ),
        CheckConstraint("deputy_no <> officer_no", name="another_deputy"),
        CheckConstraint("households >= 0", name="households"),
    )

    duty_id: int | None = Field(default=None, sa_column=row_number("duty_id"))
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    valid_from: date
    valid_to: date | None = None
    deputy_no: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    households: int | None = None


class Absence(AlertsTable, table=True):
    """Days on which an officer does not answer (请假), the first and the last included."""

    __tablename__ = "absence"
    __table_args__ = (
        UniqueConstraint("officer_no", "first_day"),
        CheckConstraint("last_day >= first_day", name="days"),
    )

    absence_id: int | None = Field(default=None, sa_column=row_number("absence_id"))
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    first_day: date
    last_day: date
    reason: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)


class Pairing(AlertsTable, table=True):
    """Who helps a household (帮扶责任人), from `since` until before `until`; `division` is where it lives."""

    __tablename__ = "pairing"
    __table_args__ = (
        UniqueConstraint("household_no", "officer_no", "since"),
        Index(None, "officer_no"),
        Index(None, "division"),
        CheckConstraint("until IS NULL OR until > since", name="valid"),
        CheckConstraint("base_group IN ('lifted_out','general')", name="base_group"),
    )

    pairing_id: int | None = Field(default=None, sa_column=row_number("pairing_id"))
    household_no: str = Field(sa_type=TEXT)
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=DIVISION)
    base_group: str | None = Field(default=None, sa_type=TEXT)
    since: date
    until: date | None = None
    reason: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)
