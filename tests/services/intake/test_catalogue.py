"""Every data set has a page, a template and an example; a county adds its own, by the same checks."""

import dataclasses
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml
from python_calamine import CalamineWorkbook

from services.intake import catalogue
from services.intake.catalogue import layouts, own_layout, shipped
from services.intake.pull_feed import pull_once
from services.intake.render_catalogue import render_data_set
from services.intake.watch_freshness import watch_freshness
from services.intake.write_template import ABOUT_SHEET, DATA_SHEET
from shared.clock import FixedClock
from tests.conftest import COUNTY, MORNING
from tests.services.intake.bad_files import XLSX
from tests.services.intake.build import Department, csv_text, medical_row, number
from tests.services.intake.workbooks import workbook

PAGE = "/intake/v1/catalogue"
OWN: dict[str, Any] = {
    "name": "own_charity_aid",
    "version": 1,
    "title": "慈善救助",
    "department": "民政",
    "department_title": "民政局",
    "kind": "transaction",
    "cadence": "monthly",
    "overdue_after_days": 40,
    "natural_key": ["aid_no"],
    "purpose": "掌握一次性救助",
    "legal_basis": "县级协议",
    "retention": {"rows_months": 24, "raw_days": 60},
    "owner": "民政局救助股",
    "columns": [
        {"name": "aid_no", "header": "救助编号", "type": "text", "required": True, "example": "CS001"},
        {"name": "person_name", "header": "姓名", "type": "text", "required": True, "personal": True},
        {
            "name": "identity_number",
            "header": "证件号码",
            "type": "identity_number",
            "required": True,
            "personal": True,
        },
        {"name": "given_on", "header": "发放日期", "type": "date", "required": True, "example": "2026-01-05"},
        {"name": "amount", "header": "金额", "type": "money_yuan", "required": True, "example": "500.00"},
    ],
    "facts": [
        {
            "kind": "income.transfer_one_off",
            "person": "identity_number",
            "occurred_on": "given_on",
            "amounts": {"amount_fen": "amount"},
        }
    ],
}
NAME = OWN["name"]
ROWS = csv_text(
    [{"救助编号": "CS1", "姓名": "王小明", "证件号码": number(1), "发放日期": "2026-01-05", "金额": "500"}]
)


@pytest.fixture(autouse=True)
async def forget() -> AsyncIterator[None]:
    """Each test has a database of its own, and the process remembers the last one's layouts."""
    catalogue._OWN = catalogue.Own()
    yield
    catalogue._OWN = catalogue.Own()


@pytest.fixture
def add(intake_client: httpx.AsyncClient, bearer: Any) -> Any:
    async def post(document: Any, *, division: str = COUNTY, mode: str = "save") -> httpx.Response:
        body = document if isinstance(document, bytes) else yaml.safe_dump(document, allow_unicode=True).encode()
        headers = {**bearer("county_admin", division), "Content-Type": "application/yaml"}
        return await intake_client.post("/intake/v1/layouts", params={"mode": mode}, content=body, headers=headers)

    return post


# --- pages, templates, examples -------------------------------------------------------------------------------


async def test_the_catalogue_lists_every_data_set_to_anybody(intake_client: httpx.AsyncClient) -> None:
    page = await intake_client.get(PAGE)
    assert page.status_code == 200
    assert all(f"{PAGE}/{name}" in page.text and layout.title in page.text for name, layout in layouts().items())


@pytest.mark.parametrize("name", sorted({name for name, _ in shipped()}))
async def test_a_data_set_has_a_page_a_template_and_an_example(name: str, intake_client: httpx.AsyncClient) -> None:
    layout = layouts()[name]
    page = (await intake_client.get(f"{PAGE}/{name}")).text
    assert all(text in page for c in layout.columns for text in (c.header, *c.synonyms, *c.codes))
    assert all(text in page for text in (layout.purpose, layout.legal_basis, layout.owner))
    example = await intake_client.get(f"{PAGE}/{name}/example.csv")
    assert example.status_code == 200
    book = CalamineWorkbook.from_filelike(
        io.BytesIO((await intake_client.get(f"{PAGE}/{name}/template.xlsx")).content)
    )
    title, header, *rows = book.get_sheet_by_name(DATA_SHEET).to_python()
    assert f"{name} v{layout.version}" in title[0]
    asked = [c for c in layout.columns if not c.withheld]
    assert header == [f"{c.header}*" if c.required else c.header for c in asked]
    assert rows == []
    assert book.get_sheet_by_name(ABOUT_SHEET).to_python()[:2] == [
        ["数据集版式", name],
        ["版式版本", str(layout.version)],
    ]


async def test_a_template_offers_codes_and_keeps_numbers_as_text(intake_client: httpx.AsyncClient) -> None:
    content = (await intake_client.get(f"{PAGE}/medical_settlement/template.xlsx")).content
    parts = zipfile.ZipFile(io.BytesIO(content))
    sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert 'type="list"' in sheet
    assert "住院" in parts.read("xl/sharedStrings.xml").decode()
    assert 'formatCode="@"' in parts.read("xl/styles.xml").decode()  # Text.
    assert any(name.startswith("xl/comments") for name in parts.namelist())


def _filled(template: bytes, *rows: Mapping[str, str]) -> bytes:
    """The template as a clerk sends it: its sheet of data with these rows below the header."""
    title, header = CalamineWorkbook.from_filelike(io.BytesIO(template)).get_sheet_by_name(DATA_SHEET).to_python()
    cells = [[row.get(str(text).removesuffix("*"), "") for text in header] for row in rows]
    return workbook(sheets={DATA_SHEET: [title, header, *cells], ABOUT_SHEET: [["数据集版式", "任意"]]})


async def test_a_template_filled_in_is_accepted(intake_client: httpx.AsyncClient, department: Department) -> None:
    template = (await intake_client.get(f"{PAGE}/medical_settlement/template.xlsx")).content
    sent = _filled(template, medical_row(0), medical_row(1))
    feed = await department.send("medical_settlement", sent, media_type=XLSX, unknown="reject")
    assert (feed["status"], feed["counts"]["accepted"], feed["report"]["skipped"]) == (
        "recorded",
        2,
        {"title_rows": 1},
    )


async def test_a_template_as_it_is_holds_no_rows(intake_client: httpx.AsyncClient, department: Department) -> None:
    template = (await intake_client.get(f"{PAGE}/medical_settlement/template.xlsx")).content
    feed = await department.send("medical_settlement", template, media_type=XLSX)
    assert (feed["status"], feed["counts"]["read"]) == ("recorded", 0)


async def test_a_template_of_an_older_version_is_refused_with_the_place_of_the_current_one(
    add: Any, intake_client: httpx.AsyncClient, department: Department
) -> None:
    await add(OWN)
    template = "/intake/v1/layouts/own_charity_aid/template.xlsx"
    old = (await intake_client.get(template, headers=department.headers)).content
    await add({**changed("facts/0/kind", "income.transfer_regular"), "version": 2})
    row = {"救助编号": "CS1", "姓名": "王小明", "证件号码": number(1), "发放日期": "2026-01-05", "金额": "500"}
    feed = await department.send("own_charity_aid", _filled(old, row), media_type=XLSX)
    assert (feed["status"], feed["problem"]["code"]) == ("rejected", "template_outdated")
    place = feed["problem"]["expected"]
    assert place == template
    current = (await intake_client.get(place, headers=department.headers)).content
    feed = await department.send("own_charity_aid", _filled(current, row), media_type=XLSX)
    assert (feed["status"], feed["counts"]["accepted"]) == ("recorded", 1)


def test_a_page_escapes_what_its_layout_says() -> None:
    page = render_data_set(own_layout({**OWN, "title": "<script>alert(1)</script>"}))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_an_unknown_page_is_not_found(intake_client: httpx.AsyncClient) -> None:
    for tail in ("", "/template.xlsx", "/example.csv"):
        assert (await intake_client.get(f"{PAGE}/no_such{tail}")).status_code == 404


# --- a county's own -------------------------------------------------------------------------------------------


async def test_a_county_adds_a_data_set_and_sends_it(add: Any, department: Department, said: Any) -> None:
    made = await add(OWN)
    assert (made.status_code, made.json()["division"]) == (201, COUNTY)
    feed = await department.send("own_charity_aid", ROWS)
    assert (feed["status"], feed["counts"]["accepted"]) == ("recorded", 1)
    observations = [o for _, payload, _ in await said() for o in payload.get("observations", ())]
    assert [(o["kind"], o["amount_fen"]) for o in observations] == [("income.transfer_one_off", 50_000)]


async def test_json_does_as_well_as_yaml(add: Any) -> None:
    assert (await add(json.dumps(OWN).encode())).status_code == 201


async def test_a_dry_run_saves_nothing(add: Any, intake_client: httpx.AsyncClient, bearer: Any) -> None:
    assert (await add(OWN, mode="dry_run")).status_code == 200
    answer = await intake_client.get("/intake/v1/layouts/own_charity_aid", headers=bearer("county_admin", COUNTY))
    assert answer.status_code == 404


async def test_the_same_again_changes_nothing_and_a_new_version_follows(add: Any, admin: Any) -> None:
    assert [(await add(OWN)).status_code for _ in range(2)] == [201, 201]
    assert (await add({**OWN, "version": 3})).json()["code"] == "layout_version_taken"
    assert (await add({**OWN, "title": "另一个"})).json()["code"] == "layout_version_taken"
    assert (await add({**OWN, "version": 2})).status_code == 201
    assert await admin.fetchval("SELECT array_agg(version ORDER BY version) FROM intake.own_layout") == [1, 2]


async def test_another_county_can_neither_take_the_name_nor_send_it(
    add: Any, intake_client: httpx.AsyncClient, bearer: Any
) -> None:
    await add(OWN)
    taken = await add({**OWN, "version": 2}, division="440981000000")
    assert (taken.status_code, taken.json()["errors"][0]["where"]) == (422, "body/name")
    headers = {**bearer("county_admin", "440981000000"), "Content-Type": "text/csv"}
    params = {"layout": "own_charity_aid"}
    sent = await intake_client.post("/intake/v1/feeds", params=params, content=ROWS.encode(), headers=headers)
    assert (sent.status_code, sent.json()["code"]) == (404, "layout_unknown")


NEIGHBOUR, WITHIN, ABOVE = "130625000000", "130624100000", "130000000000"


@pytest.mark.parametrize(("division", "known"), [(COUNTY, True), (WITHIN, True), (ABOVE, True), (NEIGHBOUR, False)])
async def test_what_a_county_added_is_known_to_itself_within_it_and_above_it(
    division: str, known: bool, add: Any, intake_client: httpx.AsyncClient, bearer: Any
) -> None:
    await add(OWN)
    headers = bearer("county_admin", division)

    async def told(path: str, **query: str) -> httpx.Response:
        return await intake_client.get(f"/intake/v1/{path}", params=query, headers=headers)

    listed, one, form = [await told(f"layouts{tail}") for tail in ("", f"/{NAME}", f"/{NAME}/template.xlsx")]
    assert (NAME in listed.text, one.status_code, form.status_code) == (known, *([200, 200] if known else [404, 404]))
    wrong = await told("layouts/no_such")
    fresh = await told("freshness")
    assert [NAME in answer.text for answer in (wrong, fresh)] == [known, known]
    connector = {"layout": NAME, "division": division, "url": "http://127.0.0.1:9/", "dialect": "bearer"}
    body = {**connector, "secret": "x", "schedule": "30 2 5 * *"}
    put = await intake_client.put("/intake/v1/connectors/c", json=body, headers=headers)
    assert (put.status_code == 404) is not known
    if not known:
        everything = listed.text + one.text + wrong.text + fresh.text + put.text
        assert not [text for text in (OWN["title"], "救助编号", f"现有: {NAME}") if text in everything]


async def test_the_public_pages_say_nothing_of_what_a_county_added(
    add: Any, intake_client: httpx.AsyncClient
) -> None:
    await add(OWN)
    pages = [await intake_client.get(f"{PAGE}{tail}") for tail in ("", f"/{NAME}", f"/{NAME}/template.xlsx", "/x")]
    assert [page.status_code for page in pages] == [200, 404, 404, 404]
    assert not [page for page in pages[:1] + pages[3:] if NAME in page.text or OWN["title"] in page.text]


async def test_a_county_owes_nothing_of_what_another_added(
    add: Any, department: Department, intake_client: httpx.AsyncClient, house: Any, bearer: Any, admin: Any
) -> None:
    await add(OWN)
    other = Department(intake_client, house, bearer("county_admin", NEIGHBOUR))
    for one in (department, other):
        await one.send("medical_settlement", csv_text([medical_row(1)]))
    runtime = (await house.app("intake")).state.runtime
    clock = FixedClock(house.clock.now() + timedelta(days=800))
    await watch_freshness(dataclasses.replace(runtime, clock=clock))
    rows = await admin.fetch("SELECT division FROM intake.data_notice WHERE layout = $1", NAME)
    assert [row["division"] for row in rows] == [COUNTY]


async def test_a_retired_data_set_is_not_received_and_may_come_back(
    add: Any, department: Department, intake_client: httpx.AsyncClient, bearer: Any
) -> None:
    await add(OWN)
    headers = bearer("county_admin", COUNTY)
    gone = [await intake_client.delete("/intake/v1/layouts/own_charity_aid", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 404]
    assert (await department.post("own_charity_aid", ROWS)).status_code == 404
    assert (await add({**OWN, "version": 2})).status_code == 201
    assert (await department.send("own_charity_aid", ROWS))["status"] == "recorded"


async def test_a_connector_of_a_retired_data_set_is_put_to_rest_and_said(
    add: Any, intake_client: httpx.AsyncClient, intake_runtime: Any, admin: Any, bearer: Any
) -> None:
    await add(OWN)
    headers = bearer("county_admin", COUNTY)
    connector = {"layout": NAME, "division": COUNTY, "url": "http://127.0.0.1:9/", "dialect": "bearer"}
    body = {**connector, "secret": "x", "schedule": "30 2 5 * *"}

    async def put() -> httpx.Response:
        settings = intake_runtime.settings.model_copy(update={"connector_allowed_hosts": ["127.0.0.1:*"]})
        intake_runtime.settings = settings
        return await intake_client.put("/intake/v1/connectors/aid", json=body, headers=headers)

    async def notices() -> list[tuple[str, str, str]]:
        await watch_freshness(intake_runtime)
        items = (await intake_client.get("/intake/v1/notices", headers=headers)).json()["items"]
        return [(item["kind"], item["title"], item["connector"]) for item in items]

    assert (await put()).status_code == 200
    assert (await intake_client.delete(f"/intake/v1/layouts/{NAME}", headers=headers)).status_code == 204
    await admin.execute("UPDATE intake.connector SET due_at = $1", MORNING)
    assert [await pull_once(intake_runtime), await pull_once(intake_runtime)] == [1, 0]
    rested = await admin.fetchrow("SELECT active, due_at, failure->>'code' AS code FROM intake.connector")
    assert tuple(rested) == (False, None, "layout_retired")
    assert await notices() == [("failing", "慈善救助", "aid")]
    assert "慈善救助" in await admin.fetchval("SELECT detail FROM intake.data_notice")

    assert (await put()).status_code == 404, "the data set is still out of use"
    await add({**OWN, "version": 2})
    assert await notices() == [("failing", "慈善救助", "aid")], "it rests until somebody sets it up anew"
    assert (await put()).status_code == 200
    assert await notices() == []


async def test_a_notice_of_a_data_set_nobody_knows_is_shown_by_its_name(
    intake_client: httpx.AsyncClient, admin: Any, bearer: Any
) -> None:
    await admin.execute(
        "INSERT INTO intake.data_notice (notice_id, kind, layout, department, division, connector, detail, opened_at)"
        " VALUES (gen_random_uuid(), 'late', 'own_gone', '民政', $1, '', '上次报送', $2)",
        COUNTY,
        MORNING,
    )
    answer = await intake_client.get("/intake/v1/notices", headers=bearer("county_admin", COUNTY))
    assert [item["title"] for item in answer.json()["items"]] == ["own_gone"]


def changed(path: str, value: Any) -> Any:
    document = json.loads(json.dumps(OWN))
    at: Any = document
    *keys, last = path.split("/")
    for key in keys:
        at = at[int(key) if key.isdecimal() else key]
    at[last] = value
    return document


WRONG: dict[str, tuple[Any, int, str]] = {
    "no YAML": (b"name: [", 400, "layout_unreadable"),
    "not UTF-8": ("名称: x".encode("gb18030"), 400, "layout_unreadable"),
    "aliases that multiply": (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", 400, "layout_unreadable"),
    "deep": (b"[" * 100_000, 400, "layout_unreadable"),  # Read to its end it would take hours.
    "deep in blocks": (b"- " * 50_000 + b"x", 400, "layout_unreadable"),
    "a list": (b"[]", 422, "layout_refused"),
    "empty": (b"", 422, "layout_refused"),
    "an unknown key": (changed("colour", "red"), 422, "layout_refused"),
    "a name of ours": (changed("name", "medical_settlement"), 422, "layout_refused"),
    "an unknown kind of fact": (changed("facts/0/kind", "event.lottery"), 422, "layout_refused"),
    "an unknown column": (changed("facts/0/person", "nobody"), 422, "layout_refused"),
    "an unknown type": (changed("columns/0/type", "colour"), 422, "layout_refused"),
    "a header twice": (changed("columns/1/header", "救助编号"), 422, "layout_refused"),
    "an example that cannot be read": (changed("columns/3/example", "2026-02-30"), 422, "layout_refused"),
    "a key that may be empty": (changed("natural_key", ["nobody"]), 422, "layout_refused"),
    "a version that is no number": (changed("version", "1"), 422, "layout_refused"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_layout_is_refused_with_its_place(name: str, add: Any, admin: Any) -> None:
    document, status, code = WRONG[name]
    answer = await add(document)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await admin.fetchval("SELECT count(*) FROM intake.own_layout") == 0


# --- replay ---------------------------------------------------------------------------------------------------


async def test_a_raw_file_is_read_again_by_a_new_version(
    add: Any, department: Department, intake_client: httpx.AsyncClient, house: Any, admin: Any
) -> None:
    await add(OWN)
    first = await department.send("own_charity_aid", ROWS)
    replay = f"/intake/v1/feeds/{first['id']}/replay"
    same = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    assert (same.status_code, same.json()["repeated"]) == (200, True)

    newer = {**changed("facts/0/kind", "income.transfer_regular"), "version": 2}
    await add(newer)
    answer = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    assert answer.status_code == 202
    await house.run_worker("intake", "ingest")
    again = await department.feed(answer.json()["id"])
    assert (again["layout_version"], again["status"], again["counts"]["changed"]) == (2, "recorded", 1)


async def test_a_workbook_is_read_again_from_the_sheet_that_its_sender_named(
    add: Any, department: Department, intake_client: httpx.AsyncClient, admin: Any
) -> None:
    await add(OWN)
    header, row = (line.split(",") for line in ROWS.splitlines())
    book = workbook(sheets={"一": [header, row], "二": [header, row]})
    first = await department.send("own_charity_aid", book, media_type=XLSX, sheet="二", unknown="reject")
    await add({**changed("facts/0/kind", "income.transfer_regular"), "version": 2})
    replay = f"/intake/v1/feeds/{first['id']}/replay"
    answer = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    assert answer.status_code == 202
    await department.house.run_worker("intake", "ingest")
    again = await department.feed(answer.json()["id"])
    assert (again["status"], again["report"]["file"]["sheet"]) == ("recorded", "二")
    assert await admin.fetchval("SELECT count(*) FROM intake.feed WHERE (unknown, sheet) = ('reject', '二')") == 2


async def test_a_workbook_made_from_an_older_template_is_read_by_its_headers_and_what_changed_is_said(
    add: Any, department: Department, intake_client: httpx.AsyncClient, bearer: Any
) -> None:
    await add(OWN)
    form = await intake_client.get(f"/intake/v1/layouts/{NAME}/template.xlsx", headers=department.headers)
    row = {"救助编号": "CS1", "姓名": "王小明", "证件号码": number(1), "发放日期": "2026-01-05", "金额": "500"}
    first = await department.send(NAME, _filled(form.content, row), media_type=XLSX)
    newer = {**changed("facts/0/kind", "income.transfer_regular"), "version": 2}
    amount = {**OWN["columns"][4], "header": "发放金额", "synonyms": ["金额"]}
    newer["columns"] = [*OWN["columns"][:4], amount, {"name": "giver", "header": "捐赠方", "type": "text"}]
    await add(newer)

    refused = await department.send(NAME, _filled(form.content, {**row, "救助编号": "CS2"}), media_type=XLSX)
    assert refused["problem"]["code"] == "template_outdated", (
        "what was never read before must come as it is asked now"
    )
    replay = f"/intake/v1/feeds/{first['id']}/replay"
    answer = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    assert answer.status_code == 202
    await department.house.run_worker("intake", "ingest")
    again = await department.feed(answer.json()["id"])
    assert (again["layout_version"], again["status"], again["counts"]["changed"]) == (2, "recorded", 1)
    assert again["report"]["file"]["template_version"] == 1
    assert again["report"]["replay"] == {
        "version_before": 1,
        "version": 2,
        "changes": ["列“发放金额”：原名“金额”", "新增列“捐赠方”", "一行所说明的监测内容有变化"],
    }
    whole = {"format": "original", "rows": "all"}
    path = f"/intake/v1/feeds/{again['id']}/errors"
    sender = bearer("liaison", COUNTY, department="民政")
    assert (await intake_client.get(path, params=whole, headers=sender)).status_code == 200


async def test_a_replay_that_was_refused_for_its_template_is_tried_again(
    add: Any, department: Department, intake_client: httpx.AsyncClient, admin: Any
) -> None:
    await add(OWN)
    form = await intake_client.get(f"/intake/v1/layouts/{NAME}/template.xlsx", headers=department.headers)
    row = {"救助编号": "CS1", "姓名": "王小明", "证件号码": number(1), "发放日期": "2026-01-05", "金额": "500"}
    first = await department.send(NAME, _filled(form.content, row), media_type=XLSX)
    await add({**OWN, "version": 2, "title": "救助"})
    replay = f"/intake/v1/feeds/{first['id']}/replay"
    answer = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    await admin.execute(
        "UPDATE intake.feed SET status = 'rejected', problem = $2, due_at = NULL WHERE feed_id = $1",
        answer.json()["id"],
        {"code": "template_outdated", "detail": "模板旧"},
    )
    again = await intake_client.post(replay, params={"mode": "partial"}, headers=department.headers)
    assert again.json()["id"] == answer.json()["id"]
    await department.house.run_worker("intake", "ingest")
    assert (await department.feed(again.json()["id"]))["status"] == "recorded"


async def test_what_is_destroyed_cannot_be_read_again(
    department: Department, intake_client: httpx.AsyncClient, admin: Any
) -> None:
    feed = await department.send("medical_settlement", csv_text([medical_row(1)]))
    await admin.execute("UPDATE intake.feed SET raw_destroyed_at = received_at, sealed_key = NULL")
    answer = await intake_client.post(f"/intake/v1/feeds/{feed['id']}/replay", headers=department.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "raw_file_destroyed")
