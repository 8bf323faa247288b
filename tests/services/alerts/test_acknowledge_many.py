"""Acknowledging many at once: each for itself, and one that is closed or elsewhere stops none."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
PATH = "/alerts/v1/alerts/acknowledge"


async def test_each_is_answered_for_itself(
    alerts_client: httpx.AsyncClient, cadres: None, tell: Any, bearer: Bearer, rows: Any
) -> None:
    elsewhere = {"living_division": OTHER_VILLAGE, "registered_division": OTHER_VILLAGE}
    await tell(risk(1), risk(2), risk(3), risk(4, **elsewhere))
    ids = {row["household_no"]: str(row["alert_id"]) for row in await rows("alert")}
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    closed = await alerts_client.post(
        f"/alerts/v1/alerts/{ids['H2']}/verification", json={"outcome": "moved"}, headers=secretary
    )
    assert closed.status_code == 200
    asked = [ids["H3"], ids["H2"], ids["H4"], ids["H1"], str(uuid4())]
    answer = await alerts_client.post(PATH, json={"alert_ids": asked}, headers=secretary)
    results = [(item["alert_id"], item["result"]) for item in answer.json()["items"]]
    words = ["acknowledged", "closed", "unknown", "acknowledged", "unknown"]
    assert results == list(zip(asked, words, strict=True))
    again = await alerts_client.post(PATH, json={"alert_ids": asked}, headers=secretary)
    assert again.json() == answer.json()
    assert len(await rows("alert_log", "action = 'acknowledge'")) == 2
    assert len(await rows("audit_log", "action = 'alert.acknowledge'")) == 2


async def test_two_hundred_and_no_more(
    alerts_client: httpx.AsyncClient, cadres: None, bearer: Bearer, tell: Any, rows: Any
) -> None:
    await tell(*(risk(n) for n in range(200)))
    county = bearer("county_admin", COUNTY, officer_no="C1")
    ids = [str(row["alert_id"]) for row in await rows("alert")]
    answer = await alerts_client.post(PATH, json={"alert_ids": ids}, headers=county)
    assert {item["result"] for item in answer.json()["items"]} == {"acknowledged"}
    assert {row["status"] for row in await rows("alert")} == {"acknowledged"}
    for wrong in ([*ids, str(uuid4())], []):
        assert (await alerts_client.post(PATH, json={"alert_ids": wrong}, headers=county)).status_code == 422
