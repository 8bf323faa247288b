"""The columns that make a row a queue entry."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, SmallInteger, text
from sqlmodel import Field, SQLModel

_MOMENT: Any = DateTime(timezone=True)


class ClaimColumns(SQLModel):
    """A row is due from `due_at` on (null: nothing to do) and held until `lease_until` by `lease_token`."""

    due_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    priority: int = Field(default=5, sa_type=SmallInteger, sa_column_kwargs={"server_default": text("5")})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    lease_until: datetime | None = Field(default=None, sa_type=_MOMENT)
    lease_token: UUID | None = Field(default=None)
