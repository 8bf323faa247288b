"""Keys are made once, kept close, and never made again when lost."""

import base64
import hmac
import os
import stat
from pathlib import Path

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from shared.db.key_check import check_keys, remember_keys
from shared.security.keys import (
    DEMO_MARK,
    HELD_BY,
    SECRET_KEYS,
    TOKEN_KEY,
    KeyLost,
    Keyring,
    SealingKey,
    create_keys,
    fingerprints,
    load_keys,
)
from shared.settings import SettingsRefused
from tests.shared.conftest import Open

CANARY = "990624199003070011"
A, B = b"a" * 32, b"b" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys", demo=False)
    return tmp_path / "keys"


def new_line() -> bytes:
    return base64.b64encode(os.urandom(32)) + b"\n"


def test_keys_are_random_and_for_the_owner_only(folder: Path) -> None:
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == sorted([*(f"{name}.key" for name in SECRET_KEYS), TOKEN_KEY])
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len({path.read_bytes() for path in files}) == len(files)


def test_keys_are_made_once(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    create_keys(folder, demo=True)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lost_key_is_not_made_again(folder: Path) -> None:
    (folder / "index.key").unlink()
    create_keys(folder, demo=False)
    assert not (folder / "index.key").exists()
    with pytest.raises(KeyLost, match=r"index\.key"):
        load_keys(folder, "intake", demo=False)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"short", b"AAAA\n", b"!" * 44, b"A" * 43 + b"=\nAAAA\n", b"\xff" * 44]
)
def test_a_damaged_key_stops(folder: Path, content: bytes) -> None:
    (folder / "intake.key").write_bytes(content)
    with pytest.raises(KeyLost, match="已损坏"):
        load_keys(folder, "intake", demo=False)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----", None])
def test_a_damaged_token_key_stops(folder: Path, content: bytes | None) -> None:
    (folder / TOKEN_KEY).unlink() if content is None else (folder / TOKEN_KEY).write_bytes(content)
    with pytest.raises(KeyLost, match=TOKEN_KEY):
        load_keys(folder, "intake", demo=False)


def test_keys_of_a_demonstration_never_hold_real_data(tmp_path: Path) -> None:
    create_keys(tmp_path, demo=True)
    assert (tmp_path / DEMO_MARK).exists()
    assert load_keys(tmp_path, "intake", demo=True)
    with pytest.raises(SettingsRefused, match="演示密钥"):
        load_keys(tmp_path, "intake", demo=False)


def test_each_service_reads_only_what_it_holds(folder: Path) -> None:
    for name in set(SECRET_KEYS) - set(HELD_BY["alerts"]):
        (folder / f"{name}.key").unlink()
    assert load_keys(folder, "alerts", demo=False)
    assert fingerprints(folder).keys() == set(HELD_BY["alerts"])


def test_alerts_can_neither_find_nor_read_a_number(folder: Path) -> None:
    intake, alerts = (load_keys(folder, name, demo=False) for name in ("intake", "alerts"))
    with pytest.raises(KeyLost):
        alerts.blind_index(CANARY)
    with pytest.raises(KeyError):
        alerts.open_from_transit(intake.seal_for_transit(CANARY, "e", "f"), "e", "f")
    with pytest.raises(KeyLost):
        alerts.open(intake.seal(CANARY, "t", "c", "1"), "t", "c", "1")


def test_what_travels_is_read_by_the_other_and_indexed_alike(folder: Path) -> None:
    intake, monitoring = (load_keys(folder, name, demo=False) for name in ("intake", "monitoring"))
    sealed = intake.seal_for_transit(CANARY, "event", "members/H1/0")
    assert monitoring.open_from_transit(sealed, "event", "members/H1/0") == CANARY
    assert intake.blind_index(CANARY) == monitoring.blind_index(CANARY)
    assert len(intake.blind_index(CANARY)) == 32
    assert intake.blind_index(CANARY) != intake.blind_index("990624199003070038")


def test_a_ciphertext_moved_elsewhere_does_not_open(folder: Path) -> None:
    keys = load_keys(folder, "intake", demo=False)
    sealed = keys.seal(CANARY, "resident", "number", "1")
    assert keys.open(sealed, "resident", "number", "1") == CANARY
    for place in (("resident", "number", "2"), ("resident", "other", "1"), ("resident", "number1"), ()):
        with pytest.raises(InvalidTag):
            keys.open(sealed, *place)


@given(flip=st.integers(0, 8 * 47 - 1))
def test_a_changed_ciphertext_does_not_open(flip: int) -> None:
    key = SealingKey.of(A)
    sealed = bytearray(key.seal(CANARY.encode(), ("t",)))
    sealed[flip // 8 % len(sealed)] ^= 1 << flip % 8
    with pytest.raises((InvalidTag, KeyLost)):
        key.open(bytes(sealed), ("t",))


@given(cut=st.binary(max_size=40))
def test_what_is_no_ciphertext_does_not_open(cut: bytes) -> None:
    with pytest.raises((InvalidTag, KeyLost)):
        SealingKey.of(A).open(cut, ("t",))


def test_the_same_text_is_never_sealed_alike() -> None:
    key = SealingKey.of(A)
    assert len({key.seal(b"same", ("t",)) for _ in range(1000)}) == 1000


def test_in_a_rotation_both_keys_open_and_the_first_seals() -> None:
    old, both, new = SealingKey.of(A), SealingKey.of(B, A), SealingKey.of(B)
    assert both.open(old.seal(b"x", ("t",)), ("t",)) == b"x"
    assert new.open(both.seal(b"x", ("t",)), ("t",)) == b"x"
    with pytest.raises(KeyLost):
        new.open(old.seal(b"x", ("t",)), ("t",))


def test_a_key_file_is_rotated_by_a_line_above(folder: Path) -> None:
    sealed = load_keys(folder, "intake", demo=False).seal("x", "t")
    before = fingerprints(folder)
    (folder / "intake.key").write_bytes(new_line() + (folder / "intake.key").read_bytes())
    rotated = load_keys(folder, "intake", demo=False)
    assert rotated.open(sealed, "t") == "x"
    assert rotated.seal("x", "t")[1:5] != sealed[1:5]
    assert fingerprints(folder) == before


def test_the_index_key_is_not_rotated_by_a_line(folder: Path) -> None:
    (folder / "index.key").write_bytes(new_line() + (folder / "index.key").read_bytes())
    with pytest.raises(KeyLost, match=r"index\.key"):
        load_keys(folder, "intake", demo=False)


def test_keys_show_in_no_text(folder: Path) -> None:
    keys = load_keys(folder, "intake", demo=False)
    secret = (folder / "index.key").read_bytes().strip()
    assert repr(base64.b64decode(secret))[2:10] not in repr(keys)
    assert secret.decode() not in repr(keys)


def test_each_direction_signs_with_a_secret_of_its_own(folder: Path) -> None:
    keys = load_keys(folder, "intake", demo=False)
    names = ("intake", "monitoring", "alerts")
    assert len({keys.message_secret(one, other) for one in names for other in names}) == 9


async def test_a_service_does_not_start_with_a_changed_key(open_small: Open, small_settings: object) -> None:
    folder: Path = small_settings.data / "keys"  # type: ignore[attr-defined]
    async with open_small("intake"):
        pass
    (folder / "index.key").write_bytes(new_line())
    with pytest.raises(KeyLost, match="index"):
        async with open_small("intake"):
            pass
    async with open_small("alerts"):
        pass  # It does not hold that key.


async def test_known_keys_are_remembered_as_they_were(
    small_admin: asyncpg.Connection, small_url: str, small_settings: object
) -> None:
    folder: Path = small_settings.data / "keys"  # type: ignore[attr-defined]
    before = await small_admin.fetch("SELECT * FROM directory.key_fingerprint ORDER BY name")
    assert [row["name"] for row in before] == sorted(SECRET_KEYS)
    (folder / "raw.key").write_bytes(new_line())
    await remember_keys(small_admin, folder)
    assert await small_admin.fetch("SELECT * FROM directory.key_fingerprint ORDER BY name") == before
    async with asyncpg.create_pool(
        small_url, min_size=1, max_size=1, server_settings={"search_path": "directory"}
    ) as pool:
        with pytest.raises(KeyLost, match="raw"):
            await check_keys(pool, folder, "intake")
        await check_keys(pool, folder, "monitoring")


@given(st.binary(min_size=1, max_size=100), st.text(max_size=40))
def test_the_blind_index_is_hmac_sha_256(key: bytes, number: str) -> None:
    keys = Keyring("intake", {}, key, b"", None)  # type: ignore[arg-type]
    expected = hmac.digest(key, b"fangpin.number\x00" + number.encode(), "sha256")
    assert keys.blind_index(number) == expected
