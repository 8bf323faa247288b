"""Findings of quality in the house: how they open and close, who sees them, and what a village says of itself."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.monitoring import repository_households as households
from services.monitoring.check_quality import check_due, check_ranges
from services.monitoring.order_quality_run import check_nightly
from services.monitoring.quality_book import quality_book
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, assess_all, deliver, rostered, sent_at
from tests.services.monitoring.quality_cases import CASES

COUNTY, VILLAGE, OTHER_VILLAGE = "130624000000", "130624100201", "130624101201"
Bearer = Callable[..., dict[str, str]]
# A head of 56 years with a detail that fires a check of the education office and one of the village.
WRONG = {"school": "primary", "nation": "汉族", "health": ["chronic"], "labour": "none", "critical_insurance": True}
MENDED = {**WRONG, "school": None}


async def check(runtime: Runtime) -> None:
    await assess_all(runtime)
    while await check_due(runtime):
        pass


async def states(runtime: Runtime, code: str) -> list[str]:
    rows = await runtime.worker_pool.fetch("SELECT state FROM quality_finding WHERE check_code = $1", code)
    return sorted(row["state"] for row in rows)


def home(details: dict[str, Any], **more: Any) -> Home:
    return Home(people=(1,), member_details=({k: v for k, v in details.items() if v is not None},), **more)


async def test_a_finding_opens_once_and_closes_when_the_data_are_mended(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, home(WRONG)))
    await check(runtime)
    await deliver(runtime, rostered(runtime.keys, home(WRONG), on="2026-02-01", sent=sent_at(2)))
    await check(runtime)
    assert await states(runtime, "primary_age") == ["open"]
    await deliver(runtime, rostered(runtime.keys, home(MENDED), on="2026-03-01", sent=sent_at(3)))
    await check(runtime)
    assert await states(runtime, "primary_age") == ["mended"]
    await deliver(runtime, rostered(runtime.keys, home(WRONG), on="2026-03-02", sent=sent_at(4)))
    await check(runtime)
    assert await states(runtime, "primary_age") == ["mended", "open"]


async def test_what_somebody_accepted_stays_closed_until_the_values_change(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, home(WRONG)))
    await check(runtime)
    secretary = bearer("village_secretary", VILLAGE)
    found = await findings(client, secretary, check="primary_age")
    path = f"/monitoring/v1/quality/findings/{found[0]['finding_id']}/accept"
    answer = await client.post(path, headers=secretary, json={"reason": "成人扫盲班，属实"})
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    again = await client.post(path, headers=secretary, json={"reason": "再说一次"})
    assert (again.status_code, again.json()["code"]) == (409, "finding_closed")
    other = {**WRONG, "nation": "回族"}
    await deliver(runtime, rostered(runtime.keys, home(other), on="2026-02-01", sent=sent_at(2)))
    await check(runtime)
    assert await states(runtime, "primary_age") == ["accepted"]
    junior = {**WRONG, "school": "junior"}
    await deliver(runtime, rostered(runtime.keys, home(junior), on="2026-02-02", sent=sent_at(3)))
    await check(runtime)
    assert (await states(runtime, "primary_age"), await states(runtime, "junior_age")) == (["lapsed"], ["open"])


async def findings(client: httpx.AsyncClient, caller: dict[str, str], **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/monitoring/v1/quality/findings", headers=caller, params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def two_villages(runtime: Runtime) -> None:
    far = Home("F002", (2,), OTHER_VILLAGE, member_details=(WRONG,), phone="19900000002")
    await deliver(runtime, rostered(runtime.keys, home(WRONG), far))
    await check(runtime)


async def test_each_sees_the_findings_of_his_range_and_a_liaison_those_of_his_department(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    await two_villages(monitoring_runtime)
    village = await findings(client, bearer("village_secretary", VILLAGE))
    assert {each["household_no"] for each in village} == {"F001"}
    assert {each["head_name"] for each in village} == {"测试乙"}
    county = await findings(client, bearer("county_admin", COUNTY))
    assert {each["household_no"] for each in county} == {"F001", "F002"}
    liaison = await findings(client, bearer("liaison", COUNTY, department="教育"))
    assert {(each["owner"], each["check"]) for each in liaison} == {("教育", "primary_age")}
    assert {each["head_name"] for each in liaison} == {"测*乙", "测*丙"}
    assert await findings(client, bearer("liaison", COUNTY, department="教育"), owner="village") == []
    assert await findings(client, bearer("liaison", COUNTY)) == []


async def test_a_finding_out_of_range_or_of_another_department_cannot_be_told_from_none(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    await two_villages(monitoring_runtime)
    far = next(
        each for each in await findings(client, bearer("county_admin", COUNTY)) if each["household_no"] == "F002"
    )
    path = f"/monitoring/v1/quality/findings/{far['finding_id']}/accept"
    for caller in (bearer("village_secretary", VILLAGE), bearer("liaison", COUNTY, department="水利")):
        answer = await client.post(path, headers=caller, json={"reason": "属实"})
        assert (answer.status_code, answer.json()["code"]) == (404, "finding_not_found")


async def test_filters_pages_and_counts_agree(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    await two_villages(monitoring_runtime)
    admin = bearer("county_admin", COUNTY)
    whole = await findings(client, admin, limit=200)
    paged, cursor = [], None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/monitoring/v1/quality/findings", headers=admin, params=params)).json()
        paged += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert paged == whole
    counts = (await client.get("/monitoring/v1/quality/counts", headers=admin)).json()
    assert counts["total"]["open"] == len(whole)
    for part in ("by_division", "by_owner", "by_check"):
        assert sum(each["open"] for each in counts[part]) == len(whole)
    assert {each["key"] for each in counts["by_division"]} == {"130624100000", "130624101000"}
    assert await findings(client, admin, overdue="true") == []
    assert {each["severity"] for each in await findings(client, admin, severity=3)} == {3}
    unknown = await client.get("/monitoring/v1/quality/findings", headers=admin, params={"check": "no_such"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "check_unknown")


async def test_what_is_not_mended_in_time_is_overdue(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    await two_villages(monitoring_runtime)
    await monitoring_runtime.worker_pool.execute("UPDATE quality_finding SET due_on = '2026-03-15'")
    admin = bearer("county_admin", COUNTY)
    assert await findings(client, admin, overdue="true") == []
    await monitoring_runtime.worker_pool.execute("UPDATE quality_finding SET due_on = '2026-03-14'")
    assert await findings(client, admin, overdue="true")
    counts = (await client.get("/monitoring/v1/quality/counts", headers=admin)).json()
    assert counts["total"]["overdue"] == counts["total"]["open"]


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
async def test_an_export_needs_a_purpose_and_masks_names(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer, admin: Any, format_: str
) -> None:
    await two_villages(monitoring_runtime)
    caller, path = bearer("county_admin", COUNTY), "/monitoring/v1/quality/findings"
    refused = await client.get(path, headers=caller, params={"format": format_})
    assert (refused.status_code, refused.json()["code"]) == (422, "purpose_missing")
    answer = await client.get(path, headers=caller, params={"format": format_, "purpose": "数据清洗"})
    assert answer.status_code == 200
    if format_ == "csv":
        assert "测*乙" in answer.text
        assert "测试乙" not in answer.text
    audited = "SELECT count(*) FROM monitoring.audit_log WHERE action = 'findings.export'"
    assert await admin.fetchval(audited) == 1


async def test_a_run_checks_the_whole_area_and_tells_how_far_it_got(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    runtime = monitoring_runtime
    await two_villages(runtime)
    await runtime.worker_pool.execute(
        "UPDATE quality_finding SET state = 'mended', closed_at = opened_at WHERE check_code = 'primary_age'"
    )
    admin = bearer("county_admin", COUNTY)
    order = {"division": COUNTY, "reason": "月度数据清洗"}
    ordered = await client.post("/monitoring/v1/quality/runs", headers=admin, json=order)
    assert (ordered.status_code, ordered.json()["state"], ordered.json()["households"]) == (202, "running", 2)
    while await check_ranges(runtime):
        pass
    done = (await client.get(f"/monitoring/v1/quality/runs/{ordered.json()['run_id']}", headers=admin)).json()
    assert (done["state"], done["opened"], done["mended"]) == ("finished", 2, 0)
    township = bearer("county_admin", "130729000000")
    hidden = await client.get(f"/monitoring/v1/quality/runs/{ordered.json()['run_id']}", headers=township)
    assert hidden.status_code == 404


async def test_every_night_each_county_is_checked_once(monitoring_runtime: Runtime) -> None:
    await two_villages(monitoring_runtime)
    assert [await check_nightly(monitoring_runtime), await check_nightly(monitoring_runtime)] == [1, 0]


async def test_a_change_while_a_check_runs_is_checked_again(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await two_villages(runtime)
    held = "INSERT INTO quality_due (household_id, due_at, lease_token) SELECT household_id, $1, gen_random_uuid()"
    await runtime.worker_pool.execute(f"{held} FROM household", runtime.clock.now())
    other = home({**WRONG, "nation": "回族"})
    await deliver(runtime, rostered(runtime.keys, other, on="2026-02-01", sent=sent_at(2)))
    row = await runtime.worker_pool.fetchrow(
        "SELECT q.lease_token FROM quality_due q JOIN household USING (household_id) WHERE household_no = 'F001'"
    )
    assert row is not None
    assert row["lease_token"] is None


async def test_a_change_that_commits_after_a_check_is_checked_again(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await two_villages(runtime)
    # As assessed: nothing is due but the check.
    await runtime.worker_pool.execute("UPDATE household SET due_at = NULL")
    due = "INSERT INTO quality_due (household_id, due_at) SELECT household_id, $1 FROM household"
    await runtime.worker_pool.execute(due, runtime.clock.now())
    waiting = "SELECT household_no FROM quality_due q JOIN household USING (household_id) WHERE q.lease_token IS NULL"
    changed: int = await runtime.worker_pool.fetchval(
        "SELECT household_id FROM household WHERE household_no = 'F001'"
    )
    async with transaction(runtime.worker_pool) as connection:
        await households.lock(connection, [changed])
        await households.mark_changed(connection, [changed], now=runtime.clock.now(), priority=9)
        assert await check_due(runtime) > 1
    assert [row["household_no"] for row in await runtime.worker_pool.fetch(waiting)] == ["F001"]


FIGURES = {
    "养老金": "pensioners",
    "客车": "bus",
    "卫生室": "clinics",
    "厕所": "toilets",
    "医生": "doctors",
    "低保": "dibao_persons",
    "特困": "tekun_persons",
    "残疾": "disabled_persons",
    "饮水不安全户数": "unsafe_water_households",
    "住房不安全户数": "unsafe_house_households",
    "耕地面积": "village_arable_mu",
}


@pytest.mark.parametrize("code", CASES["村"])
async def test_each_check_of_villages_fires_and_is_mended(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer, code: str
) -> None:
    await deliver(monitoring_runtime, rostered(monitoring_runtime.keys, Home(details={"arable_mu": "6"})))
    whole = {name: "2450" if name.endswith("_mu") else 1 for name in FIGURES.values()}
    admin = bearer("county_admin", COUNTY)
    for side, expected in (("疑点", ["open"]), ("正常", ["mended"])):
        changed = {FIGURES[name]: value for name, value in CASES["村"][code][side].items()}
        body = {"village": VILLAGE, "as_of": "2026-03-01", **whole, **changed}
        answer = await client.post("/monitoring/v1/quality/villages", headers=admin, json=body)
        assert answer.status_code == 200, answer.text
        assert await states(monitoring_runtime, code) == expected
    assert await findings(client, bearer("village_secretary", OTHER_VILLAGE), state="mended") == []


async def test_the_catalogue_tells_every_check(client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await client.get("/monitoring/v1/quality/checks", headers=bearer("liaison", COUNTY, department="教育"))
    assert [each["code"] for each in answer.json()["items"]] == list(quality_book().checks)
