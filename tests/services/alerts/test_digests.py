"""The day's digest and the month's sheet: once each, late rather than never, and never for nothing."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.alerts.group_notifications import tell_due_groups
from services.alerts.make_digests import make_digests
from services.alerts.make_monthly_sheets import make_monthly_sheets
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from tests.services.alerts.conftest import MONDAY
from tests.services.alerts.places import TOWNSHIP, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
EVENING = datetime(2026, 3, 16, 20, 0, tzinfo=SHANGHAI)

pytestmark = pytest.mark.usefixtures("cadres", "calm")


async def test_low_severity_waits_for_the_evening(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1, severity="yellow"), risk(2, severity="blue"))
    waiting = await rows("notification", "recipient = 'S1'")
    assert {(row["decision"], row["outcome"]) for row in waiting} == {("digest", None)}
    clock.at = EVENING - timedelta(seconds=1)
    assert await make_digests(alerts_runtime) == 0
    clock.at = EVENING
    while await make_digests(alerts_runtime):
        pass
    (digest,) = await rows("inbox_item", "officer_no = 'S1' AND kind = 'digest'")
    assert "新增 2 户" in digest["body"]
    assert "未单独推送 2 条" in digest["body"]
    assert "张" not in digest["body"]
    (delivery,) = await rows("delivery")
    assert (delivery["alert_id"], delivery["due_at"]) == (None, EVENING)
    ended = await rows("notification", "recipient = 'S1' AND decision = 'digest'")
    assert {row["outcome"] for row in ended} == {"digested"}
    assert {row["carried_by"] for row in ended} == {delivery["notification_id"]}


async def test_who_has_nothing_to_be_told_has_a_row_that_says_so(
    tell: Tell, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk())
    clock.at = EVENING
    while await make_digests(alerts_runtime):
        pass
    runs = {row["recipient"]: row for row in await rows("digest_run")}
    assert set(runs) == {"G1", "S1", "F1", "T1", "C1", "G2", "S2"}
    assert {one for one, row in runs.items() if row["notification_id"]} == {"G1", "S1"}
    assert runs["T1"]["lines"]["reason"]
    assert {row["officer_no"] for row in await rows("inbox_item", "kind = 'digest'")} == {"G1", "S1"}


async def test_a_restart_catches_up_and_two_workers_make_none_twice(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk())
    clock.at = EVENING + timedelta(minutes=5)
    await asyncio.gather(*(make_digests(alerts_runtime) for _ in range(4)))
    assert await make_digests(alerts_runtime) == 0
    assert len(await rows("inbox_item", "kind = 'digest'")) == 2
    assert len(await rows("digest_run")) == 7


async def test_after_nine_the_letter_is_written_and_the_push_waits(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(severity="yellow"))
    clock.at = datetime(2026, 3, 16, 22, 0, tzinfo=SHANGHAI)
    await make_digests(alerts_runtime)
    (delivery,) = await rows("delivery")
    assert delivery["due_at"] == datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI)


async def test_no_digest_on_a_day_off_and_all_of_it_on_the_next(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    clock.at = datetime(2026, 3, 21, 9, 0, tzinfo=SHANGHAI)
    await tell(risk(severity="yellow"))
    clock.at = datetime(2026, 3, 22, 20, 0, tzinfo=SHANGHAI)
    assert await make_digests(alerts_runtime) == 0
    assert await rows("digest_run") == []
    clock.at = datetime(2026, 3, 23, 20, 0, tzinfo=SHANGHAI)
    await make_digests(alerts_runtime)
    assert len(await rows("inbox_item", "kind = 'digest' AND officer_no = 'S1'")) == 1


async def test_what_is_due_tomorrow_overdue_and_deferred_is_counted(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1, clocks={"acknowledge_hours": 5, "verify_days": 7}))
    clock.at = MONDAY + timedelta(hours=1)
    await tell(risk(2, clocks={"acknowledge_hours": 24, "verify_days": 7}))
    await tell_due_groups(alerts_runtime)
    clock.at = EVENING
    await make_digests(alerts_runtime)
    (digest,) = await rows("digest_run", "recipient = 'S1'")
    (line,) = digest["lines"]["lines"]
    assert (line["new"], line["due"], line["overdue"]) == (2, 1, 1)


async def test_acknowledged_before_the_evening_it_is_no_line(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    acknowledge: Callable[..., Any],
    clock: FixedClock,
) -> None:
    await tell(risk(severity="yellow"))
    (alert,) = await rows("alert")
    await acknowledge(alert["alert_id"])
    (told,) = await rows("notification", "recipient = 'S1'")
    assert (told["decision"], told["outcome"]) == ("digest", "cancelled")


@pytest.mark.parametrize(
    ("month", "before", "on"),
    [
        # The 20th of September 2026 is a Sunday; that of March a Friday.
        (
            date(2026, 9, 1),
            datetime(2026, 9, 20, 23, 59, tzinfo=SHANGHAI),
            datetime(2026, 9, 21, 0, 0, tzinfo=SHANGHAI),
        ),
        (
            date(2026, 3, 1),
            datetime(2026, 3, 22, 23, 59, tzinfo=SHANGHAI),
            datetime(2026, 3, 23, 0, 0, tzinfo=SHANGHAI),
        ),
    ],
)
async def test_the_sheet_comes_on_the_first_working_day_after_the_comparison(
    tell: Tell,
    rows: Rows,
    alerts_runtime: Runtime,
    clock: FixedClock,
    month: date,
    before: datetime,
    on: datetime,
) -> None:
    await tell(risk(1), risk(2))
    clock.at = before
    assert await make_monthly_sheets(alerts_runtime) == 0
    clock.at = on
    await asyncio.gather(*(make_monthly_sheets(alerts_runtime) for _ in range(3)))
    assert await make_monthly_sheets(alerts_runtime) == 0
    (sheet,) = await rows("monthly_sheet")
    assert (sheet["division"], sheet["month"]) == (TOWNSHIP, month)
    assert (sheet["figures"]["open"], sheet["figures"]["overdue"]) == (2, 2)
    letters = await rows("inbox_item", "kind = 'monthly'")
    assert sorted(row["officer_no"] for row in letters) == ["C1", "T1"]
    assert all("在办 2 户" in row["body"] for row in letters)
