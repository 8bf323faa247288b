"""Facts about persons go when their time is over, and not a day before; nothing goes that an indicator looks at."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.intake.catalogue import layouts
from services.monitoring import keep_retention as night
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.retention import Retention, retention
from services.monitoring.domain.window import Windows
from services.monitoring.keep_retention import keep_retention
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, assess_all, deliver, facts, observed, rostered, settled

# The clock of the tests stands at 2026-03-15; medical settlements are kept for 36 months, vehicles for 12.
KEPT, OVER = "2023-03-15", "2023-03-14"
Kept = Callable[[], Awaitable[int]]
LONG_AGO = datetime(2023, 3, 14, 8, tzinfo=UTC)


@pytest.fixture
async def home(monitoring_runtime: Runtime) -> Runtime:
    await deliver(monitoring_runtime, rostered(monitoring_runtime.keys, Home()))
    return monitoring_runtime


@pytest.fixture
def kept(home: Runtime, admin: Any) -> Kept:
    """A night: what was received long ago was recorded then, too."""

    async def night() -> int:
        await admin.execute("UPDATE monitoring.fact SET recorded_at = received_at WHERE superseded_at IS NULL")
        return await keep_retention(home)

    return night


async def records(runtime: Runtime, data_set: str = "medical_settlement", **how: bool) -> set[str]:
    found = [each for each in await facts(runtime, **how) if each["data_set"] == data_set]
    return {each["record_key"].partition("/")[2] for each in found}


async def told(runtime: Runtime, record: str, sent: datetime = LONG_AGO, **content: Any) -> None:
    await deliver(runtime, settled(runtime.keys, 1, 50_000, record=record, sent=sent, feed=f"f-{record}", **content))


async def listed(runtime: Runtime, record: str, kind: str, data_set: str, **content: Any) -> None:
    one = {"record": record, "kind": kind, "household_no": "F001", **content}
    await deliver(runtime, observed([one], sent=LONG_AGO, feed=f"f-{record}", data_set=data_set))


async def test_a_fact_goes_the_day_after_its_last_and_not_before(home: Runtime, kept: Kept) -> None:
    await told(home, "over", on=OVER)
    await told(home, "kept", on=KEPT)
    await told(home, "late", on=OVER, sent=datetime(2023, 3, 15, 8, tzinfo=UTC))
    assert await kept() == 1
    assert await records(home) == {"kept", "late"}
    assert await kept() == 0, "idempotent"


async def test_it_is_counted_in_one_audit_row_without_anybodys_data(home: Runtime, kept: Kept) -> None:
    for record in ("a", "b"):
        await told(home, record, on=OVER)
    await kept()
    rows = await home.worker_pool.fetch("SELECT * FROM audit_log WHERE action = 'facts.deleted'")
    assert [(row["actor"], row["detail"]) for row in rows] == [
        ("monitoring.retention", {"medical_settlement": {"superseded": 0, "expired": 2}})
    ]


async def test_what_was_superseded_goes_its_time_after_that(home: Runtime, kept: Kept, admin: Any) -> None:
    await told(home, "S1")
    await told(home, "S2")
    await told(home, "S1", sent=datetime(2026, 3, 1, 9, tzinfo=UTC), other_fen=1)
    await told(home, "S2", sent=datetime(2026, 3, 1, 9, tzinfo=UTC), other_fen=1)
    for record, day in (("S1", OVER), ("S2", KEPT)):
        await admin.execute(
            "UPDATE monitoring.fact SET recorded_at = $2, superseded_at = $2"
            " WHERE superseded_at IS NOT NULL AND record_key LIKE '%' || $1",
            record,
            datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC),
        )
    assert await kept() == 1
    assert len([each for each in await facts(home, standing=False) if each["superseded_at"]]) == 1
    assert await records(home) == {"S1", "S2"}


async def test_what_holds_stays_however_old_and_goes_its_time_after_it_ended(home: Runtime, kept: Kept) -> None:
    vehicle = {"kind": "asset.vehicle", "data_set": "vehicles", "occurred_on": "2015-05-01"}
    await listed(home, "holds", **vehicle)
    await listed(home, "over", **vehicle, ended_on="2025-03-14")
    await listed(home, "kept", **vehicle, ended_on="2025-03-15")
    assert await kept() == 1
    assert await records(home, "vehicles") == {"holds", "kept"}


async def test_what_a_window_looks_at_stays_whatever_its_data_set_says(
    home: Runtime, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night, "retention", _a_month)
    for record, on in (("seen", "2024-09-15"), ("unseen", "2024-09-14")):
        await told(home, record, on=on)
    for record, stay, on in (
        ("first", "Z1", "2024-01-01"),
        ("last", "Z1", "2025-06-01"),
        ("alone", "Z2", "2024-01-01"),
    ):
        await told(home, record, on=on, stay=stay)
    await kept()
    assert await records(home) == {"seen", "first", "last"}, "a stay is measured with all its bills"


def _a_month(package: PolicyPackage, windows: Windows) -> Retention:
    found = retention(package, windows)
    assert found.seen_from == date(2024, 9, 15), "yearly totals stand for eighteen months"
    return replace(found, kept_from={"medical_settlement": date(2026, 2, 15)})


async def test_an_assessment_says_the_same_the_day_after(home: Runtime, kept: Kept, clock: FixedClock) -> None:
    await told(home, "over", on=OVER)
    await told(home, "recent", on="2026-02-10", sent=datetime(2026, 3, 1, 8, tzinfo=UTC))
    await assess_all(home)
    before = await home.worker_pool.fetch("SELECT * FROM standing")
    assert await kept() == 1
    assert await assess_all(home) == 0, "nobody is due because of it"
    assert await home.worker_pool.fetch("SELECT * FROM standing") == before


async def test_a_data_set_without_a_time_keeps_everything(home: Runtime, kept: Kept) -> None:
    await listed(home, "R1", "event.hardship_report", "self_report", occurred_on="2015-01-01")
    assert await kept() == 0


async def test_stretches_are_short_and_all_are_walked(
    home: Runtime, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night, "FACTS_A_STEP", 2)
    for i in range(5):
        await told(home, f"S{i}", on=OVER)
    assert await kept() == 5


def test_the_package_keeps_as_long_as_the_layouts_say() -> None:
    shipped = {name: each.keep_months for name, each in load_policy().data_sets.items()}
    assert {name: shipped[name] for name in layouts()} == {
        name: each.retention_months for name, each in layouts().items()
    }
