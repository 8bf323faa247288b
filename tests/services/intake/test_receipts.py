"""What a household does with its receipt code: ask, correct, withdraw; and what a wrong code finds."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.settings import IntakeSettings
from shared.contracts.monitoring import RISK_CHANGED
from shared.vocabulary.identifiers import new_id
from tests.services.intake.build import COUNTY, VILLAGE
from tests.services.intake.helped import Helped, report_body
from tests.services.intake.test_self_reports import URL, report, send

PROGRESS = "/intake/v1/receipts/progress"


async def test_the_code_tells_in_plain_words_how_far_it_got(helped: Helped) -> None:
    code = (await helped.report())["receipt_code"]
    told = (await helped.by_code("progress", code.lower().replace("-", " "))).json()
    assert (told["status"], told["title"]) == ("routed", "已派给责任人")
    assert "责任人" in told["says"]
    assert told["by"] == "2026-03-18"
    assert "12317" in told["call"]
    [alert] = await helped.alerts()
    assert (await helped.answer(alert["alert_id"], "S-1")).status_code == 200
    told = (await helped.by_code("progress", code)).json()
    assert (told["status"], told["outcome"], told["by"]) == ("verified", "无返贫致贫风险", None)
    assert "申诉" in told["next"]
    whole = str(told)
    assert "测试" not in whole
    assert "19900000001" not in whole


async def test_a_retry_gets_the_same_code_and_who_merely_repeats_it_gets_none(
    intake_client: httpx.AsyncClient, bearer: Any, house: Any, admin: asyncpg.Connection
) -> None:
    own = bearer("village_secretary", VILLAGE)
    first, again = [(await send(intake_client, own, report())).json() for _ in range(2)]
    assert first == again
    for day in (15, 16):  # On the day itself, and on the next, when it is the first of that day.
        house.clock.at = house.clock.at.replace(day=day)
        other = bearer(None, COUNTY, subject="another-app")
        for _ in range(2):
            stolen = (await send(intake_client, other, report(), f"k-{day}")).json()
            assert stolen == {**first, "receipt_code": None}
    assert first["receipt_code"] not in str(await admin.fetch("SELECT * FROM intake.receipt"))


async def test_wrong_codes_look_alike_and_only_they_are_limited(helped: Helped, admin: asyncpg.Connection) -> None:
    code = (await helped.report())["receipt_code"]
    runtime = await helped.house.runtime("intake")
    settings = runtime.settings
    assert isinstance(settings, IntakeSettings)
    mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")
    from services.intake.domain.receipt_code import code_of

    unknown = code_of(b"x" * 32)
    runtime.settings = settings.model_copy(update={"limit_wrong_code": 4})
    try:
        answers = [await helped.by_code("progress", wrong) for wrong in (mistyped, unknown, "A", "受理码")]
        assert {(a.status_code, a.text) for a in answers} == {(404, answers[0].text)}
        refused = await helped.by_code("progress", unknown)
        assert (refused.status_code, refused.json()["code"]) == (429, "limit_reached")
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert (refused.json()["rule"], refused.json()["most"]) == ("wrong_code", 4)
        assert (await helped.by_code("progress", code)).status_code == 200
        helped.house.clock.at = helped.house.clock.at.replace(hour=11)
        assert (await helped.by_code("progress", unknown)).status_code == 404
    finally:
        runtime.settings = settings


async def test_one_code_is_read_so_often_and_no_more(helped: Helped) -> None:
    code = (await helped.report())["receipt_code"]
    runtime = await helped.house.runtime("intake")
    settings = runtime.settings
    runtime.settings = settings.model_copy(update={"limit_code_read": 2})
    try:
        found = [(await helped.by_code("progress", code)).status_code for _ in range(3)]
    finally:
        runtime.settings = settings
    assert found == [200, 200, 429]


async def test_a_new_code_ends_the_old_one(helped: Helped, admin: asyncpg.Connection) -> None:
    made = await helped.report()
    path = f"{URL}/{made['id']}/receipt"
    given = await helped.client.post(path, json={"reason": "遗失，已核对身份证"}, headers=helped.as_("S-1"))
    assert given.status_code == 201, given.text
    assert (await helped.by_code("progress", made["receipt_code"])).status_code == 404
    assert (await helped.by_code("progress", given.json()["receipt_code"])).status_code == 200
    system = await helped.client.post(path, json={"reason": "遗失"}, headers=helped.bearer(None, COUNTY))
    assert (system.status_code, system.json()["code"]) == (403, "person_needed")
    trail = "SELECT purpose FROM intake.audit_log WHERE action = 'receipt.replace'"
    assert await admin.fetchval(trail) == "遗失，已核对身份证"


# --- correcting ----------------------------------------------------------------------------------------------


async def test_a_correction_is_a_new_version_and_replaces_what_monitoring_knew(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    made = await helped.report(hardships=["illness", "job_loss"])
    answer = await helped.by_code(
        "corrections", made["receipt_code"], reason="填错了", hardships=["illness", "accident"], amount_yuan="9000"
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["corrects"] == made["id"]
    facts = await admin.fetch(
        "SELECT value, amount_fen, ended_on FROM monitoring.fact WHERE kind = 'event.hardship_report'"
        " AND superseded_at IS NULL ORDER BY value"
    )
    assert [tuple(row) for row in facts] == [
        ("accident", 900_000, None),
        ("illness", 900_000, None),
    ]
    told = (await helped.by_code("progress", made["receipt_code"])).json()
    assert told["versions"] == 2
    [alert] = await helped.alerts()
    evidence = (await helped.alert(alert["alert_id"], "G-1"))["evidence"]
    assert "申报人更正了申报内容" in str(evidence)
    old, new = [
        (await helped.client.get(f"{URL}/{each}", headers=helped.as_("S-1"))).json()
        for each in (made["id"], answer.json()["id"])
    ]
    assert (old["corrects"], new["corrects"]) == (None, made["id"])
    assert old["hardships"] == ["illness", "job_loss"]
    assert new["description"] == "住院花费较大"


async def test_a_second_correction_follows_the_first_and_both_have_reasons(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    made = await helped.report()
    for amount in ("1.00", "2.00"):
        path = f"{URL}/{made['id']}/corrections"
        body = {"reason": "核对发票", "amount_yuan": amount}
        helped.house.clock.at += timedelta(seconds=1)
        assert (await helped.client.post(path, json=body, headers=helped.as_("S-1"))).status_code == 201
        await helped.house.settle()
    same = await helped.client.post(path, json=body, headers=helped.as_("S-1"))
    assert (same.status_code, same.json()["code"]) == (422, "nothing_corrected")
    facts = "SELECT amount_fen FROM monitoring.fact WHERE kind = 'event.hardship_report' AND superseded_at IS NULL"
    assert [row["amount_fen"] for row in await admin.fetch(facts)] == [200]
    rows = await admin.fetch("SELECT action, actor FROM intake.audit_log WHERE action = 'self_report.correct'")
    assert [row["actor"] for row in rows] == ["login-S-1"] * 2
    sealed = "SELECT count(*) FROM intake.self_report WHERE sealed_correction IS NOT NULL"
    assert await admin.fetchval(sealed) == 2


@pytest.mark.parametrize("body", [{}, {"reason": "x"}, {"reason": "填错了"}, {"reason": "填错了", "hardships": []}])
async def test_a_correction_says_what_and_why(helped: Helped, body: dict[str, Any]) -> None:
    made = await helped.report()
    assert (await helped.by_code("corrections", made["receipt_code"], **body)).status_code == 422


# --- withdrawing ---------------------------------------------------------------------------------------------


async def test_a_withdrawal_takes_the_observation_back_and_the_alert_stays_for_a_person(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    made = await helped.report()
    [alert] = await helped.alerts()
    letters = len(await helped.inbox("S-1"))
    for _ in range(2):
        gone = await helped.by_code("withdrawal", made["receipt_code"], reason="亲戚已经帮忙")
        assert (gone.status_code, gone.json()["status"]) == (200, "withdrawn")
    facts = "SELECT superseded_at FROM monitoring.fact WHERE kind = 'event.hardship_report'"
    [fact] = await admin.fetch(facts)
    assert fact["superseded_at"] is not None, "it stands no longer, and what was known before is kept"
    [still] = await helped.alerts()
    assert (still["alert_id"], still["status"]) == (alert["alert_id"], "open")
    assert "申报人撤回了申报" in str((await helped.alert(alert["alert_id"], "S-1"))["evidence"])
    assert len(await helped.inbox("S-1")) == letters + 1
    told = (await helped.by_code("progress", made["receipt_code"])).json()
    assert (told["status"], told["title"]) == ("withdrawn", "已撤回")
    assert (await helped.by_code("corrections", made["receipt_code"], reason="又要", phone="19900000002")).json()[
        "code"
    ] == "report_withdrawn"
    assert (await admin.fetchval("SELECT count(*) FROM intake.audit_log WHERE action = 'self_report.withdraw'")) == 1


async def test_who_withdrew_may_report_the_same_again_on_the_same_day(helped: Helped) -> None:
    made = await helped.report()
    assert (await helped.by_code("withdrawal", made["receipt_code"], reason="填错了")).status_code == 200
    again = await helped.report()
    assert again["id"] != made["id"]
    assert (await helped.by_code("progress", again["receipt_code"])).json()["status"] == "routed"
    assert (await helped.report())["id"] == again["id"]


async def test_the_cadre_sees_that_a_report_was_withdrawn_and_when(helped: Helped) -> None:
    """By whichever version he asks; how far it had got remains."""
    made = await helped.report()
    body = {"reason": "填错了", "amount_yuan": "9000"}
    corrected = (await helped.by_code("corrections", made["receipt_code"], **body)).json()["id"]

    async def seen() -> list[dict[str, Any]]:
        return [
            (await helped.client.get(f"{URL}/{each}", headers=helped.as_("S-1"))).json()
            for each in (made["id"], corrected)
        ]

    assert [(one["status"], one["withdrawn_at"]) for one in await seen()] == [("routed", None)] * 2
    helped.house.clock.at += timedelta(minutes=5)
    assert (await helped.by_code("withdrawal", made["receipt_code"], reason="不需要了")).status_code == 200
    gone = await seen()
    assert [(one["status"], one["withdrawn_at"]) for one in gone] == [("withdrawn", "2026-03-15T02:05:00Z")] * 2
    assert {one["stage"] for one in gone[0]["stages"] if one["at"]} == {"received", "matched", "assessed", "routed"}


async def test_a_withdrawal_after_the_answer_opens_nothing(helped: Helped) -> None:
    made = await helped.report()
    [alert] = await helped.alerts()
    await helped.answer(alert["alert_id"], "S-1")
    assert (await helped.by_code("withdrawal", made["receipt_code"], reason="不需要了")).status_code == 200
    assert [one["status"] for one in await helped.alerts()] == ["closed"]


async def test_the_withdrawal_of_somebody_unknown_reaches_his_own_alert(helped: Helped) -> None:
    stranger = {"name": "生人", "identity_number": _stranger(), "phone": "19900000003"}
    made = await helped.report(reporter=stranger)
    [alert] = await helped.alerts()
    assert (await helped.by_code("withdrawal", made["receipt_code"], reason="不需要了")).status_code == 200
    [still] = await helped.alerts()
    assert still["alert_id"] == alert["alert_id"]
    assert "撤回" in str((await helped.alert(alert["alert_id"], "S-1"))["evidence"])


async def unmatched(helped: Helped) -> tuple[list[dict[str, Any]], int]:
    """What waits for somebody, and how many rows the county counts."""
    county = helped.as_("C-1")
    listed = (await helped.client.get("/monitoring/v1/unmatched", headers=county)).json()["items"]
    counted = (await helped.client.get("/monitoring/v1/unmatched/counts", headers=county)).json()
    return listed, sum(one["rows"] for one in counted["items"])


async def test_a_withdrawn_report_of_somebody_unknown_waits_no_longer(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    """Nor if the report itself comes once more, after its withdrawal."""
    stranger = {"name": "生人", "identity_number": _stranger(), "phone": "19900000003"}
    made = await helped.report(reporter=stranger, hardships=["illness", "accident"])
    listed, counted = await unmatched(helped)
    assert (len(listed), counted) == (2, 2)
    assert (await helped.by_code("withdrawal", made["receipt_code"], reason="不需要了")).status_code == 200
    assert await unmatched(helped) == ([], 0)
    await admin.execute("DELETE FROM monitoring.inbox")
    again = """UPDATE intake.outbox_delivery SET state = 'due', due_at = $2 FROM intake.outbox
               WHERE outbox_id = outbox.id AND aggregateid = 'report:' || $1"""
    assert await admin.execute(again, made["id"], helped.house.clock.now()) == "UPDATE 1"
    await helped.house.settle()
    assert await admin.fetchval("SELECT count(*) FROM monitoring.inbox") == 1
    assert await unmatched(helped) == ([], 0)


async def test_a_correction_leaves_waiting_only_what_is_still_said(helped: Helped) -> None:
    """What was left out may be said again by a later correction."""
    stranger = {"name": "生人", "identity_number": _stranger(), "phone": "19900000003"}
    made = await helped.report(reporter=stranger, hardships=["illness", "accident"])
    for hardships in (["accident"], ["accident", "illness"]):
        body = {"reason": "填错了", "hardships": hardships}
        assert (await helped.by_code("corrections", made["receipt_code"], **body)).status_code == 201
        listed, counted = await unmatched(helped)
        assert (sorted(one["record"].split("/")[-1] for one in listed), counted) == (hardships, len(hardships))
        helped.house.clock.at += timedelta(minutes=1)


async def test_the_alert_of_somebody_unknown_is_told_what_he_says_now(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    stranger = {"name": "生人", "identity_number": _stranger(), "phone": "19900000003"}
    made = await helped.report(reporter=stranger, hardships=["illness", "accident"])
    body = {"reason": "填错了", "hardships": ["accident"]}
    assert (await helped.by_code("corrections", made["receipt_code"], **body)).status_code == 201
    told = await admin.fetch(
        "SELECT item FROM monitoring.outbox, json_array_elements(payload -> 'items') AS item"
        " WHERE type = $1 ORDER BY json_array_length(item -> 'notes')",
        RISK_CHANGED,
    )
    said = [[one["summary"] for one in row["item"]["evidence"]] for row in told]
    assert said == [["农户自主申报：意外事故", "农户自主申报：生病"], ["农户自主申报：意外事故"]]
    assert ["生病" in row["item"]["findings"][0]["sentence"] for row in told] == [True, False]


def _stranger() -> str:
    from tests.services.intake.build import number

    return number(4321)


# --- who writes ----------------------------------------------------------------------------------------------


async def test_consent_is_published_stored_and_asked_for(helped: Helped, admin: asyncpg.Connection) -> None:
    text = (await helped.client.get("/intake/v1/consent")).json()
    assert text["version"] == "2025-1"
    assert "人工复核" in text["text"]
    headers = {**helped.bearer(None, COUNTY), "Idempotency-Key": "c"}
    for consent, code in ((None, "consent_required"), ({"version": "2019-1"}, "consent_outdated")):
        refused = await helped.client.post(URL, json=report_body(consent=consent), headers=headers)
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["code"]) == (422, code)
        assert "2025-1" in error["expected"]
    await helped.report()
    assert await admin.fetchval("SELECT consent_version FROM intake.self_report") == "2025-1"


async def test_a_hotline_names_ticket_and_basis_instead_of_a_consent(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    ticket: dict[str, Any] = {
        "consent": None,
        "channel": "hotline_12345",
        "ticket_no": "GD-1",
        "basis": "热线工单转办",
    }
    made = await helped.report(**ticket)
    row = await admin.fetchrow("SELECT filed_by, ticket_no, consent_version FROM intake.self_report")
    assert tuple(row) == ("hotline", "GD-1", None)
    assert await admin.fetchval("SELECT source FROM monitoring.fact WHERE kind LIKE '%hardship%'") == "hotline"
    again = await helped.report(**{**ticket, "hardships": ["disaster"]})
    assert (again["id"], again["receipt_code"]) == (made["id"], None)
    for missing in ("ticket_no", "basis"):
        body = report_body(**{**ticket, missing: None})
        headers = {**helped.bearer(None, COUNTY), "Idempotency-Key": str(new_id())}
        refused = await helped.client.post(URL, json=body, headers=headers)
        assert refused.json()["errors"][0]["where"] == f"body/{missing}"
    household = report_body(ticket_no="GD-2")
    refused = await helped.client.post(URL, json=household, headers=headers)
    assert refused.json()["errors"][0]["code"] == "hotline_only"


async def test_a_relative_says_who_he_is_and_is_shown_by_field_class(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    relative = {"name": "测试乙", "relation": "child", "phone": "19900000005"}
    made = await helped.report(relative=relative, channel="phone")
    seen = (await helped.client.get(f"{URL}/{made['id']}", headers=helped.as_("G-1"))).json()
    assert (seen["filed_by"], seen["channel"], seen["relative"]) == ("relative", "phone", relative)
    auditor = (await helped.client.get(f"{URL}/{made['id']}", headers=helped.bearer("auditor", COUNTY))).json()
    assert auditor["relative"] == {"name": "测*乙", "relation": "child", "phone": None}
    assert "19900000005" not in str(await admin.fetch("SELECT * FROM intake.self_report"))
    both = report_body(relative=relative, on_behalf_of={"officer_no": "S-1"})
    headers = {**helped.bearer(None, COUNTY), "Idempotency-Key": "both"}
    refused = await helped.client.post(URL, json=both, headers=headers)
    assert refused.json()["errors"][0]["code"] == "filer_ambiguous"


# --- somebody the roster learns of later ---------------------------------------------------------------------


@pytest.mark.parametrize(("path", "status"), [("corrections", 201), ("withdrawal", 200)])
async def test_what_was_said_again_before_the_roster_knew_him_follows_him(
    helped: Helped, path: str, status: int
) -> None:
    """A corrected report takes its alert to the household; a withdrawn one opens nothing there."""
    from tests.services.monitoring.build import Home, deliver, rostered
    from tests.services.monitoring.build import number as invented

    made = await helped.report(reporter={"name": "测试己", "identity_number": invented(77)})
    more = {"amount_yuan": "5.00"} if path == "corrections" else {}
    assert (await helped.by_code(path, made["receipt_code"], reason="情况有变", **more)).status_code == status
    [before] = await helped.alerts()
    runtime = await helped.house.runtime("monitoring")
    home = Home("F-later", (77,), VILLAGE, wage_fen=9_000_000)
    await deliver(runtime, rostered(runtime.keys, home, feed=str(new_id()), sent=helped.house.clock.now()))
    await helped.house.settle()
    alerts = await helped.alerts()
    assert [one["alert_id"] for one in alerts] == [before["alert_id"]]
    assert alerts[0]["household_no"] == ("F-later" if path == "corrections" else None)
