"""Each person once, no warning without a person, gaps are told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from tests.conftest import House
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]


async def test_two_duties_one_message(tell: Tell, enlist: Enlist, rows: Rows) -> None:
    await enlist(
        ("G1", "grid_worker", VILLAGE),
        ("G1", "village_secretary", VILLAGE),
        ("G1", "township_leader", TOWNSHIP),
        ("C1", "county_admin", COUNTY),
    )
    await tell(risk(severity="red"))
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'opened'")] == ["G1"]
    (assignment,) = await rows("assignment")
    assert assignment["role"] == "grid_worker"


async def test_a_missing_level_falls_through_with_a_notice_once_a_month(
    tell: Tell, enlist: Enlist, rows: Rows
) -> None:
    await enlist(("T1", "township_leader", TOWNSHIP), ("C1", "county_admin", COUNTY))
    await tell(risk(1))
    await tell(risk(2))
    assert {(row["officer_no"], row["reach"]) for row in await rows("assignment")} == {("T1", "fallthrough")}
    notices = await rows("inbox_item", "kind = 'data_notice'")
    assert [row["officer_no"] for row in notices] == ["C1", "C1"]
    assert all("青沿村" in row["body"] for row in notices)


async def test_only_the_county_is_left(tell: Tell, enlist: Enlist, rows: Rows) -> None:
    await enlist(("C1", "county_admin", COUNTY))
    await tell(risk())
    assert {row["officer_no"] for row in await rows("assignment")} == {"C1"}


async def test_nobody_at_all_is_written_down_and_routed_later(
    tell: Tell, enlist: Enlist, rows: Rows, house: House
) -> None:
    report = str(uuid4())
    await tell(risk(report_ids=[report], reason="hardship_report"))
    (written,) = await rows("notification")
    assert (written["decision"], written["recipient"]) == ("suppress", None)
    assert await rows("outbox") == []
    assert await house.run_worker("alerts", "route") == 0
    await enlist(("S1", "village_secretary", VILLAGE))
    assert await house.run_worker("alerts", "route") == 1
    assert {row["officer_no"] for row in await rows("inbox_item")} == {"S1"}
    (event,) = await rows("outbox")
    assert {item["stage"] for item in event["payload"]["items"]} == {"routed", "delivered"}


async def test_a_post_counts_from_its_first_day_until_before_its_last(
    tell: Tell, enlist: Enlist, rows: Rows, admin: asyncpg.Connection, house: House
) -> None:
    await enlist(("G1", "grid_worker", VILLAGE), ("S1", "village_secretary", VILLAGE))
    today = house.clock.today()
    await admin.execute(
        "UPDATE alerts.duty SET valid_from = $1, valid_to = $2 WHERE officer_no = 'G1'",
        today - timedelta(days=9),
        today,
    )
    await tell(risk())
    assert {row["officer_no"] for row in await rows("assignment")} == {"S1"}


async def test_inbox_text_follows_the_post(tell: Tell, cadres: None, rows: Rows) -> None:
    await tell(risk(severity="red"))
    body = {row["officer_no"]: row["body"] for row in await rows("inbox_item")}
    assert "张建国" in body["G1"]
    assert "19900000001" in body["G1"]
    assert "因病" in body["G1"]
    assert "12345.60" not in body["G1"]
    assert "突发严重困难户" not in body["G1"]
    assert "突发严重困难户" in body["S1"]
    assert "12345.60" not in body["S1"]
    assert "12345.60" in body["T1"]


async def test_item_numbers_have_no_gaps(tell: Tell, cadres: None, rows: Rows) -> None:
    await tell(*(risk(n) for n in range(30)))
    await tell(*(risk(n, living_division=OTHER_VILLAGE) for n in range(30, 40)))
    for officer_no, items in (("G1", 30), ("S1", 40), ("G2", 10)):
        numbers = sorted(row["item_no"] for row in await rows("inbox_item", "officer_no = $1", officer_no))
        assert numbers == list(range(1, items + 1))


async def test_a_further_plea_reaches_who_is_in_post_where_the_first_have_left(
    cadres: None, enlist: Any, tell: Any, rows: Any, admin: asyncpg.Connection
) -> None:
    await tell(risk())
    await admin.execute(
        "UPDATE alerts.duty SET valid_from = '2026-01-01', valid_to = '2026-03-15' WHERE officer_no IN ('G1', 'S1')"
    )
    await enlist(("S9", "village_secretary", VILLAGE))
    await tell(risk(facts_version=11, report_ids=["r1"], reason="hardship_report"))
    assert "S9" in {row["officer_no"] for row in await rows("inbox_item", "kind = 'reported'")}
