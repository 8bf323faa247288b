"""A ledger (台账) leaves masked, for a purpose that is written down, and no cell of it is a formula."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring import export_households
from shared.runtime import Runtime
from tests.services.monitoring.counted_county import COUNTY, VILLAGES, add

HOUSEHOLDS = "/monitoring/v1/households"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
async def three(monitoring_runtime: Runtime, admin: asyncpg.Connection) -> Runtime:
    await admin.execute("SET search_path = monitoring")
    await add(admin, 1, VILLAGES[0], listed_as="marginal_at_risk", severity=4, phone="19900000001")
    await add(admin, 2, VILLAGES[0], head_name="=1+1", household_no="@SUM(A1)")
    await add(admin, 3, VILLAGES[3], severity=3)
    return monitoring_runtime


async def fetch(client: httpx.AsyncClient, headers: dict[str, str], **asked: str) -> httpx.Response:
    return await client.get(HOUSEHOLDS, params={"purpose": "县级会商", **asked}, headers=headers)


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_a_csv_holds_the_list_masked(
    three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    answer = await fetch(monitoring_client, bearer("county_admin"), format="csv", listed_as="marginal_at_risk")
    [row] = rows_of(answer)
    assert (row["户编号"], row["户主（隐名）"], row["居住地"]) == ("D00001", "测*乙", "第一山村村民委员会")
    assert (row["已纳入类别"], row["预警等级"], row["建议类别"]) == ("边缘易致贫户", "红色", "")
    assert "19900000001" not in answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="households.csv"'


async def test_no_cell_is_a_formula(three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> None:
    rows = rows_of(await fetch(monitoring_client, bearer("county_admin"), format="csv"))
    assert rows[1]["户编号"] == "'@SUM(A1)"
    assert rows[1]["户主（隐名）"].startswith("'=")
    cells = cells_of(await fetch(monitoring_client, bearer("county_admin"), format="xlsx"))
    assert "@SUM(A1)" in cells


def cells_of(answer: httpx.Response) -> str:
    """The sheet's XML: texts stand in it as texts, and no formula does."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        notes = book.read("xl/worksheets/sheet2.xml").decode()
    assert "<f>" not in sheet
    assert "县级会商" in notes
    return sheet


async def test_an_xlsx_holds_the_same(three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = bearer("county_admin")
    sheet = cells_of(await fetch(monitoring_client, headers, format="xlsx"))
    rows = re.findall(r"<row .*?</row>", sheet, re.DOTALL)
    texts = [re.findall(r"<t[^>]*>(.*?)</t>", row) for row in rows]
    assert [row[0] for row in texts] == ["户编号", "D00001", "@SUM(A1)", "D00003"]
    assert texts[0] == list(rows_of(await fetch(monitoring_client, headers, format="csv"))[0])


async def test_each_export_is_written_down_with_its_purpose(
    three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    await fetch(monitoring_client, bearer("county_admin"), format="csv", severity="red", division=VILLAGES[0])
    [row] = await admin.fetch("SELECT * FROM monitoring.audit_log")
    assert (row["action"], row["object"], row["purpose"]) == (
        "households.export",
        f"division:{VILLAGES[0]}",
        "县级会商",
    )
    assert row["detail"] == {
        "format": "csv",
        "households": 1,
        "filters": {"division": VILLAGES[0], "severity": "red"},
    }


async def test_without_a_purpose_nothing_leaves(
    three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    for format_ in ("csv", "xlsx"):
        refused = await monitoring_client.get(f"{HOUSEHOLDS}?format={format_}", headers=bearer("county_admin"))
        assert (refused.status_code, refused.json()["code"]) == (422, "purpose_missing")
    assert await admin.fetchval("SELECT count(*) FROM monitoring.audit_log") == 0


async def test_a_file_holds_the_readers_range_and_fields_only(
    three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    rows = rows_of(await fetch(monitoring_client, bearer("grid_worker", VILLAGES[3]), format="csv"))
    assert [row["户编号"] for row in rows] == ["D00003"]
    assert not rows[0].keys() & {"已纳入类别", "建议类别", "得分"}
    refused = await fetch(monitoring_client, bearer("grid_worker", VILLAGES[3]), format="csv", listed_as="none")
    assert (refused.status_code, refused.json()["code"]) == (403, "filter_not_allowed")


async def test_a_list_of_several_pages_is_whole_and_one_too_long_is_refused(
    three: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(export_households, "PAGE", 1)
    headers = bearer("county_admin", COUNTY)
    assert len(rows_of(await fetch(monitoring_client, headers, format="csv"))) == 3
    monkeypatch.setattr(export_households, "MOST_ROWS", 2)
    refused = await fetch(monitoring_client, headers, format="csv")
    assert (refused.status_code, refused.json()["code"]) == (422, "export_too_large")
