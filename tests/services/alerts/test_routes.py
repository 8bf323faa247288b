"""Tables of routes: imported whole or not at all, in force by day, asked for each warning, explained to who asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.alerts.domain.duty import roles_hearing
from services.alerts.rules_in_force import NATIONAL, national_routes
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.vocabulary.terms import Severity
from shared.web.spreadsheet import XLSX
from tests.conftest import House
from tests.services.alerts.places import COUNTY, FAR_VILLAGE, TOWNSHIP, VILLAGE, risk
from tests.services.intake.build import number
from tests.services.monitoring.test_read_change_rows import workbook

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]

ROOT = {
    "node": "全县",
    "tell": "网格员",
    "escalate": "村书记>分管领导>县级专班",
    "group_by": "村、等级",
    "group_wait": "30秒",
    "group_interval": "5分钟",
    "repeat_interval": "1天",
    "calendar": "工作日历",
}
ILLNESS = {"node": "因病", "parent": "全县", "match": "原因=因病", "tell": "第一书记", "continue": "是"}
TOWN = {"node": "城关", "parent": "全县", "match": "乡镇=130624100", "tell": "村书记", "urgent": True}
TABLE: list[dict[str, Any]] = [ROOT, ILLNESS, TOWN]
OTHER: list[dict[str, Any]] = [{**ROOT, "tell": "分管领导"}]


@pytest.fixture
def call(alerts_client: httpx.AsyncClient, county: dict[str, str]) -> Callable[..., Any]:
    async def ask(method: str, path: str, json: Any = None, *, code: int = 200, **more: Any) -> Any:
        headers = more.pop("headers", county)
        answer = await alerts_client.request(method, f"/alerts/v1/{path}", json=json, headers=headers, **more)
        assert answer.status_code == code, answer.text
        return answer.json()

    return ask


@pytest.fixture
def enforce(call: Callable[..., Any], house: House) -> Callable[..., Any]:
    """Put a table and put it into force, so many days from the test's day on; its version."""

    async def put(table: list[dict[str, Any]], days: int = 0) -> str:
        version: str = (await call("PUT", "routes", table))["draft"]["version"]
        since = house.clock.today() + timedelta(days=days)
        await call("POST", f"routes/versions/{version}/activate", {"valid_from": str(since)})
        return version

    return put


# --- the shipped default ------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", [None, *Severity])
def test_the_shipped_routes_tell_whom_the_duty_ladder_tells(severity: Severity | None) -> None:
    routing = national_routes().routing({"severity": (severity,) if severity else ()})
    assert routing.plan.tell == roles_hearing(severity)
    assert routing.plan.is_urgent is (severity is Severity.RED)


async def test_an_alert_remembers_by_which_node_it_was_routed(
    tell: Tell, cadres: None, rows: Rows, call: Callable[..., Any]
) -> None:
    await tell(risk(1), risk(2, severity="red"))
    found = {row["household_no"]: (row["route_version"], row["route_nodes"]) for row in await rows("alert")}
    assert found == {"H1": (NATIONAL, ["全部"]), "H2": (NATIONAL, ["红色"])}
    (alert,) = await rows("alert", "household_no = 'H1'")
    await tell(risk(1, facts_version=11, severity="red"))
    await tell(risk(1, facts_version=12, severity="red"))
    view = await call("GET", f"alerts/{alert['alert_id']}")
    assert (view["route_version"], view["route_nodes"]) == (NATIONAL, ["红色"])
    routed = [entry["detail"] for entry in view["timeline"] if entry["action"] == "routed"]
    assert [detail["nodes"] for detail in routed] == [["全部"], ["红色"]]
    assert routed[0]["tell"] == ["grid_worker", "village_secretary"]


# --- the county's own ---------------------------------------------------------------------------------------


async def test_the_countys_table_says_who_is_told(
    tell: Tell, cadres: None, rows: Rows, enforce: Callable[..., Any]
) -> None:
    version = await enforce(TABLE)
    await tell(risk(1), risk(2, causes=["schooling"]))
    alerts = {row["household_no"]: row for row in await rows("alert")}
    assert {no: row["route_version"] for no, row in alerts.items()} == {"H1": version, "H2": version}
    assert [alerts[no]["route_nodes"] for no in ("H1", "H2")] == [["因病", "城关"], ["城关"]]
    heard = {
        no: {a["officer_no"] for a in await rows("assignment", "alert_id = $1", row["alert_id"])}
        for no, row in alerts.items()
    }
    assert heard == {"H1": {"F1", "S1"}, "H2": {"S1"}}


async def test_another_countys_alerts_keep_the_shipped_routes(
    tell: Tell, cadres: None, rows: Rows, enforce: Callable[..., Any]
) -> None:
    await enforce(TABLE)
    await tell(risk(living_division="130625100202", registered_division="130625100202"))
    (alert,) = await rows("alert")
    assert alert["route_version"] == NATIONAL


async def test_a_version_holds_from_its_day_on_and_not_before(
    tell: Tell, cadres: None, rows: Rows, enforce: Callable[..., Any], call: Callable[..., Any], house: House
) -> None:
    first, second = await enforce(TABLE), await enforce(OTHER, days=2)
    start = house.clock.at
    for days, expected in ((1, first), (2, second)):
        house.clock.at = start.replace(hour=23, minute=59) if days == 1 else start.replace(hour=0, minute=0)
        house.clock.at += timedelta(days=days)
        await tell(risk(days))
        (alert,) = await rows("alert", "household_no = $1", f"H{days}")
        assert alert["route_version"] == expected
    house.clock.at, today = start, start.date()
    for days, expected in ((-1, NATIONAL), (0, first), (1, first), (2, second)):
        asked = await call("GET", f"routes?on={today + timedelta(days=days)}")
        assert asked["version"] == expected
    assert [row["node"] for row in (await call("GET", f"routes?version={first}"))["lines"]] == [
        "全县",
        "因病",
        "城关",
    ]


async def test_the_later_activation_of_a_day_holds(
    enforce: Callable[..., Any], call: Callable[..., Any], house: House
) -> None:
    await enforce(TABLE)
    house.clock.at += timedelta(seconds=1)
    second = await enforce(OTHER)
    assert (await call("GET", "routes"))["version"] == second


async def test_a_label_of_the_evidence_is_asked_for(
    tell: Tell, cadres: None, rows: Rows, enforce: Callable[..., Any]
) -> None:
    await enforce(
        [ROOT, {"node": "医保", "parent": "全县", "match": "来源部门=医保局; 指标=~medical.*", "tell": "村书记"}]
    )
    await tell(risk(1), risk(2, evidence=[]))
    found = {row["household_no"]: row["route_nodes"] for row in await rows("alert")}
    assert found == {"H1": ["医保"], "H2": ["全县"]}


async def test_a_version_that_can_no_longer_be_read_leaves_nobody_alone(
    tell: Tell, cadres: None, rows: Rows, enforce: Callable[..., Any], admin: asyncpg.Connection
) -> None:
    version = await enforce(TABLE)
    await admin.execute('UPDATE alerts.route_version SET lines = \'[{"line": 1, "node": "x", "tell": "村长"}]\'')
    await tell(risk())
    assert version
    assert {row["officer_no"] for row in await rows("assignment")} == {"G1", "S1"}


# --- drafts and versions ------------------------------------------------------------------------------------


async def test_a_draft_says_what_is_otherwise_and_changes_nothing_yet(call: Callable[..., Any], enforce: Any) -> None:
    first = await call("PUT", "routes", TABLE)
    assert first["difference"]["against"] == NATIONAL
    assert set(first["difference"]["removed"]) == {"全部", "红色"}
    assert (await call("GET", "routes"))["version"] == NATIONAL
    again = await call("PUT", "routes", TABLE)
    assert again["draft"] == first["draft"]
    version = await enforce(TABLE)
    changed = await call("PUT", "routes", [{**ROOT, "group_wait": "1分钟"}, TOWN, ILLNESS, {**TOWN, "node": "新"}])
    assert changed["difference"] == {
        "version": "130624-2",
        "against": version,
        "added": ["新"],
        "removed": [],
        "changed": [{"node": "全县", "cells": [{"column": "分组等待", "before": "30秒", "after": "1分钟"}]}],
        "reordered": True,
    }
    shown = await call("GET", "routes/versions/130624-2/difference")
    assert shown == changed["difference"]
    listed = await call("GET", "routes/versions?limit=1")
    rest = await call("GET", f"routes/versions?cursor={listed['next_cursor']}")
    assert [one["version"] for one in (*listed["items"], *rest["items"])] == ["130624-2", version]


async def test_a_version_in_force_is_not_activated_again_nor_for_the_past(
    call: Callable[..., Any], enforce: Callable[..., Any], house: House
) -> None:
    version = await enforce(TABLE)
    today = house.clock.today()
    body = {"valid_from": str(today)}
    assert (await call("POST", f"routes/versions/{version}/activate", body, code=409))[
        "code"
    ] == "route_version_active"
    draft = (await call("PUT", "routes", OTHER))["draft"]["version"]
    past = {"valid_from": str(today - timedelta(days=1))}
    refused = await call("POST", f"routes/versions/{draft}/activate", past, code=422)
    assert refused["errors"][0]["code"] == "in_the_past"
    missing = await call("POST", "routes/versions/130624-99/activate", body, code=404)
    assert missing["code"] == "route_version_unknown"


async def test_a_system_puts_a_draft_and_a_person_activates_it(call: Callable[..., Any], bearer: Bearer) -> None:
    system = bearer(None, COUNTY)
    draft = (await call("PUT", "routes", TABLE, headers=system))["draft"]["version"]
    body = {"valid_from": "2026-03-15"}
    await call("POST", f"routes/versions/{draft}/activate", body, headers=system, code=403)


async def test_the_database_itself_lets_no_request_change_a_version(
    enforce: Callable[..., Any], alerts_runtime: Runtime
) -> None:
    await enforce(TABLE)
    for sql in ("UPDATE route_version SET lines = '[]'", "DELETE FROM route_version"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with scoped(alerts_runtime.pool, COUNTY) as connection:
                await connection.execute(sql)


async def test_routes_are_seen_from_below_and_kept_in_ones_own_county(
    call: Callable[..., Any], bearer: Bearer, enforce: Callable[..., Any]
) -> None:
    version = await enforce(TABLE)
    village = bearer("village_secretary", VILLAGE, officer_no="S1")
    assert (await call("GET", "routes", headers=village))["version"] == version
    neighbour = bearer("county_admin", "130625000000", officer_no="C9")
    assert (await call("GET", "routes", headers=neighbour))["version"] == NATIONAL
    assert (await call("GET", "routes/versions", headers=neighbour))["items"] == []
    await call("GET", f"routes?version={version}", headers=neighbour, code=404)
    await call("GET", f"routes?division={COUNTY}", headers=neighbour, code=403)
    body = {"valid_from": "2026-03-15"}
    await call("POST", f"routes/versions/{version}/activate", body, headers=neighbour, code=404)
    await call("PUT", "routes", TABLE, headers=bearer("county_admin", VILLAGE, officer_no="C8"), code=403)
    province = bearer("county_admin", "130000000000", officer_no="P1")
    assert (await call("PUT", "routes", TABLE, headers=province, code=422))["code"] == "county_needed"
    assert (await call("PUT", f"routes?division={COUNTY}", OTHER, headers=province))["draft"]["division"] == COUNTY


# --- files and mistakes -------------------------------------------------------------------------------------

HEADERS = (
    "节点",
    "上级节点",
    "条件",
    "继续匹配",
    "通知角色",
    "升级链",
    "分组",
    "分组等待",
    "分组间隔",
    "重复间隔",
    "日历",
)
LINE = ("全县", "", "", "", "网格员", "县级管理员", "村", "0", "5分钟", "1天", "全天")
CHILD = ("红", "全县", "等级=红色", "是", "乡镇分管领导", "", "", "", "", "", "")


async def test_csv_and_workbooks_say_the_same(
    alerts_client: httpx.AsyncClient, county: dict[str, str], rows: Rows
) -> None:
    sheet = "\r\n".join(",".join(line) for line in (HEADERS, LINE, CHILD))
    bodies = [
        (sheet.encode("utf-8-sig"), "text/csv"),
        (sheet.encode("gb18030"), "text/csv; charset=gb18030"),
        (workbook(LINE, CHILD, headers=HEADERS), XLSX),
    ]
    for content, kind in bodies:
        headers = {**county, "content-type": kind}
        answer = await alerts_client.put("/alerts/v1/routes", content=content, headers=headers)
        assert answer.status_code == 200, answer.text
    assert len(await rows("route_version")) == 1


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"\xff\xfe\x00", "text/csv", 400, "route_table_unreadable"),
        ('节点,"'.encode(), "text/csv", 400, "route_table_unreadable"),
        ("节点,颜色\n".encode(), "text/csv", 400, "route_table_unreadable"),
        ("节点,上级节点,条件\n".encode(), "text/csv", 400, "route_table_unreadable"),
        ("节点,上级节点,条件,通知角色\n全,,,村书记,多\n".encode(), "text/csv", 400, "route_table_unreadable"),
        (b"PK", XLSX, 400, "route_table_unreadable"),
        (b"{}", "application/json", 400, "route_table_unreadable"),
        (b"[]", "application/json", 422, "route_table_refused"),
        (b'[{"node": 1}]', "application/json", 422, "route_table_refused"),
        (b'[{"nodes": "x"}]', "application/json", 422, "route_table_refused"),
        (b"", "application/pdf", 415, "unsupported_media_type"),
    ],
)
async def test_what_is_no_table(
    alerts_client: httpx.AsyncClient, county: dict[str, str], content: bytes, kind: str, status: int, code: str
) -> None:
    headers = {**county, "content-type": kind}
    answer = await alerts_client.put("/alerts/v1/routes", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_every_mistake_is_told_by_line_and_column_and_nothing_is_stored(
    call: Callable[..., Any], rows: Rows
) -> None:
    table = [
        ROOT,
        {"node": "甲", "parent": "全县", "match": "等级=紫色; 村=130625100201", "tell": "村长"},
        {"node": "", "parent": "全县", "group_wait": "三十秒", "repeat_interval": "60天"},
        {"node": "乙", "parent": "全县", "continue": "也许", "group_by": "颜色", "escalate": "网格员>"},
    ]
    refused = await call("PUT", "routes", table, code=422)
    assert {(error["where"], error["code"]) for error in refused["errors"]} == {
        ("line/2/条件", "unknown_value"),
        ("line/2/条件", "out_of_range"),
        ("line/2/通知角色", "value_refused"),
        ("line/3/节点", "missing"),
        ("line/3/分组等待", "value_refused"),
        ("line/3/重复间隔", "value_refused"),
        ("line/4/继续匹配", "value_refused"),
        ("line/4/分组", "value_refused"),
        ("line/4/升级链", "value_refused"),
    }
    assert all(error["example"] for error in refused["errors"])
    assert await rows("route_version") == []


@pytest.mark.parametrize(
    ("table", "where", "code"),
    [
        ([{**ROOT, "match": "等级=红色"}], "line/1/条件", "root_has_condition"),
        ([{**ROOT, "continue": "是"}], "line/1/继续匹配", "root_continues"),
        ([{**ROOT, "parent": "省"}], "line/1/上级节点", "root_has_parent"),
        ([{**ROOT, "escalate": ""}], "line/1/升级链", "missing"),
        ([ROOT, {**TOWN, "parent": "乡"}], "line/2/上级节点", "unknown_parent"),
        ([ROOT, TOWN, TOWN], "line/3/节点", "repeated"),
        ([ROOT, {**TOWN, "parent": "城关"}], "line/2/上级节点", "unknown_parent"),
        ([ROOT, {**TOWN, "parent": ""}], "line/2/上级节点", "unknown_parent"),
    ],
)
async def test_what_is_no_tree(call: Callable[..., Any], table: Any, where: str, code: str) -> None:
    refused = await call("PUT", "routes", table, code=422)
    assert [(error["where"], error["code"]) for error in refused["errors"]] == [(where, code)]


async def test_a_line_that_never_applies_is_warned_of(call: Callable[..., Any]) -> None:
    made = await call("PUT", "routes", [ROOT, {"node": "全", "parent": "全县"}, TOWN])
    assert [warning["line"] for warning in made["warnings"]] == [3]


# --- what would be --------------------------------------------------------------------------------------------


async def test_a_route_is_explained_and_nothing_stored(
    call: Callable[..., Any], enforce: Callable[..., Any], enlist: Enlist, admin: asyncpg.Connection
) -> None:
    await enlist(
        ("S1", "village_secretary", VILLAGE), ("T1", "township_leader", TOWNSHIP), ("C1", "county_admin", COUNTY)
    )
    await enforce([ROOT, {**ILLNESS, "tell": "网格员、第一书记"}, TOWN, {"node": "末", "parent": "全县"}])
    before = await admin.fetchval("SELECT count(*) FROM alerts.audit_log")
    body = {"division": VILLAGE, "labels": {"cause": ["illness", "schooling"], "severity": ["yellow"]}}
    told = await call("POST", "routes/test", body)
    assert told["nodes"] == ["因病", "城关"]
    assert {visit["node"]: visit["finding"] for visit in told["visits"]} == {
        "全县": "passed",
        "因病": "chosen",
        "城关": "chosen",
        "末": "unreached",
    }
    (check,) = told["visits"][1]["checks"]
    assert (check["label_zh"], check["found"], check["holds"]) == ("原因", ["illness", "schooling"], True)
    assert [(one["officer_no"], one["reach"], one["division"]) for one in told["people"]] == [
        ("S1", "duty", VILLAGE),
        ("T1", "fallthrough", TOWNSHIP),
    ]
    assert [(gap["role"], gap["filled_by"]) for gap in told["gaps"]] == [
        ("grid_worker", "village_secretary"),
        ("first_secretary", "township_leader"),
    ]
    assert [[one["officer_no"] for one in step["people"]] for step in told["escalation"]] == [["S1"], ["T1"], ["C1"]]
    assert (told["plan"]["calendar"], told["plan"]["urgent"]) == ("工作日历", True)
    for table in ("notification", "alert", "assignment", "inbox_item"):
        assert await admin.fetchval(f"SELECT count(*) FROM alerts.{table}") == 0
    assert await admin.fetchval("SELECT count(*) FROM alerts.audit_log") == before


async def test_the_explanation_of_an_alert_is_how_it_was_routed(
    call: Callable[..., Any], enforce: Callable[..., Any], alert: UUID, rows: Rows
) -> None:
    told = await call("POST", "routes/test", {"alert_id": str(alert)})
    assert (told["version"], told["nodes"]) == (NATIONAL, ["全部"])
    assert {one["officer_no"] for one in told["people"]} == {row["officer_no"] for row in await rows("assignment")}
    assert told["labels"]["department"] == ["医保局"]
    assert (told["labels"]["reported"], told["labels"]["first"]) == (["no"], ["yes"])
    draft = (await call("PUT", "routes", TABLE))["draft"]["version"]
    told = await call("POST", "routes/test", {"alert_id": str(alert), "version": draft})
    assert (told["version"], told["nodes"]) == (draft, ["因病", "城关"])


async def test_a_test_out_of_range_or_of_nothing(call: Callable[..., Any], alert: UUID, bearer: Bearer) -> None:
    neighbour = bearer("county_admin", "130625000000", officer_no="C9")
    await call("POST", "routes/test", {"alert_id": str(alert)}, headers=neighbour, code=404)
    await call("POST", "routes/test", {"division": FAR_VILLAGE}, headers=neighbour, code=403)
    for body in (
        {},
        {"alert_id": str(alert), "division": VILLAGE},
        {"division": VILLAGE, "labels": {"colour": ["x"]}},
        {"division": VILLAGE, "labels": {"cause": [number(1)]}},
    ):
        await call("POST", "routes/test", body, code=422)
