"""Correction tickets: opened by a visitor's answer, ended by a corrected record or the department's reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.services.alerts.places import COUNTY, VILLAGE, finding, risk

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
DEPARTMENT = "医保局"


@pytest.fixture
async def wrong(alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer) -> UUID:
    """An alert that was closed because the data is wrong."""
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    answer = await alerts_client.post(
        f"/alerts/v1/alerts/{alert}/verification", json={"outcome": "data_wrong"}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return alert


def liaison(bearer: Bearer, department: str = DEPARTMENT) -> dict[str, str]:
    return bearer("liaison", COUNTY, officer_no="L1", department=department)


async def tickets(client: httpx.AsyncClient, headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/alerts/v1/tickets", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_wrong_data_opens_a_ticket_for_its_department(
    alerts_client: httpx.AsyncClient, wrong: UUID, bearer: Bearer
) -> None:
    [ticket] = await tickets(alerts_client, liaison(bearer))
    assert (ticket["alert_id"], ticket["department"], ticket["state"]) == (str(wrong), DEPARTMENT, "open")
    assert ticket["indicators"] == ["medical_self_pay"]
    assert await tickets(alerts_client, liaison(bearer, "民政局")) == []
    assert await tickets(alerts_client, liaison(bearer), overdue="true") == []


async def test_the_department_says_it_mended_it_and_the_record_ends_it(
    alerts_client: httpx.AsyncClient, wrong: UUID, bearer: Bearer, tell: Callable[..., Any]
) -> None:
    [ticket] = await tickets(alerts_client, liaison(bearer))
    path = f"/alerts/v1/tickets/{ticket['ticket_id']}/reply"
    body = {"reply": "mended", "note": "结算重复，已冲销"}
    assert (await alerts_client.post(path, json=body, headers=liaison(bearer))).json()["state"] == "answered"
    # Told again as it was: nothing is corrected.
    await tell(risk(facts_version=11, opens=False, withheld_because="依据未变"))
    assert [one["state"] for one in await tickets(alerts_client, liaison(bearer))] == ["answered"]
    await tell(
        risk(facts_version=12, findings=[finding("100.00", state="clear")], opens=False, withheld_because="无")
    )
    assert [one["state"] for one in await tickets(alerts_client, liaison(bearer))] == ["corrected"]
    late = await alerts_client.post(path, json=body, headers=liaison(bearer))
    assert (late.status_code, late.json()["code"]) == (409, "ticket_closed")


async def test_a_department_that_stands_by_its_data_says_why(
    alerts_client: httpx.AsyncClient, wrong: UUID, bearer: Bearer
) -> None:
    [ticket] = await tickets(alerts_client, liaison(bearer))
    path = f"/alerts/v1/tickets/{ticket['ticket_id']}/reply"
    village = bearer("village_secretary", VILLAGE, officer_no="S1")
    other = await alerts_client.post(path, json={"reply": "stands", "note": "不属实"}, headers=village)
    assert (other.status_code, other.json()["code"]) == (403, "ticket_of_another_department")
    kept = await alerts_client.post(
        path, json={"reply": "stands", "note": "已调取发票核对无误"}, headers=liaison(bearer)
    )
    assert (kept.json()["state"], kept.json()["reply"]) == ("kept", "已调取发票核对无误")
    assert kept.json()["closed_at"] is not None


@pytest.mark.parametrize("department", ["民政局", None])
async def test_a_ticket_of_another_department_cannot_be_told_from_none(
    alerts_client: httpx.AsyncClient, wrong: UUID, bearer: Bearer, department: str | None
) -> None:
    [ticket] = await tickets(alerts_client, liaison(bearer))
    headers = bearer("liaison", COUNTY, officer_no="L2", department=department)
    told = [
        (answer.status_code, {**answer.json(), "instance": None, "request_id": None})
        for number in (ticket["ticket_id"], str(uuid4()))
        for answer in [
            await alerts_client.post(
                f"/alerts/v1/tickets/{number}/reply", json={"reply": "stands", "note": "不属实"}, headers=headers
            )
        ]
    ]
    assert told[0] == told[1]
    assert (told[0][0], told[0][1]["code"]) == (404, "ticket_unknown")


async def test_a_liaison_of_no_department_sees_none(
    alerts_client: httpx.AsyncClient, wrong: UUID, bearer: Bearer
) -> None:
    assert await tickets(alerts_client, bearer("liaison", COUNTY, officer_no="L1")) == []
    assert await tickets(alerts_client, bearer("liaison", COUNTY, officer_no="L1"), department=DEPARTMENT) == []
