"""A turn on a feed goes on while nothing else waits, and gives way to what does."""

import dataclasses
from typing import Any

import pytest

from services.intake.ingest_feed import ingest_once
from tests.services.intake.build import Department, csv_text, medical_row, register_row

ROWS = [medical_row(i) for i in range(3000)]


@pytest.fixture
def hasty(intake_runtime: Any) -> Any:
    """The runtime with a checkpoint after each piece, and a slice that is used up by then."""
    changes = {"feed_part_bytes": 1, "feed_slice_seconds": 1e-9}
    return dataclasses.replace(intake_runtime, settings=intake_runtime.settings.model_copy(update=changes))


async def status(admin: Any, layout: str = "medical_settlement") -> tuple[str, int]:
    return tuple(await admin.fetchrow("SELECT status, read FROM intake.feed WHERE layout = $1", layout))


async def test_alone_it_goes_on_to_the_end(department: Department, hasty: Any, admin: Any) -> None:
    await department.post("medical_settlement", csv_text(ROWS))
    assert await ingest_once(hasty) == 1
    assert await status(admin) == ("recorded", len(ROWS))


async def test_it_gives_way_to_another_feed(department: Department, hasty: Any, admin: Any) -> None:
    await department.post("medical_settlement", csv_text(ROWS))
    await department.post("household_register", csv_text([register_row(1)]), period="2026")
    assert await ingest_once(hasty) == 1
    assert (await status(admin))[0] != "recorded"
    while await ingest_once(hasty):
        pass
    assert await status(admin) == ("recorded", len(ROWS))
    assert (await status(admin, "household_register"))[0] == "recorded"


async def test_it_gives_way_when_the_worker_is_to_stop(department: Department, hasty: Any, admin: Any) -> None:
    await department.post("medical_settlement", csv_text(ROWS))
    hasty.stopping.set()
    assert await ingest_once(hasty) == 1
    hasty.stopping.clear()
    assert (await status(admin))[0] != "recorded"
    assert await ingest_once(hasty) == 1
    assert await status(admin) == ("recorded", len(ROWS))
