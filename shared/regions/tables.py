"""The table of regions, in the schema that all services read and none owns."""

from datetime import date

from sqlalchemy import CheckConstraint, Column, Date, Index, SmallInteger, Text
from sqlmodel import Field

from shared.db.base import DirectoryTable

CODE = Text(collation="C")


class RegionRow(DirectoryTable, table=True):
    """One division under one name during some time; the names of a code never overlap in time."""

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code"),
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("level between 1 and 5", name="level"),
        CheckConstraint("(parent is null) = (level = 1) and parent < code", name="parent"),
        CheckConstraint("valid_to > valid_from", name="valid_to"),
        CheckConstraint("successor ~ '^[0-9]{12}$' and successor <> code", name="successor"),
        Index("ix_region_parent_code", "parent", "code"),
        {"comment": "Divisions with their names (行政区划), dated"},
    )

    code: str = Field(sa_column=Column(CODE, primary_key=True, comment="12 digits"))
    valid_from: date = Field(sa_column=Column(Date, primary_key=True, comment="first day the source vouches for"))
    name: str = Field(sa_column=Column(Text, nullable=False))
    level: int = Field(
        sa_column=Column(
            SmallInteger, nullable=False, comment="1 province, 2 prefecture, 3 county, 4 township, 5 village"
        )
    )
    parent: str | None = Field(sa_column=Column(CODE, comment="code of the division above"))
    valid_to: date | None = Field(sa_column=Column(Date, comment="first day no longer in force"))
    successor: str | None = Field(sa_column=Column(CODE, comment="the one division that took over"))
    source: str = Field(sa_column=Column(Text, nullable=False, comment="list or imported file"))
