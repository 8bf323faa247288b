"""A warning about a cadre's own family, or a complaint naming him, goes one level up; he does not hear or see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.alerts.group_notifications import tell_due_groups
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]

REPORT = "01999999-0000-7000-8000-000000000001"
WORDS = "反映书记冒领低保金"


def complaint(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "event.hardship_report",
        "occurred_on": "2026-03-10",
        "source": "hotline",
        "department": "信访局",
        "summary": WORDS,
        **changes,
    }


async def heard(rows: Rows) -> set[str]:
    return {row["officer_no"] for row in await rows("assignment", "until IS NULL")}


async def alert_of(admin: asyncpg.Connection, number: int = 1) -> UUID:
    found: UUID = await admin.fetchval("SELECT alert_id FROM alerts.alert WHERE household_no = $1", f"H{number}")
    return found


@pytest.mark.parametrize(
    ("concerned", "hear"), [(("G1", "grid_worker"), {"S1"}), (("S1", "village_secretary"), {"F1"})]
)
async def test_his_own_family_goes_one_level_up(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows, concerned: tuple[str, str], hear: set[str]
) -> None:
    await enlist((*concerned, VILLAGE), household_no="H1")
    await tell(risk(1))
    assert await heard(rows) == {row["officer_no"] for row in await rows("inbox_item")} == hear
    assert await rows("notification", "kind = 'data_notice'") == []
    await tell(risk(2))
    assert await heard(rows) == hear | {"G1", "S1"}


async def test_a_complaint_goes_above_whom_it_names(cadres: None, tell: Tell, rows: Rows) -> None:
    await tell(risk(1, evidence=[complaint(about_officer="S1")]))
    assert await heard(rows) == {"F1"}
    (barred,) = await rows("alert_barred")
    assert (barred["officer_no"], barred["why"]) == ("S1", "complaint")


async def test_a_note_that_names_an_officer_does_the_same(cadres: None, tell: Tell, rows: Rows) -> None:
    note = {"nature": "appeal", "sentence": "农户反映干部", "about_officer": "S1"}
    await tell(risk(1, notes=[note], report_ids=["r1"], reason="hardship_report"))
    assert await heard(rows) == {"F1"}


async def test_no_group_hears_of_it(
    cadres: None, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    body = {"channel": "console", "address": "村工作群", "division": VILLAGE}
    await alerts_client.post("/alerts/v1/endpoints", json=body, headers=headers)
    await tell(risk(1, evidence=[complaint(about_officer="S1")]), risk(2))
    assert [row["alert_id"] for row in await rows("delivery")] == [await alert_of(admin, 2)]


async def test_he_does_not_see_it_by_any_way(
    cadres: None, tell: Tell, alerts_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    await tell(risk(1, evidence=[complaint(about_officer="S1")]), risk(2))
    alert = await alert_of(admin)
    own, other = (bearer("village_secretary", VILLAGE, officer_no=number) for number in ("S1", "F1"))
    for headers, sees in ((own, 1), (other, 2)):
        listed = (await alerts_client.get("/alerts/v1/alerts", headers=headers)).json()["items"]
        counted = (await alerts_client.get("/alerts/v1/summary", headers=headers)).json()["counts"]
        assert (len(listed), sum(count["alerts"] for count in counted)) == (sees, sees)
    path = f"/alerts/v1/alerts/{alert}"
    assert (await alerts_client.get(path, headers=other)).status_code == 200
    assert (await alerts_client.get(path, headers=own)).status_code == 404
    for step, body in (("acknowledge", {}), ("handover", {"to_officer_no": "G1", "reason": "外出"})):
        assert (await alerts_client.post(f"{path}/{step}", json=body, headers=own)).status_code == 404
    to_him = {"to_officer_no": "S1", "reason": "外出"}
    refused = await alerts_client.post(f"{path}/handover", json=to_him, headers=other)
    assert (refused.status_code, refused.json()["code"]) == (422, "colleague_not_on_duty")


async def test_what_names_him_later_takes_it_out_of_his_hands(
    cadres: None,
    tell: Tell,
    rows: Rows,
    house: House,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    await tell(risk(1))
    assert await heard(rows) == {"G1", "S1"}
    await tell(risk(1, facts_version=11, evidence=[complaint(about_officer="S1")]))
    await house.run_worker("alerts", "route")
    assert await heard(rows) == {"F1"}
    inbox = (
        await alerts_client.get("/alerts/v1/inbox", headers=bearer("village_secretary", VILLAGE, officer_no="S1"))
    ).json()
    assert [item["body"] for item in inbox["items"]] == ["这条预警已不在您的职责范围内。"]


async def test_a_household_learnt_of_later_bars_too(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows, house: House
) -> None:
    await tell(risk(1), risk(2))
    await enlist(("G1", "grid_worker", VILLAGE), household_no="H1")
    await house.run_worker("alerts", "route")
    (one, two) = sorted(await rows("alert"), key=lambda row: row["household_no"])
    assert {
        r["officer_no"] for r in await rows("assignment", "until IS NULL AND alert_id = $1", one["alert_id"])
    } == {"S1"}
    assert len(await rows("assignment", "until IS NULL AND alert_id = $1", two["alert_id"])) == 2


@pytest.mark.parametrize("version", [25, 15])
async def test_the_report_of_his_own_household_leaves_his_hands_when_it_is_known_whose_it_is(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows, version: int
) -> None:
    """In the same transaction, however old the facts are that tell it."""
    await enlist(("S1", "village_secretary", VILLAGE), household_no="H1")
    await tell(risk(1, facts_version=20, opens=False, withheld_because="未达到开启条件"))
    reported = {"report_ids": [REPORT], "reason": "hardship_report"}
    await tell(risk(1, subject=f"report:{REPORT}", household_no=None, facts_version=0, **reported))
    assert await heard(rows) == {"G1", "S1"}
    await tell(risk(1, facts_version=version, **reported))
    (alert,) = await rows("alert")
    (barred,) = await rows("alert_barred")
    assert (alert["household_no"], barred["officer_no"], barred["why"]) == ("H1", "S1", "family")
    assert await heard(rows) == {"F1"}
    assert {row["officer_no"] for row in await rows("inbox_item")} == {"G1", "S1", "F1"}
    assert alert["routed_at"] is not None


async def test_with_nobody_above_it_is_written_down_and_holds_up_nothing(
    enlist: Enlist, tell: Tell, rows: Rows, house: House
) -> None:
    await enlist(("C1", "county_admin", COUNTY), household_no="H1")
    await tell(risk(1), risk(2))
    assert await house.run_worker("alerts", "route") == 0
    waiting = await rows("alert", "routed_at IS NULL")
    assert [row["household_no"] for row in waiting] == ["H1"]
    (written,) = await rows("notification", "decision = 'suppress' AND recipient IS NULL")
    assert written["alert_id"] == waiting[0]["alert_id"]
    await enlist(("C2", "county_admin", COUNTY))
    assert await house.run_worker("alerts", "route") == 1
    assert "C2" in await heard(rows)


@pytest.mark.parametrize(
    ("role", "division", "reads"),
    [
        ("grid_worker", VILLAGE, False),
        ("village_secretary", VILLAGE, False),
        ("first_secretary", VILLAGE, False),
        ("village_cadre", VILLAGE, False),
        ("township_deputy", TOWNSHIP, True),
        ("county_admin", COUNTY, True),
    ],
)
async def test_the_words_of_a_complaint_stay_out_of_the_village(
    cadres: None,
    tell: Tell,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    admin: asyncpg.Connection,
    rows: Rows,
    role: str,
    division: str,
    reads: bool,
) -> None:
    noted = [{"nature": "correction", "sentence": WORDS, "about_officer": "G2"}]
    await tell(risk(1, severity="red", evidence=[complaint()], notes=noted, report_ids=["r1"]))
    headers = bearer(role, division, officer_no="X")
    seen = await alerts_client.get(f"/alerts/v1/alerts/{await alert_of(admin)}", headers=headers)
    assert (WORDS in seen.text) is reads
    assert "G2" not in seen.text
    told = {row["officer_no"] for row in await rows("inbox_item") if WORDS in row["body"]}
    assert not told & {"G1", "S1", "F1"}


async def test_a_push_that_waits_for_him_is_cancelled_too(
    cadres: None, calm: None, phone: None, tell: Tell, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1))
    await tell(risk(1, facts_version=11, evidence=[complaint(about_officer="S1")]))
    clock.at += timedelta(seconds=30)
    await tell_due_groups(alerts_runtime)
    assert await rows("delivery") == []
    assert [row["outcome"] for row in await rows("notification", "recipient = 'S1'")] == ["cancelled"]
