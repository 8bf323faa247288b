"""The edges of intake: what is refused and how, lists, exports, catalogue, freshness; every error is a problem."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.catalogue import layouts
from shared.web.problem import ProblemDocument
from shared.web.spreadsheet import defused
from tests.house.route_table import OPEN_DOORS
from tests.services.intake.build import (
    COUNTY,
    VILLAGE,
    Department,
    csv_text,
    disability_row,
    medical_row,
    register_row,
)

Bearer = Callable[..., dict[str, str]]
FEEDS = "/intake/v1/feeds"
GOOD = csv_text([medical_row(0)])


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    ProblemDocument.model_validate(answer.json())


FOREIGN = [
    ("xlsx", b"PK\x03\x04rest"),
    ("xls", b"\xd0\xcf\x11\xe0rest"),
    ("pdf", b"%PDF-1.7"),
    ("html", b"\n <!DOCTYPE html><table>"),
]
REFUSED: list[tuple[str, dict[str, str], bytes, str, int, str]] = [
    ("unknown layout", {"layout": "nothing"}, b"x", "text/csv", 404, "layout_unknown"),
    ("no layout", {}, b"x", "text/csv", 422, "validation_failed"),
    ("unknown parameter", {"layout": "medical_settlement", "dry": "1"}, b"x", "text/csv", 422, "unknown_parameter"),
    ("unknown mode", {"layout": "medical_settlement", "mode": "all"}, b"x", "text/csv", 422, "validation_failed"),
    ("bad period", {"layout": "medical_settlement", "period": "2026-13"}, b"x", "text/csv", 422, "period_refused"),
    ("future period", {"layout": "medical_settlement", "period": "2027"}, b"x", "text/csv", 422, "period_refused"),
    (
        "other county",
        {"layout": "medical_settlement", "division": "130625000000"},
        b"x",
        "text/csv",
        403,
        "division_out_of_range",
    ),
    ("no media type", {"layout": "medical_settlement"}, b"x", "", 415, "feed_format_unsupported"),
    ("plain text", {"layout": "medical_settlement"}, b"[{}]", "text/plain", 415, "feed_format_unsupported"),
    ("empty", {"layout": "medical_settlement"}, b"", "text/csv", 400, "feed_empty"),
    ("blank", {"layout": "medical_settlement"}, b"\xef\xbb\xbf \n", "text/csv", 400, "feed_empty"),
    *(
        (name, {"layout": "medical_settlement"}, content, "text/csv", 415, "feed_format_unsupported")
        for name, content in FOREIGN
    ),
]


@pytest.mark.parametrize(
    ("query", "body", "kind", "status", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
async def test_a_file_is_refused_with_a_problem(
    intake_client: httpx.AsyncClient,
    bearer: Bearer,
    admin: Any,
    query: dict[str, str],
    body: bytes,
    kind: str,
    status: int,
    code: str,
) -> None:
    headers = {**bearer(), **({"Content-Type": kind} if kind else {})}
    answer = await intake_client.post(FEEDS, params=query, content=body, headers=headers)
    is_problem(answer, status, code)
    assert await admin.fetchval("SELECT count(*) FROM intake.feed") == 0


async def test_a_department_sends_only_its_own_data_sets(
    intake_client: httpx.AsyncClient, house: Any, bearer: Bearer
) -> None:
    liaison = Department(intake_client, house, bearer("liaison", COUNTY, department="残联"))
    is_problem(await liaison.post("medical_settlement", GOOD), 403, "layout_of_another_department")
    assert (await liaison.send("disability_register", csv_text([disability_row(0)])))["status"] == "recorded"


async def test_a_department_sees_only_its_own_files(
    intake_client: httpx.AsyncClient, house: Any, department: Department, bearer: Bearer
) -> None:
    feed = await department.send("medical_settlement", GOOD)
    liaison = bearer("liaison", COUNTY, department="残联")
    for path in (f"{FEEDS}/{feed['id']}", f"{FEEDS}/{feed['id']}/errors"):
        is_problem(await intake_client.get(path, headers=liaison), 404, "feed_unknown")
    is_problem(await intake_client.post(f"{FEEDS}/{feed['id']}/confirm", headers=liaison), 404, "feed_unknown")
    assert (await intake_client.get(FEEDS, headers=liaison)).json()["items"] == []


async def test_files_of_other_places_look_like_none(
    intake_client: httpx.AsyncClient, department: Department, bearer: Bearer
) -> None:
    feed = await department.send("medical_settlement", GOOD)
    elsewhere = bearer("township_leader", "130624101000")
    is_problem(await intake_client.get(f"{FEEDS}/{feed['id']}", headers=elsewhere), 404, "feed_unknown")
    assert (await intake_client.get(FEEDS, headers=elsewhere)).json()["items"] == []


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/errors"])
async def test_reading_needs_its_scope(
    intake_client: httpx.AsyncClient, department: Department, bearer: Bearer, path: str
) -> None:
    url = FEEDS + path.format(id="01a204d8-ef70-7735-889f-e23c300d2364")
    is_problem(await intake_client.get(url), 401, "token_refused")
    is_problem(await intake_client.get(url, headers=bearer("grid_worker", VILLAGE)), 403, "scope_missing")


async def test_lists_come_in_pages_newest_first(department: Department) -> None:
    sent = [(await department.send("medical_settlement", csv_text([medical_row(i)])))["id"] for i in range(3)]
    seen, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await department.client.get(FEEDS, params=query, headers=department.headers)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sent[::-1]
    query = {"status": "rejected"}
    assert (await department.client.get(FEEDS, params=query, headers=department.headers)).json()["items"] == []
    is_problem(
        await department.client.get(FEEDS, params={"cursor": "x"}, headers=department.headers), 400, "invalid_cursor"
    )


async def test_errors_come_in_pages_and_as_one_csv(department: Department) -> None:
    rows = [medical_row(i, 就诊类别="=体检") for i in range(5)]
    feed = await department.send("medical_settlement", csv_text([*rows, medical_row(9)]))
    url, seen, cursor = f"{FEEDS}/{feed['id']}/errors", [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await department.client.get(url, params=query, headers=department.headers)).json()
        seen += [item["line"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [2, 3, 4, 5, 6]
    for options in ({"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}):
        headers = {**department.headers, **options.pop("headers", {})}
        answer = await department.client.get(url, headers=headers, **options)  # type: ignore[arg-type]
        assert answer.headers["content-type"].startswith("text/csv")
        table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert table[0][:4] == ["行号", "列", "错误代码", "级别"]
        assert [row[0] for row in table[1:]] == ["2", "3", "4", "5", "6"]
        assert {row[-1] for row in table[1:]} == {"'=体检"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_formulas_are_defused(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert defused("王" + text) == "王" + text


async def test_the_catalogue_describes_every_data_set(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    found = (await intake_client.get("/intake/v1/layouts", headers=bearer())).json()
    assert [item["name"] for item in found] == sorted(layouts())
    whole = (await intake_client.get("/intake/v1/layouts/medical_settlement", headers=bearer())).json()
    assert {"header": "结算日期", "type": "date", "required": True}.items() <= whole["columns"][3].items()
    assert whole["fact_kinds"] == ["expense.medical"]
    is_problem(await intake_client.get("/intake/v1/layouts/x", headers=bearer()), 404, "layout_unknown")


async def test_freshness_says_what_is_overdue(department: Department, house: Any, bearer: Bearer) -> None:
    async def fresh() -> dict[str, tuple[Any, bool]]:
        answer = await department.client.get("/intake/v1/freshness", headers=bearer())
        return {item["layout"]: (item["newest_on"], item["overdue"]) for item in answer.json()}

    assert set((await fresh()).values()) == {(None, True)}
    await department.send("medical_settlement", GOOD)
    await department.send("medical_settlement", csv_text([medical_row(1)]), mode="dry_run")
    await department.send("household_register", csv_text([register_row(1)]), period="2026")
    found = await fresh()
    assert found["medical_settlement"] == ("2026-01-05", False)
    assert found["disability_register"] == (None, True)
    house.clock.at += timedelta(days=41)
    found = await fresh()
    assert found["medical_settlement"] == ("2026-01-05", True)
    assert found["household_register"][1] is False


WITHOUT_TOKEN = {route.split()[1] for route in OPEN_DOORS}


async def test_the_openapi_description_is_whole(intake_client: httpx.AsyncClient) -> None:
    described = (await intake_client.get("/intake/openapi.json")).json()
    for path, methods in described["paths"].items():
        if not path.startswith("/intake/v1/") or f"GET {path}" in OPEN_DOORS or f"POST {path}" in OPEN_DOORS:
            continue
        for method, operation in methods.items():
            assert operation["summary"], path
            if path not in WITHOUT_TOKEN:
                assert {"401", "403"} <= operation["responses"].keys(), (path, method)
                assert operation["security"], (path, method)
    post = described["paths"]["/intake/v1/self-reports"]["post"]
    assert [p["name"] for p in post["parameters"]] == ["Idempotency-Key"]
    assert set(described["paths"][FEEDS]["post"]["requestBody"]["content"]) == {
        "text/csv",
        "text/tab-separated-values",
        "application/x-ndjson",
        "application/json",
        "application/gzip",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
