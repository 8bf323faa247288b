"""Deputies, absences, helpers of a household, and that no warning is without a person."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.alerts.domain.duty import LADDER
from services.alerts.domain.officer_list import LEVEL_OF_ROLE
from shared.vocabulary.division import DivisionLevel
from tests.conftest import House
from tests.services.alerts.places import COUNTY, FAR_VILLAGE, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]


async def heard(rows: Rows) -> dict[str, str]:
    return {row["officer_no"]: row["reach"] for row in await rows("assignment", "until IS NULL")}


async def away(client: httpx.AsyncClient, county: dict[str, str], officer_no: str, first: str, last: str) -> None:
    body = {"officer_no": officer_no, "first_day": first, "last_day": last}
    answer = await client.post("/alerts/v1/absences", json=body, headers=county)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("first", "last", "hears"),
    [
        ("2026-03-16", "2026-03-20", {"G1": "duty", "S1": "duty"}),
        ("2026-03-15", "2026-03-15", {"G1": "duty", "F1": "deputy"}),
        ("2026-03-10", "2026-03-14", {"G1": "duty", "S1": "duty"}),
    ],
)
async def test_while_he_is_away_his_deputy_hears(
    cadres: None,
    enlist: Enlist,
    tell: Tell,
    rows: Rows,
    alerts_client: httpx.AsyncClient,
    county: dict[str, str],
    first: str,
    last: str,
    hears: dict[str, str],
) -> None:
    await enlist(("S1", "village_secretary", VILLAGE), deputy_no="F1")
    await away(alerts_client, county, "S1", first, last)
    await tell(risk())
    assert await heard(rows) == hears


async def test_without_a_deputy_the_level_above_hears_and_the_county_is_told(
    cadres: None, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    await away(alerts_client, county, "G1", "2026-03-15", "2026-03-15")
    await tell(risk())
    assert await heard(rows) == {"S1": "duty"}
    (notice,) = await rows("inbox_item", "kind = 'data_notice'")
    assert notice["officer_no"] == "C1"
    assert "网格员" in notice["body"]


async def test_a_deputy_from_another_village_is_refused(
    cadres: None, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    body = {"officer_no": "S1", "role": "village_secretary", "division": VILLAGE, "valid_from": "2026-03-15"}
    codes = []
    for deputy in ("S2", "S1", "X9", "F1", "T1"):
        answer = await alerts_client.post("/alerts/v1/duties", json={**body, "deputy_no": deputy}, headers=county)
        codes.append(answer.json()["errors"][0]["code"] if answer.status_code == 422 else answer.json()["deputy_no"])
    assert codes == ["deputy_elsewhere", "own_deputy", "officer_unknown", "F1", "T1"]


async def test_the_new_posts_hear_a_red_warning_and_are_no_gap_elsewhere(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows
) -> None:
    await enlist(("B1", "village_cadre", VILLAGE), ("D1", "township_deputy", TOWNSHIP))
    await tell(risk(1, severity="red"))
    assert await heard(rows) == dict.fromkeys(("G1", "S1", "F1", "B1", "D1", "T1"), "duty")
    assert await rows("inbox_item", "kind = 'data_notice'") == []


async def test_a_missing_new_level_falls_through(enlist: Enlist, tell: Tell, rows: Rows) -> None:
    await enlist(
        ("D1", "township_deputy", TOWNSHIP), ("T1", "township_leader", TOWNSHIP), ("C1", "county_admin", COUNTY)
    )
    await tell(risk())
    assert await heard(rows) == {"D1": "fallthrough"}
    assert {row["level"] for row in await rows("assignment")} == {5}


async def test_a_liaison_holds_no_step_of_the_ladder(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await enlist(("L1", "liaison", COUNTY), department="教育局")
    await tell(risk(severity="red"))
    assert "L1" not in await heard(rows)
    (alert,) = await rows("alert")
    answer = await alerts_client.post(
        f"/alerts/v1/alerts/{alert['alert_id']}/handover",
        json={"to_officer_no": "L1", "reason": "外出"},
        headers=bearer("village_secretary", VILLAGE, officer_no="S1"),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "colleague_not_on_duty")


async def test_a_json_list_tells_departments_and_deputies(
    cadres: None, alerts_client: httpx.AsyncClient, county: dict[str, str], rows: Rows
) -> None:
    liaison = {"officer_no": "L1", "name": "联络员", "role": "liaison", "division": COUNTY}
    refused = await alerts_client.post("/alerts/v1/officers", json=[liaison], headers=county)
    assert refused.json()["errors"][0]["where"] == "line/1/部门"
    told = {**liaison, "department": "教育局", "deputy_no": "C1", "household_no": "H9"}
    assert (await alerts_client.post("/alerts/v1/officers", json=[told], headers=county)).status_code == 200
    (officer,) = await rows("officer", "officer_no = 'L1'")
    assert (officer["department"], officer["household_no"]) == ("教育局", "H9")


# --- pairing -------------------------------------------------------------------------------------------------


def pairing(officer_no: str, **changes: Any) -> dict[str, Any]:
    base = {"household_no": "H1", "officer_no": officer_no, "division": VILLAGE, "since": "2026-03-01"}
    return {**base, **changes}


async def test_the_helper_hears_of_his_household_and_of_no_other(
    cadres: None, tell: Tell, rows: Rows, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    answer = await alerts_client.post("/alerts/v1/pairings", json=pairing("T1"), headers=county)
    assert (answer.status_code, answer.json()["name"]) == (200, "干部T1")
    await tell(risk(1))
    assert await heard(rows) == {"G1": "duty", "S1": "duty", "T1": "paired"}
    await tell(risk(2))
    assert len(await rows("inbox_item", "officer_no = 'T1'")) == 1


@pytest.mark.parametrize(
    ("changes", "hears"),
    [
        ({"until": "2026-03-15"}, False),
        ({"until": "2026-03-16"}, True),
        ({"since": "2026-03-16"}, False),
        ({"since": "2026-03-15"}, True),
    ],
)
async def test_a_pairing_counts_from_its_first_day_until_before_its_last(
    cadres: None,
    tell: Tell,
    rows: Rows,
    alerts_client: httpx.AsyncClient,
    county: dict[str, str],
    changes: dict[str, str],
    hears: bool,
) -> None:
    assert (
        await alerts_client.post("/alerts/v1/pairings", json=pairing("T1", **changes), headers=county)
    ).status_code == 200
    await tell(risk())
    assert ("T1" in await heard(rows)) is hears


async def test_the_rule_asks_for_a_high_post_and_a_reason_for_the_exception(
    cadres: None, tell: Tell, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    await tell(risk(1), risk(2, severity="yellow", recommendation=None), risk(3, listed_as="marginal_at_risk"))

    async def code(officer_no: str, **changes: Any) -> str:
        answer = await alerts_client.post("/alerts/v1/pairings", json=pairing(officer_no, **changes), headers=county)
        return str(answer.json()["errors"][0]["code"]) if answer.status_code == 422 else "ok"

    assert await code("G1") == "pairing_against_rule"  # Orange, and nobody says it is 一般农户.
    assert await code("G1", base_group="general") == "ok"
    assert await code("G1", household_no="H2") == "ok"
    assert await code("G1", household_no="H3", base_group="general") == "pairing_against_rule"
    assert await code("S1", household_no="H3") == "ok"
    assert await code("S2", household_no="H2") == "pairing_against_rule"  # Of another village.
    assert await code("G1", household_no="H3", reason="本户要求") == "ok"
    assert await code("X9") == "officer_unknown"
    gaps = await alerts_client.get("/alerts/v1/duties/gaps?kind=pairing_rule", headers=county)
    assert [(item["household_no"], item["officer_no"]) for item in gaps.json()["items"]] == [("H3", "G1")]


async def test_nobody_helps_his_own_household(
    cadres: None, enlist: Enlist, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    await enlist(("S1", "village_secretary", VILLAGE), household_no="H1")
    answer = await alerts_client.post("/alerts/v1/pairings", json=pairing("S1", reason="本户要求"), headers=county)
    assert answer.json()["errors"][0]["code"] == "own_household"


async def test_a_helper_is_proposed_for_who_has_none(
    cadres: None, enlist: Enlist, tell: Tell, alerts_client: httpx.AsyncClient, county: dict[str, str]
) -> None:
    await enlist(("F1", "first_secretary", VILLAGE), household_no="H3")
    await tell(*(risk(n) for n in (1, 2, 3)), risk(4, severity="yellow", recommendation=None))
    await alerts_client.post("/alerts/v1/pairings", json=pairing("S1"), headers=county)
    answer = await alerts_client.get("/alerts/v1/pairings/proposals", headers=county)
    proposed = {item["household_no"]: item["officer_no"] for item in answer.json()["items"]}
    assert proposed == {"H2": "F1", "H3": "T1", "H4": "G1"}
    first = await alerts_client.get("/alerts/v1/pairings/proposals?limit=1", headers=county)
    rest = await alerts_client.get(
        "/alerts/v1/pairings/proposals", params={"cursor": first.json()["next_cursor"]}, headers=county
    )
    assert len(rest.json()["items"]) == 2


# --- gaps ----------------------------------------------------------------------------------------------------


async def test_gaps_are_reported_by_division(
    cadres: None, enlist: Enlist, alerts_client: httpx.AsyncClient, county: dict[str, str], bearer: Bearer
) -> None:
    await enlist(("G1", "grid_worker", VILLAGE), households="101")
    await enlist(("G2", "grid_worker", OTHER_VILLAGE), households="100")
    await enlist(*((("M1", "grid_worker", f"1306241002{n:02d}")) for n in (2, 3, 4, 5)))
    await away(alerts_client, county, "S1", "2026-04-01", "2026-04-02")

    async def gaps(**query: str) -> dict[str, Any]:
        answer = await alerts_client.get("/alerts/v1/duties/gaps", params={"limit": "200", **query}, headers=county)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    here = await gaps(division=VILLAGE)
    kinds = [(item["kind"], item["role"], item["officer_no"]) for item in here["items"]]
    assert kinds == [
        ("absent_without_deputy", "village_secretary", "S1"),
        ("grid_too_large", "grid_worker", "G1"),
    ]
    assert (here["items"][1]["number"], here["uncounted_grids"]) == (101, 1)
    there = await gaps(division=OTHER_VILLAGE)
    assert [(i["kind"], i["role"], i["detail"]) for i in there["items"]] == [
        ("post_empty", "first_secretary", "没有驻村第一书记")
    ]
    whole = await gaps()
    assert whole["counts"]["too_many_duties"] == 1
    assert "一人担任 4 个岗位" in str(await gaps(kind="too_many_duties"))
    assert whole["counts"]["post_empty"] > 100
    wide = await alerts_client.get(
        "/alerts/v1/duties/gaps", headers=bearer("county_admin", "130000000000", officer_no="P")
    )
    assert wide.json()["code"] == "division_too_wide"


async def test_pages_of_gaps_show_each_once(alerts_client: httpx.AsyncClient, county: dict[str, str]) -> None:
    seen: list[str] = []
    params = {"division": TOWNSHIP, "limit": "7"}
    while True:
        page = (await alerts_client.get("/alerts/v1/duties/gaps", params=params, headers=county)).json()
        seen += [f"{item['division']['code']} {item['role']}" for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == page["counts"]["post_empty"]


# --- nobody forgotten ----------------------------------------------------------------------------------------

PLACES = {
    DivisionLevel.VILLAGE: [VILLAGE, OTHER_VILLAGE, FAR_VILLAGE],
    DivisionLevel.TOWNSHIP: [TOWNSHIP, "130624203000"],
    DivisionLevel.COUNTY: [COUNTY],
}


@pytest.mark.parametrize("seed", range(6))
async def test_every_alert_has_a_listener_or_is_counted_and_written_down(
    enlist: Enlist,
    tell: Tell,
    rows: Rows,
    house: House,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    county: dict[str, str],
    seed: int,
) -> None:
    """Random duty tables with deputies, absences and own families, down to nobody at all."""
    chance = random.Random(seed)
    posts = [
        (f"O{chance.randrange(6)}", role.value, chance.choice(PLACES[LEVEL_OF_ROLE[role]]))
        for role in LADDER
        if role != "county_admin" or seed % 2
        for _ in range(chance.randrange(3))
    ]
    if posts:
        await enlist(*posts)
    for officer_no in {post[0] for post in posts}:
        if chance.random() < 0.4:
            await admin.execute(
                "INSERT INTO alerts.absence (officer_no, first_day, last_day, recorded_at) VALUES ($1, $2, $3, $4)",
                officer_no,
                house.clock.today() - timedelta(days=1),
                house.clock.today(),
                house.clock.now(),
            )
        if chance.random() < 0.4:
            household = f"H{chance.randrange(6)}"
            await admin.execute(
                "UPDATE alerts.officer SET household_no = $2 WHERE officer_no = $1", officer_no, household
            )
    villages = PLACES[DivisionLevel.VILLAGE]
    await tell(
        *(risk(n, living_division=villages[n % 3], registered_division=villages[n // 2 % 3]) for n in range(6))
    )
    await house.run_worker("alerts", "route")
    alone = await admin.fetch(
        "SELECT alert_id FROM alerts.alert a WHERE NOT EXISTS (SELECT FROM alerts.assignment s"
        " WHERE s.alert_id = a.alert_id AND s.until IS NULL)"
    )
    told = await rows("notification", "recipient IS NULL AND decision = 'suppress'")
    assert {row["alert_id"] for row in alone} <= {row["alert_id"] for row in told}
    gaps = (await alerts_client.get("/alerts/v1/duties/gaps?kind=unrouted", headers=county)).json()
    assert sum(item["number"] for item in gaps["items"]) == len(alone)
    barred = await admin.fetchval(
        "SELECT count(*) FROM alerts.alert_barred b JOIN alerts.assignment s USING (alert_id, officer_no)"
        " WHERE s.until IS NULL"
    )
    assert barred == 0
