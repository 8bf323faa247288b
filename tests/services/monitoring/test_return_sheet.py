"""The monthly return sheet as a file: a liaison's own department, the county all of them."""

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from python_calamine import CalamineWorkbook

from services.monitoring.domain.return_sheet import HIDDEN, MISSES, RULES
from shared.runtime import Runtime
from tests.services.monitoring.build import answered, deliver
from tests.services.monitoring.test_effect import COUNTY, OUTCOMES, TOWNSHIP, warned

Bearer = Callable[..., dict[str, str]]
PATH = "/monitoring/v1/return-sheets"
DEPARTMENT = "医疗保障"


@pytest.fixture
async def verified(client: httpx.AsyncClient, monitoring_runtime: Runtime) -> None:
    items = await warned(monitoring_runtime, len(OUTCOMES))
    for item, outcome in zip(items, OUTCOMES, strict=True):
        await deliver(monitoring_runtime, answered(item, outcome=outcome, alert=f"A-{outcome}"))


async def sheet(client: httpx.AsyncClient, headers: dict[str, str], **query: str) -> list[list[str]]:
    answer = await client.get(PATH, headers=headers, params={"month": "2026-03", "format": "csv", **query})
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_the_county_gets_the_figures_with_misses_beside(
    client: httpx.AsyncClient, verified: None, bearer: Bearer
) -> None:
    lines = await sheet(client, bearer("county_admin", COUNTY))
    assert lines[0] == list(RULES)
    gap = lines.index([])
    assert lines[gap + 1] == list(MISSES)
    for line in lines[1:gap]:
        assert line[4:7] == ["4", "1", "25.0"]
        assert (line[9], line[10], line[13]) == ("2", "50.0", "1")
    assert await sheet(client, bearer("county_admin", COUNTY), department="没有这个部门") == [lines[0], *lines[gap:]]


async def test_a_liaison_gets_his_own_department_and_no_small_figure(
    client: httpx.AsyncClient, verified: None, bearer: Bearer
) -> None:
    own = bearer("liaison", COUNTY, officer_no="L1", department=DEPARTMENT)
    lines = await sheet(client, own)
    rules = lines[1 : lines.index([])]
    assert rules
    assert {line[2] for line in rules} == {DEPARTMENT}
    assert {line[4] for line in rules} == {HIDDEN}, "four households are fewer than five"
    other = await client.get(PATH, headers=own, params={"department": "民政"})
    assert (other.status_code, other.json()["code"]) == (403, "other_department")
    nobody = await client.get(PATH, headers=bearer("liaison", COUNTY, officer_no="L2"))
    assert (nobody.status_code, nobody.json()["code"]) == (403, "other_department")


async def test_as_a_workbook(client: httpx.AsyncClient, verified: None, bearer: Bearer) -> None:
    answer = await client.get(PATH, headers=bearer("county_admin", COUNTY), params={"month": "2026-03"})
    assert answer.status_code == 200
    assert "2026-03.xlsx" in answer.headers["content-disposition"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.get_sheet_by_index(0).to_python()[0] == list(RULES)
    assert ["月份", "2026-03"] in book.get_sheet_by_index(1).to_python()


async def test_the_month_before_is_the_default_and_every_download_is_noted(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    answer = await client.get(PATH, headers=bearer("county_admin", COUNTY), params={"format": "csv"})
    assert "2026-02.csv" in answer.headers["content-disposition"]
    row = await monitoring_runtime.worker_pool.fetchrow(
        "SELECT * FROM audit_log WHERE action = 'return_sheet.export'"
    )
    assert row is not None
    assert row["detail"] == {"month": "2026-02", "department": None, "rules": 0}


@pytest.mark.parametrize("month", ["2026-13", "202603", "2026-3", "1999-01", "x"])
async def test_a_month_is_a_month(month: str, client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await client.get(PATH, headers=bearer("county_admin", COUNTY), params={"month": month})
    assert answer.status_code == 422


async def test_it_is_for_the_county_and_its_liaisons(client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await client.get(PATH, headers=bearer("township_leader", TOWNSHIP, officer_no="T1"))
    assert answer.status_code == 403
    elsewhere = bearer("liaison", COUNTY, officer_no="L1", department=DEPARTMENT)
    answer = await client.get(PATH, headers=elsewhere, params={"division": "130625000000"})
    assert answer.status_code in (403, 404, 422)
