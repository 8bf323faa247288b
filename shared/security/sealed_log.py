"""The sealed log (防篡改日志): what a row's digest is, how entries are chained, what is signed of a day.

A row keeps its content, the chain only digests: a row whose time is over may go, and the log stays whole.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.security.keys import Keyring, secrets_for

BEGINNING = bytes(32)
EXPIRED = "log.expired"
_PURPOSE = "sealed log"
# The law asks for six months; who looked at whose record is kept three years.
KEPT = timedelta(days=3 * 366)


class HasColumns(Protocol):
    """A row by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table whose rows are entries of the log; `columns` are those that are sealed, and no later one joins them."""

    name: str
    key: str
    key_kind: type[UUID] | type[int]
    columns: tuple[str, ...]

    def key_from(self, text: str) -> UUID | int | None:
        """The key that a row's entry names; None if it cannot be one of this table."""
        try:
            key = self.key_kind(text)
        except ValueError:
            return None
        return key if isinstance(key, UUID) or -(2**63) <= key < 2**63 else None


AUDIT = SealedTable(
    "audit_log",
    "audit_id",
    UUID,
    (
        "audit_id",
        "at",
        "actor",
        "actor_kind",
        "action",
        "object",
        "purpose",
        "result",
        "request_id",
        "detail",
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row's place in the chain of its service."""

    seq: int
    source: str
    row_key: str
    day: date
    digest: bytes

    def chained_to(self, previous: bytes) -> bytes:
        """The chain's value at this entry, from its value at the entry before."""
        said = [self.seq, self.source, self.row_key, self.day.isoformat(), self.digest.hex()]
        return hashlib.sha256(previous + _bytes(said)).digest()

    def leaf(self) -> bytes:
        """What the day's Merkle tree holds of it."""
        return _bytes([self.seq, self.source, self.row_key, self.digest.hex()])


def digest_of(source: str, row: HasColumns, columns: tuple[str, ...]) -> bytes:
    """The digest of a row's sealed columns; the same for the same content, in whatever order it is read."""
    return hashlib.sha256(_bytes([source, {name: row[name] for name in columns}])).digest()


@dataclass(frozen=True, slots=True)
class SignedDay:
    """What is signed of one day: its root, how far the chain went, and the day signed before it."""

    service: str
    day: date
    number: int
    entries: int
    root: bytes
    seq: int
    chain: bytes
    previous: bytes

    def statement(self) -> bytes:
        """The bytes that are signed."""
        return _bytes(["day", *(_plain(getattr(self, name)) for name in self.__slots__)])

    def digest(self) -> bytes:
        """What the next day names as the one before it."""
        return hashlib.sha256(self.statement()).digest()


def head_statement(service: str, seq: int, chain: bytes) -> bytes:
    """What is signed of the chain's end, between one day's root and the next."""
    return _bytes(["head", service, seq, chain.hex()])


def sealing_key(keys: Keyring) -> Ed25519PrivateKey:
    """The key a service signs its log with; of another installation it is another."""
    return Ed25519PrivateKey.from_private_bytes(keys.secret_for(_PURPOSE))


def public_keys(folder: Path, service: str) -> list[bytes]:
    """The public keys of this installation: the one in use, then those of replaced keys (earlier days)."""
    secrets = secrets_for(folder, service, _PURPOSE)
    return [public_bytes(Ed25519PrivateKey.from_private_bytes(secret)) for secret in secrets]


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def is_signed(public_key: bytes, signature: bytes, statement: bytes) -> bool:
    """Whether `public_key` signed the statement."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(said: Any) -> bytes:
    """JSON with sorted names: the same bytes for the same content, on every machine."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return value
