"""The national monitored list: read strictly, kept beside our decisions, compared and exported in its own columns."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import pytest
import xlsxwriter

from services.monitoring.domain.monitored_list import COLUMNS
from shared.clock import FixedClock
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.web.spreadsheet import XLSX
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    facts,
    number,
    observed,
    rostered,
    sent_at,
    settled,
)

LIST = "/monitoring/v1/monitored-list"
HEADER = (
    "户编号,户主姓名,户主证件号码,监测对象类别,识别监测时间,风险是否已消除,消除监测时间,风险消除方式,致贫/返贫风险1"
)
Bearer = Callable[..., dict[str, str]]
Take = Callable[..., Awaitable[httpx.Response]]
DECISION = {"listed_as": "marginal_at_risk", "decided_on": "2026-03-01", "document_no": "12号", "reason": "核实"}


def line(no: str = "F001", head: int | None = None, class_: str = "边缘易致贫户", **more: str) -> str:
    cells = {
        "identified": "202601",
        "is_removed": "否",
        "removed": "",
        "mode": "",
        "risk": "因病",
        "number": number(head) if head else "",
        **more,
    }
    named = [cells[name] for name in ("number", "identified", "is_removed", "removed", "mode", "risk")]
    return ",".join([no, "测试乙", named[0], class_, *named[1:]])


@pytest.fixture
async def county(monitoring_runtime: Runtime) -> Runtime:
    """Two poor and ill households in two villages, and one that is well off."""
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(
            runtime.keys,
            Home(wage_fen=1_000_000),
            Home(no="F002", people=(3, 4), division=OTHER_VILLAGE, wage_fen=1_000_000),
            Home(no="F003", people=(5,), wage_fen=9_000_000),
        ),
        settled(runtime.keys, 1, 1_200_000),
        settled(runtime.keys, 3, 1_200_000, record="S3"),
    )
    await assess_all(runtime)
    return runtime


@pytest.fixture
def take(county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Take:
    async def send(
        *lines: str,
        mode: str = "apply",
        encoding: str = "utf-8",
        header: str = HEADER,
        who: Any = None,
        content: bytes | None = None,
        **query: Any,
    ) -> httpx.Response:
        headers = {**(who or bearer("county_admin")), "Content-Type": "text/csv" if content is None else XLSX}
        if content is None:
            content = "\n".join([header, *lines]).encode(encoding)
        params = {"mode": mode, **query}
        return await monitoring_client.post(LIST, content=content, params=params, headers=headers)

    return send


async def took(answer: Awaitable[httpx.Response]) -> dict[str, Any]:
    done = await answer
    assert done.status_code == 200, done.text
    found: dict[str, Any] = done.json()
    return found


async def entries(runtime: Runtime) -> list[dict[str, Any]]:
    rows = await runtime.worker_pool.fetch("SELECT * FROM monitored_entry ORDER BY entry_id")
    return [dict(row) for row in rows]


async def compared(client: httpx.AsyncClient, headers: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{LIST}/comparison{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kinds(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["household_no"]: (one["kind"], one["because"]) for one in found["items"]}


# --- taking it in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_list_is_taken_in_and_changes_no_decision(county: Runtime, take: Take, encoding: str) -> None:
    found = await took(take(line(), line("X9", class_="突发严重困难户"), encoding=encoding))
    assert {name: found[name] for name in ("rows", "new", "matched", "unmatched", "applied")} == {
        "rows": 2,
        "new": 2,
        "matched": 1,
        "unmatched": 1,
        "applied": True,
    }
    [fact] = [each for each in await facts(county) if each["kind"] == "state.national_list"]
    assert (fact["household_no"], fact["value"], str(fact["occurred_on"])) == (
        "F001",
        "marginal_at_risk",
        "2026-01-01",
    )
    assert await county.worker_pool.fetchval("SELECT count(*) FROM household WHERE listed_as IS NOT NULL") == 0


def workbook(*lines: str, **cells: Any) -> bytes:
    """The list as a workbook below a blank row; `cells` replace cells of its first household."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("监测对象")
        for at, row in enumerate((HEADER, *lines), 1):
            for column, text in enumerate(row.split(",")):
                sheet.write(at, column, cells.get(HEADER.split(",")[column], text) if at == 2 else text)
    return file.getvalue()


async def test_a_workbook_is_taken_in_like_a_text(county: Runtime, take: Take) -> None:
    found = await took(take(content=workbook(line(head=1), line("X9"), 识别监测时间=202601)))
    assert (found["new"], found["matched"], found["unmatched"], found["errors"]) == (2, 1, 1, [])
    again = await took(take(line(head=1), line("X9")))
    assert again["import_id"] == found["import_id"]


async def test_a_cell_of_a_workbook_that_says_nothing_sure_is_told_by_its_row(county: Runtime, take: Take) -> None:
    lost = workbook(line(), line("X9", class_="没有"), 户主证件号码=float(number(1)[:17]))
    found = await took(take(content=lost, mode="dry_run"))
    assert [(one["line"], one["column"], one["code"]) for one in found["errors"]] == [
        (3, "户主证件号码", "precision_lost"),
        (4, "监测对象类别", "unknown"),
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\xd0\xcf\x11\xe0 old"])
async def test_what_is_no_workbook_is_refused(content: bytes, county: Runtime, take: Take) -> None:
    answer = await take(content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "monitored_list_unreadable")


async def test_a_trial_writes_nothing(county: Runtime, take: Take) -> None:
    found = await took(take(line(), mode="dry_run"))
    assert (found["new"], found["applied"], found["import_id"]) == (1, False, None)
    assert await entries(county) == []
    assert await county.worker_pool.fetchval("SELECT count(*) FROM monitored_import") == 0


async def test_the_same_list_again_changes_nothing(county: Runtime, take: Take) -> None:
    first = await took(take(line(), line("X9")))
    again = await took(take(line(), line("X9")))
    assert again["import_id"] == first["import_id"]
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert len(await entries(county)) == 2


async def test_a_newer_list_supersedes_and_overwrites_nothing(county: Runtime, take: Take, clock: FixedClock) -> None:
    await took(take(line(), as_of="2026-03-01"))
    removed = line(is_removed="是", removed="202603", mode="帮扶消除")
    await took(take(removed, as_of="2026-03-10"))
    old, new = await entries(county)
    assert (old["removed_on"], old["superseded_at"] is not None) == (None, True)
    assert (str(new["removed_on"]), new["removal_mode"], new["superseded_at"]) == ("2026-03-01", "帮扶消除", None)
    [fact] = [each for each in await facts(county) if each["kind"] == "state.national_list"]
    assert str(fact["ended_on"]) == "2026-03-01"
    older = await take(line(), as_of="2026-03-02")
    assert (older.status_code, older.json()["code"]) == (409, "monitored_list_does_not_fit")


async def test_who_is_missing_from_a_complete_list_is_not_on_it_any_more(county: Runtime, take: Take) -> None:
    await took(take(line(), line("F002"), as_of="2026-03-01"))
    part = await took(take(line(), as_of="2026-03-05"))
    assert part["vanished"] == 0, "a partial list ends nothing"
    brake = await take(line(), complete="true", as_of="2026-03-10")
    assert (brake.status_code, brake.json()["vanished"]) == (409, 1)
    done = await took(take(line(), complete="true", may_end=1, as_of="2026-03-10"))
    assert done["vanished"] == 1
    [gone] = [each for each in await entries(county) if each["vanished"]]
    assert gone["household_no"] == "F002"
    again = await took(take(line(), complete="true", as_of="2026-03-10"))
    assert again["vanished"] == 0


async def test_a_household_is_matched_by_its_heads_number_too(county: Runtime, take: Take) -> None:
    await took(take(line("国编001", head=3)))
    [entry] = await entries(county)
    assert entry["household_id"] == await county.worker_pool.fetchval(
        "SELECT household_id FROM household WHERE household_no = 'F002'"
    )
    assert number(3) not in str(entry)


WRONG = [
    (line(class_="边缘户"), "监测对象类别", "unknown"),
    (line(class_=""), "监测对象类别", "missing"),
    (line(no=""), "户编号", "missing"),
    (line(is_removed="也许"), "风险是否已消除", "not_yes_or_no"),
    (line(is_removed="是"), "消除监测时间", "missing"),
    (line(removed="202603"), "消除监测时间", "not_removed"),
    (line(is_removed="是", removed="202512"), "消除监测时间", "before_identified"),
    (line(identified="2026-13"), "识别监测时间", "date_format"),
    (line(identified="202604"), "识别监测时间", "day_out_of_range"),
    (line(identified="上月"), "识别监测时间", "date_format"),
    (line(risk="因懒"), "致贫/返贫风险1", "unknown"),
    (line(mode="自己好了"), "风险消除方式", "mode_unknown"),
    (line(number=number(1)[:17] + ("1" if number(1)[17] != "1" else "2")), "户主证件号码", "wrong_check_digit"),
    (line(no=number(1)), "户编号", "identity_number_misplaced"),
]


@pytest.mark.parametrize(("wrong", "column", "code"), WRONG)
async def test_a_wrong_row_is_told_and_nothing_written(
    county: Runtime, take: Take, wrong: str, column: str, code: str
) -> None:
    tried = await took(take(line("F002"), wrong, mode="dry_run"))
    [error] = tried["errors"]
    assert (error["line"], error["column"]) == (3, column)
    assert error["code"] == code
    assert number(1) not in str(tried)
    refused = await take(line("F002"), wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "monitored_list_refused")
    assert refused.json()["errors"][0]["where"] == f"line/3/{column}"
    assert await entries(county) == []


async def test_a_household_stands_once_in_a_list(take: Take, county: Runtime) -> None:
    [error] = (await took(take(line(), line(), mode="dry_run")))["errors"]
    assert (error["line"], error["code"]) == (3, "repeated")


async def test_columns_go_by_several_names_and_strange_ones_are_told(county: Runtime, take: Take) -> None:
    header = "户编码,户主,监测对象类型,风险是否消除,心情,*人数"
    found = await took(take("F001,测试乙,脱贫不稳定户,否,好,3", header=header))
    assert (found["matched"], found["unknown_columns"]) == (1, ["心情"])
    unreadable = await take("F001,否", header="户编号,风险是否已消除")
    assert (unreadable.status_code, unreadable.json()["code"]) == (400, "monitored_list_unreadable")
    assert "户主姓名" in unreadable.json()["detail"]


async def test_a_list_is_for_the_callers_place(county: Runtime, take: Take, bearer: Bearer) -> None:
    here = bearer("county_admin", VILLAGE)
    foreign = await take(line(), who=here, division="130624000000")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "out_of_range")
    wide = await take(line(), who=bearer("county_admin", "130000000000"), division="130000000000")
    assert (wide.status_code, wide.json()["errors"][0]["code"]) == (422, "too_wide")
    # A household elsewhere is as unknown as one that does not exist.
    found = await took(take(line("F002"), line("X9"), who=here))
    assert (found["matched"], found["unmatched"]) == (0, 2)


# --- comparing -----------------------------------------------------------------------------------------------


async def decide(client: httpx.AsyncClient, headers: dict[str, str], no: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(
        f"/monitoring/v1/households/{no}/decisions", json={**DECISION, **more}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_differs_is_told_by_kind(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    assert kinds(await compared(monitoring_client, admin)) == {
        "F001": ("should_enter", "recommended"),
        "F002": ("should_enter", "recommended"),
    }
    await took(take(line(), line("F002"), line("F003"), line("X9")))
    assert kinds(await compared(monitoring_client, admin)) == {
        "F001": ("not_listed_here", "no_decision"),
        "F002": ("not_listed_here", "no_decision"),
        "F003": ("should_remove", "no_risk_seen"),
        "X9": ("unknown_here", "unknown"),
    }
    await decide(monitoring_client, admin, "F001")
    await decide(monitoring_client, admin, "F002", listed_as="sudden_hardship")
    await decide(monitoring_client, admin, "F003")
    await decide(monitoring_client, admin, "F003", listed_as=None, decided_on="2026-03-15")
    found = await compared(monitoring_client, admin)
    assert kinds(found) == {
        "F002": ("class_differs", "class"),
        "F003": ("should_remove", "removed"),
        "X9": ("unknown_here", "unknown"),
    }
    assert found["agree"] == 1
    assert {each["kind"]: each["households"] for each in found["counts"]} == {
        "should_enter": 0,
        "should_remove": 1,
        "class_differs": 1,
        "not_listed_here": 0,
        "unknown_here": 1,
    }
    await took(take(line(is_removed="是", removed="202602"), as_of="2026-03-15"))
    assert kinds(await compared(monitoring_client, admin))["F001"] == ("should_enter", "listed")


async def test_counts_below_sum_up_and_their_queries_list(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    await took(take(line("F003")))
    found = await compared(monitoring_client, admin)
    for each in found["counts"]:
        below = sum(one["counts"].get(each["kind"], 0) for one in found["by_division"])
        answer = await monitoring_client.get(each["query"], headers=admin)
        assert (below, len(answer.json()["items"])) == (each["households"], each["households"])
    page = await compared(monitoring_client, admin, "?limit=1")
    rest = await compared(monitoring_client, admin, f"?limit=1&cursor={page['next_cursor']}")
    assert [one["household_no"] for one in (*page["items"], *rest["items"])] == ["F001", "F002"]


async def test_a_comparison_shows_the_range_and_the_post(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await took(take(line(), line("F002"), line("X9")))
    here = await compared(monitoring_client, bearer("village_secretary", VILLAGE))
    assert set(kinds(here)) == {"F001"}
    masked = await compared(monitoring_client, bearer("auditor"))
    assert {one["head_name"] for one in masked["items"]} == {"测*乙", "测*丁"}
    answer = await monitoring_client.get(f"{LIST}/comparison", headers=bearer("grid_worker", VILLAGE))
    assert answer.status_code == 403
    async with scoped(county.pool, VILLAGE) as connection:
        assert await connection.fetchval("SELECT count(*) FROM monitored_entry") == 1
        assert await connection.fetchval("SELECT count(*) FROM monitored_import") == 0


async def feed_tells(runtime: Runtime, sent: datetime, **households: str | None) -> None:
    """The department's feed lists these households; one with a day is on it no more since then."""
    said = [
        {
            "record": no,
            "kind": "state.national_list",
            "household_no": no,
            "occurred_on": "2026-01-05",
            "ended_on": ended,
            "value": "marginal_at_risk",
        }
        for no, ended in households.items()
    ]
    await deliver(runtime, observed(said, sent=sent, feed=f"list-{sent:%m%d%H}", data_set="monitored_list"))


async def test_the_newer_of_import_and_feed_is_compared_and_named(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    admin = bearer("county_admin")
    nothing = await compared(monitoring_client, admin)
    assert (nothing["source"], nothing["as_of"]) == (None, None)
    await feed_tells(county, sent_at(5), F001=None, F003=None, X9=None, X8="2026-02-01")
    found = await compared(monitoring_client, admin)
    assert (found["source"], found["as_of"]) == ("feed", "2026-03-05")
    assert kinds(found) == {
        "F001": ("not_listed_here", "no_decision"),
        "F002": ("should_enter", "recommended"),
        "F003": ("should_remove", "no_risk_seen"),
        "X9": ("unknown_here", "unknown"),
    }
    await took(take(line("F002"), as_of="2026-03-04"))
    older = await compared(monitoring_client, admin)
    assert (older["source"], kinds(older)["F001"]) == ("feed", ("not_listed_here", "no_decision"))
    await took(take(line("F002"), as_of="2026-03-05"))
    newer = await compared(monitoring_client, admin)
    assert (newer["source"], newer["as_of"]) == ("import", "2026-03-05"), "the same day: what came later"
    assert kinds(newer) == {
        "F001": ("should_enter", "recommended"),
        "F002": ("not_listed_here", "no_decision"),
    }
    await feed_tells(county, sent_at(6), F001="2026-03-06")
    last = await compared(monitoring_client, bearer("village_secretary", VILLAGE))
    assert (last["source"], last["as_of"]) == ("feed", "2026-03-06"), "a village is compared by its county's list"
    assert kinds(last)["F001"] == ("should_enter", "recommended")


async def test_an_import_of_one_place_overtakes_the_feed_there_alone(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await feed_tells(county, sent_at(5), F001=None, F002=None)
    await took(take(line(), division=VILLAGE, as_of="2026-03-10"))
    found = await compared(monitoring_client, bearer("county_admin"))
    assert (found["source"], found["as_of"]) == ("both", "2026-03-10")
    assert {no: kind for no, (kind, _) in kinds(found).items()} == {
        "F001": "not_listed_here",
        "F002": "not_listed_here",
    }
    await took(take(line(is_removed="是", removed="202603"), division=VILLAGE, as_of="2026-03-11"))
    found = await compared(monitoring_client, bearer("county_admin"))
    assert {no: kind for no, (kind, _) in kinds(found).items()} == {
        "F001": "should_enter",
        "F002": "not_listed_here",
    }


# --- exporting -----------------------------------------------------------------------------------------------


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_the_export_has_the_national_columns_and_masks(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("county_admin")
    await decide(monitoring_client, headers, "F001")
    answer = await monitoring_client.get(f"{LIST}/export", headers=headers)
    [row] = table(answer)
    assert tuple(row) == COLUMNS
    assert (row["户编号"], row["户主姓名"], row["监测对象类别"]) == ("F001", "测*乙", "边缘易致贫户")
    assert (row["识别监测时间"], row["风险是否已消除"], row["致贫/返贫风险1"]) == ("202603", "否", "因病")
    assert (row["人数"], row["户类型"], row["工资性收入"], row["县"]) == ("2", "一般农户", "10000.00", "阜平县")
    assert number(1) not in answer.text
    audited = await admin.fetchrow("SELECT * FROM monitoring.audit_log WHERE action = 'monitored_list.export'")
    assert audited is not None


async def test_numbers_are_revealed_for_a_purpose_and_audited(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("county_admin")
    await decide(monitoring_client, headers, "F001")
    answer = await monitoring_client.post(f"{LIST}/export", json={"purpose": "录入国家系统"}, headers=headers)
    [row] = table(answer)
    assert (row["户主姓名"], row["户主证件号码"]) == ("测试乙", number(1))
    purpose = await admin.fetchval("SELECT purpose FROM monitoring.audit_log WHERE action = 'monitored_list.reveal'")
    assert purpose == "录入国家系统"
    assert (await monitoring_client.post(f"{LIST}/export", json={}, headers=headers)).status_code == 422
    system = await monitoring_client.post(f"{LIST}/export", json={"purpose": "x"}, headers=bearer())
    assert (system.status_code, system.json()["code"]) == (403, "reveal_not_allowed")
    masked = table(await monitoring_client.get(f"{LIST}/export", headers=bearer()))
    assert (masked[0]["户主姓名"], masked[0]["工资性收入"]) == ("测*乙", ""), "a system sees no amounts"


async def test_what_is_to_be_entered_is_exported_and_taken_back_in(
    county: Runtime, take: Take, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """Export of what the national system lacks; its own export then agrees with ours."""
    headers = bearer("county_admin")
    await decide(monitoring_client, headers, "F001")
    query = "?households=should_enter&encoding=gb18030"
    answer = await monitoring_client.get(f"{LIST}/export{query}", headers=headers)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("gb18030"))))
    assert [row["户编号"] for row in rows] == ["F001", "F002"]
    revealed = await monitoring_client.post(f"{LIST}/export", json={"purpose": "录入"}, headers=headers)
    back = await monitoring_client.post(
        f"{LIST}?mode=apply", content=revealed.content, headers={**headers, "Content-Type": "text/csv"}
    )
    assert (back.status_code, back.json()["matched"], back.json()["errors"]) == (200, 1, [])
    found = await compared(monitoring_client, headers)
    assert (found["agree"], kinds(found)) == (1, {"F002": ("should_enter", "recommended")})


# --- decisions -----------------------------------------------------------------------------------------------


async def test_a_removal_says_what_speaks_against_it_and_goes_through(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin")
    entered = await decide(monitoring_client, headers, "F001")
    assert entered["removal_blockers"] == []
    await assess_all(county)
    removed = await decide(monitoring_client, headers, "F001", listed_as=None, decided_on="2026-03-15")
    assert removed["action"] == "remove"
    assert removed["removal_blockers"], "a poor and ill household, listed for two weeks"
    history = (await monitoring_client.get("/monitoring/v1/households/F001/history", headers=headers)).json()
    assert history["decisions"][0]["removal_blockers"] == removed["removal_blockers"]


async def test_decisions_follow_each_other(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin")
    await decide(monitoring_client, headers, "F001", decided_on="2026-03-10")
    path = "/monitoring/v1/households/F001/decisions"
    early = {**DECISION, "listed_as": None, "decided_on": "2026-03-09"}
    answer = await monitoring_client.post(path, json=early, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "decision_day_out_of_range")
    await decide(monitoring_client, headers, "F001", listed_as=None, decided_on="2026-03-10")
