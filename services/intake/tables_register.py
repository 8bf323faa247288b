"""What intake learnt of people, households and codes from the files it took in."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.db.columns import BYTES, COUNTY, MOMENT, RECORD, TEXT, said


class HouseholdPerson(IntakeTable, table=True):
    """Who lives in which household, as the newest roster of each says."""

    __tablename__ = "household_person"
    __table_args__ = (
        Index("ix_household_person_household_no", "county", "household_no"),
        {"comment": "Who lives in which household, by the newest roster"},
    )

    county: str = Field(primary_key=True, sa_type=COUNTY)
    person: bytes = Field(primary_key=True, sa_type=BYTES, sa_column_kwargs=said("blind index"))
    household_no: str = Field(primary_key=True, sa_type=RECORD)


class AuthorisationRow(IntakeTable, table=True):
    """A scope of a form by which a household allows its assets to be compared."""

    __tablename__ = "authorisation"
    __table_args__ = (
        Index("ix_authorisation_household_no", "county", "household_no"),
        {"comment": "Authorisations (承诺授权)"},
    )

    county: str = Field(primary_key=True, sa_type=COUNTY)
    record: str = Field(primary_key=True, sa_type=RECORD, sa_column_kwargs=said("form and scope"))
    scope: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("the data set it allows"))
    household_no: str | None = Field(default=None, sa_type=RECORD)
    signed_on: date
    ended_on: date | None = Field(default=None, sa_column_kwargs=said("the first day on which it holds no more"))
    taken_back: bool


class CrosswalkRow(IntakeTable, table=True):
    """Whom or what a department's own code stands for, as it said last."""

    __tablename__ = "crosswalk"
    __table_args__ = (
        CheckConstraint("owner_kind IN ('person','household','division')", name="owner_kind"),
        CheckConstraint("octet_length(code) = 32", name="code"),
        {"comment": "Departments' own codes (本部门编码)"},
    )

    department: str = Field(primary_key=True, sa_type=TEXT)
    county: str = Field(primary_key=True, sa_type=COUNTY)
    owner_kind: str = Field(primary_key=True, sa_type=TEXT, sa_column_kwargs=said("of what it is a code"))
    code: bytes = Field(
        primary_key=True, sa_type=BYTES, sa_column_kwargs=said("keyed digest: it may hold an identity number")
    )
    owner: str = Field(sa_type=RECORD, sa_column_kwargs=said("blind index (hex), household number or division"))
    learnt_on: date = Field(sa_column_kwargs=said("the day the row, or the list it is of, speaks of"))
    layout: str = Field(sa_type=TEXT)
    record: str = Field(sa_type=RECORD, sa_column_kwargs=said("natural key of the row it was learnt from"))
    feed_id: UUID
    received_at: datetime = Field(sa_type=MOMENT)
