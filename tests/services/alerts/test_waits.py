"""Each level of an alert's chain waits as the county's route said at the opening; of the rest the clock decides."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.clock import FixedClock
from tests.conftest import House
from tests.services.alerts.conftest import at
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk
from tests.services.alerts.test_routes import ROOT, call, enforce

__all__ = ["call", "enforce"]

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enforce = Callable[..., Any]
Call = Callable[..., Any]

FOUR_TWO = {"number": 4, "unit": "hours"}, {"number": 2, "unit": "working_hours"}
WAITING = {**ROOT, "escalate": "村书记>乡镇长>县级专班", "waits": "4小时、2工作小时"}
SECOND = timedelta(seconds=1)


# Opened on Sunday, 15 March; the acknowledgement clock of 24 hours ends on Tuesday morning.
FIRST = at("2026-03-17T08:30")


@pytest.fixture
def scan(house: House, rows: Rows, clock: FixedClock) -> Callable[..., Any]:
    """Run the escalation at a moment; the level then, and when it climbs next."""

    async def run(moment: datetime) -> tuple[int, datetime | None]:
        clock.at = moment
        await house.run_worker("alerts", "escalate")
        (timer,) = await rows("alert_escalation")
        return timer["step"], timer["next_step_at"]

    return run


async def test_each_level_waits_as_the_route_says(
    cadres: None, enforce: Enforce, tell: Tell, rows: Rows, scan: Callable[..., Any]
) -> None:
    await enforce([WAITING])
    await tell(risk())
    (timer,) = await rows("alert_escalation")
    assert [rung.get("wait") for rung in timer["chain_snapshot"]] == [None, *FOUR_TWO, None]
    assert (timer["step"], timer["next_step_at"]) == (1, FIRST)
    four_later, two_later = at("2026-03-17T14:30"), at("2026-03-17T16:30")
    assert await scan(FIRST - SECOND) == (1, FIRST)
    # Half past twelve is no working time: what runs out then climbs after the noon break.
    assert await scan(FIRST) == (2, four_later)
    assert await scan(four_later - SECOND) == (2, four_later)
    assert await scan(four_later) == (3, two_later)
    assert await scan(two_later - SECOND) == (3, two_later)
    assert await scan(two_later) == (4, None)


@pytest.mark.parametrize("waits", ["", "4小时"])
async def test_a_level_of_which_the_route_says_nothing_waits_as_the_clock(
    cadres: None, enforce: Enforce, tell: Tell, scan: Callable[..., Any], waits: str
) -> None:
    await enforce([{**WAITING, "waits": waits}])
    await tell(risk())
    second = at("2026-03-17T14:30") if waits else at("2026-03-18T08:30")
    assert await scan(FIRST) == (2, second)
    assert await scan(second) == (3, second + timedelta(days=1))


async def test_a_later_version_changes_no_alert_that_runs(
    cadres: None, enforce: Enforce, tell: Tell, rows: Rows, scan: Callable[..., Any], clock: FixedClock
) -> None:
    await enforce([WAITING])
    await tell(risk())
    clock.at += SECOND
    await enforce([{**WAITING, "waits": "1小时"}])
    assert await scan(FIRST) == (2, at("2026-03-17T14:30"))


async def test_where_a_level_is_passed_over_the_wait_is_that_of_the_level_reached(
    enlist: Any, enforce: Enforce, tell: Tell, scan: Callable[..., Any]
) -> None:
    await enlist(("G1", "grid_worker", VILLAGE), ("T1", "township_leader", TOWNSHIP), ("C1", "county_admin", COUNTY))
    await enforce([WAITING])
    await tell(risk())
    assert await scan(FIRST) == (3, at("2026-03-17T10:30"))


async def test_what_is_not_verified_in_time_climbs_by_the_same_waits(
    cadres: None,
    enforce: Enforce,
    tell: Tell,
    rows: Rows,
    scan: Callable[..., Any],
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    await enforce([WAITING])
    await tell(risk())
    (alert,) = await rows("alert")
    await acknowledge(alerts_client, alert["alert_id"], bearer)
    verify_by = at("2026-03-23T18:00")
    assert await scan(FIRST) == (1, verify_by)
    # Four hours of a working day end at ten at night; nobody is told before the morning.
    assert await scan(verify_by) == (2, at("2026-03-24T08:30"))
    assert await scan(at("2026-03-24T08:30")) == (3, at("2026-03-24T10:30"))


async def test_acknowledged_after_the_answer_was_due_it_waits_as_its_level_does(
    cadres: None,
    enforce: Enforce,
    tell: Tell,
    rows: Rows,
    scan: Callable[..., Any],
    clock: FixedClock,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    await enforce([WAITING])
    await tell(risk(clocks={"acknowledge_hours": 24, "verify_days": 1}))
    assert await scan(FIRST) == (2, at("2026-03-17T14:30"))
    clock.at = at("2026-03-17T09:00")
    (alert,) = await rows("alert")
    await acknowledge(alerts_client, alert["alert_id"], bearer)
    assert await scan(clock.at) == (2, at("2026-03-17T14:30"))


async def test_worse_news_at_a_level_waits_as_the_level_does_and_never_longer(
    cadres: None, enforce: Enforce, tell: Tell, rows: Rows, scan: Callable[..., Any], clock: FixedClock
) -> None:
    await enforce([WAITING])
    await tell(risk())
    await scan(FIRST)
    clock.at = at("2026-03-17T11:00")
    await tell(risk(facts_version=11, severity="red", clocks={"acknowledge_hours": 48, "verify_days": 7}))
    assert await scan(clock.at) == (2, at("2026-03-17T14:30"))


async def test_a_day_off_that_comes_later_moves_the_wait_of_the_level(
    cadres: None,
    enforce: Enforce,
    tell: Tell,
    scan: Callable[..., Any],
    put_days: Callable[..., Any],
    house: House,
) -> None:
    await enforce([{**WAITING, "waits": "1工作日"}])
    await tell(risk())
    assert await scan(FIRST) == (2, at("2026-03-18T18:00"))
    await put_days(2026, "county", [{"date": "2026-03-18", "kind": "holiday", "name": "本县休息日"}])
    await house.run_worker("alerts", "recompute_clocks")
    assert await scan(FIRST) == (2, at("2026-03-19T18:00"))


async def test_telling_the_next_above_by_name_keeps_the_chain_as_it_was_copied(
    cadres: None,
    enforce: Enforce,
    tell: Tell,
    rows: Rows,
    clock: FixedClock,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    await enforce([WAITING])
    await tell(risk())
    (before,) = await rows("alert_escalation")
    (alert,) = await rows("alert")
    for _ in range(3):
        clock.at += timedelta(days=1)
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        path = f"/alerts/v1/alerts/{alert['alert_id']}/attempts"
        answer = await alerts_client.post(path, json={"method": "call"}, headers=headers)
        assert answer.status_code == 200, answer.text
    assert await rows("notification", "kind = 'unreached'")
    (after,) = await rows("alert_escalation")
    assert after["chain_snapshot"] == before["chain_snapshot"]


async def test_a_chain_of_more_levels_than_usual_is_climbed_to_its_end(
    cadres: None, enlist: Any, enforce: Enforce, tell: Tell, scan: Callable[..., Any]
) -> None:
    await enlist(("X1", "township_deputy", TOWNSHIP))
    chain = "村书记>分管领导>乡镇长>县级专班"
    await enforce([{**ROOT, "escalate": chain, "waits": "1工作小时、1工作小时、1工作小时"}])
    await tell(risk())
    assert await scan(FIRST) == (2, at("2026-03-17T09:30"))
    assert await scan(at("2026-03-17T09:30")) == (3, at("2026-03-17T10:30"))
    assert await scan(at("2026-03-17T10:30")) == (4, at("2026-03-17T11:30"))
    assert await scan(at("2026-03-17T11:30")) == (5, None)


async def test_the_test_of_a_route_and_the_alert_show_the_waits(
    cadres: None, enforce: Enforce, tell: Tell, rows: Rows, call: Call
) -> None:
    version = await enforce([WAITING])
    (line,) = (await call("GET", f"routes?version={version}"))["lines"]
    assert line["waits"] == "4小时、2工作小时"
    told = await call("POST", "routes/test", {"division": VILLAGE})
    assert told["plan"]["waits"] == list(FOUR_TWO)
    assert [step["wait"] for step in told["escalation"]] == [*FOUR_TWO, None]
    await tell(risk())
    (alert,) = await rows("alert")
    shown = (await call("GET", f"alerts/{alert['alert_id']}"))["escalation"]["chain"]
    assert [level["wait"] for level in shown] == [None, *FOUR_TWO, None]


async def test_too_many_waits_are_refused_by_line_and_column(call: Call, rows: Rows) -> None:
    refused = await call("PUT", "routes", [{**WAITING, "waits": "1小时、1小时、1小时"}], code=422)
    (error,) = refused["errors"]
    assert (error["where"], error["code"], error["example"]) == ("line/1/逐级等待", "too_many_waits", "4小时、2小时")
    assert await rows("route_version") == []


async def acknowledge(client: httpx.AsyncClient, alert: UUID, bearer: Bearer) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    answer = await client.post(f"/alerts/v1/alerts/{alert}/acknowledge", json={}, headers=headers)
    assert answer.status_code == 200, answer.text
