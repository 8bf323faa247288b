"""Nothing is kept longer than its layout says: raw files with their keys, row errors, known records."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from services.intake.catalogue import layout_named
from services.intake.keep_retention import keep_retention
from services.intake.receive_feed import chunk_place
from shared.clock import FixedClock
from shared.security.keys import KeyLost
from tests.conftest import MORNING
from tests.services.intake.build import Department, csv_text, disability_row, medical_row

RAW_DAYS = layout_named("medical_settlement").raw_retention_days
LATER = timedelta(seconds=1)


def at(runtime: Any, moment: Any) -> Any:
    return dataclasses.replace(runtime, clock=FixedClock(moment))


async def sent(department: Department) -> str:
    rows = [medical_row(i) for i in range(3)] + [medical_row(9, 结算日期="2026-02-30")]
    return str((await department.send("medical_settlement", csv_text(rows)))["id"])


@pytest.mark.parametrize(
    ("age", "kept"), [(timedelta(days=RAW_DAYS), True), (timedelta(days=RAW_DAYS) + LATER, False)]
)
async def test_a_raw_file_and_its_key_are_destroyed_when_their_time_is_over(
    department: Department, intake_runtime: Any, admin: Any, age: timedelta, kept: bool
) -> None:
    feed_id = await sent(department)
    await keep_retention(at(intake_runtime, MORNING + age))
    row = await admin.fetchrow("SELECT * FROM intake.feed WHERE feed_id = $1", feed_id)
    chunks = await admin.fetchval("SELECT count(*) FROM intake.feed_chunk WHERE feed_id = $1", feed_id)
    assert ((row["sealed_key"] is not None), chunks > 0, row["raw_destroyed_at"] is None) == (kept,) * 3
    assert row["accepted"] == 3  # The counts stay, and so does what was recorded.
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_record") == 3
    said = await admin.fetchval("SELECT count(*) FROM intake.audit_log WHERE action = 'feed.raw_destroyed'")
    assert said == (0 if kept else 1)


async def test_a_piece_copied_before_is_of_no_use_without_the_key(
    department: Department, intake_runtime: Any, admin: Any
) -> None:
    feed_id = await sent(department)
    piece = await admin.fetchval("SELECT sealed FROM intake.feed_chunk")
    await keep_retention(at(intake_runtime, MORNING + timedelta(days=RAW_DAYS + 1)))
    other, _ = intake_runtime.keys.new_file_key("feed", "sealed_key", feed_id)
    with pytest.raises(KeyLost):
        other.open(piece, chunk_place(feed_id, 0))
    assert await admin.fetchval("SELECT sealed_key FROM intake.feed WHERE feed_id = $1", feed_id) is None


async def test_a_list_nobody_confirmed_is_refused_when_its_raw_file_goes(
    department: Department, intake_runtime: Any, admin: Any
) -> None:
    await department.send("disability_register", csv_text([disability_row(i) for i in range(30)]), period="2026-01")
    waiting = await department.send("disability_register", csv_text([disability_row(0)]), period="2026-02")
    assert waiting["status"] == "waiting_confirmation"
    await keep_retention(at(intake_runtime, MORNING + timedelta(days=400)))
    row = await admin.fetchrow("SELECT status, problem FROM intake.feed WHERE feed_id = $1", waiting["id"])
    assert (row["status"], row["problem"]["code"]) == ("rejected", "confirmation_expired")
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_row_staged") == 0


async def test_row_errors_and_records_go_after_the_layouts_months(
    department: Department, intake_runtime: Any, admin: Any
) -> None:
    await sent(department)
    within, over = MORNING + timedelta(days=36 * 30), MORNING + timedelta(days=36 * 31)
    for moment, errors, records in ((within, 1, 3), (over, 0, 0)):
        await keep_retention(at(intake_runtime, moment))
        assert await admin.fetchval("SELECT count(*) FROM intake.feed_row_error") == errors
        assert await admin.fetchval("SELECT count(*) FROM intake.feed_record") == records


async def test_what_a_snapshot_still_lists_is_not_forgotten(
    department: Department, intake_runtime: Any, admin: Any
) -> None:
    rows = [disability_row(i) for i in range(3)]
    await department.send("disability_register", csv_text(rows), period="2026-01")
    await department.send("disability_register", csv_text(rows[:2]), period="2026-02")
    await keep_retention(at(intake_runtime, MORNING + timedelta(days=366 * 10)))
    assert await admin.fetchval("SELECT count(*) FROM intake.feed_record") == 2


async def test_a_file_that_failed_can_be_sent_again_after_its_raw_bytes_are_gone(
    department: Department, intake_runtime: Any, admin: Any
) -> None:
    text = csv_text([medical_row(1)])
    first = await department.send("medical_settlement", text)
    await admin.execute("UPDATE intake.feed SET status = 'failed'")
    await keep_retention(at(intake_runtime, MORNING + timedelta(days=RAW_DAYS + 1)))
    again = await department.send("medical_settlement", text)
    assert again["id"] != first["id"]
    assert again["status"] == "recorded"
