"""A share of the answers is looked at again by the township; what differs opens a new alert for somebody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.clock import FixedClock
from shared.web.page import encode_cursor
from tests.conftest import House
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}


@pytest.fixture
def all_drawn(asked: dict[str, Any]) -> None:
    asked["recheck_percent"] = 100


@pytest.fixture
def leader(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("township_leader", TOWNSHIP, officer_no="T1")


async def answer(
    client: httpx.AsyncClient, alert: UUID, bearer: Bearer, outcome: str = "no_risk", **more: Any
) -> httpx.Response:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    body = {"outcome": outcome, "contact": VISIT, **more}
    return await client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=headers)


async def check(client: httpx.AsyncClient, number: object, headers: dict[str, str], outcome: str) -> httpx.Response:
    body = {"outcome": outcome, "contact": VISIT, "note": "入户查看"}
    return await client.post(f"/alerts/v1/rechecks/{number}/result", json=body, headers=headers)


async def test_what_agrees_is_counted_and_changes_nothing(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    alert: UUID,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    house: House,
) -> None:
    await answer(alerts_client, alert, bearer)
    (listed,) = (await alerts_client.get("/alerts/v1/rechecks?state=due", headers=leader)).json()["items"]
    assert (listed["outcome"], listed["household_no"], listed["state"]) == ("no_risk", "H1", "due")
    done = await check(alerts_client, listed["recheck_id"], leader, "no_risk")
    assert (done.status_code, done.json()["state"]) == (200, "agrees")
    assert await house.run_worker("alerts", "rechecks") == 0
    (count,) = (await alerts_client.get("/alerts/v1/rechecks/counts", headers=leader)).json()["items"]
    assert (count["answers"], count["drawn"], count["checked"], count["differs"]) == (1, 1, 1, 0)
    again = await check(alerts_client, listed["recheck_id"], leader, "moved")
    assert (again.status_code, again.json()["code"]) == (409, "recheck_settled")
    assert (await rows("alert_log"))[-1]["action"] == "recheck"


async def test_what_differs_opens_an_alert_linked_to_the_old_for_another_officer(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    alert: UUID,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    house: House,
) -> None:
    await answer(alerts_client, alert, bearer)
    (drawn,) = await rows("recheck")
    assert (await check(alerts_client, drawn["verification_id"], leader, "identify")).json()["state"] == "differs"
    assert await house.run_worker("alerts", "rechecks") == 1
    assert await house.run_worker("alerts", "rechecks") == 0
    (opened,) = await rows("alert", "status = 'open'")
    assert (opened["follows"], opened["household_no"], opened["reason"]) == (alert, "H1", "recheck")
    (settled,) = await rows("recheck", "opened IS NOT NULL")
    assert settled["opened"] == opened["alert_id"]
    assigned = {row["officer_no"] for row in await rows("assignment", "alert_id = $1", opened["alert_id"])}
    assert "S1" not in assigned
    assert "G1" in assigned
    own = await answer(alerts_client, opened["alert_id"], bearer)
    assert (own.status_code, own.json()["code"]) == (403, "another_officer_needed")
    (count,) = (await alerts_client.get("/alerts/v1/rechecks/counts", headers=leader)).json()["items"]
    assert (count["checked"], count["differs"]) == (1, 1)


async def test_a_difference_joins_the_alert_that_is_open_already(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    alert: UUID,
    tell: Any,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    house: House,
) -> None:
    await answer(alerts_client, alert, bearer)
    await tell(risk(facts_version=12))
    (drawn,) = await rows("recheck")
    await check(alerts_client, drawn["verification_id"], leader, "identify")
    await house.run_worker("alerts", "rechecks")
    (opened,) = await rows("alert", "status <> 'closed'")
    evidence = await rows("alert_evidence", "alert_id = $1 AND item ->> 'indicator' = 'recheck'", opened["alert_id"])
    assert len(evidence) == 1


@pytest.mark.parametrize(("outcome", "drawn"), [("identify", 0), ("no_risk", 1), ("moved", 1)])
async def test_an_identification_is_never_drawn(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    alert: UUID,
    bearer: Bearer,
    rows: Rows,
    outcome: str,
    drawn: int,
) -> None:
    await answer(alerts_client, alert, bearer, outcome, causes=["illness"])
    assert len(await rows("recheck")) == drawn


async def test_nobody_checks_his_own_answer_and_the_village_sees_none(
    alerts_client: httpx.AsyncClient, all_drawn: None, alert: UUID, bearer: Bearer, rows: Rows
) -> None:
    await answer(alerts_client, alert, bearer)
    (drawn,) = await rows("recheck")
    own = bearer("township_leader", TOWNSHIP, officer_no="S1")
    refused = await check(alerts_client, drawn["verification_id"], own, "no_risk")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_answer")
    village = bearer("village_secretary", VILLAGE, officer_no="S1")
    for path in ("rechecks", "rechecks/counts", "bursts"):
        assert (await alerts_client.get(f"/alerts/v1/{path}", headers=village)).status_code == 403
    elsewhere = bearer("township_leader", OTHER_VILLAGE, officer_no="T9")
    hidden = await check(alerts_client, drawn["verification_id"], elsewhere, "no_risk")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "recheck_unknown")


@pytest.mark.parametrize("day", ["2026-03-14", "2026-03-16"])
async def test_a_recheck_lies_between_the_answer_and_today(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    alert: UUID,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    day: str,
) -> None:
    await answer(alerts_client, alert, bearer)
    (drawn,) = await rows("recheck")
    body = {"outcome": "no_risk", "contact": {**VISIT, "on": day}}
    path = f"/alerts/v1/rechecks/{drawn['verification_id']}/result"
    refused = await alerts_client.post(path, json=body, headers=leader)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "recheck_out_of_time")


async def test_bursts_are_listed_for_the_township_page_by_page(
    alerts_client: httpx.AsyncClient, cadres: None, tell: Any, bearer: Bearer, leader: dict[str, str], rows: Rows
) -> None:
    await tell(*(risk(n) for n in range(10)))
    alerts = [row["alert_id"] for row in await rows("alert")]
    for one in alerts[:9]:
        await answer(alerts_client, one, bearer, contact={**VISIT, "minutes": 30})
    few = (await alerts_client.get("/alerts/v1/bursts", headers=leader)).json()["items"]
    assert [burst["kind"] for burst in few] == ["visits"]
    await answer(alerts_client, alerts[9], bearer, "moved", contact=None)
    county = bearer("county_admin", COUNTY, officer_no="C1")
    page = (await alerts_client.get("/alerts/v1/bursts?limit=1", headers=county)).json()
    more = await alerts_client.get(f"/alerts/v1/bursts?limit=1&cursor={page['next_cursor']}", headers=county)
    kinds = [burst["kind"] for one in (page, more.json()) for burst in one["items"]]
    assert sorted(kinds) == ["closings", "visits"]
    assert more.json()["next_cursor"] is None
    closings = next(b for one in (page, more.json()) for b in one["items"] if b["kind"] == "closings")
    assert (closings["officer_no"], closings["answers"]) == ("S1", 10)


async def test_who_answered_stays_out_of_it_when_it_waited_for_somebody(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    enlist: Any,
    tell: Any,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    house: House,
) -> None:
    await enlist(("S1", "village_secretary", VILLAGE))
    await tell(risk())
    (first,) = await rows("alert")
    await answer(alerts_client, first["alert_id"], bearer)
    (drawn,) = await rows("recheck")
    await check(alerts_client, drawn["verification_id"], leader, "identify")
    await house.run_worker("alerts", "rechecks")
    assert await house.run_worker("alerts", "route") == 0
    await enlist(("C1", "county_admin", COUNTY))
    assert await house.run_worker("alerts", "route") == 1
    (opened,) = await rows("alert", "status = 'open'")
    heard = await rows("assignment", "alert_id = $1", opened["alert_id"])
    assert [row["officer_no"] for row in heard] == ["C1"]


@pytest.mark.parametrize("concerned", ["family", "complaint"])
async def test_whom_the_first_alert_was_about_hears_nothing_of_the_second(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    enlist: Any,
    cadres: None,
    tell: Any,
    bearer: Bearer,
    leader: dict[str, str],
    rows: Rows,
    house: House,
    concerned: str,
) -> None:
    if concerned == "family":
        await enlist(("G1", "grid_worker", VILLAGE), household_no="H1")
        await tell(risk())
    else:
        fact = {"kind": "event.hardship_report", "occurred_on": "2026-03-10", "source": "hotline", "summary": "反映"}
        await tell(risk(evidence=[{**fact, "about_officer": "G1"}]))
    (first,) = await rows("alert")
    await answer(alerts_client, first["alert_id"], bearer)
    (drawn,) = await rows("recheck")
    await check(alerts_client, drawn["verification_id"], leader, "identify")
    await house.run_worker("alerts", "rechecks")
    (opened,) = await rows("alert", "status = 'open'")
    assigned = {row["officer_no"] for row in await rows("assignment", "alert_id = $1", opened["alert_id"])}
    assert assigned
    assert "G1" not in assigned
    barred = await rows("alert_barred", "alert_id = $1", opened["alert_id"])
    assert [row["officer_no"] for row in barred] == ["G1"]


async def test_rechecks_are_listed_nearest_deadline_first_page_by_page(
    alerts_client: httpx.AsyncClient,
    all_drawn: None,
    cadres: None,
    tell: Any,
    bearer: Bearer,
    rows: Rows,
    clock: FixedClock,
) -> None:
    await tell(*(risk(n) for n in range(4)))
    alerts = {row["household_no"]: row["alert_id"] for row in await rows("alert")}
    # Made by the clients: in whatever order they may be, the deadline decides; of two with the same one the id does.
    made = {"H0": 9, "H1": 3, "H2": 7, "H3": 5}
    for household, number in made.items():
        await answer(alerts_client, alerts[household], bearer, id=str(UUID(int=number)))
        clock.at += timedelta(days=1 if household != "H1" else 0)
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    seen, cursor = [], ""
    while True:
        page = (await alerts_client.get(f"/alerts/v1/rechecks?limit=1{cursor}", headers=leader)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [one["household_no"] for one in seen] == ["H0", "H1", "H2", "H3"]
    assert [one["due_at"] for one in seen] == sorted(one["due_at"] for one in seen)


@pytest.mark.parametrize(
    "position", [{"before": str(UUID(int=1))}, {"due": "2026-03-16", "id": str(UUID(int=1))}, {"due": "x", "id": "y"}]
)
async def test_a_recheck_cursor_of_another_kind_is_refused(
    alerts_client: httpx.AsyncClient, cadres: None, leader: dict[str, str], position: dict[str, str]
) -> None:
    path = f"/alerts/v1/rechecks?cursor={encode_cursor(position)}"
    refused = await alerts_client.get(path, headers=leader)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
