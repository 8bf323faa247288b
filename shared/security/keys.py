"""The key files: made once with random content, mode 0600, and never made again when lost."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.settings import SettingsRefused

OWN_KEYS = ("intake", "monitoring", "alerts")
SECRET_KEYS = (*OWN_KEYS, "index", "transit", "raw", "messages")
TOKEN_KEY = "token.pem"  # noqa: S105 - a file name.
DEMO_MARK = "DEMO"

# alerts holds neither the blind index nor the transit key: it can neither find nor read an identity number.
HELD_BY = {
    "intake": ("intake", "index", "transit", "raw", "messages"),
    "monitoring": ("monitoring", "index", "transit", "messages"),
    "alerts": ("alerts", "messages"),
}


class KeyLost(SettingsRefused):
    """A key file that the data depends on is missing; making a new one would make the data unreadable."""

    code, title = "key_lost", "密钥文件缺失，拒绝启动"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """AES-256-GCM under one or more keys: the first seals, all open (rotation)."""

    ciphers: dict[bytes, AESGCM] = field(repr=False)

    @classmethod
    def of(cls, *secrets: bytes) -> "SealingKey":
        return cls({hashlib.sha256(b"fangpin key id" + s).digest()[:4]: AESGCM(s) for s in secrets})

    def seal(self, plain: bytes, aad: tuple[str, ...]) -> bytes:
        """Seal as: format byte, key id (4), nonce (12), ciphertext and tag."""
        key_id, cipher = next(iter(self.ciphers.items()))
        nonce = os.urandom(12)
        return b"\x01" + key_id + nonce + cipher.encrypt(nonce, plain, _aad(aad, key_id))

    def open(self, sealed: bytes, aad: tuple[str, ...]) -> bytes:
        """Open what `seal` made with the same `aad`; raises cryptography's InvalidTag, or KeyLost."""
        key_id = sealed[1:5]
        cipher = self.ciphers.get(key_id)
        if cipher is None or sealed[:1] != b"\x01":
            raise KeyLost(f"没有编号为 {key_id.hex()} 的密钥，无法解密；请恢复原密钥文件")
        return cipher.decrypt(sealed[5:17], sealed[17:], _aad(aad, key_id))


def _aad(parts: tuple[str, ...], key_id: bytes) -> bytes:
    return b"\x1f".join([*(part.encode() for part in parts), key_id])


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys one service holds."""

    service: str
    _sealing: dict[str, SealingKey] = field(repr=False)
    _index: bytes | None = field(repr=False)
    _messages: bytes = field(repr=False)
    token_key: Ed25519PrivateKey = field(repr=False)

    def seal(self, text: str, *aad: str) -> bytes:
        """Seal for this service's own tables; `aad` names table, column, row."""
        return self._sealing[self.service].seal(text.encode(), aad)

    def open(self, sealed: bytes, *aad: str) -> str:
        return self._sealing[self.service].open(sealed, aad).decode()

    def seal_for_transit(self, text: str, *aad: str) -> bytes:
        """Seal for a message; `aad` names event and field."""
        return self._sealing["transit"].seal(text.encode(), aad)

    def open_from_transit(self, sealed: bytes, *aad: str) -> str:
        return self._sealing["transit"].open(sealed, aad).decode()

    def new_file_key(self, *aad: str) -> tuple[SealingKey, bytes]:
        """A key for one raw file, and its sealed form to keep beside it: that destroyed, the file is unreadable."""
        secret = os.urandom(32)
        return SealingKey.of(secret), self._sealing["raw"].seal(secret, aad)

    def open_file_key(self, sealed: bytes, *aad: str) -> SealingKey:
        return SealingKey.of(self._sealing["raw"].open(sealed, aad))

    def blind_index(self, number: str) -> bytes:
        """The keyed index of a normalised identity number (32 bytes): equal for equal numbers, else unrelated."""
        if self._index is None:
            raise KeyLost(f"服务 {self.service} 不持有索引密钥")
        inner, outer = _hmac_begun(self._index)
        inner, outer = inner.copy(), outer.copy()
        inner.update(b"fangpin.number\x00" + number.encode())
        outer.update(inner.digest())
        index: bytes = outer.digest()
        return index

    def keyed_digest(self, purpose: str, text: str) -> bytes:
        """A keyed digest (32 bytes) of a text for one purpose; of another purpose it is unrelated."""
        if self._index is None:
            raise KeyLost(f"服务 {self.service} 不持有索引密钥")
        return hmac.digest(self._index, f"fangpin.{purpose}\x00{text}".encode(), "sha256")

    def secret_for(self, purpose: str) -> bytes:
        """A secret of this service for one purpose; nobody outside foresees what is drawn with it."""
        return hmac.digest(self._messages, f"{self.service}:{purpose}".encode(), "sha256")

    def message_secret(self, sender: str, receiver: str) -> bytes:
        """The signing secret of internal messages from one service to another."""
        return hmac.digest(self._messages, f"{sender}>{receiver}".encode(), "sha256")


@lru_cache(maxsize=4)
def _hmac_begun(key: bytes) -> tuple[Any, Any]:
    """The two hashes of HMAC-SHA-256 with the key already taken in: half the work of each index of a large file."""
    padded = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\x00")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))


def create_keys(folder: Path, *, demo: bool) -> None:
    """Write all key files once; a folder that has any key is left as it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        return
    for name in SECRET_KEYS:
        _write(folder / f"{name}.key", base64.b64encode(os.urandom(32)) + b"\n")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(folder / TOKEN_KEY, pem)
    if demo:
        _write(folder / DEMO_MARK, "演示密钥：仅供演示使用 demo keys: never for real data\n".encode())


def load_keys(folder: Path, service: str, *, demo: bool) -> Keyring:
    """Read the keys `service` may hold; refuses demo keys outside demo mode, and a folder with a key missing."""
    if not demo and (folder / DEMO_MARK).exists():
        raise SettingsRefused(
            f"{folder} 中是演示密钥，只能在演示模式使用；正式环境请用 fangpin keys create 生成新的密钥"
        )
    held = {name: _read(folder / f"{name}.key") for name in HELD_BY[service]}
    sealing = {name: SealingKey.of(*secrets) for name, secrets in held.items() if name not in {"index", "messages"}}
    index = held["index"][0] if "index" in held else None
    if len(held.get("index", ())) > 1:
        # Under another key every resident would be a stranger: rotation needs a second index column first.
        raise KeyLost("index.key 只能有一把密钥：换用新的索引密钥会使已登记的人员全部无法匹配")
    return Keyring(service, sealing, index, held["messages"][0], _token_key(folder / TOKEN_KEY))


def secrets_for(folder: Path, service: str, purpose: str) -> list[bytes]:
    """A service's secret for one purpose under the key in use and, behind it, under each that was replaced."""
    return [hmac.digest(key, f"{service}:{purpose}".encode(), "sha256") for key in _read(folder / "messages.key")]


def fingerprints(folder: Path, names: Iterable[str] = SECRET_KEYS) -> dict[str, str]:
    """A public name for each key: what the database remembers, so that a changed key stops start-up."""
    return {
        name: hashlib.sha256(b"fangpin fingerprint" + _read(folder / f"{name}.key")[-1]).hexdigest()[:16]
        for name in names
        if (folder / f"{name}.key").exists()
    }


def _read(path: Path) -> list[bytes]:
    try:
        secrets = [base64.b64decode(line, validate=True) for line in path.read_bytes().split()]
    except FileNotFoundError:
        raise KeyLost(f"找不到密钥文件 {path.name}；请从备份恢复，切勿重新生成") from None
    except binascii.Error:
        secrets = []
    if not secrets or any(len(secret) != 32 for secret in secrets):
        raise KeyLost(f"密钥文件 {path.name} 已损坏：每行应为 32 字节的 base64")
    return secrets


def _token_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise KeyLost(f"找不到密钥文件 {path.name}；请从备份恢复") from None
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyLost(f"密钥文件 {path.name} 已损坏：应为 Ed25519 私钥（PEM）")
    return key


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        # Data is sealed with it at once: the key must be on disk before the first row is.
        file.flush()
        os.fsync(file.fileno())
