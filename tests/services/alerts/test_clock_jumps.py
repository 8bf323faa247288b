"""The clock jumps: by an hour and by days, forth and back, over New Year and holidays, to days worked on instead."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.alerts.escalate import escalate_due
from services.alerts.group_notifications import tell_due_groups
from services.alerts.make_digests import make_digests
from services.alerts.make_monthly_sheets import make_monthly_sheets
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.alerts.conftest import at
from tests.services.alerts.places import risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
NEW_YEAR = [{"date": f"2027-01-0{day}", "kind": "holiday", "name": "元旦"} for day in (1, 2, 3)]

pytestmark = pytest.mark.usefixtures("cadres", "calm")


async def turn(runtime: Runtime) -> None:
    """What is due now, all of it."""
    for task in (escalate_due, tell_due_groups, make_digests, make_monthly_sheets):
        while await task(runtime):
            pass


async def made(admin: asyncpg.Connection) -> Counter[str]:
    """How much of each kind has been told or done so far."""
    rows = await admin.fetch(
        "SELECT 'push ' || (message ->> 'kind') AS what FROM alerts.delivery"
        " UNION ALL SELECT 'letter ' || kind FROM alerts.inbox_item"
        " UNION ALL SELECT action FROM alerts.alert_log UNION ALL SELECT 'sheet' FROM alerts.monthly_sheet"
        " UNION ALL SELECT 'run' FROM alerts.digest_run"
    )
    return Counter(row["what"] for row in rows)


async def test_a_clock_set_back_repeats_nothing_and_goes_on_when_it_has_caught_up(
    tell: Tell, phone: None, alerts_runtime: Runtime, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    clock.at = at("2026-03-19T10:00")
    await tell(*(risk(n, clocks={"acknowledge_hours": 8, "verify_days": 7}) for n in range(3)))
    for moment in (
        "2026-03-19T10:01",
        "2026-03-19T20:00",
        "2026-03-20T09:30",
        "2026-03-20T20:00",
        "2026-03-23T10:00",
    ):
        clock.at = at(moment)
        await turn(alerts_runtime)
    before = await made(admin)
    assert (before["sheet"], before["letter digest"], before["push opened"]) == (1, 5, 1)
    for back in (timedelta(hours=1), timedelta(days=1), timedelta(days=3, hours=13, minutes=59)):
        clock.at = at("2026-03-23T10:00") - back
        await turn(alerts_runtime)
        assert await made(admin) == before, back
    clock.at = at("2026-03-23T20:00")
    await turn(alerts_runtime)
    after = await made(admin)
    assert after["letter digest"] > before["letter digest"]
    assert after["sheet"] == 1


@pytest.mark.parametrize(
    ("now", "pushed"),
    [
        ("2026-05-09T10:00", "2026-05-09T10:00:30"),  # A Saturday worked on instead.
        ("2026-05-08T22:00", "2026-05-09T07:30"),
        ("2026-09-19T22:00", "2026-09-20T07:30"),  # A Sunday worked on instead.
        ("2026-10-01T10:00", "2026-10-08T07:30"),  # A Thursday, and National Day.
        ("2026-12-31T22:00", "2027-01-04T07:30"),
    ],
)
async def test_a_push_waits_over_holidays_and_goes_on_a_day_worked_on_instead(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    clock: FixedClock,
    new_year: None,
    now: str,
    pushed: str,
) -> None:
    clock.at = at(now)
    await tell(risk())
    clock.at = at(pushed) - timedelta(seconds=1)
    await tell_due_groups(alerts_runtime)
    assert await rows("delivery") == []
    clock.at = at(pushed)
    await tell_due_groups(alerts_runtime)
    assert [row["message"]["kind"] for row in await rows("delivery")] == ["opened"]


@pytest.fixture
async def new_year(put_days: Callable[..., Any]) -> None:
    """The county has imported what is off at New Year."""
    assert (await put_days(2027, "county", NEW_YEAR)).status_code == 200


async def test_digests_and_the_sheet_over_new_year(
    tell: Tell, rows: Rows, phone: None, new_year: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    clock.at = at("2026-12-31T18:30")
    await tell(risk(1, severity="yellow"))
    clock.at = at("2026-12-31T20:00")
    await turn(alerts_runtime)
    clock.at = at("2027-01-01T10:00")
    await tell(risk(2, severity="yellow"))
    for day in (1, 2, 3):
        clock.at = at(f"2027-01-0{day}T20:00")
        await turn(alerts_runtime)
    days = {row["day"] for row in await rows("digest_run")}
    assert days == {date(2026, 12, 31)}, "three days off are quiet"
    clock.at = at("2027-01-04T20:00")
    await turn(alerts_runtime)
    told = await rows("notification", "recipient = 'S1' AND decision = 'digest' ORDER BY created_at")
    assert [row["outcome"] for row in told] == ["digested", "digested"]
    clock.at = at("2027-01-21T00:00")
    await turn(alerts_runtime)
    sheets = {row["month"]: row["figures"] for row in await rows("monthly_sheet")}
    assert set(sheets) == {date(2026, 12, 1), date(2027, 1, 1)}
    assert sheets[date(2027, 1, 1)]["opened"] == 2, "since the twentieth of December"


@pytest.mark.parametrize(
    "day",
    [
        "2026-03-23",  # The 20th is a Friday.
        "2026-02-24",  # The Friday lies in the Spring Festival.
        "2026-09-21",  # A Sunday, worked on instead.
        "2026-12-21",  # A Sunday as others are.
    ],
)
async def test_the_sheet_comes_with_the_first_working_day_after_the_comparison(
    tell: Tell, rows: Rows, alerts_runtime: Runtime, clock: FixedClock, day: str
) -> None:
    clock.at = at(f"{day[:8]}12T10:00")
    await tell(risk())
    for moment in (f"{day[:8]}20T20:00", day):
        clock.at = at(moment) - timedelta(seconds=1)
        await make_monthly_sheets(alerts_runtime)
        assert await rows("monthly_sheet") == [], clock.at
    clock.at = at(day)
    await make_monthly_sheets(alerts_runtime)
    assert [row["figures"]["opened"] for row in await rows("monthly_sheet")] == [1]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-12-31T10:00", "2027-01-04T10:00"),
        ("2026-05-08T10:00", "2026-05-09T10:00"),  # A Saturday worked on instead.
        ("2026-09-30T16:00", "2026-10-08T16:00"),
    ],
)
async def test_a_day_to_acknowledge_runs_over_no_holiday_and_over_days_worked_on_instead(
    tell: Tell, rows: Rows, alerts_runtime: Runtime, clock: FixedClock, new_year: None, now: str, due: str
) -> None:
    clock.at = at(now)
    await tell(risk())
    for moment in (at(now) + timedelta(days=1, seconds=-1), at(due) - timedelta(seconds=1)):
        clock.at = moment
        await escalate_due(alerts_runtime)
        assert await rows("alert_log", "action = 'escalated'") == [], moment
    clock.at = at(due)
    await escalate_due(alerts_runtime)
    assert len(await rows("alert_log", "action = 'escalated'")) == 1
