"""The phone page over HTTP: who gets in by which link, what he sees, what he may do, and what is never shown."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.alerts.phone_token import make_links, secret_hash
from services.alerts.repository_phone import act_as, present_key
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk
from tests.services.alerts.receiver import http_receiver
from tests.services.intake.build import number

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
PIN = "274916"
BASE = "/alerts/m"


async def link_for(runtime: Runtime, officer_no: str, alert: UUID) -> str:
    """The secret of a link as a message would carry it."""
    async with transaction(runtime.worker_pool) as connection:
        wanted = {uuid4(): (officer_no, alert)}
        links = await make_links(connection, wanted, "http://house", runtime.clock.now())
    (link,) = links.values()
    return link.partition("?t=")[2]


async def opened(client: httpx.AsyncClient, token: str, pin: str = PIN, **more: str) -> httpx.Response:
    return await client.post(f"{BASE}/open", data={"t": token, "pin": pin, "again": pin, **more})


@pytest.fixture
async def secretary(alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID) -> httpx.AsyncClient:
    """The village secretary's phone, logged in."""
    answer = await opened(alerts_client, await link_for(alerts_runtime, "S1", alert))
    assert answer.status_code == 303, answer.text
    return alerts_client


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


async def send(client: httpx.AsyncClient, alert: UUID, step: str, **fields: Any) -> httpx.Response:
    """Fill in the form of the page as it stands, and send it."""
    page = (await client.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id", "seen")}
    return await client.post(f"{BASE}/a/{alert}/{step}", data=form | fields)


NO_RISK = {"outcome": "no_risk", "method": "visit", "on": "2026-03-15", "met": "户主本人"}


# --- links ---------------------------------------------------------------------------------------------------


async def test_a_link_is_looked_at_without_being_used(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, rows: Rows
) -> None:
    """As a messenger does that looks at links before people do."""
    token = await link_for(alerts_runtime, "S1", alert)
    for _ in range(3):
        page = await alerts_client.get(f"{BASE}/open", params={"t": token})
        assert (page.status_code, "set-cookie" in page.headers) == (200, False)
        assert "张建国" not in page.text
    (kept,) = await rows("phone_token")
    assert kept["used_at"] is None
    assert kept["token_hash"] == secret_hash(token)
    assert kept["expires_at"] - kept["made_at"] == timedelta(hours=24)


async def test_a_link_opens_one_phone_once(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, rows: Rows
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    answer = await opened(alerts_client, token)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/a/{alert}")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/alerts/m"))
    alerts_client.cookies.clear()
    again = await opened(alerts_client, token)
    assert (again.status_code, "链接已失效" in again.text) == (410, True)
    assert [row["action"] for row in await rows("audit_log", "action LIKE 'phone.%'")] == [
        "phone.pin_set",
        "phone.opened",
    ]


async def test_the_cookie_is_secure_outside_the_demo(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID
) -> None:
    token, settings = await link_for(alerts_runtime, "S1", alert), alerts_runtime.settings
    alerts_runtime.settings = settings.model_copy(update={"demo": False})
    try:
        answer = await opened(alerts_client, token)
    finally:
        alerts_runtime.settings = settings
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_a_link_lasts_a_day(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, clock: FixedClock
) -> None:
    token, made = await link_for(alerts_runtime, "S1", alert), clock.at
    clock.at = made + timedelta(hours=24) - timedelta(seconds=1)
    assert (await alerts_client.get(f"{BASE}/open", params={"t": token})).status_code == 200
    clock.at = made + timedelta(hours=24)
    assert (await alerts_client.get(f"{BASE}/open", params={"t": token})).status_code == 410
    assert (await opened(alerts_client, token)).status_code == 410


@pytest.mark.parametrize("token", ["", "x", "x" * 100, "%00", "张"])
async def test_a_made_up_link_opens_nothing(alerts_client: httpx.AsyncClient, token: str) -> None:
    for answer in (
        await alerts_client.get(f"{BASE}/open", params={"t": token}),
        await opened(alerts_client, token),
    ):
        assert answer.status_code in (410, 422), answer.text
        assert answer.headers["content-type"].startswith("text/html")


async def test_the_next_link_goes_right_through_while_the_phone_is_open(
    secretary: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, rows: Rows
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    answer = await secretary.get(f"{BASE}/open", params={"t": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/a/{alert}")
    assert len(await rows("phone_token", "used_at IS NOT NULL")) == 1
    others = await link_for(alerts_runtime, "G1", alert)
    assert (await secretary.get(f"{BASE}/open", params={"t": others})).status_code == 200


async def test_what_a_messenger_adds_to_an_address_is_no_mistake(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    answer = await alerts_client.get(f"{BASE}/open", params={"t": token, "dd_progress": "false", "code": "1"})
    assert answer.status_code == 200


# --- PINs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pin", "again", "told"),
    [
        ("123456", "123456", "太简单"),
        ("111111", "111111", "太简单"),
        ("27491", "27491", "6 位"),
        (PIN, "1", "不一致"),
    ],
)
async def test_a_first_pin_is_no_easy_one_and_typed_twice(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    alert: UUID,
    rows: Rows,
    pin: str,
    again: str,
    told: str,
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    answer = await opened(alerts_client, token, pin, again=again)
    assert (answer.status_code, told in answer.text) == (403, True)
    assert await rows("phone_pin") == []


async def test_five_wrong_pins_lock_for_a_quarter_of_an_hour(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, clock: FixedClock, rows: Rows
) -> None:
    await opened(alerts_client, await link_for(alerts_runtime, "S1", alert))
    alerts_client.cookies.clear()
    token = await link_for(alerts_runtime, "S1", alert)
    for left in (4, 3, 2, 1):
        answer = await opened(alerts_client, token, "999999")
        assert (answer.status_code, f"还可以试 {left} 次" in answer.text) == (403, True)
    assert "次数过多" in (await opened(alerts_client, token, "999999")).text
    assert "次数过多" in (await opened(alerts_client, token)).text, "not even the right one"
    clock.at += timedelta(minutes=15)
    assert (await opened(alerts_client, token)).status_code == 303, "the link was not used up by the wrong ones"
    noted = [row["action"] for row in await rows("audit_log", "action IN ('phone.pin_wrong', 'phone.pin_locked')")]
    assert noted == ["phone.pin_wrong"] * 5 + ["phone.pin_locked"]
    (kept,) = await rows("phone_pin")
    assert PIN.encode() not in kept["pin_hash"]


async def test_half_a_day_later_the_phone_asks_for_the_pin_again(
    secretary: httpx.AsyncClient, alert: UUID, clock: FixedClock
) -> None:
    clock.at += timedelta(hours=12)
    asked = await secretary.get(f"{BASE}/a/{alert}")
    assert (asked.status_code, asked.headers["location"]) == (303, f"{BASE}/pin?to=/alerts/m/a/{alert}")
    page = (await secretary.get(asked.headers["location"])).text
    form = {"csrf": hidden(page, "csrf"), "to": hidden(page, "to")}
    assert (await secretary.post(f"{BASE}/pin", data=form | {"pin": "999999"})).status_code == 403
    right = await secretary.post(f"{BASE}/pin", data=form | {"pin": PIN})
    assert (right.status_code, right.headers["location"]) == (303, f"{BASE}/a/{alert}")
    assert (await secretary.get(f"{BASE}/a/{alert}")).status_code == 200
    clock.at += timedelta(days=30)
    assert (await secretary.get(f"{BASE}/")).status_code == 401


@pytest.mark.parametrize("to", ["https://example.invalid/", "//example.invalid", "/alerts/m/../v1", "/alerts/m/x\n"])
async def test_nobody_is_sent_elsewhere_after_the_pin(secretary: httpx.AsyncClient, to: str) -> None:
    page = (await secretary.get(f"{BASE}/pin")).text
    form = {"csrf": hidden(page, "csrf"), "to": to, "pin": PIN}
    assert (await secretary.post(f"{BASE}/pin", data=form)).headers["location"] == f"{BASE}/"


async def test_the_county_resets_a_forgotten_pin(
    secretary: httpx.AsyncClient, bearer: Bearer, rows: Rows, alerts_runtime: Runtime, alert: UUID
) -> None:
    body = {"officer_no": "S1", "reason": "本人到场，忘记口令"}
    path = "/alerts/v1/phone-pins/reset"
    far = await secretary.post(path, json=body, headers=bearer("county_admin", OTHER_VILLAGE, officer_no="X"))
    assert (far.status_code, far.json()["code"]) == (404, "officer_unknown")
    done = await secretary.post(path, json=body, headers=bearer("county_admin", COUNTY, officer_no="C1"))
    assert (done.status_code, done.json()) == (200, {"officer_no": "S1", "had_pin": True})
    assert (await rows("phone_pin"), await rows("phone_session")) == ([], [])
    assert (await secretary.get(f"{BASE}/")).status_code == 401
    token = await link_for(alerts_runtime, "S1", alert)
    assert "设置口令" in (await secretary.get(f"{BASE}/open", params={"t": token})).text


async def test_leaving_forgets_the_phone(secretary: httpx.AsyncClient, rows: Rows) -> None:
    page = (await secretary.get(f"{BASE}/")).text
    assert (await secretary.post(f"{BASE}/leave", data={"csrf": hidden(page, "csrf")})).status_code == 303
    assert await rows("phone_session") == []
    assert (await secretary.get(f"{BASE}/")).status_code == 401


# --- what is shown -------------------------------------------------------------------------------------------


async def test_the_list_is_by_village_and_the_nearest_deadline_first(
    secretary: httpx.AsyncClient, alert: UUID, tell: Any, enlist: Any
) -> None:
    await enlist(("S1", "village_secretary", OTHER_VILLAGE))
    soon = {"acknowledge_hours": 2, "verify_days": 1}
    await tell(
        risk(2, living_division=OTHER_VILLAGE, contact={"name": "李小红", "phone": None}, clocks=soon),
        risk(3, contact={"name": "王大力", "phone": None}, clocks={"acknowledge_hours": 4, "verify_days": 3}),
    )
    page = (await secretary.get(f"{BASE}/")).text
    assert [name for name in re.findall(r"<b>(\S+?)</b>", page) if name in {"张建国", "李小红", "王大力"}] == [
        "李小红",
        "王大力",
        "张建国",
    ]
    assert page.count("<section") == 2


async def test_a_household_says_who_where_why_and_what_to_look_at(secretary: httpx.AsyncClient, alert: UUID) -> None:
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    for said in (
        "张建国",
        'href="tel:19900000001"',
        "因病",
        "住院和门诊票据",
        "网格员 干部G1",
        "突发严重困难户",
        "3月17日 08:30 前签收",
    ):
        assert said in page, said
    assert "12345.60" not in page, "amounts are not for the village"


async def test_each_post_sees_its_fields(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, tell: Any, cadres: None, rows: Rows
) -> None:
    await tell(risk(severity="red"))
    (alert,) = [row["alert_id"] for row in await rows("alert")]
    seen = {}
    for officer in ("G1", "T1"):
        alerts_client.cookies.clear()
        await opened(alerts_client, await link_for(alerts_runtime, officer, alert))
        seen[officer] = (await alerts_client.get(f"{BASE}/a/{alert}")).text
    assert ("突发严重困难户" in seen["G1"], "12345.60" in seen["G1"]) == (False, False)
    assert ("突发严重困难户" in seen["T1"], "12345.60" in seen["T1"]) == (True, True)


async def test_anothers_alert_is_like_none(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    alert: UUID,
    secretary: httpx.AsyncClient,
    tell: Any,
    rows: Rows,
) -> None:
    """Of another village, and of one's own village but not one's own."""
    await tell(risk(2, living_division=OTHER_VILLAGE, registered_division=OTHER_VILLAGE))
    (far,) = [row["alert_id"] for row in await rows("alert", "subject = 'household:H2'")]
    said = [(await secretary.get(f"{BASE}/a/{one}")) for one in (far, uuid4())]
    assert {one.status_code for one in said} == {404}
    assert len({re.sub(r'nonce="[^"]*"', "", one.text) for one in said}) == 1
    csrf = hidden((await secretary.get(f"{BASE}/")).text, "csrf")
    for step in ("acknowledge", "attempt", "handover", "answer"):
        refused = await secretary.post(f"{BASE}/a/{far}/{step}", data={"csrf": csrf, **NO_RISK})
        assert refused.status_code == 404, step
    await opened(alerts_client, await link_for(alerts_runtime, "T1", alert))
    assert (await alerts_client.get(f"{BASE}/a/{alert}")).status_code == 404, "in his range, and not his"


async def test_an_officer_without_a_post_sees_nothing(
    secretary: httpx.AsyncClient, alert: UUID, admin: asyncpg.Connection
) -> None:
    await admin.execute(
        "UPDATE alerts.duty SET valid_from = '2026-01-01', valid_to = '2026-03-15' WHERE officer_no = 'S1'"
    )
    assert (await secretary.get(f"{BASE}/a/{alert}")).status_code == 404
    assert "没有待办的户" in (await secretary.get(f"{BASE}/")).text
    await admin.execute("UPDATE alerts.officer SET active = false WHERE officer_no = 'S1'")
    assert (await secretary.get(f"{BASE}/")).status_code == 401


async def test_a_page_lets_nothing_in_and_leaves_nothing_behind(secretary: httpx.AsyncClient, alert: UUID) -> None:
    answers = [await secretary.get(f"{BASE}/{path}") for path in ("", f"a/{alert}", "pin", "a/x", "open?t=x")]
    nonces = set()
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'nonce-")
        assert "unsafe" not in policy
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert re.findall(r"<title>(.*)</title>", answer.text) == ["防贫核实"]
        assert not re.search(r"https?://|src=|@import|url\(", answer.text), "no third party"
        assert len(answer.text.encode()) < 60_000
        nonces.add(policy)
    assert len(nonces) == len(answers)


async def test_what_a_household_is_called_is_text_and_no_markup(
    secretary: httpx.AsyncClient, tell: Any, rows: Rows
) -> None:
    await tell(risk(2, contact={"name": "<script>alert(1)</script>", "phone": '1"><b>'}))
    (found,) = [row["alert_id"] for row in await rows("alert", "subject = 'household:H2'")]
    page = (await secretary.get(f"{BASE}/a/{found}")).text
    assert "<script>alert" not in page
    assert 'href="tel:1"' in page


# --- what is done --------------------------------------------------------------------------------------------


async def test_a_form_of_another_phone_is_refused(secretary: httpx.AsyncClient, alert: UUID, rows: Rows) -> None:
    for csrf in ("", "0" * 64, "张"):
        for path in (f"a/{alert}/acknowledge", f"a/{alert}/answer", f"a/{alert}/handover", "leave"):
            answer = await secretary.post(f"{BASE}/{path}", data={**NO_RISK, "csrf": csrf})
            assert answer.status_code == 403, path
    assert [row["status"] for row in await rows("alert")] == ["open"]


async def test_acknowledging_is_the_same_step_as_everywhere(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows
) -> None:
    for _ in range(2):
        assert (await send(secretary, alert, "acknowledge")).status_code == 303
    assert [row["action"] for row in await rows("alert_log")] == ["opened", "routed", "acknowledge"]
    page = (await secretary.get(f"{BASE}/a/{alert}?said=acknowledged")).text
    assert ("已签收，请按期" in page, "签收：我会去核实" in page) == (True, False)


async def test_an_answer_closes_and_keeps_what_was_seen(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows, bearer: Bearer, tell: Any
) -> None:
    await tell(risk(2, contact={"name": "李小红", "phone": None}))
    seen = {"need_food": "fine", "need_housing": "fine", "about_housing": "去年新修的", "need_water": "not_seen"}
    answer = await send(secretary, alert, "answer", **NO_RISK, minutes="40", note="儿子寄钱回来了", **seen)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/a/{alert}/done")
    (kept,) = await rows("verification")
    assert (kept["contacted_by"], kept["met"], kept["minutes"], kept["officer_role"]) == (
        "S1",
        "户主本人",
        40,
        "village_secretary",
    )
    assert kept["household_check"] == {
        "food": {"seen": "fine", "note": None},
        "housing": {"seen": "fine", "note": "去年新修的"},
    }
    done = (await secretary.get(answer.headers["location"])).text
    assert all(said in done for said in ("张建国", "无返贫致贫风险", "李小红", f'data-clear="{alert}"'))
    told = await secretary.get(f"/alerts/v1/alerts/{alert}", headers=bearer("village_secretary", VILLAGE))
    assert told.json()["verification"]["household_check"]["housing"]["note"] == "去年新修的"


async def test_an_answer_sent_twice_counts_once_and_another_is_refused(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows
) -> None:
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id", "seen")} | NO_RISK
    answers = [await secretary.post(f"{BASE}/a/{alert}/answer", data=form) for _ in range(2)]
    assert {(one.status_code, one.headers["location"]) for one in answers} == {(303, f"{BASE}/a/{alert}/done")}
    assert len(await rows("verification")) == 1
    other = await secretary.post(f"{BASE}/a/{alert}/answer", data=form | {"id": str(uuid4())})
    assert (other.status_code, "已办结" in other.text) == (409, True)
    assert f'data-clear="{alert}"' in other.text, "the draft on the phone is of no use any more"
    assert "<script nonce" in other.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "结论：缺少必填项"),
        ({"outcome": "no_risk"}, "须先入户或电话核实"),
        ({**NO_RISK, "met": ""}, "见了谁"),
        ({**NO_RISK, "on": "2026-03-16"}, "不能晚于今天"),
        ({**NO_RISK, "on": "2026-03-32"}, "核实日期"),
        ({**NO_RISK, "outcome": "identify"}, "须写明致贫返贫风险"),
        ({**NO_RISK, "outcome": "need_met"}, "由哪个部门帮扶"),
        ({**NO_RISK, "minutes": "一小时"}, "用时：应为整数"),
        ({**NO_RISK, "need_housing": "lacking"}, "住房安全有问题，请写一句"),
        ({**NO_RISK, "need_housing": "lacking", "about_housing": "漏雨"}, "不能核为无风险"),
        ({**NO_RISK, "need_food": "plenty"}, "吃饭：不在允许的取值中"),
        ({**NO_RISK, "note": f"证件{number(1)}"}, "请不要在此填写身份证号"),
    ],
)
async def test_what_is_missing_is_said_and_what_was_typed_stays(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows, fields: dict[str, str], told: str
) -> None:
    answer = await send(secretary, alert, "answer", **fields, helped_by="", about_water="井水<清>")
    assert (answer.status_code, told in answer.text) == (422, True), answer.text
    assert "井水&lt;清&gt;" in answer.text
    assert [row["status"] for row in await rows("alert")] == ["open"]
    assert await rows("verification") == []


@pytest.mark.parametrize("outcome", ["already_monitored", "data_wrong", "moved", "deceased"])
async def test_what_is_known_at_the_desk_takes_one_choice(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows, outcome: str
) -> None:
    assert (await send(secretary, alert, "answer", outcome=outcome, on="2026-03-15")).status_code == 303
    assert [row["outcome"] for row in await rows("alert")] == [outcome]


async def test_an_answer_waits_for_news_to_be_seen_but_not_for_a_colleagues_step(
    secretary: httpx.AsyncClient, alert: UUID, tell: Any, rows: Rows, bearer: Bearer
) -> None:
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id", "seen")} | NO_RISK
    await tell(risk(severity="red", facts_version=11))
    refused = await secretary.post(f"{BASE}/a/{alert}/answer", data=form)
    assert (refused.status_code, "预警升级" in refused.text, "户主本人" in refused.text) == (409, True, True)
    form["seen"] = hidden(refused.text, "seen")
    grid = bearer("grid_worker", VILLAGE, officer_no="G1")
    assert (await secretary.post(f"/alerts/v1/alerts/{alert}/acknowledge", json={}, headers=grid)).status_code == 200
    assert (await secretary.post(f"{BASE}/a/{alert}/answer", data=form)).status_code == 303


async def test_cannot_reach_and_hand_over_are_steps_taken_once(
    secretary: httpx.AsyncClient, alert: UUID, rows: Rows
) -> None:
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id")}
    for _ in range(2):
        tried = await secretary.post(f"{BASE}/a/{alert}/attempt", data=form | {"method": "call", "note": "没人接"})
        assert tried.status_code == 303, tried.text
    assert len(await rows("alert_log", "action = 'cannot_reach'")) == 1
    nobody = await secretary.post(f"{BASE}/a/{alert}/handover", data=form | {"to_officer_no": "S2", "reason": "外出"})
    assert (nobody.status_code, "另一位在岗责任人" in nobody.text) == (422, True)
    empty = await secretary.post(f"{BASE}/a/{alert}/handover", data=form | {"to_officer_no": "T1", "reason": ""})
    assert empty.status_code == 422
    over = await secretary.post(f"{BASE}/a/{alert}/handover", data=form | {"to_officer_no": "T1", "reason": "外出"})
    assert (over.status_code, over.headers["location"]) == (303, f"{BASE}/?said=handed_over")
    assert {row["officer_no"] for row in await rows("assignment", "until IS NULL")} == {"G1", "S1"}
    assert (await secretary.get(f"{BASE}/a/{alert}")).status_code == 200, "until it is taken over it is his"


async def test_a_colleague_takes_the_household_over_on_his_phone(
    secretary: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, rows: Rows
) -> None:
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id")}
    await secretary.post(f"{BASE}/a/{alert}/handover", data=form | {"to_officer_no": "T1", "reason": "外出"})
    assert (await opened(secretary, await link_for(alerts_runtime, "T1", alert))).status_code == 303
    offered = (await secretary.get(f"{BASE}/a/{alert}")).text
    assert ("待您接收" in offered, "提交，办结这一户" in offered) == (True, False)
    csrf = {"csrf": hidden(offered, "csrf")}
    why = await secretary.post(f"{BASE}/a/{alert}/offer", data=csrf | {"answer": "decline", "reason": ""})
    assert (why.status_code, "退回须写明原因" in why.text) == (422, True)
    taken = await secretary.post(f"{BASE}/a/{alert}/offer", data=csrf | {"answer": "accept", "reason": ""})
    assert taken.status_code == 303, taken.text
    assert {row["officer_no"] for row in await rows("assignment", "until IS NULL")} == {"G1", "T1"}
    assert "提交，办结这一户" in (await secretary.get(f"{BASE}/a/{alert}")).text


async def test_a_strange_form_is_a_page_too(secretary: httpx.AsyncClient, alert: UUID) -> None:
    csrf = hidden((await secretary.get(f"{BASE}/")).text, "csrf")
    strange: list[dict[str, Any]] = [
        {"content": b"--x\r\nnonsense", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"data": {"csrf": csrf, "outcome": "\x00", "id": "x"}},
        {"data": {"csrf": csrf, "note": "x" * 2000, **NO_RISK}},
        {"files": {"csrf": b"x"}},
        {"content": b"\xff%ff=%zz", "headers": {"content-type": "application/x-www-form-urlencoded"}},
    ]
    for body in strange:
        answer = await secretary.post(f"{BASE}/a/{alert}/answer", **body)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"].startswith("text/html")


# --- messages ------------------------------------------------------------------------------------------------


async def test_a_persons_message_carries_his_own_link_and_a_groups_the_list(
    alerts_client: httpx.AsyncClient, cadres: None, tell: Any, bearer: Bearer, rows: Rows, house: Any
) -> None:
    county = bearer("county_admin", COUNTY, officer_no="C1")
    async with http_receiver() as own, http_receiver() as group:
        for hook, owner in ((own, {"officer_no": "S1"}), (group, {"division": VILLAGE})):
            body = {"channel": "webhook", "address": hook.url, **owner}
            assert (await alerts_client.post("/alerts/v1/endpoints", json=body, headers=county)).status_code == 200
        await tell(risk())
        assert await rows("phone_token") == [], "made when it is sent, not before"
        assert "?t=" not in str(await rows("delivery"))
        await house.run_worker("alerts", "deliver")
    (message,), (common,) = own.received, group.received
    link = re.search(r"http://house/alerts/m/open\?t=[\w-]{43}", message.body.decode())
    assert link
    assert "http://house/alerts/m/" in common.body.decode()
    assert "?t=" not in common.body.decode()
    assert "?t=" not in str(await rows("inbox_item"))
    answer = await opened(alerts_client, link[0].partition("?t=")[2])
    (alert,) = await rows("alert")
    assert answer.headers["location"] == f"{BASE}/a/{alert['alert_id']}"


async def test_what_opens_nothing_any_more_is_forgotten(
    secretary: httpx.AsyncClient, house: Any, clock: FixedClock, rows: Rows
) -> None:
    clock.at += timedelta(hours=24)
    await house.run_worker("alerts", "phones")
    assert (await rows("phone_token"), len(await rows("phone_session"))) == ([], 1)
    clock.at += timedelta(days=29)
    await house.run_worker("alerts", "phones")
    assert await rows("phone_session") == []


async def test_a_township_leader_reads_his_list(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, cadres: None, tell: Any, rows: Rows
) -> None:
    """Ninety households are three pages, each small enough for a slow phone."""
    await tell(*(risk(n, severity="red", contact={"name": f"农户{n}", "phone": None}) for n in range(1, 91)))
    alert = (await rows("alert"))[0]["alert_id"]
    await opened(alerts_client, await link_for(alerts_runtime, "T1", alert))
    sizes = []
    for page, count in ((1, 40), (2, 40), (3, 10)):
        shown = (await alerts_client.get(f"{BASE}/", params={"page": page})).text
        assert shown.count('class="item"') == count
        sizes.append(len(shown.encode()))
    assert max(sizes) < 60_000
    assert TOWNSHIP not in shown


async def test_the_database_shows_an_officer_himself_and_a_secret_its_own_row(
    secretary: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID
) -> None:
    """Without a place, and nothing of anybody else."""
    others = await link_for(alerts_runtime, "G1", alert)
    async with transaction(alerts_runtime.pool) as connection:
        await act_as(connection, "S1")
        counts = {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("officer", "duty", "phone_pin", "phone_session", "phone_token", "alert")
        }
        assert counts == {
            "officer": 1,
            "duty": 1,
            "phone_pin": 1,
            "phone_session": 1,
            "phone_token": 0,
            "alert": 0,
        }
        await present_key(connection, secret_hash(others))
        assert await connection.fetchval("SELECT officer_no FROM phone_token") == "G1"
        assert await connection.execute("UPDATE officer SET name = 'x'") == "UPDATE 0", "seen, and not his to change"
    async with transaction(alerts_runtime.pool) as connection:
        for table in ("phone_pin", "phone_session", "phone_token"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_helper_without_a_post_opens_his_household_and_answers(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, tell: Any, cadres: None, rows: Rows, bearer: Bearer
) -> None:
    county = bearer("county_admin", COUNTY, officer_no="C1")
    pairing = {
        "household_no": "H1",
        "officer_no": "G2",
        "division": VILLAGE,
        "since": "2026-03-01",
        "reason": "本户要求",
    }
    assert (await alerts_client.post("/alerts/v1/pairings", json=pairing, headers=county)).status_code == 200
    await tell(risk(1), risk(2))
    one, two = (row["alert_id"] for row in sorted(await rows("alert"), key=lambda row: row["household_no"]))
    await opened(alerts_client, await link_for(alerts_runtime, "G2", one))
    page = await alerts_client.get(f"{BASE}/a/{one}")
    assert (page.status_code, "张建国" in page.text) == (200, True)
    assert (await alerts_client.get(f"{BASE}/a/{two}")).status_code == 404
    assert (await alerts_client.get(f"{BASE}/")).text.count("<b>张建国</b>") == 1
    assert (await send(alerts_client, one, "acknowledge")).status_code == 303


async def test_only_whoever_can_take_it_over_is_offered_as_a_colleague(
    secretary: httpx.AsyncClient, alert: UUID, enlist: Any
) -> None:
    await enlist(("L1", "liaison", COUNTY), department="教育局")
    page = (await secretary.get(f"{BASE}/a/{alert}")).text
    assert ("干部T1" in page, "干部L1" in page) == (True, False)


async def test_an_answer_that_waits_for_the_second_officer_sent_again_is_no_error(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, tell: Any, cadres: None, rows: Rows
) -> None:
    """The network broke off before the phone heard of it, and meanwhile a plea came."""
    await tell(risk(severity="red"))
    (alert,) = [row["alert_id"] for row in await rows("alert")]
    await opened(alerts_client, await link_for(alerts_runtime, "S1", alert))
    page = (await alerts_client.get(f"{BASE}/a/{alert}")).text
    form = {name: hidden(page, name) for name in ("csrf", "id", "seen")} | NO_RISK
    assert (await alerts_client.post(f"{BASE}/a/{alert}/answer", data=form)).status_code == 303
    await tell(risk(severity="red", facts_version=11, report_ids=["r1"], reason="hardship_report"))
    again = await alerts_client.post(f"{BASE}/a/{alert}/answer", data=form)
    assert (again.status_code, len(await rows("verification"))) == (303, 1)
