"""A recorded file says which days it covers, even if it lists nothing."""

from datetime import date
from typing import Any

import pytest

from shared.contracts.intake import ObservationsRecorded
from tests.services.intake.build import MEDICAL, Department, csv_text, disability_row, medical_row, register_row

Days = list[tuple[date | None, date | None]]
NOTHING_HAPPENED = ",".join(MEDICAL) + "\n"


@pytest.fixture
def covered(admin: Any) -> Any:
    """The periods told to monitoring, in the order told; the messages that tell them say nothing else."""

    async def read() -> Days:
        rows = await admin.fetch(
            "SELECT payload FROM intake.outbox WHERE payload::jsonb->'observations' = '[]' ORDER BY created_at, id"
        )
        said = [ObservationsRecorded.model_validate(row["payload"]) for row in rows]
        return [(one.period_from, one.period_to) for one in said]

    return read


async def test_a_recorded_file_tells_its_period(department: Department, covered: Any) -> None:
    await department.send("medical_settlement", csv_text([medical_row(1)]), period="2026-01")
    assert await covered() == [(date(2026, 1, 1), date(2026, 1, 31))]


async def test_a_file_without_a_row_tells_it_too(department: Department, covered: Any) -> None:
    feed = await department.send("medical_settlement", NOTHING_HAPPENED, period="2026-02")
    assert (feed["status"], feed["counts"]["read"]) == ("recorded", 0)
    assert await covered() == [(date(2026, 2, 1), date(2026, 2, 28))]


async def test_a_period_that_has_not_ended_ends_today(department: Department, covered: Any) -> None:
    await department.send("medical_settlement", NOTHING_HAPPENED, period="2026-03")
    assert await covered() == [(date(2026, 3, 1), date(2026, 3, 15))]


async def test_a_list_tells_the_day_it_shows(department: Department, covered: Any) -> None:
    await department.send("disability_register", csv_text([disability_row(1)]), period="2026-02")
    await department.send("disability_register", csv_text([disability_row(1), disability_row(2)]))
    assert await covered() == [(date(2026, 2, 28),) * 2, (date(2026, 3, 15),) * 2]


async def test_a_file_sent_for_no_period_covers_no_more_than_it_says(department: Department, covered: Any) -> None:
    await department.send("medical_settlement", csv_text([medical_row(1)]))
    assert await covered() == []


@pytest.mark.parametrize("mode", ["dry_run", "atomic"])
async def test_what_is_not_recorded_covers_nothing(department: Department, covered: Any, mode: str) -> None:
    bad = csv_text([medical_row(1), medical_row(2, 证件号码="1")])
    await department.send("medical_settlement", bad, period="2026-01", mode=mode)
    assert await covered() == []


async def test_a_roster_says_itself_from_when_it_holds(department: Department, covered: Any) -> None:
    await department.send("household_register", csv_text([register_row(1)]), period="2026-01")
    assert await covered() == []
