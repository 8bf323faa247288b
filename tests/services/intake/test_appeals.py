"""Report, answer, appeal, another officer, decision: through all three services."""

from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.domain.appeal import AppealState
from tests.services.intake.build import COUNTY, VILLAGE
from tests.services.intake.helped import HOUSEHOLD, Helped

URL = "/intake/v1/appeals"
REASON = "经乡镇干部重新入户核实，医药费负担属实，改为纳入监测"


async def answered(helped: Helped, by: str = "S-1") -> dict[str, Any]:
    """A report that a village officer answered with no risk."""
    made = await helped.report()
    [alert] = await helped.alerts()
    assert (await helped.answer(alert["alert_id"], by)).status_code == 200
    return made


async def decide(helped: Helped, appeal_id: str, officer_no: str, outcome: str = "changed") -> httpx.Response:
    body = {"outcome": outcome, "reason": REASON}
    return await helped.client.post(f"{URL}/{appeal_id}/decision", json=body, headers=helped.as_(officer_no))


async def seen(helped: Helped, appeal_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await helped.client.get(f"{URL}/{appeal_id}", headers=helped.as_("C-1"))).json()
    return found


async def test_an_appeal_is_looked_at_by_another_officer_and_decided_by_another_person(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    made = await answered(helped)
    filed = await helped.by_code("appeals", made["receipt_code"], reason="医药费还欠着，家里没有钱")
    assert filed.status_code == 201, filed.text
    assert filed.json()["due_on"] == "2026-03-27"
    assert "人工复核" in filed.json()["right"]
    appeal = await seen(helped, filed.json()["id"])
    assert (appeal["state"], appeal["against"], appeal["answered_by"]) == ("filed", "no_risk", "S-1")
    assert appeal["reason"] == "医药费还欠着，家里没有钱"

    [alert] = await helped.alerts(status="open")
    assert appeal["alert_id"] == alert["alert_id"]
    whole = await helped.alert(alert["alert_id"], "G-1")
    assert "S-1" not in [each["officer_no"] for each in whole["assigned"]]
    assert "G-1" in [each["officer_no"] for each in whole["assigned"]]
    assert "由另一位干部重新核实" in str(whole["evidence"])

    refused = await helped.answer(alert["alert_id"], "S-1")
    assert (refused.status_code, refused.json()["code"]) == (403, "another_officer_needed")
    early = await decide(helped, appeal["id"], "C-1", "upheld")
    assert (early.status_code, early.json()["code"]) == (409, "appeal_step_impossible")
    looked = await helped.answer(alert["alert_id"], "G-1", outcome="identify", causes=["illness"])
    assert looked.status_code == 200, looked.text
    appeal = await seen(helped, appeal["id"])
    assert (appeal["state"], appeal["looked_by"], appeal["look_outcome"]) == ("looked_at", "G-1", "identify")

    decided = await decide(helped, appeal["id"], "T-1")
    assert (decided.status_code, decided.json()["state"]) == (200, "changed")
    told = (await helped.by_code("progress", made["receipt_code"])).json()["appeals"]
    assert [(one["title"], one["reason"]) for one in told] == [("改变原答复", REASON)]
    assert "T-1" not in str(told)
    trail = await admin.fetch("SELECT action, actor FROM intake.audit_log WHERE action LIKE 'appeal.%' ORDER BY at")
    assert {("appeal.file", "receipt"), ("appeal.decide", "login-T-1")} <= {tuple(row) for row in trail}


async def test_whoever_answered_or_looked_again_cannot_decide(helped: Helped) -> None:
    made = await answered(helped, by="C-1")
    appeal_id = (await helped.by_code("appeals", made["receipt_code"], reason="不服答复")).json()["id"]
    assert (await decide(helped, appeal_id, "C-1")).json()["code"] == "own_answer"
    [alert] = await helped.alerts(status="open")
    assert (await helped.answer(alert["alert_id"], "C-2")).status_code == 200
    assert (await decide(helped, appeal_id, "C-2", "upheld")).json()["code"] == "own_answer"
    assert (await decide(helped, appeal_id, "T-1", "upheld")).json()["state"] == "upheld"
    again = await decide(helped, appeal_id, "T-1")
    assert (again.status_code, again.json()["code"]) == (409, "appeal_step_impossible")
    refused = await helped.client.post(
        f"{URL}/{appeal_id}/decision", json={"outcome": "upheld", "reason": REASON}, headers=helped.as_("S-1")
    )
    assert refused.status_code == 403


async def test_the_database_itself_refuses_a_decision_about_ones_own_answer(
    helped: Helped, admin: asyncpg.Connection
) -> None:
    made = await answered(helped)
    await helped.by_code("appeals", made["receipt_code"], reason="不服答复")
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("UPDATE intake.appeal SET state = 'changed', decided_by = 'S-1', decided_at = now()")


async def test_there_is_nothing_to_appeal_before_an_answer_and_one_appeal_at_a_time(helped: Helped) -> None:
    made = await helped.report()
    early = await helped.by_code("appeals", made["receipt_code"], reason="太慢了")
    assert (early.status_code, early.json()["code"]) == (409, "nothing_to_appeal")
    [alert] = await helped.alerts()
    await helped.answer(alert["alert_id"], "S-1")
    found = [(await helped.by_code("appeals", made["receipt_code"], reason="不服答复")) for _ in range(2)]
    assert [one.status_code for one in found] == [201, 409]
    assert found[1].json()["code"] == "appeal_open"
    assert (await decide(helped, found[0].json()["id"], "C-1")).status_code == 200
    assert (await helped.by_code("appeals", made["receipt_code"], reason="仍然不服")).status_code == 201


async def test_withdrawing_the_report_withdraws_its_appeal(helped: Helped) -> None:
    made = await answered(helped)
    appeal_id = (await helped.by_code("appeals", made["receipt_code"], reason="不服答复")).json()["id"]
    [alert] = await helped.alerts(status="open")
    await helped.by_code("withdrawal", made["receipt_code"], reason="已经解决了")
    assert (await seen(helped, appeal_id))["state"] == AppealState.WITHDRAWN
    assert [one["alert_id"] for one in await helped.alerts(status="open")] == [alert["alert_id"]]
    assert "申报人撤回了申报" in str((await helped.alert(alert["alert_id"]))["evidence"])
    assert (await helped.by_code("appeals", made["receipt_code"], reason="又不服")).json()[
        "code"
    ] == "report_withdrawn"


async def test_with_the_report_of_somebody_unknown_its_appeal_waits_no_longer(helped: Helped) -> None:
    """Once somebody looked again, the withdrawal opens nothing anew."""
    from tests.services.intake.build import number

    made = await helped.report(reporter={"name": "生人", "identity_number": number(777)})
    [alert] = await helped.alerts()
    await helped.answer(alert["alert_id"], "S-1", outcome="data_wrong")
    await helped.by_code("appeals", made["receipt_code"], reason="我就住在这里")
    [alert] = await helped.alerts(status="open")
    await helped.answer(alert["alert_id"], "G-1")
    waiting = "/monitoring/v1/unmatched"
    assert len((await helped.client.get(waiting, headers=helped.as_("C-1"))).json()["items"]) == 2
    await helped.by_code("withdrawal", made["receipt_code"], reason="已经解决了")
    assert (await helped.client.get(waiting, headers=helped.as_("C-1"))).json()["items"] == []
    assert await helped.alerts(status="open") == []


async def test_a_person_of_the_county_files_for_a_household_that_was_removed(helped: Helped) -> None:
    body = {
        "household_no": HOUSEHOLD,
        "division": VILLAGE,
        "against": "removed",
        "answered_by": "C-1",
        "reason": "移出后又住院，生活困难",
    }
    filed = await helped.client.post(URL, json=body, headers=helped.as_("S-1"))
    assert filed.status_code == 201, filed.text
    await helped.house.settle()
    [alert] = await helped.alerts(status="open")
    assert alert["household_no"] == HOUSEHOLD
    assert "移出监测名单" in str((await helped.alert(alert["alert_id"]))["evidence"])
    assert (await decide(helped, filed.json()["id"], "C-1")).json()["code"] == "own_answer"
    assert (await decide(helped, filed.json()["id"], "C-2")).status_code == 200
    system = await helped.client.post(URL, json=body, headers=helped.bearer(None, COUNTY))
    assert (system.status_code, system.json()["code"]) == (403, "person_needed")
    for missing in ("against", "answered_by", "division"):
        less = {name: value for name, value in body.items() if name != missing}
        assert (await helped.client.post(URL, json=less, headers=helped.as_("S-1"))).status_code == 422
    both = await helped.client.post(URL, json={**body, "report_id": filed.json()["id"]}, headers=helped.as_("S-1"))
    assert both.status_code == 422


async def test_an_appeal_past_its_last_day_is_listed_as_overdue(helped: Helped) -> None:
    made = await answered(helped)
    appeal_id = (await helped.by_code("appeals", made["receipt_code"], reason="不服答复")).json()["id"]

    async def overdue() -> list[str]:
        answer = await helped.client.get(URL, params={"overdue": "true"}, headers=helped.as_("C-1"))
        return [one["id"] for one in answer.json()["items"]]

    helped.house.clock.at = helped.house.clock.at.replace(day=27, hour=23)
    assert await overdue() == []
    helped.house.clock.at = helped.house.clock.at.replace(day=28, hour=0)
    assert await overdue() == [appeal_id]
    assert (await seen(helped, appeal_id))["overdue"] is True
    assert (await decide(helped, appeal_id, "C-1")).status_code == 200
    assert await overdue() == []


async def test_the_list_has_pages_and_states(helped: Helped) -> None:
    ids = []
    for n in range(3):
        body = {
            "household_no": f"F-{n}",
            "division": VILLAGE,
            "against": "not_listed",
            "answered_by": "C-1",
            "reason": "家里困难",
        }
        ids.append((await helped.client.post(URL, json=body, headers=helped.as_("S-1"))).json()["id"])
    found, cursor = [], None
    while True:
        query = {"limit": "2", "state": "filed", **({"cursor": cursor} if cursor else {})}
        page = (await helped.client.get(URL, params=query, headers=helped.as_("C-1"))).json()
        found += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(ids)
    assert found == sorted(ids, reverse=True)


async def test_an_appeal_of_somebody_unknown_reaches_a_person_too(helped: Helped) -> None:
    from tests.services.intake.build import number

    made = await helped.report(reporter={"name": "生人", "identity_number": number(777)})
    [alert] = await helped.alerts()
    await helped.answer(alert["alert_id"], "S-1", outcome="data_wrong")
    filed = await helped.by_code("appeals", made["receipt_code"], reason="我就住在这里")
    assert filed.status_code == 201
    [alert] = await helped.alerts(status="open")
    assert (await helped.answer(alert["alert_id"], "S-1")).status_code == 403
    assert (await helped.answer(alert["alert_id"], "G-1")).status_code == 200
    assert (await seen(helped, filed.json()["id"]))["state"] == "looked_at"
