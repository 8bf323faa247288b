"""The visit list: a village on one page, what is due first at the top, each reader's own fields."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.vocabulary.identifiers import new_id
from shared.web.page import encode_cursor
from tests.services.alerts.places import OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
PATH = "/alerts/v1/visit-list"

pytestmark = pytest.mark.usefixtures("cadres")


@pytest.fixture
def township(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("township_leader", TOWNSHIP, officer_no="T1")


async def _tell(tell: Tell) -> None:
    for number, hours in ((1, 48), (2, 4), (3, 24)):
        await tell(risk(number, clocks={"acknowledge_hours": hours, "verify_days": 7}))
    await tell(risk(4, living_division=OTHER_VILLAGE))


async def test_the_nearest_deadline_comes_first_page_by_page(
    tell: Tell, alerts_client: httpx.AsyncClient, township: dict[str, str]
) -> None:
    await _tell(tell)
    seen, cursor = [], None
    while True:
        params = {"division": VILLAGE, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await alerts_client.get(PATH, params=params, headers=township)).json()
        seen += [item["household_no"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["H2", "H3", "H1"]


async def test_what_is_acknowledged_is_due_when_it_must_be_verified(
    tell: Tell, alerts_client: httpx.AsyncClient, township: dict[str, str], rows: Rows, bearer: Bearer
) -> None:
    await _tell(tell)
    (alert,) = await rows("alert", "household_no = 'H2'")
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    await alerts_client.post(f"/alerts/v1/alerts/{alert['alert_id']}/acknowledge", json={}, headers=headers)
    items = (await alerts_client.get(PATH, params={"division": VILLAGE}, headers=township)).json()["items"]
    assert [item["household_no"] for item in items] == ["H3", "H1", "H2"]


async def test_each_post_sees_its_own_fields(tell: Tell, alerts_client: httpx.AsyncClient, bearer: Bearer) -> None:
    await tell(risk())

    async def seen(role: str, division: str) -> dict[str, Any]:
        answer = await alerts_client.get(PATH, headers=bearer(role, division, officer_no="X1"))
        (item,) = answer.json()["items"]
        return dict(item)

    grid, leader = await seen("grid_worker", VILLAGE), await seen("township_leader", TOWNSHIP)
    assert (grid["name"], grid["phone"], grid["causes"]) == ("张建国", "19900000001", ["illness"])
    assert "票据" in grid["look_at"][0]
    assert grid["recommendation"] is None
    assert "12345.60" not in str(grid)
    assert leader["findings"][0]["item"]["measured"] == "12345.60"


async def test_the_file_holds_the_list_and_leaves_a_trace(
    tell: Tell, alerts_client: httpx.AsyncClient, township: dict[str, str], rows: Rows
) -> None:
    await _tell(tell)
    refused = await alerts_client.get(PATH, params={"format": "csv"}, headers=township)
    assert (refused.status_code, refused.json()["code"]) == (422, "purpose_missing")
    params = {"division": VILLAGE, "format": "csv", "purpose": "入户走访"}
    answer = await alerts_client.get(PATH, params=params, headers=township)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("时限,是否超期,村,户编号")
    assert [line.split(",")[3] for line in lines[1:]] == ["H2", "H3", "H1"]
    assert len(await rows("audit_log", "action = 'visit_list.export'")) == 1
    book = await alerts_client.get(PATH, params={**params, "format": "xlsx"}, headers=township)
    assert zipfile.is_zipfile(io.BytesIO(book.content))


@pytest.mark.parametrize("cursor", ["x", "eyJkdWUiOiJ4IiwiaWQiOiJ4In0", "eyJkdWUiOiIyMDI2LTAxLTAxIiwiaWQiOiJ4In0"])
async def test_a_broken_cursor_is_refused(
    alerts_client: httpx.AsyncClient, township: dict[str, str], cursor: str
) -> None:
    answer = await alerts_client.get(PATH, params={"cursor": cursor}, headers=township)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == "invalid_cursor"


async def test_what_waits_for_a_second_officer_stands_in_the_file_too(
    tell: Tell, alerts_client: httpx.AsyncClient, township: dict[str, str], bearer: Bearer, rows: Rows
) -> None:
    await tell(risk(severity="red"))
    (alert,) = await rows("alert")
    answer = {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}}
    path, secretary = (
        f"/alerts/v1/alerts/{alert['alert_id']}/verification",
        bearer("village_secretary", VILLAGE, officer_no="S1"),
    )
    assert (await alerts_client.post(path, json=answer, headers=secretary)).json()["status"] == "confirming"
    params = {"division": VILLAGE, "format": "csv", "purpose": "入户走访"}
    file = await alerts_client.get(PATH, params=params, headers=township)
    assert (file.status_code, "待复核" in file.text) == (200, True)


@pytest.mark.parametrize("due", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-16", "x"])
async def test_a_made_up_cursor_is_refused_or_finds_what_it_says(
    tell: Tell, alerts_client: httpx.AsyncClient, township: dict[str, str], due: str
) -> None:
    await tell(risk())
    cursor = encode_cursor({"due": due, "id": str(new_id())})
    answer = await alerts_client.get(PATH, params={"cursor": cursor}, headers=township)
    assert answer.status_code in (200, 400, 422), answer.text
