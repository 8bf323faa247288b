"""The columns of the sealed log's tables; each service declares them in its own schema under the same names."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import TEXT
from sqlmodel import Field, SQLModel

_MOMENT: Any = DateTime(timezone=True)
_BYTES: Any = LargeBinary
_BIG: Any = BigInteger
_SMALL: Any = SmallInteger


class SealEntryColumns(SQLModel):
    """A row's place in the chain: its digest, and the chain's value there. Never changed, never removed."""

    seq: int = Field(primary_key=True, sa_type=_BIG, sa_column_kwargs={"autoincrement": False})
    source: str = Field(sa_type=TEXT)
    row_key: str = Field(sa_type=TEXT)
    day: date
    digest: bytes = Field(sa_type=_BYTES)
    chain: bytes = Field(sa_type=_BYTES)


class SealHeadColumns(SQLModel):
    """Where the chain ends, signed; one row.

    `marked_xact`: no transaction before it is running when `marked_day` is signed.
    """

    head_id: int = Field(primary_key=True, sa_type=_SMALL, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=_BIG)
    chain: bytes = Field(sa_type=_BYTES)
    sealed_at: datetime = Field(sa_type=_MOMENT)
    public_key: bytes = Field(sa_type=_BYTES)
    signature: bytes = Field(sa_type=_BYTES)
    marked_day: date | None = None
    marked_xact: int | None = Field(default=None, sa_type=_BIG)


class SealDayColumns(SQLModel):
    """A day's Merkle root, signed; `number` has no gaps, `previous` is the digest of the day signed before."""

    day: date = Field(primary_key=True)
    number: int = Field(unique=True)
    entries: int
    root: bytes = Field(sa_type=_BYTES)
    seq: int = Field(sa_type=_BIG)
    chain: bytes = Field(sa_type=_BYTES)
    previous: bytes = Field(sa_type=_BYTES)
    public_key: bytes = Field(sa_type=_BYTES)
    signature: bytes = Field(sa_type=_BYTES)
    signed_at: datetime = Field(sa_type=_MOMENT)
