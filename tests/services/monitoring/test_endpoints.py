"""What people and systems read: rows by range, fields by post, never more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    number,
    observed,
    rostered,
    sent_at,
    settled,
)

POOR = 1_000_000
HOUSEHOLDS = "/monitoring/v1/households"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
async def village(monitoring_runtime: Runtime) -> Runtime:
    """A poor and ill household in one village, two well-off ones in another, all assessed."""
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(
            runtime.keys,
            Home(wage_fen=POOR),
            Home(no="F002", people=(3,), division=OTHER_VILLAGE),
            Home(no="F003", people=(4,), division=OTHER_VILLAGE),
        ),
        settled(runtime.keys, 1, 1_200_000),
    )
    await assess_all(runtime)
    return runtime


async def get(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> Any:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_list_shows_only_the_callers_range(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    county = await get(monitoring_client, HOUSEHOLDS, bearer("county_admin"))
    here = await get(monitoring_client, HOUSEHOLDS, bearer("village_secretary", VILLAGE))
    assert [item["household_no"] for item in county["items"]] == ["F001", "F002", "F003"]
    assert [item["household_no"] for item in here["items"]] == ["F001"]
    elsewhere = f"{HOUSEHOLDS}?division={OTHER_VILLAGE}"
    assert (await get(monitoring_client, elsewhere, bearer("village_secretary", VILLAGE)))["items"] == []


async def test_a_household_is_shown_with_the_name_of_its_place(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    [listed, *_] = (await get(monitoring_client, HOUSEHOLDS, bearer("county_admin")))["items"]
    shown = await get(monitoring_client, f"{HOUSEHOLDS}/F001", bearer("village_secretary", VILLAGE))
    assert listed["living_place"] == shown["living_place"] != listed["living_division"]


async def test_a_list_is_filtered_and_paged(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    for query, expected in (
        ("recommendation=marginal_at_risk", ["F001"]),
        ("recommendation=none", ["F002", "F003"]),
        ("severity=orange", ["F001"]),
        (f"division={OTHER_VILLAGE}&severity=none", ["F002", "F003"]),
        ("last_outcome=none&limit=1", ["F001"]),
    ):
        found = await get(monitoring_client, f"{HOUSEHOLDS}?{query}", admin)
        assert [item["household_no"] for item in found["items"]] == expected
    first = await get(monitoring_client, f"{HOUSEHOLDS}?limit=2", admin)
    rest = await get(monitoring_client, f"{HOUSEHOLDS}?limit=2&cursor={first['next_cursor']}", admin)
    assert ([item["household_no"] for item in rest["items"]], rest["next_cursor"]) == (["F003"], None)


async def test_an_unknown_filter_is_refused(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for query in ("village=1", "severity=purple", "limit=0", "division=13", "cursor=%00"):
        answer = await monitoring_client.get(f"{HOUSEHOLDS}?{query}", headers=bearer("county_admin"))
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"


async def test_out_of_range_looks_like_not_found(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("village_secretary", VILLAGE)
    for path in ("", "/assessment", "/history", "/assessment?as_of=2026-03-01"):
        hidden = await monitoring_client.get(f"{HOUSEHOLDS}/F002{path}", headers=headers)
        missing = await monitoring_client.get(f"{HOUSEHOLDS}/F999{path}", headers=headers)
        assert (hidden.status_code, missing.status_code) == (404, 404)
        different = {"instance"}
        assert {k: v for k, v in hidden.json().items() if k not in different} == {
            k: v for k, v in missing.json().items() if k not in different
        }


async def test_a_post_sees_its_classes_of_fields(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    views = {
        role: await get(monitoring_client, f"{HOUSEHOLDS}/F001", bearer(role, VILLAGE))
        for role in ("grid_worker", "village_secretary", "auditor")
    }
    system = await get(monitoring_client, f"{HOUSEHOLDS}/F001", bearer())
    assert (views["grid_worker"]["head_name"], views["grid_worker"]["recommendation"]) == ("测试乙", None)
    assert views["village_secretary"]["recommendation"] == "marginal_at_risk"
    assert (views["auditor"]["head_name"], views["auditor"]["phone"]) == ("测*乙", None)
    assert (system["head_name"], system["members"][1]["name"]) == ("测*乙", "测*丙")
    assert number(1) not in str(views)


async def test_who_may_not_see_the_class_may_not_filter_by_it(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    answer = await monitoring_client.get(
        f"{HOUSEHOLDS}?recommendation=marginal_at_risk", headers=bearer("grid_worker", VILLAGE)
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "filter_not_allowed")


async def test_an_assessment_is_explained_with_its_numbers(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await get(monitoring_client, f"{HOUSEHOLDS}/F001/assessment", bearer("county_admin"))
    medical = next(each for each in found["indicators"] if each["id"] == "medical_self_paid")
    assert (medical["state"], medical["measured"]) == ("fired", "12000.00")
    assert medical["threshold"].removesuffix(".00") in medical["sentence"]
    assert medical["decided_by"]
    assert (found["origin"], found["recommendation_label"]) == ("stored", "边缘易致贫户")
    assert found["net_income_per_capita_yuan"] == "5000.00"


async def test_posts_without_amounts_read_sentences_without_amounts(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await get(monitoring_client, f"{HOUSEHOLDS}/F001/assessment", bearer("village_secretary", VILLAGE))
    texts = [found["explanation"], *(each["sentence"] for each in found["indicators"])]
    assert not [text for text in texts if any(character.isdigit() for character in text)]
    assert found["net_income_per_capita_yuan"] is None
    assert found["parameters_used"] is None
    assert all(each["measured"] is None for each in found["indicators"])


async def test_a_replay_knows_what_was_known(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    before = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    await deliver(village, settled(village.keys, 1, 0, sent=sent_at(9), feed="m2"))
    path = f"{HOUSEHOLDS}/F001/assessment"
    now = await get(monitoring_client, f"{path}?as_of=2026-03-15", bearer("county_admin"))
    then = await get(monitoring_client, f"{path}?as_of=2026-03-15&known_at={before}", bearer("county_admin"))
    stored = await get(monitoring_client, path, bearer("county_admin"))
    assert (now["origin"], now["recommendation"]) == ("replay", None)
    assert then["recommendation"] == "marginal_at_risk"
    same = {
        "origin",
        "decided",
        "known_at",
        "facts_version",
        "stale",
        "indicators",
        "exclusions",
        "unknown",
        "confidence",
        "explanation",
    }
    assert {k: v for k, v in then.items() if k not in same} == {k: v for k, v in stored.items() if k not in same}


async def test_a_replay_of_a_day_without_facts_is_refused(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for query in (
        "as_of=2026-03-16",
        "as_of=0001-01-01",
        "known_at=0001-01-01T00:00:00Z",
        "as_of=9999-12-31",
        "as_of=2016-01-01",
        "known_at=2026-01-01T00:00:00",
    ):
        answer = await monitoring_client.get(f"{HOUSEHOLDS}/F001/assessment?{query}", headers=bearer("county_admin"))
        assert answer.status_code == 422, query
    far = f"{HOUSEHOLDS}/F001/assessment?known_at=9999-12-31T23:59:59Z"
    assert (await monitoring_client.get(far, headers=bearer("county_admin"))).status_code == 200


async def test_stale_data_vouches_for_nothing(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment", bearer("county_admin"))
    states = {each["id"]: each["state"] for each in found["indicators"]}
    assert "disability_register" in found["stale"]
    assert "medical_settlement" not in found["stale"]
    assert (states["disability"], states["medical_self_paid"]) == ("unknown", "clear")
    assert {each["state"] for each in found["exclusions"]} == {"unknown"}


NEVER_CAME = {
    "serious_illness": "大病慢病登记",
    "accident": "意外事故",
    "disaster": "灾情",
    "job_loss": "务工就业",
    "wage_drop": "务工就业",
    "business_failure": "产业损失",
    "earner_lost": "死亡与服刑",
    "education_cost": "教育收费与资助",
    "dropout": "在校与控辍保学",
    "loan_overdue": "小额信贷",
}


async def test_a_feed_that_never_came_is_not_read_as_nothing_happened(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """When it comes, what it does not tell of did not happen; neither writes an assessment nor tells anybody."""
    runtime = village

    async def written() -> tuple[int, int]:
        row = await runtime.worker_pool.fetchrow(
            "SELECT (SELECT count(*) FROM assessment), (SELECT count(*) FROM outbox WHERE type LIKE '%risk%')"
        )
        return row[0], row[1]

    async def look() -> tuple[dict[str, Any], dict[str, Any]]:
        found = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment", bearer("county_admin"))
        return found, {each["id"]: each for each in found["indicators"]}

    before, indicators = await look()
    for name, data in NEVER_CAME.items():
        assert indicators[name]["state"] == "unknown", name
        assert f"{data}数据从未报送" in indicators[name]["sentence"]
        assert name in before["unknown"]
    assert indicators["hardship_report"]["state"] == "clear"
    assert before["explanation"].count("从未报送") <= 2, "one sentence tells all of it"
    was = await written()
    accident = {"record": "A1", "op": "put", "kind": "event.accident", "occurred_on": "2026-03-01"}
    other = {"person": runtime.keys.blind_index(number(4)).hex()}
    await deliver(runtime, observed([{**accident, **other}], feed="a1", data_set="accidents", department="公安局"))
    after, indicators = await look()
    assert indicators["accident"]["state"] == "clear"
    assert "accidents" not in after["stale"]
    assert after["confidence"] > before["confidence"]
    assert await written() == was


async def test_what_another_policy_decided_is_judged_again_and_not_read_as_nothing_either(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    """Until a county is assessed anew after a release, the answer is worked out; no feed has come by that."""
    await admin.execute("UPDATE monitoring.assessment SET policy_version = 'of-before'")
    found = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment", bearer("county_admin"))
    assert (found["origin"], "accidents" in found["stale"], "accident" in found["unknown"]) == ("replay", True, True)
    asked = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment?as_of=2026-03-15", bearer("county_admin"))
    assert (asked["stale"], "accident" in asked["unknown"]) == ([], False)


async def test_a_county_without_a_water_feed_learns_it_by_visits(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    async def water(no: str) -> str:
        found = await get(monitoring_client, f"{HOUSEHOLDS}/{no}/assessment", bearer("county_admin"))
        return next(each["state"] for each in found["indicators"] if each["id"] == "water_unsafe")

    assert [await water(no) for no in ("F002", "F003")] == ["unknown", "unknown"]
    good = {"litres": 60, "minutes": 5, "guarantee": 97, "quality_ok": True}
    seen = {"record": "V1", "op": "put", "kind": "state.water", "occurred_on": "2026-03-10", "attributes": good}
    await deliver(
        village,
        observed(
            [{**seen, "household_no": "F002", "person": village.keys.blind_index(number(3)).hex()}],
            feed="v1",
            data_set="household_visit",
            department="乡镇",
        ),
    )
    await assess_all(village)
    assert [await water(no) for no in ("F002", "F003")] == ["clear", "unknown"]
    clock.at += timedelta(days=401)
    assert await water("F002") == "unknown"


async def test_a_county_decides_how_long_data_vouch(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    """Sixty-two days after its newest day a monthly feed still vouches, a day later it does not."""
    newest = datetime(2026, 2, 10).date()

    async def medical() -> str:
        found = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment", bearer("county_admin"))
        return next(each["state"] for each in found["indicators"] if each["id"] == "medical_self_paid")

    clock.at += timedelta(days=62) - (clock.today() - newest)
    assert await medical() == "clear"
    clock.at += timedelta(days=1)
    assert await medical() == "unknown"


async def test_what_is_in_doubt_speaks_against_taking_a_household_off_the_list(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    """All was known to be well; once nobody has said so of the schools for too long, it is open again."""
    decision = {"listed_as": "marginal_at_risk", "decided_on": "2026-03-15", "document_no": "1号", "reason": "核实"}
    path = f"{HOUSEHOLDS}/F002/decisions"
    answer = await monitoring_client.post(path, json=decision, headers=bearer("county_admin"))
    assert answer.status_code == 201, answer.text
    said = {"record": "1", "op": "put", "occurred_on": "2026-03-10"}
    good = {"litres": 60, "minutes": 5, "guarantee": 97, "quality_ok": True}
    for kind, person, data_set, attributes in (
        ("state.water", 3, "household_visit", good),
        ("state.school", 4, "school_status", {"in_school": True}),
    ):
        whose = {"kind": kind, "person": village.keys.blind_index(number(person)).hex(), "attributes": attributes}
        await deliver(village, observed([{**said, **whose}], feed=data_set, data_set=data_set, department="乡镇"))
    await assess_all(village)

    async def blockers() -> list[str]:
        found = await get(monitoring_client, f"{HOUSEHOLDS}/F002/assessment", bearer("county_admin"))
        told: list[str] = found["removal_blockers"]
        return told

    assert "open_finding" not in await blockers()
    clock.at += timedelta(days=215 + 6)
    assert "open_finding" in await blockers()
    removed = await monitoring_client.post(path, json={**decision, "listed_as": None}, headers=bearer("county_admin"))
    assert "三保障及饮水有问题或不清楚" in removed.json()["removal_blockers"]


async def test_a_low_income_of_a_stale_roster_names_the_roster(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    clock.at += timedelta(days=450)
    for headers in (bearer("county_admin"), bearer("village_secretary", VILLAGE)):
        found = await get(monitoring_client, f"{HOUSEHOLDS}/F001/assessment", headers)
        income = next(each for each in found["indicators"] if each["id"] == "income_below_line")
        assert income["state"] == "unknown"
        assert income["sentence"] == "农户花名册数据已过期（最新至 2026-01-01），“人均纯收入低于监测线”暂不能判断。"
        assert "农户花名册数据已过期（最新至 2026-01-01）" in found["explanation"]
    assert found["recommendation"] == "marginal_at_risk"


async def test_a_search_finds_a_person_in_range_and_leaves_a_trace(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    async def search(text: str, *who: str) -> httpx.Response:
        body = {"identity_number": text, "purpose": "核对申报人"}
        return await monitoring_client.post(f"{HOUSEHOLDS}/search", json=body, headers=bearer(*who))

    found = await search(number(3), "county_admin")
    hidden = await search(number(3), "village_secretary", VILLAGE)
    assert [item["household_no"] for item in found.json()["items"]] == ["F002"]
    assert hidden.json() == {"items": []} == (await search(number(99), "county_admin")).json()
    wrong = await search("990101197001010010", "county_admin")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "identity_number_refused")
    rows = await admin.fetch("SELECT * FROM monitoring.audit_log WHERE action = 'household.search'")
    assert len(rows) == 3
    assert number(3) not in str([tuple(row) for row in rows])


async def test_each_read_of_a_household_leaves_one_trace(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    headers = bearer("village_secretary", VILLAGE)
    for path in ("", "/assessment", "/assessment?as_of=2026-03-01", "/history"):
        await get(monitoring_client, f"{HOUSEHOLDS}/F001{path}", headers)
        assert (await monitoring_client.get(f"{HOUSEHOLDS}/F002{path}", headers=headers)).status_code == 404
    rows = await admin.fetch("SELECT action, object, detail FROM monitoring.audit_log ORDER BY ctid")
    assert [row["action"] for row in rows] == ["household.read", "assessment.read", "assessment.read", "history.read"]
    assert {row["object"] for row in rows} == {"household:F001"}
    assert rows[2]["detail"] == {"as_of": "2026-03-01", "role": "village_secretary", "division": VILLAGE}


async def test_history_tells_assessments(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await deliver(village, settled(village.keys, 1, 0, sent=sent_at(9), feed="m2"))
    await assess_all(village)
    found = await get(monitoring_client, f"{HOUSEHOLDS}/F001/history", bearer("county_admin"))
    assert [each["recommendation"] for each in found["assessments"]] == [None, "marginal_at_risk"]
    assert (found["verifications"], found["decisions"]) == ([], [])


async def test_what_fits_nobody_is_listed_for_the_county(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await deliver(village, settled(village.keys, 77, 100_000, record="S77"))
    found = await get(monitoring_client, "/monitoring/v1/unmatched", bearer("county_admin"))
    [item] = found["items"]
    assert (item["data_set"], item["record"], item["department"]) == ("medical_settlement", "S77", "医保局")
    hidden = await get(monitoring_client, "/monitoring/v1/unmatched", bearer("village_secretary", VILLAGE))
    assert hidden["items"] == []


async def test_a_rescreen_tells_how_far_it_got(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    body = {"division": OTHER_VILLAGE, "reason": "季度集中排查"}
    ordered = await monitoring_client.post("/monitoring/v1/rescreens", json=body, headers=admin)
    assert (ordered.status_code, ordered.json()["remaining"]) == (202, 2)
    path = f"/monitoring/v1/rescreens/{ordered.json()['rescreen_id']}"
    assert (await get(monitoring_client, path, admin))["state"] == "running"
    assert await assess_all(village) == 2
    assert (await get(monitoring_client, path, admin))["state"] == "finished"
    elsewhere = bearer("county_admin", "130625000000")
    assert (await monitoring_client.get(path, headers=elsewhere)).status_code == 404
    assert (await monitoring_client.post("/monitoring/v1/rescreens", json=body, headers=elsewhere)).status_code == 403


async def test_without_token_or_scope_nothing_is_shown(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    paths = [HOUSEHOLDS, f"{HOUSEHOLDS}/F001", f"{HOUSEHOLDS}/F001/assessment", "/monitoring/v1/dashboard/summary"]
    for path in paths:
        assert (await monitoring_client.get(path)).status_code == 401
        assert (await monitoring_client.get(path, headers=bearer("liaison"))).status_code == 403
    late = bearer("county_admin", lifetime=timedelta(seconds=-1))
    assert (await monitoring_client.get(HOUSEHOLDS, headers=late)).status_code == 401


async def test_the_service_is_ready_and_describes_itself(monitoring_client: httpx.AsyncClient, house: Any) -> None:
    document = (await monitoring_client.get("/monitoring/openapi.json")).json()
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert all("summary" in op for op in operations)
    app = await house.app("monitoring")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://m") as direct:
        assert (await direct.get("/readyz")).status_code == 200
