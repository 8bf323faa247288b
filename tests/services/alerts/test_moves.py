"""An open alert moves with its household: rows, people, pushes, timeline; and who sees it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.alerts.escalate import escalate_due
from services.alerts.group_notifications import tell_due_groups
from services.alerts.import_officers import import_officers
from shared.clock import FixedClock
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.security.principal import Principal
from tests.services.alerts.places import COUNTY, FAR_VILLAGE, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
ELSEWHERE = {"living_division": OTHER_VILLAGE, "registered_division": OTHER_VILLAGE}
PREFECTURE, FOREIGN, FOREIGN_VILLAGE = "130600000000", "130625000000", "130625100201"
REPORT = "01999999-0000-7000-8000-000000000001"


async def answering(rows: Rows) -> dict[str, str]:
    """Who answers now, and why."""
    return {row["officer_no"]: row["reach"] for row in await rows("assignment", "until IS NULL")}


async def sees(client: httpx.AsyncClient, alert: UUID, headers: dict[str, str]) -> bool:
    status = (await client.get(f"/alerts/v1/alerts/{alert}", headers=headers)).status_code
    assert status in (200, 404)
    return status == 200


@pytest.fixture
async def moved(alert: UUID, tell: Tell) -> UUID:
    """The alert of a household that has moved to the other village."""
    assert (await tell(risk(facts_version=11, **ELSEWHERE))).status_code == 200
    return alert


async def test_the_cadres_of_the_new_place_answer_and_those_of_the_old_no_more(
    moved: UUID, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    (alert,) = await rows("alert")
    assert (alert["living_division"], alert["registered_division"], alert["version"]) == (*ELSEWHERE.values(), 2)
    assert await answering(rows) == {"G2": "duty", "S2": "duty"}
    ended = await rows("assignment", "until IS NOT NULL")
    assert {row["officer_no"] for row in ended} == {"G1", "S1"}
    letters = {(row["officer_no"], row["kind"]) for row in await rows("inbox_item")}
    assert letters == {("G1", "opened"), ("S1", "opened"), ("G2", "moved"), ("S2", "moved")}
    for role, place, officer_no, sight in (
        ("village_secretary", VILLAGE, "S1", False),
        ("village_secretary", OTHER_VILLAGE, "S2", True),
        ("township_leader", TOWNSHIP, "T1", True),
    ):
        assert await sees(alerts_client, moved, bearer(role, place, officer_no=officer_no)) is sight
    inbox = await alerts_client.get("/alerts/v1/inbox", headers=bearer("village_secretary", VILLAGE, officer_no="S1"))
    assert [item["body"] for item in inbox.json()["items"]] == ["这条预警已不在您的职责范围内。"]


async def test_the_timeline_says_from_where_to_where_and_who_left(
    moved: UUID, alerts_client: httpx.AsyncClient, bearer: Bearer, rows: Rows
) -> None:
    (step,) = await rows("alert_log", "action = 'moved'")
    assert (step["detail"]["from"]["living"]["code"], step["detail"]["to"]["living"]["code"]) == (
        VILLAGE,
        OTHER_VILLAGE,
    )
    assert step["detail"]["ended"] == ["G1", "S1"]
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    told = (await alerts_client.get(f"/alerts/v1/alerts/{moved}/timeline", headers=headers)).json()["items"]
    words = [event["words"] for event in told]
    assert any(
        "农户迁移，预警随户转移：居住地由 " in one and "G1、S1 在新址没有岗位，不再负责" in one for one in words
    )
    assert any("网格员 G1 不再负责" in one for one in words)
    assert any("村党支部书记 S2 负责" in one or "S2 负责（在岗责任人）" in one for one in words)


async def test_the_chain_is_that_of_the_new_place(
    moved: UUID, rows: Rows, clock: FixedClock, alerts_runtime: Runtime
) -> None:
    (timer,) = await rows("alert_escalation")
    chain = {rung["level"]: [p["officer_no"] for p in rung["people"]] for rung in timer["chain_snapshot"]}
    assert chain == {1: ["G2"], 2: ["S2"], 3: ["T1"], 4: ["C1"]}
    assert timer["step"] == 1
    (alert,) = await rows("alert")
    assert timer["next_step_at"] == alert["ack_due_at"]
    clock.at = alert["ack_due_at"] + timedelta(days=1, hours=2)
    assert await escalate_due(alerts_runtime) == 1
    reminded = {row["recipient"] for row in await rows("notification", "kind IN ('reminder', 'escalation')")}
    assert reminded
    assert not reminded & {"G1", "S1", "F1"}


async def test_an_empty_post_at_the_new_place_is_a_gap(alert: UUID, tell: Tell, rows: Rows) -> None:
    far = {"living_division": FAR_VILLAGE, "registered_division": FAR_VILLAGE}
    await tell(risk(facts_version=11, **far))
    assert await answering(rows) == {"C1": "fallthrough"}
    gaps = await rows("notification", "kind = 'data_notice'")
    assert {row["division"] for row in gaps} == {FAR_VILLAGE}


async def test_where_there_is_nobody_it_waits_for_somebody(
    tell: Tell, enlist: Enlist, rows: Rows, house: Any
) -> None:
    await enlist(("G1", "grid_worker", VILLAGE))
    await tell(risk())
    await tell(risk(facts_version=11, **ELSEWHERE))
    (alert,) = await rows("alert")
    assert alert["routed_at"] is None
    assert await answering(rows) == {}
    await enlist(("S2", "village_secretary", OTHER_VILLAGE))
    assert await house.run_worker("alerts", "route") == 1
    assert await answering(rows) == {"S2": "duty"}


@pytest.mark.parametrize(("version", "place"), [(9, OTHER_VILLAGE), (10, VILLAGE), (11, VILLAGE)])
async def test_older_news_never_moves_it_back(moved: UUID, tell: Tell, rows: Rows, version: int, place: str) -> None:
    """Not even with a report that is new."""
    await tell(risk(facts_version=20, **ELSEWHERE))
    told = {"report_ids": [REPORT], "reason": "hardship_report"}
    await tell(risk(facts_version=version, **told))
    (alert,) = await rows("alert")
    assert alert["living_division"] == OTHER_VILLAGE
    assert len(await rows("alert_log", "action = 'moved'")) == 1
    assert set(await answering(rows)) == {"G2", "S2"}
    assert {row["recipient"] for row in await rows("notification", "kind = 'reported'")} == {"G2", "S2"}


async def test_the_same_place_again_moves_nothing(alert: UUID, tell: Tell, rows: Rows) -> None:
    before = await rows("assignment")
    await tell(risk(facts_version=11))
    assert await rows("assignment") == before
    assert await rows("alert_log", "action = 'moved'") == []


async def test_who_still_lives_there_but_is_registered_elsewhere_has_a_copy_there(
    alert: UUID, tell: Tell, rows: Rows
) -> None:
    await tell(risk(facts_version=11, living_division=VILLAGE, registered_division=OTHER_VILLAGE))
    assert await answering(rows) == {"G1": "duty", "S1": "duty", "S2": "copy"}
    await tell(risk(facts_version=12, **ELSEWHERE))
    assert await answering(rows) == {"G2": "duty", "S2": "duty"}
    await tell(risk(facts_version=13, living_division=VILLAGE, registered_division=OTHER_VILLAGE))
    assert await answering(rows) == {"G1": "duty", "S1": "duty", "S2": "copy"}


async def test_who_helps_the_household_stays_and_sees_it_where_it_lives(
    alert: UUID, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    pairing = {"household_no": "H1", "officer_no": "F1", "division": VILLAGE, "since": "2026-03-01", "reason": "结对"}
    put = await alerts_client.post("/alerts/v1/pairings", json=pairing, headers=headers)
    assert put.status_code == 200, put.text
    await tell(risk(facts_version=11, severity="red"))
    assert (await answering(rows))["F1"] in ("duty", "paired")
    await tell(risk(facts_version=12, **ELSEWHERE))
    assert set(await answering(rows)) == {"F1", "G2", "S2", "T1"}
    assert [row["division"] for row in await rows("pairing")] == [OTHER_VILLAGE]


async def test_whom_it_is_about_stays_out_of_it_at_the_new_place(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows
) -> None:
    await enlist(("S2", "village_secretary", OTHER_VILLAGE), household_no="H1")
    await tell(risk())
    await tell(risk(facts_version=11, **ELSEWHERE))
    (barred,) = await rows("alert_barred")
    assert (barred["officer_no"], barred["living_division"]) == ("S2", OTHER_VILLAGE)
    assert set(await answering(rows)) == {"T1"}


async def test_an_appealed_answer_stays_out_of_it_too(cadres: None, enlist: Enlist, tell: Tell, rows: Rows) -> None:
    note = {"nature": "appeal", "sentence": "农户不同意结论", "answered_by": "S2"}
    await tell(risk(notes=[note], report_ids=[REPORT], reason="hardship_report"))
    await tell(risk(facts_version=11, **ELSEWHERE))
    assert set(await answering(rows)) == {"G2", "T1"}


async def test_what_waited_is_cancelled_and_says_why(
    cadres: None,
    calm: None,
    tell: Tell,
    rows: Rows,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    alerts_runtime: Runtime,
    clock: FixedClock,
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    for owner in ({"officer_no": "S1"}, {"officer_no": "S2"}, {"division": VILLAGE}):
        body = {"channel": "console", "address": next(iter(owner.values())), **owner}
        assert (await alerts_client.post("/alerts/v1/endpoints", json=body, headers=headers)).status_code == 200
    await tell(risk(1), risk(2))
    await tell(risk(1, facts_version=11, **ELSEWHERE))
    waited = await rows("notification", "outcome = 'cancelled'")
    assert {row["recipient"] for row in waited} == {"S1", None}
    assert {row["reason"] for row in waited} == {"农户已迁移，预警随户转移"}
    clock.at += timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    told = {
        (row["message"]["division"], row["message"]["kind"], row["message"]["count"])
        for row in await rows("delivery")
    }
    assert told == {(VILLAGE, "opened", 1), (OTHER_VILLAGE, "moved", 1)}
    path = f"/alerts/v1/alerts/{waited[0]['alert_id']}/timeline"
    shown = (await alerts_client.get(path, headers=headers)).json()["items"]
    assert any("农户已迁移，预警随户转移" in event["words"] for event in shown)


async def test_a_village_is_not_told_again_of_a_household_that_left(
    cadres: None, calm: None, phone: None, tell: Tell, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1))
    clock.at += timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    await tell(risk(1, facts_version=11, **ELSEWHERE), risk(2))
    clock.at += timedelta(hours=1)
    await tell_due_groups(alerts_runtime)
    assert [row["message"]["count"] for row in await rows("delivery")] == [1, 1]


async def test_a_push_on_its_way_is_cancelled_with_its_reason(
    cadres: None, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    for officer_no in ("S1", "T1"):
        body = {"channel": "console", "address": officer_no, "officer_no": officer_no}
        await alerts_client.post("/alerts/v1/endpoints", json=body, headers=headers)
    await tell(risk(severity="red"))
    await tell(risk(facts_version=11, severity="red", **ELSEWHERE))
    of = {row["notification_id"]: row for row in await rows("notification")}
    states = {
        (of[d["notification_id"]]["recipient"], of[d["notification_id"]]["kind"]): d["state"]
        for d in await rows("delivery")
    }
    assert states == {("S1", "opened"): "cancelled", ("T1", "opened"): "due", ("T1", "moved"): "due"}
    (cancelled,) = await rows("notification", "outcome = 'cancelled'")
    assert (cancelled["recipient"], cancelled["reason"]) == ("S1", "农户已迁移，预警随户转移")


@pytest.mark.parametrize(("to", "state"), [("G1", "lapsed"), ("T1", "pending")])
async def test_an_offer_lapses_where_its_receiver_is_left_behind(
    alert: UUID, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer, to: str, state: str
) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    body = {"to_officer_no": to, "reason": "外出"}
    offered = await alerts_client.post(f"/alerts/v1/alerts/{alert}/handover", json=body, headers=headers)
    assert offered.status_code == 200, offered.text
    await tell(risk(facts_version=11, **ELSEWHERE))
    (offer,) = await rows("handover")
    assert (offer["state"], offer["settled_at"] is None) == (state, state == "pending")
    (step,) = await rows("alert_log", "action = 'moved'")
    assert step["detail"]["lapsed"] == ([to] if state == "lapsed" else [])


async def test_what_was_done_stays_done_and_the_deadlines_stay(
    alert: UUID, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    assert (await alerts_client.post(f"/alerts/v1/alerts/{alert}/acknowledge", json={}, headers=headers)).is_success
    (before,) = await rows("alert")
    await tell(risk(facts_version=11, **ELSEWHERE))
    (after,) = await rows("alert")
    kept = ("status", "acknowledged_at", "ack_due_at", "verify_due_at", "contact_name")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    late = await alerts_client.post(f"/alerts/v1/alerts/{alert}/acknowledge", json={}, headers=headers)
    assert late.status_code == 404
    ours = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    body = {"outcome": "moved"}
    done = await alerts_client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=ours)
    assert (done.status_code, done.json()["status"]) == (200, "closed")


async def test_the_alert_of_a_report_goes_where_the_household_lives_that_adopts_it(
    cadres: None, tell: Tell, rows: Rows
) -> None:
    reported = {"report_ids": [REPORT], "reason": "hardship_report"}
    await tell(risk(subject=f"report:{REPORT}", household_no=None, facts_version=0, **reported))
    await tell(risk(facts_version=11, **reported, **ELSEWHERE))
    (alert,) = await rows("alert")
    assert (alert["subject"], alert["living_division"]) == ("household:H1", OTHER_VILLAGE)
    assert await answering(rows) == {"G2": "duty", "S2": "duty"}


async def test_an_acknowledgement_at_the_same_moment_comes_before_the_move_or_finds_it_gone(
    alert: UUID, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    path = f"/alerts/v1/alerts/{alert}/acknowledge"
    async with admin.transaction():
        await admin.execute("SELECT FROM alerts.alert FOR UPDATE")
        moving = asyncio.ensure_future(tell(risk(facts_version=11, **ELSEWHERE)))
        while not await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        answering_ = asyncio.ensure_future(alerts_client.post(path, json={}, headers=headers))
        while await admin.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 2:
            await asyncio.sleep(0.01)
    assert (await moving).status_code == 200
    assert (await answering_).status_code == 404
    (moved_,) = await rows("alert")
    assert (moved_["living_division"], moved_["status"]) == (OTHER_VILLAGE, "open")


async def test_an_answer_that_waits_for_a_second_officer_is_confirmed_at_the_new_place(
    cadres: None, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await tell(risk(severity="red"))
    (alert,) = await rows("alert")
    path = f"/alerts/v1/alerts/{alert['alert_id']}/verification"
    answer = {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}}
    ours = bearer("township_leader", TOWNSHIP, officer_no="T1")
    assert (await alerts_client.post(path, json=answer, headers=ours)).json()["status"] == "confirming"
    await tell(risk(facts_version=11, severity="red", **ELSEWHERE))
    # T1 gave it: only the county stands as high.
    assert set(await answering(rows)) == {"G2", "S2", "T1", "C1"}
    assert [row["recipient"] for row in await rows("notification", "kind = 'moved' AND recipient = 'C1'")] == ["C1"]
    (made,) = await rows("verification")
    confirmation = f"{path}/{made['verification_id']}/confirmation"
    left = bearer("first_secretary", VILLAGE, officer_no="F1")
    assert (await alerts_client.post(confirmation, json={"agrees": True}, headers=left)).status_code == 404
    county = bearer("county_admin", COUNTY, officer_no="C1")
    closed = await alerts_client.post(confirmation, json={"agrees": True}, headers=county)
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")


@pytest.mark.parametrize(("village", "liaisons"), [(OTHER_VILLAGE, set()), (FOREIGN_VILLAGE, {"L9"})])
async def test_a_consultation_goes_on_and_another_countys_departments_are_asked(
    alert: UUID,
    enlist: Enlist,
    tell: Tell,
    rows: Rows,
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    bearer: Bearer,
    village: str,
    liaisons: set[str],
) -> None:
    await enlist(("L1", "liaison", COUNTY), department="民政")
    admin, clock = Principal("admin", "person", PREFECTURE, officer_no="P1"), alerts_runtime.clock
    abroad = {"officer_no": "L9", "name": "干部L9", "role": "liaison", "division": FOREIGN, "department": "民政"}
    async with scoped(alerts_runtime.pool, PREFECTURE) as connection:
        await import_officers(connection, [abroad], admin, now=clock.now(), today=clock.today())
    call = {"departments": ["民政"], "question": "是否符合", "opinions_by": "2026-03-15", "meets_on": "2026-03-15"}
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    path = f"/alerts/v1/alerts/{alert}/consultation"
    assert (await alerts_client.post(path, json=call, headers=leader)).status_code == 200
    await tell(risk(facts_version=11, living_division=village, registered_division=village))
    (consultation,) = await rows("consultation")
    assert consultation["state"] == "open"
    items = await rows("inbox_item", "kind = 'consulted'")
    letters = {row["officer_no"] for row in items}
    assert {row["matter_id"] for row in items} == {consultation["consultation_id"]}
    assert letters == {"L1"} | liaisons


async def test_a_ticket_of_the_household_goes_along_within_its_county(
    alert: UUID, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    path = f"/alerts/v1/alerts/{alert}/verification"
    assert (await alerts_client.post(path, json={"outcome": "data_wrong"}, headers=headers)).is_success
    await tell(risk(facts_version=10, report_ids=[REPORT], reason="hardship_report"))
    for version, place, now_in in ((11, OTHER_VILLAGE, OTHER_VILLAGE), (12, FOREIGN_VILLAGE, OTHER_VILLAGE)):
        await tell(risk(facts_version=version, living_division=place, registered_division=place))
        assert [row["division"] for row in await rows("correction_ticket", "state = 'open'")] == [now_in]
