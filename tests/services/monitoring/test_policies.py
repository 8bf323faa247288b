"""A policy is changed by rows, approved by a second person, published from a day on; the engine sees it from then."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring import run_cases
from services.monitoring.domain.policy import load_policy
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.publish_policy import activate_published
from services.monitoring.settings import MonitoringSettings
from services.monitoring.worked_case import Case
from shared.clock import SHANGHAI, FixedClock
from shared.db.scope import scoped, transaction
from shared.runtime import Runtime
from shared.web.spreadsheet import XLSX
from tests.services.monitoring.build import COUNTY, OTHER_VILLAGE
from tests.services.monitoring.policies import NEXT, TODAY, Bearer, Office, assess_everything, beside_the_line, line
from tests.services.monitoring.test_read_change_rows import workbook

OTHER_COUNTY = "130625000000"
AUGUST = datetime(2026, 8, 1, 0, 0, tzinfo=SHANGHAI)


@pytest.fixture
async def office(monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Office:
    await beside_the_line(monitoring_runtime)
    return Office(monitoring_client, bearer)


async def line_of(runtime: Runtime, county: str, on: str) -> int:
    async with transaction(runtime.worker_pool) as connection:
        found = await policy_in_force(connection, county, date.fromisoformat(on))
    return found.parameters.number("monitoring_line")


# --- rows ----------------------------------------------------------------------------------------------------


BAD_ROWS = [
    ({"name": "monitoring_lime"}, "name", "没有名为 monitoring_lime 的参数"),
    ({"value": "-5"}, "value", "监测线"),
    ({"value": "100000.01"}, "value", "监测线"),
    ({"value": None}, "value", "监测线"),
    ({"value": []}, "value", "监测线"),
    ({"from": "2026-02-30"}, "from", "不是日期"),
    ({"from": "2026-03-14"}, "from", "已经过去"),
    ({"from": None}, "from", "不是日期"),
    ({"document_no": ""}, "document_no", "文号"),
]


async def test_a_dry_run_shows_every_rows_mistake_and_stores_nothing(office: Office) -> None:
    rows = [line(), *({**line(), **wrong} for wrong, _, _ in BAD_ROWS)]
    answer = await office.post("changes?dry_run=true", office.author, 200, json=rows)
    assert (answer["accepted"], answer["version"], len(answer["rows"])) == (False, None, len(rows))
    good, *bad = answer["rows"]
    assert (good["errors"], good["before"], good["value"]) == ([], "9500.00", "10000.00")
    for row, (_, column, told) in zip(bad, BAD_ROWS, strict=True):
        [error] = row["errors"]
        assert error["where"] == f"第{row['row']}行/{column}"
        assert told in error["message"]
        assert error["expected"]
    assert (await office.get())["items"] == []


@pytest.mark.parametrize("value", ["1000.00", "100000.00"])
async def test_a_value_on_its_bound_is_good(office: Office, value: str) -> None:
    assert (await office.post("changes?dry_run=true", office.author, 200, json=[line(value)]))["accepted"]


async def test_one_bad_row_refuses_all_and_says_which(office: Office) -> None:
    refused = await office.post("changes", office.author, 422, json=[line(), {**line(), "value": "abc"}])
    assert (refused["code"], [error["where"] for error in refused["errors"]]) == ("changes_refused", ["第2行/value"])
    assert (await office.get())["items"] == []


async def test_the_same_parameter_twice_for_one_day_is_refused(office: Office) -> None:
    refused = await office.post("changes", office.author, 422, json=[line(), line("9800.00")])
    assert "第1行" in refused["errors"][0]["message"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_sheet_makes_the_same_draft_as_json(office: Office, encoding: str) -> None:
    sheet = f"文号,参数,取值,生效日期\r\n阜农领〔2026〕3号,monitoring_line,10000.00,{NEXT}\r\n,,,\r\n"
    headers = {**office.author, "Content-Type": "text/csv"}
    drafted = await office.post("changes", headers, 201, content=sheet.encode(encoding))
    of_json = await office.get(f"/{await office.draft()}")
    assert (await office.get(f"/{drafted['version']}"))["changes"] == of_json["changes"]


async def test_a_workbook_makes_the_same_draft_and_its_rows_are_checked_alike(office: Office) -> None:
    headers = {**office.author, "Content-Type": XLSX}
    sheet = workbook(("阜农领〔2026〕3号", "monitoring_line", 10000, date.fromisoformat(NEXT)))
    drafted = await office.post("changes", headers, 201, content=sheet)
    [row] = (await office.get(f"/{drafted['version']}"))["changes"]
    assert (row["value"], row["from"], row["document_no"]) == ("10000", NEXT, "阜农领〔2026〕3号")
    wrong = workbook(("1号", "monitoring_line", 0.1 + 0.2, 46000.5), ("", "monitoring_lime", "x", "明年"))
    refused = await office.post("changes", headers, 422, content=wrong)
    assert {error["where"] for error in refused["errors"]} == {
        "第1行/value",
        "第1行/from",
        "第2行/name",
        "第2行/from",
        "第2行/document_no",
    }
    assert (await office.post("changes", headers, 400, content=b"PK"))["code"] == "table_unreadable"


@pytest.mark.parametrize(
    ("sheet", "status"),
    [
        ("参数,取值,生效日期\nmonitoring_line,1,2026-03-15\n", 400),
        ('参数,取值,生效日期,文号\n"monitoring_line,1,2026-03-15,x\n', 400),
        ("参数,取值,生效日期,文号\n", 422),
        ("", 400),
    ],
)
async def test_what_is_no_sheet_is_refused(office: Office, sheet: str, status: int) -> None:
    headers = {**office.author, "Content-Type": "text/csv"}
    await office.post("changes", headers, status, content=sheet.encode())
    assert (await office.get())["items"] == []


@pytest.mark.parametrize(
    ("division", "status"),
    [(COUNTY, 201), (OTHER_COUNTY, 403), ("130600000000", 403), (OTHER_VILLAGE, 422), ("130624100000", 422)],
)
async def test_a_change_belongs_to_a_county_of_the_callers_range(office: Office, division: str, status: int) -> None:
    await office.post(f"changes?division={division}", office.author, status, json=[line()])


# --- the second person ---------------------------------------------------------------------------------------


async def test_the_author_does_not_approve_and_nobody_twice(office: Office) -> None:
    version = await office.draft()
    assert (await office.post(f"{version}/approve", office.author, 403))["code"] == "a_second_person_approves"
    approved = await office.post(f"{version}/approve", office.second, 200)
    assert approved["draft"]["state"] == "approved"
    await office.post(f"{version}/approve", office.second, 409)


async def test_a_machine_drafts_and_approves_nothing(office: Office, bearer: Bearer) -> None:
    version = await office.draft()
    await office.post("changes", bearer(), 403, json=[line()])
    await office.post(f"{version}/approve", bearer(), 403)


async def test_another_countys_draft_is_not_found(office: Office, bearer: Bearer) -> None:
    version = await office.draft()
    stranger = bearer("county_admin", OTHER_COUNTY, subject="stranger")
    for path in ("approve", "publish", "compare"):
        sent = {"approve": {}, "publish": {"json": {"activates_on": NEXT}}, "compare": {"json": {}}}[path]
        await office.post(f"{version}/{path}", stranger, 404, **sent)
    seen = await office.client.get(f"/monitoring/v1/policies/{version}", headers=stranger)
    nowhere = await office.client.get("/monitoring/v1/policies/130624-20260315-00000000", headers=stranger)
    assert (seen.status_code, seen.json()["code"]) == (nowhere.status_code, nowhere.json()["code"])


async def test_the_database_lets_no_author_approve(office: Office, admin: asyncpg.Connection) -> None:
    await office.draft()
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("UPDATE monitoring.policy_draft SET approved_by = authored_by")


async def test_what_was_drafted_cannot_be_changed(office: Office, monitoring_runtime: Runtime) -> None:
    await office.draft()
    for pool in (monitoring_runtime.pool, monitoring_runtime.worker_pool):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("UPDATE policy_draft SET changes = '[]'")


# --- withdrawal ----------------------------------------------------------------------------------------------


async def test_a_draft_taken_back_is_not_approved_or_published(office: Office, admin: asyncpg.Connection) -> None:
    drafted, approved = await office.draft(), await office.approved(line("10500.00"))
    await office.compared(approved)
    for version, who, was in ((drafted, office.author, "draft"), (approved, office.second, "approved")):
        taken = (await office.post(f"{version}/withdraw", who, 200, json={"reason": "文号有误"}))["draft"]
        assert (taken["state"], taken["withdrawn_by"], taken["withdrawn_reason"]) == ("withdrawn", "测试", "文号有误")
        assert (await office.post(f"{version}/approve", office.second, 409))["code"] == "policy_state"
        assert (await office.publish(version, 409))["code"] == "policy_state"
        assert (await office.post(f"{version}/withdraw", who, 409, json={"reason": "再撤"}))["code"] == "policy_state"
        [row] = await admin.fetch(
            "SELECT purpose, detail FROM monitoring.audit_log WHERE action = 'policy.withdraw' AND object = $1",
            f"policy:{version}",
        )
        assert (row["purpose"], row["detail"]["was"]) == ("文号有误", was)
    listed = await office.get("?state=withdrawn")
    assert {each["version"] for each in listed["items"]} == {approved, drafted}
    assert (await office.get(f"/{drafted}"))["changes"]


async def test_what_was_published_is_not_taken_back(office: Office, admin: asyncpg.Connection) -> None:
    version = await office.approved()
    await office.compared(version)
    await office.publish(version)
    refused = await office.post(f"{version}/withdraw", office.author, 409, json={"reason": "改主意"})
    assert "已经发布" in refused["detail"]
    assert await line_of_today(office) == "9500.00"
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("UPDATE monitoring.policy_draft SET withdrawn_at = now()")


async def test_a_draft_is_withdrawn_by_people_of_its_range_with_a_reason(office: Office, bearer: Bearer) -> None:
    version = await office.draft()
    stranger = bearer("county_admin", OTHER_COUNTY, subject="stranger")
    why = {"json": {"reason": "文号有误"}}
    assert (await office.post(f"{version}/withdraw", stranger, 404, **why))["code"] == "policy_not_found"
    await office.post(f"{version}/withdraw", bearer(), 403, **why)
    await office.post(f"{version}/withdraw", bearer("village_secretary", OTHER_VILLAGE), 403, **why)
    for body in ({}, {"reason": ""}, {"reason": "x", "force": True}):
        await office.post(f"{version}/withdraw", office.author, 422, json=body)
    assert (await office.get(f"/{version}"))["draft"]["state"] == "draft"


async def test_of_approval_and_withdrawal_at_once_the_record_tells_one_story(office: Office) -> None:
    version = await office.draft()
    base = f"/monitoring/v1/policies/{version}"
    approved, taken = await asyncio.gather(
        office.client.post(f"{base}/approve", headers=office.second),
        office.client.post(f"{base}/withdraw", headers=office.author, json={"reason": "文号有误"}),
    )
    assert taken.status_code == 200
    assert approved.status_code in (200, 409)
    draft = (await office.get(f"/{version}"))["draft"]
    assert (draft["state"], draft["approved_at"] is not None) == ("withdrawn", approved.status_code == 200)


# --- publication ---------------------------------------------------------------------------------------------


async def line_of_today(office: Office) -> str:
    parameters = (await office.get("/in_force"))["parameters"]
    value: str = next(each["value"] for each in parameters if each["name"] == "monitoring_line")
    return value


async def test_of_two_published_at_once_the_second_has_its_workload_shown_again(office: Office) -> None:
    """Each was compared with what was in force before the other; together nobody has seen them."""
    versions = [await office.approved(), await office.approved(line("10500.00"))]
    for version in versions:
        await office.compared(version)
    answers = await asyncio.gather(
        *(
            office.client.post(
                f"/monitoring/v1/policies/{version}/publish", headers=office.author, json={"activates_on": NEXT}
            )
            for version in versions
        )
    )
    assert sorted(each.status_code for each in answers) == [200, 409]
    [refused] = [each.json() for each in answers if each.status_code == 409]
    assert refused["code"] == "workload_not_seen"


async def test_publication_needs_approval_and_its_workload_seen(office: Office) -> None:
    version = await office.draft()
    await office.compared(version)
    assert (await office.publish(version, 409))["code"] == "policy_state"
    other = await office.approved()
    assert (await office.publish(other, 409))["code"] == "workload_not_seen"
    await office.compared(other, division=OTHER_VILLAGE)
    assert (await office.publish(other, 409))["code"] == "workload_not_seen"
    await office.compared(other)
    await office.publish(other)
    assert (await office.publish(other, 409))["code"] == "policy_state"


async def test_a_comparison_with_what_is_no_longer_in_force_does_not_count(office: Office) -> None:
    first, second = await office.approved(), await office.approved(line("10500.00"))
    await office.compared(first)
    await office.compared(second)
    await office.publish(first)
    assert (await office.publish(second, 409))["code"] == "workload_not_seen"
    await office.compared(second)
    await office.publish(second)


async def test_no_day_of_the_past_is_judged_anew(office: Office) -> None:
    version = await office.approved()
    await office.compared(version)
    assert (await office.publish(version, 422, on="2026-03-14"))["code"] == "activation_day_past"


async def test_above_capacity_somebody_signs_and_nobody_is_hidden(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection, clock: FixedClock
) -> None:
    runtime, settings = monitoring_runtime, monitoring_runtime.settings
    version = await office.approved(line("50000.00"))
    shown = await office.compared(version)
    [load] = shown["result"]["load"]
    try:
        runtime.settings = settings.model_copy(update={"visit_capacity": {"130624": load["expected"] - 1}})
        refused = await office.publish(version, 409)
        assert (refused["code"], refused["counties"][0]["expected"]) == ("above_capacity", load["expected"])
        published = await office.publish(version, capacity_reason="全县三个工作组一个月内完成")
    finally:
        runtime.settings = settings
    assert published["draft"]["capacity_reason"] == "全县三个工作组一个月内完成"
    assert published["draft"]["published_by"] == "测试"
    clock.at = AUGUST
    await activate_published(runtime)
    await assess_everything(runtime)
    rows = await admin.fetch("SELECT household_no, recommendation FROM monitoring.household ORDER BY 1")
    after = {row["household_no"]: row["recommendation"] for row in rows}
    assert after["F001"] is not None
    assert after["F002"] is not None
    assert await line_of(runtime, COUNTY, NEXT) == 5_000_000


async def test_at_the_capacity_no_reason_is_asked_for(office: Office, monitoring_runtime: Runtime) -> None:
    runtime, settings = monitoring_runtime, monitoring_runtime.settings
    version = await office.approved()
    [load] = (await office.compared(version))["result"]["load"]
    try:
        runtime.settings = settings.model_copy(update={"visit_capacity": {"130624": load["expected"]}})
        published = await office.publish(version, capacity_reason="多写的理由")
    finally:
        runtime.settings = settings
    assert published["draft"]["capacity_reason"] is None


async def test_red_cases_stop_publication(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def line_is_old(case: Case, assessment: Any) -> list[str]:
        [used] = [each for each in assessment.parameters_used if each.name == "monitoring_line"]
        seen.append(int(used.value))
        return [] if used.value == 950_000 else [f"监测线应为 9500.00，得到 {used.value}"]

    before, from_then_on = (a_case(on) for on in (date(2026, 7, 31), date(2026, 8, 1)))
    monkeypatch.setattr(run_cases, "read_cases", lambda: [before, from_then_on])
    monkeypatch.setattr(run_cases, "differences", line_is_old)
    version = await office.approved()
    await office.compared(version)
    refused = await office.publish(version, 409)
    assert (refused["code"], [error["where"] for error in refused["errors"]]) == ("cases_red", [NEXT])
    assert seen == [950_000, 1_000_000]
    await office.publish(version, on="2026-08-02")


async def test_the_shipped_cases_are_red_if_their_own_day_is_judged_otherwise(office: Office) -> None:
    version = await office.approved(line(since=TODAY))
    await office.compared(version)
    refused = await office.publish(version, 409, on=TODAY)
    assert refused["code"] == "cases_red"
    assert any("监测线" in error["where"] for error in refused["errors"])
    await office.publish(version, on=NEXT)


def a_case(on: date, county: str = "130624") -> Case:
    from services.monitoring.domain.household import HouseholdFacts

    return Case(str(on), county, on, {}, HouseholdFacts((), ()), {})


# --- from the day on -----------------------------------------------------------------------------------------


async def recommended(admin: asyncpg.Connection, household_no: str) -> tuple[str | None, str]:
    row = await admin.fetchrow(
        "SELECT h.recommendation, a.policy_version FROM monitoring.household h"
        " JOIN monitoring.standing s USING (household_id)"
        " JOIN monitoring.assessment a USING (household_id, assessment_id) WHERE household_no = $1",
        household_no,
    )
    assert row is not None
    return row["recommendation"], row["policy_version"]


async def test_values_hold_from_their_day_and_make_the_area_due_on_it(
    office: Office, monitoring_runtime: Runtime, clock: FixedClock, admin: asyncpg.Connection
) -> None:
    runtime = monitoring_runtime
    version = await office.published(on="2026-08-20")
    clock.at = datetime(2026, 8, 19, 23, 59, tzinfo=SHANGHAI)
    assert (await activate_published(runtime), await assess_everything(runtime)) == (0, 0)
    assert await line_of(runtime, COUNTY, "2026-08-19") == 950_000
    clock.at = datetime(2026, 8, 20, 0, 0, tzinfo=SHANGHAI)
    assert await activate_published(runtime) == 1
    assert await assess_everything(runtime) > 0
    assert await recommended(admin, "F002") == ("marginal_at_risk", f"{load_policy().version}~{version}")
    assert await line_of(runtime, COUNTY, "2026-08-20") == 1_000_000
    assert (await activate_published(runtime), await assess_everything(runtime)) == (0, 0)


async def test_a_later_value_of_the_same_publication_waits_for_its_own_day(
    office: Office, monitoring_runtime: Runtime
) -> None:
    await office.published(line("9600.00"), line("9900.00", "2026-10-01"), on="2026-08-20")
    days = ("2026-08-19", "2026-08-20", "2026-09-30", "2026-10-01")
    lines = [await line_of(monitoring_runtime, COUNTY, on) for on in days]
    assert lines == [950_000, 960_000, 960_000, 990_000]


async def test_another_county_keeps_its_values_and_its_version(office: Office, monitoring_runtime: Runtime) -> None:
    await office.published()
    async with transaction(monitoring_runtime.worker_pool) as connection:
        elsewhere = await policy_in_force(connection, "130625", date(2026, 8, 1))
    assert (elsewhere.package.version, elsewhere.parameters.number("monitoring_line")) == (
        load_policy().version,
        950_000,
    )


async def test_what_a_province_publishes_holds_where_the_county_says_nothing(
    office: Office, bearer: Bearer, monitoring_runtime: Runtime
) -> None:
    author, second = (bearer("county_admin", "130000000000", subject=name) for name in ("p1", "p2"))
    rows = [line("9700.00")]
    version = (await office.post("changes", author, 201, json=rows))["version"]
    await office.post(f"{version}/approve", office.second, 404)
    await office.post(f"{version}/approve", second, 200)
    await office.post(f"{version}/compare", author, 200, json={})
    await office.post(f"{version}/publish", second, 200, json={"activates_on": NEXT})
    lines = [await line_of(monitoring_runtime, county, NEXT) for county in (COUNTY, OTHER_COUNTY, "140100000000")]
    assert lines == [970_000, 970_000, 950_000]
    await office.published()
    lines = [await line_of(monitoring_runtime, county, NEXT) for county in (COUNTY, OTHER_COUNTY)]
    assert lines == [1_000_000, 970_000]


async def test_what_was_published_later_was_not_known_before(office: Office, monitoring_runtime: Runtime) -> None:
    async with transaction(monitoring_runtime.worker_pool) as connection:
        before = await connection.fetchval("SELECT clock_timestamp()")
    await office.published()
    async with transaction(monitoring_runtime.worker_pool) as connection:
        then = await policy_in_force(connection, COUNTY, date(2026, 8, 1), known_at=before)
        now = await policy_in_force(connection, COUNTY, date(2026, 8, 1), known_at=before + timedelta(hours=1))
        again = await policy_in_force(connection, COUNTY, date(2026, 8, 1))
    assert [each.parameters.number("monitoring_line") for each in (then, now)] == [950_000, 1_000_000]
    assert then.package.version == load_policy().version
    assert now.package is again.package


async def test_a_village_reads_what_judges_it(office: Office, monitoring_runtime: Runtime) -> None:
    await office.published()
    async with scoped(monitoring_runtime.pool, OTHER_VILLAGE) as connection:
        found = await policy_in_force(connection, COUNTY, date(2026, 8, 1))
    assert found.parameters.number("monitoring_line") == 1_000_000
    async with monitoring_runtime.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM policy_draft") == 0


# --- reading -------------------------------------------------------------------------------------------------


async def test_the_list_shows_what_is_in_force_drafts_and_history(
    office: Office, monitoring_runtime: Runtime, clock: FixedClock
) -> None:
    published = await office.published()
    clock.at = AUGUST
    draft = await office.draft(line("12000.00"))
    await activate_published(monitoring_runtime)
    shown = await office.get()
    assert shown["in_force"]["version"] == f"{load_policy().version}~{published}"
    states = [(item["version"], item["state"]) for item in shown["items"]]
    assert states == [(draft, "draft"), (published, "in_force")]
    first = await office.get("?limit=1")
    second = await office.get(f"?limit=1&cursor={first['next_cursor']}")
    assert [item["version"] for item in first["items"] + second["items"]] == [draft, published]
    assert second["next_cursor"] is None
    assert [item["version"] for item in (await office.get("?state=draft"))["items"]] == [draft]


async def test_a_version_shows_all_its_parameters(office: Office) -> None:
    version = await office.draft(line("12000.00", "2026-09-01"))
    shown = await office.get(f"/{version}")
    [found] = [each for each in shown["parameters"] if each["name"] == "monitoring_line"]
    assert (found["value"], found["since"], found["decided_by"]) == ("12000.00", "2026-09-01", "130624")
    assert (shown["changes"][0]["before"], shown["changes"][0]["before_decided_by"]) == ("9500.00", "national")
    standing = await office.get("/in_force")
    assert {each["name"]: each["value"] for each in standing["parameters"]}["monitoring_line"] == "9500.00"
    assert (await office.get(f"/{load_policy().version}"))["kind"] == "package"
    await office.get("/national-0+000000000000", 404)


async def test_the_difference_is_told_parameter_by_parameter(office: Office) -> None:
    version = await office.draft(line("12000.00", "2026-09-01"))
    shown = await office.get(f"/{version}/diff")
    [changed] = shown["parameters"]
    assert (changed["name"], changed["before"], changed["after"]) == ("monitoring_line", "9500.00", "12000.00")
    assert (shown["shapes"], shown["remeasures"]) == ([], False)
    assert (await office.get(f"/in_force/diff?against={load_policy().version}"))["parameters"] == []
    backwards = await office.get(f"/in_force/diff?against={version}")
    assert [each["after"] for each in backwards["parameters"]] == ["9500.00"]


async def test_everything_done_to_a_policy_is_written_down(
    office: Office, monitoring_runtime: Runtime, admin: asyncpg.Connection, clock: FixedClock
) -> None:
    version = await office.published()
    clock.at = AUGUST
    await activate_published(monitoring_runtime)
    rows = await admin.fetch(
        "SELECT action, actor FROM monitoring.audit_log WHERE object = $1 ORDER BY ctid", f"policy:{version}"
    )
    assert [tuple(row) for row in rows] == [
        ("policy.draft", "author"),
        ("policy.approve", "second"),
        ("policy.compare", "author"),
        ("policy.publish", "second"),
        ("policy.activate", "monitoring"),
    ]


def test_the_capacity_of_a_county_is_a_setting() -> None:
    settings = MonitoringSettings(visit_capacity={"130624": 12})
    assert (settings.visit_capacity["130624"], settings.usual_visit_capacity) == (12, 1000)
