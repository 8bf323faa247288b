"""Whatever interrupts ingestion, the next turn goes on behind the last checkpoint and comes to the same end."""

import asyncio
import dataclasses
import json
import random
from datetime import timedelta
from typing import Any

import pytest

from services.intake import find_by_code, pack_rows, read_feed, record_feed
from services.intake.ingest_feed import ingest_once
from tests.conftest import empty_tables
from tests.services.intake.build import Department, csv_text, disability_row, medical_row, register_row

ROWS = 3000


def rows_with_mistakes() -> list[dict[str, str]]:
    rows = [medical_row(i) for i in range(ROWS)]
    for i in range(13, ROWS - 1, 10):  # One who is named with his code, and one more row of his with the code alone.
        rows[i], rows[i + 1] = medical_row(i, 个人编号=f"P{i}"), medical_row(i + 1, 证件号码="", 个人编号=f"P{i}")
    for i in range(0, ROWS, 97):
        rows[i] = medical_row(i, 结算日期="2026-02-30")
    rows[5] = medical_row(4, 结算日期="2026-01-07")
    return rows


async def outcome(admin: Any, feed_id: str) -> dict[str, Any]:
    """What a feed left behind, without ids and times of its own."""
    payloads = await admin.fetch("SELECT payload FROM intake.outbox ORDER BY id")
    observations = [o for row in payloads for o in row["payload"]["observations"]]
    errors = await admin.fetch(
        "SELECT line, code, level, reason FROM intake.feed_row_error WHERE feed_id = $1 ORDER BY line, code", feed_id
    )
    feed = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", feed_id)
    names = (
        "status",
        "read",
        "accepted",
        "rejected",
        "duplicates",
        "records",
        "added",
        "changed",
        "ended",
        "newest_on",
    )
    return {
        "observations": sorted(json.dumps(o, sort_keys=True) for o in observations),
        "errors": [tuple(row) for row in errors],
        "feed": [feed[name] for name in names],
        "notes": feed["report"]["notes"],
        "staged": await admin.fetchval("SELECT count(*) FROM intake.feed_row_staged"),
        "records": await admin.fetchval("SELECT count(*) FROM intake.feed_record"),
        "codes": await admin.fetchval("SELECT count(*) FROM intake.crosswalk"),
        "waiting": await admin.fetchval("SELECT count(*) FROM intake.feed_row_coded"),
    }


@pytest.fixture
async def stepping(intake_runtime: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The runtime with a checkpoint after each piece of the file and each few records."""
    monkeypatch.setattr(record_feed, "BATCH_RECORDS", 700)
    monkeypatch.setattr(find_by_code, "ROWS_A_BATCH", 60)
    settings = intake_runtime.settings.model_copy(update={"feed_part_bytes": 1})
    return dataclasses.replace(intake_runtime, settings=settings)


@pytest.fixture
async def slow(stepping: Any) -> Any:
    """The same with turns so short that each does one piece of work."""
    settings = stepping.settings.model_copy(update={"feed_slice_seconds": 0.0})
    return dataclasses.replace(stepping, settings=settings)


async def received(department: Department) -> str:
    answer = await department.post("medical_settlement", csv_text(rows_with_mistakes()))
    return str(answer.json()["id"])


async def expire_leases(admin: Any) -> None:
    await admin.execute(
        "UPDATE intake.feed SET lease_until = clock_timestamp() - interval '1 s' WHERE due_at IS NOT NULL"
    )


@pytest.fixture
async def undisturbed(department: Department, admin: Any, house: Any, database: str) -> dict[str, Any]:
    """The outcome of the file taken in without interruption."""
    feed_id = await received(department)
    await house.run_worker("intake", "ingest")
    found = await outcome(admin, feed_id)
    await empty_tables(database)
    return found


async def test_many_short_turns_end_like_one_long(
    undisturbed: dict[str, Any], department: Department, slow: Any, admin: Any
) -> None:
    feed_id = await received(department)
    turns = 0
    while await ingest_once(slow):
        turns += 1
    assert turns > 3
    assert await outcome(admin, feed_id) == undisturbed
    assert undisturbed["feed"][:4] == ["recorded", ROWS, ROWS - 36, 36]  # Three codes stand in rows that are wrong.


@pytest.mark.parametrize("seed", range(5))
async def test_a_worker_that_dies_at_any_moment_loses_and_doubles_nothing(
    undisturbed: dict[str, Any], department: Department, stepping: Any, admin: Any, seed: int
) -> None:
    chance = random.Random(seed)
    feed_id = await received(department)
    for _ in range(12):
        turn = asyncio.create_task(ingest_once(stepping))
        await asyncio.sleep(chance.random() * 0.15)
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
        await expire_leases(admin)
    while await ingest_once(stepping):
        pass
    assert await outcome(admin, feed_id) == undisturbed


@pytest.mark.parametrize("seed", range(3))
async def test_a_worker_that_dies_amid_the_shelves_of_a_large_file_loses_and_doubles_nothing(
    department: Department, stepping: Any, admin: Any, house: Any, database: str, monkeypatch: Any, seed: int
) -> None:
    monkeypatch.setattr(pack_rows, "SHELF_BYTES", 50_000)
    rows = [{name: text for name, text in row.items() if name != "个人编号"} for row in rows_with_mistakes()]
    found = []
    for interrupted in (False, True):
        await empty_tables(database)
        chance = random.Random(seed)
        feed_id = (await department.post("medical_settlement", csv_text(rows))).json()["id"]
        for _ in range(12 if interrupted else 0):
            turn = asyncio.create_task(ingest_once(stepping))
            await asyncio.sleep(chance.random() * 0.15)
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
            await expire_leases(admin)
        await house.run_worker("intake", "ingest")
        found.append(await outcome(admin, feed_id))
    assert found[0] == found[1]
    assert await admin.fetchval("SELECT max(merged_shelf) FROM intake.feed") > 1


async def test_a_crash_of_the_server_empties_the_staged_rows_and_the_file_is_read_again(
    undisturbed: dict[str, Any], department: Department, slow: Any, admin: Any
) -> None:
    feed_id = await received(department)
    for _ in range(3):
        await ingest_once(slow)
        await admin.execute("TRUNCATE intake.feed_row_staged")
    while await ingest_once(slow):
        pass
    assert await outcome(admin, feed_id) == undisturbed


async def test_two_workers_at_once_do_the_work_once(
    undisturbed: dict[str, Any], department: Department, intake_runtime: Any, admin: Any
) -> None:
    feed_id = await received(department)
    done = await asyncio.gather(*(ingest_once(intake_runtime) for _ in range(3)))
    assert sorted(done) == [0, 0, 1]
    assert await outcome(admin, feed_id) == undisturbed


async def test_a_lost_lease_writes_nothing_more(
    department: Department, intake_runtime: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id, keep = await received(department), read_feed._keep

    async def keep_too_late(reading: Any, part: Any) -> None:
        await admin.execute("UPDATE intake.feed SET lease_token = gen_random_uuid() WHERE feed_id = $1", feed_id)
        await keep(reading, part)

    monkeypatch.setattr(read_feed, "_keep", keep_too_late)
    assert await ingest_once(intake_runtime) == 1
    feed = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", feed_id)
    assert (feed["status"], feed["read"], feed["staged"]) == ("received", 0, 0)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_row_staged") == 0


async def test_files_of_one_data_set_are_taken_in_by_their_order(
    department: Department, house: Any, intake_runtime: Any, admin: Any
) -> None:
    first = await department.post("medical_settlement", csv_text([medical_row(0)]))
    await department.post("medical_settlement", csv_text([medical_row(0, 住院号="ZY9")]))
    await admin.execute(
        "UPDATE intake.feed SET due_at = due_at + interval '1 hour' WHERE feed_id = $1", first.json()["id"]
    )
    assert await ingest_once(intake_runtime) == 0
    house.clock.at = house.clock.at.replace(hour=12)
    while await ingest_once(intake_runtime):
        pass
    digest = await admin.fetchval("SELECT count(*) FROM intake.feed WHERE status = 'recorded'")
    assert digest == 2


async def test_a_confirmed_snapshot_survives_the_loss_of_its_staged_rows(
    department: Department, admin: Any, house: Any
) -> None:
    await department.send("disability_register", csv_text(map(disability_row, range(50))), period="2026-01")
    waiting = await department.send("disability_register", csv_text([disability_row(0)]), period="2026-02")
    await admin.execute("TRUNCATE intake.feed_row_staged")
    await department.confirm(waiting["id"])
    await house.run_worker("intake", "ingest")
    feed = await department.feed(waiting["id"])
    assert (feed["status"], feed["counts"]["ended"]) == ("recorded", 49)


async def test_a_file_that_cannot_be_taken_in_is_given_up_and_can_be_sent_again(
    department: Department, intake_runtime: Any, admin: Any, house: Any
) -> None:
    content = csv_text([register_row(1)])
    feed_id = (await department.post("household_register", content)).json()["id"]
    sealed = await admin.fetchval("SELECT sealed FROM intake.feed_chunk")
    await admin.execute("UPDATE intake.feed_chunk SET sealed = 'x'")
    for _ in range(5):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, it must not be swallowed.
            await ingest_once(intake_runtime)
        house.clock.at += timedelta(minutes=3)
    feed = await department.feed(feed_id)
    assert (feed["status"], feed["problem"]["code"]) == ("failed", "internal_error")
    await admin.execute("UPDATE intake.feed_chunk SET sealed = $1", sealed)
    assert (await department.send("household_register", content))["status"] == "recorded"
