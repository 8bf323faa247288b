"""The work calendar: shipped, imported, of the county; and the deadlines that move with it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest

from services.alerts.notify_calendar import notify_missing_calendar
from services.alerts.read_calendar import read_calendar
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.conftest import at
from tests.services.alerts.places import COUNTY, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]


NEW_YEAR = [
    {"date": "2027-01-01", "kind": "holiday", "name": "元旦"},
    {"date": "2027-01-02", "kind": "holiday", "name": "元旦"},
    {"date": "2027-01-03", "kind": "holiday", "name": "元旦"},
    {"date": "2027-01-09", "kind": "workday", "name": "元旦调休上班"},
]


async def test_a_shipped_year_is_known_before_and_after_it_is_written(
    alerts_client: httpx.AsyncClient, bearer: Bearer, house: House, rows: Rows
) -> None:
    headers = bearer("grid_worker", VILLAGE, officer_no="G1")
    before = (await alerts_client.get("/alerts/v1/calendar?year=2026", headers=headers)).json()
    assert await house.run_worker("alerts", "seed_calendar") == 23
    after = (await alerts_client.get("/alerts/v1/calendar?year=2026", headers=headers)).json()
    assert before == after
    assert (after["provisional"], after["working_days"]) == (False, 248)
    make_up = [day["date"] for day in after["days"] if day["kind"] == "workday"]
    assert make_up == ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]
    assert await house.run_worker("alerts", "seed_calendar") == 0


async def test_a_year_nobody_published_is_provisional(
    alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    year = (await alerts_client.get("/alerts/v1/calendar?year=2027", headers=county)).json()
    assert (year["provisional"], year["days"], year["working_days"]) == (True, [], 261)


async def test_an_imported_list_moves_the_deadlines_of_open_alerts(
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    house: House,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    put_days: Callable[..., Any],
) -> None:
    clock.at = at("2026-12-31T10:00")
    await tell(risk(clocks={"acknowledge_hours": 24, "verify_days": 1, "verify_unit": "working_days"}))
    (alert,) = await rows("alert")
    assert (alert["ack_due_at"], alert["verify_due_at"]) == (at("2027-01-01T10:00"), at("2027-01-01T18:00"))
    view = f"/alerts/v1/alerts/{alert['alert_id']}"
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    assert (await alerts_client.get(view, headers=headers)).json()["deadlines_provisional"]
    answer = await put_days(2027, "state_council", NEW_YEAR)
    assert (answer.status_code, answer.json()["provisional"]) == (200, False)
    assert await house.run_worker("alerts", "recompute_clocks") == 1
    (alert,), (timer,) = await rows("alert"), await rows("alert_escalation")
    assert (alert["ack_due_at"], alert["verify_due_at"]) == (at("2027-01-04T10:00"), at("2027-01-04T18:00"))
    assert timer["next_step_at"] == alert["ack_due_at"]
    shown = (await alerts_client.get(view, headers=headers)).json()
    assert shown["deadlines_provisional"] is False
    assert shown["timeline"][-1]["action"] == "clocks_recomputed"
    assert await house.run_worker("alerts", "recompute_clocks") == 0


async def test_a_longer_way_to_the_end_is_gone_in_parts(
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    house: House,
    put_days: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.alerts.recompute_clocks._AT_ONCE", 2)
    clock.at = at("2026-12-31T10:00")
    await tell(*(risk(n) for n in range(5)))
    await put_days(2027, "state_council", NEW_YEAR)
    await house.run_worker("alerts", "recompute_clocks")
    assert {row["ack_due_at"] for row in await rows("alert")} == {at("2027-01-04T10:00")}
    assert all(row["done_at"] for row in await rows("work_calendar_change"))


async def test_what_is_past_stays_as_it_was(
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    house: House,
    put_days: Callable[..., Any],
) -> None:
    await tell(risk())
    (before,) = await rows("alert")
    clock.at = at("2026-03-18T10:00")
    day = {"date": "2026-03-16", "kind": "holiday", "name": "本县休息日"}
    await put_days(2026, "county", [day])
    await house.run_worker("alerts", "recompute_clocks")
    (after,) = await rows("alert")
    assert after["ack_due_at"] == before["ack_due_at"]


async def test_a_countys_own_day_stands_above_the_nations_and_holds_only_there(
    put_days: Callable[..., Any], alerts_runtime: Runtime
) -> None:
    csv = "日期,类别,名称\n2026-03-18,放假,本县农民节\n2026-10-01,上班,值守\n".encode()
    answer = await put_days(2026, "county", csv)
    assert answer.status_code == 200, answer.text
    now = alerts_runtime.clock.now()
    async with transaction(alerts_runtime.worker_pool) as connection:
        here = await read_calendar(connection, VILLAGE, now)
        elsewhere = await read_calendar(connection, "130625100200", now)
    assert not here.is_workday(date(2026, 3, 18))
    assert here.is_workday(date(2026, 10, 1))
    assert not here.is_workday(date(2026, 10, 2))
    assert elsewhere.is_workday(date(2026, 3, 18))
    assert not elsewhere.is_workday(date(2026, 10, 1))
    taken_back = await put_days(2026, "county", [])
    assert [day for day in taken_back.json()["days"] if day["source"] == "county"] == []


async def test_an_imported_list_stands_for_the_shipped_one(put_days: Callable[..., Any]) -> None:
    day = {"date": "2026-10-01", "kind": "holiday", "name": "国庆节"}
    answer = await put_days(2026, "state_council", [day])
    assert [one["date"] for one in answer.json()["days"]] == ["2026-10-01"]


_REFUSED = "calendar_refused"


@pytest.mark.parametrize(
    ("days", "status", "code"),
    [
        ([{"date": "2026-10-01", "kind": "holiday", "name": "国庆节"}], 422, "calendar_refused"),
        ([NEW_YEAR[0], NEW_YEAR[0]], 422, "calendar_refused"),
        (
            [{"date": f"2027-03-{n:02}", "kind": "holiday", "name": "休"} for n in range(1, 20)],
            422,
            "calendar_refused",
        ),
        ([{**NEW_YEAR[0], "kind": "half"}], 422, "validation_failed"),
        ([{**NEW_YEAR[0], "who": "x"}], 422, "validation_failed"),
        ({"days": []}, 422, "validation_failed"),
        (b"a,b\n1,2\n", 400, "calendar_unreadable"),
        (b"\xff\xfe\x00", 400, "calendar_unreadable"),
        ("日期,类别,名称\n2027-13-01,放假,元旦\n".encode(), 422, "validation_failed"),
    ],
)
async def test_a_wrong_list_changes_nothing(
    days: Any, status: int, code: str, put_days: Callable[..., Any], rows: Rows
) -> None:
    answer = await put_days(2027, "state_council", days)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await rows("work_calendar_day", "source <> 'chinesecalendar'") == []


async def test_another_county_cannot_be_written(alerts_runtime: Runtime, put_days: Callable[..., Any]) -> None:
    """The second wall: the role that serves requests writes only days of its scope, and deletes no others."""
    from shared.db.scope import scoped

    await put_days(2027, "county", NEW_YEAR)
    async with scoped(alerts_runtime.pool, "130625000000") as connection:
        assert await connection.execute("DELETE FROM work_calendar_day") == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with scoped(alerts_runtime.pool, "130625000000") as connection:
            await connection.execute(
                "INSERT INTO work_calendar_day VALUES ($1, '2027-01-01', 'county', $1, 'holiday', 'x', now())",
                COUNTY,
            )


async def test_the_county_is_told_once_from_december_on(
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    alerts_runtime: Runtime,
) -> None:
    clock.at = at("2026-11-30T09:00")
    assert await notify_missing_calendar(alerts_runtime) == 0
    clock.at = at("2026-12-01T09:00")
    assert await notify_missing_calendar(alerts_runtime) == 1
    assert await notify_missing_calendar(alerts_runtime) == 0
    (letter,) = await rows("inbox_item")
    assert (letter["officer_no"], letter["title"]) == ("C1", "请导入2027年工作日历")


async def test_a_county_that_imported_it_is_not_asked(
    cadres: None, clock: FixedClock, alerts_runtime: Runtime, put_days: Callable[..., Any]
) -> None:
    await put_days(2027, "state_council", NEW_YEAR)
    clock.at = at("2026-12-02T09:00")
    assert await notify_missing_calendar(alerts_runtime) == 0


async def test_a_day_off_of_last_year_still_counts_after_new_year(
    tell: Tell,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    house: House,
    put_days: Callable[..., Any],
) -> None:
    clock.at = at("2026-12-30T10:00")
    await put_days(2026, "county", [{"date": "2026-12-31", "kind": "holiday", "name": "大雪封路"}])
    await house.run_worker("alerts", "recompute_clocks")
    await tell(risk(clocks={"acknowledge_hours": 24, "verify_days": 3, "verify_unit": "working_days"}))
    clock.at = at("2027-01-01T09:00")
    await put_days(2027, "county", [{"date": "2027-02-01", "kind": "holiday", "name": "本县休息日"}])
    await house.run_worker("alerts", "recompute_clocks")
    (alert,) = await rows("alert")
    assert (alert["ack_due_at"], alert["verify_due_at"]) == (at("2027-01-01T10:00"), at("2027-01-05T18:00"))
