"""Check an officer's PIN, or set it the first time; wrong tries are counted, and the fifth locks and is audited."""

import asyncio
import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from services.alerts import repository_phone
from services.alerts.domain.pin import Tries, after_wrong, weakness
from shared.clock import SHANGHAI
from shared.security.audit import audit

# Sixteen MiB and some tens of milliseconds a try.
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


class Verdict(StrEnum):
    """What came of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a PIN, and what the officer is told; it is a value, so that the count of tries is committed."""

    verdict: Verdict
    told: str = ""

    @property
    def is_right(self) -> bool:
        return self.verdict is Verdict.RIGHT


@dataclass(frozen=True, slots=True)
class PinTry:
    """A PIN as somebody typed it for an officer; `again` is the second time, where one is chosen."""

    officer_no: str
    pin: str
    again: str | None
    now: datetime
    request_id: str | None = None


async def check_pin(connection: asyncpg.Connection, tried: PinTry) -> Checked:
    """Compare with the officer's PIN; where he has none, this becomes it. `act_as` the officer first."""
    kept = await repository_phone.lock_pin(connection, tried.officer_no)
    if kept is None:
        return await _choose(connection, tried)
    tries = Tries(kept["wrong"], kept["locked_until"])
    if tries.is_locked(tried.now):
        return _locked(tries)
    if hmac.compare_digest(await _hash(tried.pin, kept["salt"]), kept["pin_hash"]):
        await repository_phone.note_tries(connection, tried.officer_no, Tries())
        return Checked(Verdict.RIGHT)
    return await _wrong(connection, tried, after_wrong(tries, tried.now))


async def _choose(connection: asyncpg.Connection, tried: PinTry) -> Checked:
    problem = weakness(tried.pin) or ("两次输入的口令不一致" if tried.pin != tried.again else None)
    if problem:
        return Checked(Verdict.REFUSED, problem)
    salt = os.urandom(16)
    if not await repository_phone.add_pin(
        connection, tried.officer_no, salt, await _hash(tried.pin, salt), tried.now
    ):
        return Checked(Verdict.REFUSED, "口令已经设置过了，请重新打开链接输入")
    await _note(connection, tried, "phone.pin_set", "ok")
    return Checked(Verdict.RIGHT)


async def _wrong(connection: asyncpg.Connection, tried: PinTry, tries: Tries) -> Checked:
    await repository_phone.note_tries(connection, tried.officer_no, tries)
    await _note(connection, tried, "phone.pin_wrong", "refused")
    if tries.locked_until is not None:
        await _note(connection, tried, "phone.pin_locked", "refused")
        return _locked(tries)
    return Checked(Verdict.WRONG, f"口令不对，还可以试 {tries.left} 次")


def _locked(tries: Tries) -> Checked:
    assert tries.locked_until is not None
    return Checked(Verdict.LOCKED, f"口令输错次数过多，请在 {tries.locked_until.astimezone(SHANGHAI):%H:%M} 以后再试")


async def _note(connection: asyncpg.Connection, tried: PinTry, action: str, result: str) -> None:
    await audit(
        connection,
        tried.officer_no,
        action,
        f"officer:{tried.officer_no}",
        now=tried.now,
        result=result,
        request_id=tried.request_id,
    )


async def _hash(pin: str, salt: bytes) -> bytes:
    # In a thread, which hashlib leaves alone with its work: other requests go on.
    return await asyncio.to_thread(lambda: hashlib.scrypt(pin.encode(), salt=salt, **_SCRYPT))
