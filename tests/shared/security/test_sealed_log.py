"""The sealed log of a service on a real database: whole, or told what was done to it and where."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.verify_log_command import SERVICES, forget_logs, read_roots, verify_logs, write_roots
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.keys import create_keys
from shared.security.seal_log import seal_log
from shared.security.sealed_log import public_keys, sealing_key
from shared.security.verify_log import Broken, Verified
from shared.settings import Settings
from shared.vocabulary.identifiers import new_id
from tests.conftest import House

DAY = date(2026, 3, 15)
NEXT_NIGHT = datetime(2026, 3, 16, 2, 30) - timedelta(hours=8)  # half past two in China, as UTC

Write = Callable[..., Awaitable[list[UUID]]]


@pytest.fixture
def write(alerts_runtime: Runtime) -> Write:
    """Write audit rows one after another, a second apart; their ids."""

    async def some(count: int, action: str = "test.deed") -> list[UUID]:
        async with transaction(alerts_runtime.pool) as connection:
            for place in range(count):
                moment = alerts_runtime.clock.now() + timedelta(seconds=place)
                await audit(
                    connection, "tester", action, f"thing:{place}", now=moment, detail={"n": place, "名": "甲"}
                )
        rows = await alerts_runtime.worker_pool.fetch("SELECT audit_id FROM audit_log ORDER BY at")
        return [row["audit_id"] for row in rows]

    return some


async def sealed(runtime: Runtime) -> int:
    return await seal_log(runtime, SERVICES[runtime.service])


async def signed(runtime: Runtime, clock: FixedClock) -> None:
    """Let the night pass: the first tick marks what is running, the next one signs."""
    clock.at = NEXT_NIGHT.replace(tzinfo=UTC)
    await sealed(runtime)
    await sealed(runtime)


async def verified(settings: Settings, service: str = "alerts", **given: Any) -> Verified:
    told = {"trusted_keys": [], "roots": {}, **given}
    [one] = await verify_logs(settings, services=[service], **told)
    return one


def what(log: Verified) -> set[Broken]:
    return {finding.what for finding in log.findings}


# --- sealing -------------------------------------------------------------------------------------------------


async def test_what_is_written_is_chained_and_the_day_is_signed_once_it_is_over(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    await write(5)
    assert await sealed(alerts_runtime) == 5
    assert await sealed(alerts_runtime) == 0
    assert not (await verified(settings)).days
    await signed(alerts_runtime, clock)
    log = await verified(settings)
    assert log.is_whole
    assert log.entries == 5
    assert [(day.day, day.number, day.entries) for day, _, _ in log.days] == [(DAY, 1, 5)]
    assert await admin.fetchval("SELECT array_agg(seq ORDER BY seq) FROM alerts.seal_entry") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("service", ["intake", "monitoring", "alerts"])
async def test_each_service_seals_its_own_log(service: str, house: House, settings: Settings) -> None:
    runtime = await house.runtime(service)
    async with transaction(runtime.pool) as connection:
        await audit(connection, "tester", "test.deed", "thing:1", now=runtime.clock.now())
    assert await sealed(runtime) == 1
    log = await verified(settings, service)
    assert (log.is_whole, log.entries) == (True, 1)


async def test_two_sealers_at_once_make_one_chain(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock
) -> None:
    await write(40)
    with patch("shared.security.seal_log.ROWS_A_STEP", 7):
        await asyncio.gather(*(sealed(alerts_runtime) for _ in range(4)))
        await sealed(alerts_runtime)
    await write(3)
    clock.at = NEXT_NIGHT.replace(tzinfo=UTC)
    await asyncio.gather(sealed(alerts_runtime), sealed(alerts_runtime))
    await asyncio.gather(sealed(alerts_runtime), sealed(alerts_runtime))
    log = await verified(settings)
    assert (log.is_whole, log.entries, len(log.days)) == (True, 43, 1)


async def test_a_row_committed_late_joins_before_its_day_is_signed(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock
) -> None:
    """A transaction of the day that is still open holds the signature back, and none of its rows is left out."""
    await write(2)
    async with transaction(alerts_runtime.pool) as slow:
        await audit(slow, "tester", "test.slow", "thing:slow", now=alerts_runtime.clock.now())
        clock.at = NEXT_NIGHT.replace(tzinfo=UTC)
        for _ in range(3):
            await sealed(alerts_runtime)
        assert not (await verified(settings)).days
    await sealed(alerts_runtime)
    log = await verified(settings)
    assert log.is_whole
    assert [day.entries for day, _, _ in log.days] == [3]


async def test_the_days_name_each_other(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock
) -> None:
    for day in range(3):
        clock.at = datetime(2026, 3, 15 + day, 4, tzinfo=UTC)
        await write(2)
        await sealed(alerts_runtime)
        await sealed(alerts_runtime)
    log = await verified(settings)
    assert log.is_whole
    assert [(day.day.day, day.number) for day, _, _ in log.days] == [(15, 1), (16, 2)]
    assert log.days[1][0].previous == log.days[0][0].digest()


# --- what is told --------------------------------------------------------------------------------------------

DEEDS: dict[str, tuple[str, set[Broken]]] = {
    "altered": ("UPDATE audit_log SET actor = 'another' WHERE audit_id = $1", {Broken.ROW_ALTERED}),
    "detail": ("UPDATE audit_log SET detail = '{\"n\": 7}' WHERE audit_id = $1", {Broken.ROW_ALTERED}),
    "removed": ("DELETE FROM audit_log WHERE audit_id = $1", {Broken.ROW_REMOVED}),
    "removed with its entry": (
        "WITH e AS (DELETE FROM seal_entry WHERE row_key = $1::uuid::text) DELETE FROM audit_log WHERE audit_id = $1",
        {Broken.ENTRY_REMOVED, Broken.DAY_ALTERED},
    ),
    "entry removed": (
        "DELETE FROM seal_entry WHERE row_key = $1::uuid::text",
        {Broken.ENTRY_REMOVED, Broken.DAY_ALTERED, Broken.ROW_INSERTED},
    ),
    "inserted": (
        "INSERT INTO audit_log SELECT gen_random_uuid(), at, actor, actor_kind, action, object, purpose, result,"
        " request_id, detail FROM audit_log WHERE audit_id = $1",
        {Broken.ROW_INSERTED},
    ),
    "rows swapped": (
        "UPDATE audit_log a SET object = b.object FROM audit_log b WHERE a.object IN ('thing:1', 'thing:2')"
        " AND b.object IN ('thing:1', 'thing:2') AND a.object <> b.object AND $1::uuid IS NOT NULL",
        {Broken.ROW_ALTERED},
    ),
    "entries swapped": (
        "UPDATE seal_entry a SET digest = b.digest, row_key = 'x' || b.row_key FROM seal_entry b"
        " WHERE a.seq IN (2, 3) AND b.seq IN (2, 3) AND a.seq <> b.seq AND $1::uuid IS NOT NULL",
        {Broken.ENTRY_ALTERED, Broken.DAY_ALTERED, Broken.ROW_REMOVED, Broken.ROW_INSERTED},
    ),
    "root altered": (
        "UPDATE seal_day SET root = sha256('x') WHERE $1::uuid IS NOT NULL",
        {Broken.DAY_ALTERED},
    ),
    "end altered": ("UPDATE seal_head SET seq = seq + 1 WHERE $1::uuid IS NOT NULL", {Broken.ENTRY_REMOVED}),
    "end removed": ("DELETE FROM seal_head WHERE $1::uuid IS NOT NULL", {Broken.HEAD_ALTERED}),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_a_deed_is_found_and_named(
    deed: str, write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    ids = await write(6)
    await signed(alerts_runtime, clock)
    statement, expected = DEEDS[deed]
    await admin.execute("SET search_path = alerts")
    await admin.execute(statement, ids[3])
    log = await verified(settings)
    assert what(log) == expected
    assert all(finding.day in (DAY, None) for finding in log.findings)
    if deed in ("altered", "removed"):
        assert [(finding.seq, finding.row_key) for finding in log.findings] == [(4, str(ids[3]))]
    if deed == "removed with its entry":
        assert 4 in {finding.seq for finding in log.findings}


async def test_what_was_put_in_afterwards_is_never_sealed(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    """A row dated back into a signed day stays outside the chain, and the log is whole again once it is gone."""
    await write(2)
    await signed(alerts_runtime, clock)
    late = new_id()
    await admin.execute(
        "INSERT INTO alerts.audit_log (audit_id, at, actor, actor_kind, action, object, result, detail)"
        " VALUES ($1, '2026-03-15 09:00+08', 'x', 'person', 'x', 'x', 'ok', '{}')",
        late,
    )
    assert await sealed(alerts_runtime) == 0
    [finding] = (await verified(settings)).findings
    assert (finding.what, finding.row_key) == (Broken.ROW_INSERTED, str(late))
    await admin.execute("DELETE FROM alerts.audit_log WHERE audit_id = $1", late)
    assert (await verified(settings)).is_whole


async def test_what_is_not_signed_yet_is_guarded_by_the_end_of_the_chain(
    write: Write, alerts_runtime: Runtime, settings: Settings, admin: asyncpg.Connection
) -> None:
    """Rewritten with its entry and the chain's value, but without the key."""
    await write(1)
    await sealed(alerts_runtime)
    await admin.execute("UPDATE alerts.seal_entry SET digest = sha256('x'), chain = sha256('y')")
    assert Broken.HEAD_ALTERED in what(await verified(settings))


async def test_a_removed_day_is_missed(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    for day in (15, 16, 17):
        clock.at = datetime(2026, 3, day, 4, tzinfo=UTC)
        await write(1)
        await sealed(alerts_runtime)
        await sealed(alerts_runtime)
    await admin.execute("DELETE FROM alerts.seal_day WHERE number = 1")
    log = await verified(settings)
    assert what(log) == {Broken.DAY_REMOVED}
    assert DAY in {finding.day for finding in log.findings}


async def test_the_key_of_another_installation_is_not_ours(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    await write(2)
    await signed(alerts_runtime, clock)
    create_keys(tmp_path / "keys", demo=True)
    other = settings.model_copy(update={"data": tmp_path})
    assert what(await verified(other)) == {Broken.FOREIGN_KEY}
    key = public_keys(settings.data / "keys", "alerts")[0]
    assert (await verified(other, trusted_keys=[key])).is_whole, "the public key alone is enough"


async def test_a_day_signed_before_the_key_was_replaced_is_still_ours(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    """Keys are replaced by a line put before the old one (rotation)."""
    await write(2)
    await signed(alerts_runtime, clock)
    create_keys(tmp_path / "keys", demo=True)
    new = (tmp_path / "keys" / "messages.key").read_text()
    (tmp_path / "keys" / "messages.key").write_text(new + (settings.data / "keys" / "messages.key").read_text())
    assert (await verified(settings.model_copy(update={"data": tmp_path}))).is_whole


async def test_a_log_rewritten_as_a_whole_differs_from_its_export(
    write: Write,
    alerts_runtime: Runtime,
    settings: Settings,
    clock: FixedClock,
    admin: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    """Whoever holds the key can write another log; not another export."""
    ids = await write(3)
    await signed(alerts_runtime, clock)
    assert write_roots(tmp_path / "roots", [await verified(settings)]) == 1
    kept = read_roots(tmp_path / "roots")
    assert (await verified(settings, roots=kept)).is_whole
    for table in ("seal_entry", "seal_head", "seal_day"):
        await admin.execute(f"DELETE FROM alerts.{table}")
    await admin.execute("DELETE FROM alerts.audit_log WHERE audit_id = $1", ids[1])
    await signed(alerts_runtime, clock)
    assert (await verified(settings)).is_whole
    assert what(await verified(settings, roots=kept)) == {Broken.ROOT_DIFFERS}


# --- rows whose time is over ---------------------------------------------------------------------------------


async def test_rows_whose_time_is_over_may_go(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    await write(3)
    await signed(alerts_runtime, clock)
    clock.at = datetime(2029, 6, 1, 4, tzinfo=UTC)
    await write(1)
    gone = await forget_logs(settings, date(2026, 4, 1), "C1", clock.now())
    assert gone["alerts"] == 3
    await sealed(alerts_runtime)
    log = await verified(settings)
    assert (log.is_whole, log.expired, log.entries) == (True, 3, 5)


async def test_no_row_goes_early_under_that_name(
    write: Write, alerts_runtime: Runtime, settings: Settings, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    await write(3)
    await signed(alerts_runtime, clock)
    await forget_logs(settings, date(2026, 3, 16), "C1", clock.now())
    await sealed(alerts_runtime)
    assert what(await verified(settings)) == {Broken.ROW_REMOVED}


@pytest.mark.parametrize("table", ["seal_entry", "seal_day"])
async def test_what_is_sealed_is_only_added_to(table: str, admin: asyncpg.Connection) -> None:
    for service in SERVICES:
        for role in (f"fangpin_{service}", f"fangpin_{service}_worker"):
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                held = await admin.fetchval(
                    "SELECT has_table_privilege($1, $2, $3)", role, f"{service}.{table}", right
                )
                assert not held, (role, right)


# --- the command ---------------------------------------------------------------------------------------------


async def test_the_command_says_it_in_words(
    write: Write,
    alerts_runtime: Runtime,
    settings: Settings,
    clock: FixedClock,
    admin: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    ids = await write(2)
    await signed(alerts_runtime, clock)
    told = {"FANGPIN_DATABASE_URL": settings.database_url or "", "FANGPIN_DEMO": "true"}
    command = ["verify-log", "--data", str(settings.data)]

    def run(*more: str) -> Any:
        return CliRunner().invoke(app, [*command, *more], env=told)

    answer = await asyncio.to_thread(run, "--write-roots", str(tmp_path / "roots"))
    assert answer.exit_code == 0, answer.output
    assert "日志完整 whole service=alerts entries=2 signed_days=1 last_day=2026-03-15" in answer.output
    assert f"public_key service=alerts key={public_keys(settings.data / 'keys', 'alerts')[0].hex()}" in answer.output
    await admin.execute("DELETE FROM alerts.audit_log WHERE audit_id = $1", ids[0])
    answer = await asyncio.to_thread(run, "--service", "alerts", "--roots", str(tmp_path / "roots"))
    assert answer.exit_code == 1
    assert f"2026-03-15 第 1 条 entry 1 audit_log {ids[0]}：记录被删除 row removed（row_removed）" in answer.output
    assert (await asyncio.to_thread(run, "--service", "nothing")).exit_code == 2
    assert (await asyncio.to_thread(run, "--public-key", "ab")).exit_code == 2


async def test_each_service_has_a_key_of_its_own(house: House) -> None:
    keys = [sealing_key((await house.runtime(name)).keys).private_bytes_raw() for name in SERVICES]
    assert len(set(keys)) == 3
