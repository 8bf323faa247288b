"""Clients of `POST /oauth2/token`, and the fingerprints of the keys the data was sealed with."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import Field

from shared.db.base import DirectoryTable

_MOMENT: Any = DateTime(timezone=True)


class OAuthClient(DirectoryTable, table=True):
    """A system that may ask for tokens; two secrets may live at once while they are exchanged."""

    __tablename__ = "oauth_client"

    client_id: str = Field(primary_key=True)
    secret_hashes: list[bytes] = Field(sa_type=ARRAY(LargeBinary))
    name: str
    division: str = Field(sa_type=String(12, collation="C"))
    department: str | None = None
    scopes: list[str] = Field(sa_type=ARRAY(TEXT))
    active: bool = True
    created_at: datetime = Field(sa_type=_MOMENT)


class KeyFingerprint(DirectoryTable, table=True):
    """The public name of a key this database was sealed with."""

    __tablename__ = "key_fingerprint"

    name: str = Field(primary_key=True)
    fingerprint: str
