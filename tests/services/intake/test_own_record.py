"""What a person sees of his own record, and of who looked at it."""

from typing import Any

import asyncpg

from tests.services.intake.helped import HOUSEHOLD, PERSON, Helped
from tests.services.intake.test_self_reports import URL
from tests.services.monitoring.build import deliver, number, settled

OWN = number(PERSON)[-6:]


async def look(helped: Helped, code: str, ending: str = OWN) -> dict[str, Any]:
    answer = await helped.by_code("own-record", code, number_ending=ending)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_reports_holdings_and_looks_come_together(helped: Helped, admin: asyncpg.Connection) -> None:
    runtime = await helped.house.runtime("monitoring")
    await deliver(runtime, settled(runtime.keys, PERSON, 1_000))
    await deliver(runtime, settled(runtime.keys, PERSON + 1, 5_000, record="S-other"))
    made = await helped.report()
    await helped.client.get(f"/monitoring/v1/households/{HOUSEHOLD}", headers=helped.as_("T-1"))
    await helped.client.get(f"{URL}/{made['id']}", headers=helped.as_("S-1"))

    first = await look(helped, made["receipt_code"])
    assert (first["complete"], first["holdings"], first["looks"]) == (False, [], [])
    assert len(first["reports"]) == 1
    second = await look(helped, made["receipt_code"])
    assert second["complete"] is True
    held = {(one["category"], one["department"], one["facts"]) for one in second["holdings"]}
    assert ("申报困难", "农户自主申报", 1) in held
    [medical] = [one for one in second["holdings"] if one["category"] == "医疗费用"]
    assert medical["facts"] == 1, "the other members' bills are theirs"
    looks = {(one["role"], one["what"]) for one in second["looks"]}
    assert looks == {("乡镇长", "查看农户信息"), ("村党支部书记", "查看您的申报")}
    assert all("login" not in str(one) and one["organisation"] for one in second["looks"])
    whole = str(second)
    assert number(PERSON) not in whole
    assert "login-" not in whole
    assert "S-1" not in whole
    trail = await admin.fetch("SELECT actor, purpose FROM intake.audit_log WHERE action = 'own_record.read'")
    assert [tuple(row) for row in trail] == [("receipt", "本人查询")] * 2
    kept = await admin.fetchval("SELECT sealed_answer FROM intake.own_record")
    assert "医疗".encode() not in kept


async def test_a_found_slip_of_paper_opens_no_record_and_guesses_are_counted(helped: Helped) -> None:
    made = await helped.report()
    code = made["receipt_code"]
    wrong = [f"{n:06d}" for n in range(5)]
    answers = [await helped.by_code("own-record", code, number_ending=ending) for ending in wrong]
    assert {answer.status_code for answer in answers} == {404}
    unknown = await helped.by_code("own-record", "2222-2222-2222-2222", number_ending=OWN)
    assert unknown.json()["code"] == answers[0].json()["code"] == "receipt_unknown"
    locked = await helped.by_code("own-record", code, number_ending=OWN)
    assert (locked.status_code, locked.json()["rule"]) == (429, "own_record")
    helped.house.clock.at = helped.house.clock.at.replace(day=16)
    assert (await look(helped, code))["reports"]


async def test_anothers_reports_are_not_among_ones_own(helped: Helped) -> None:
    mine = await helped.report()
    other = {"name": "测试丙", "identity_number": number(PERSON + 1)}
    await helped.report(reporter=other, hardships=["disaster"])
    found = await look(helped, mine["receipt_code"])
    assert [one["hardships"] for one in found["reports"]] == [["illness"]]


async def test_somebody_unknown_sees_his_report_and_that_nothing_else_is_held(helped: Helped) -> None:
    from tests.services.intake.build import number as made_up

    stranger = made_up(999)
    made = await helped.report(reporter={"name": "生人", "identity_number": stranger})
    await look(helped, made["receipt_code"], stranger[-6:])
    found = await look(helped, made["receipt_code"], stranger[-6:])
    assert (found["complete"], found["holdings"]) == (True, [])


async def test_an_answer_is_kept_for_a_day_only(helped: Helped, admin: asyncpg.Connection) -> None:
    from services.intake.keep_report_files import keep_report_files

    made = await helped.report()
    await look(helped, made["receipt_code"])
    runtime = await helped.house.runtime("intake")
    await keep_report_files(runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.own_record") == 1
    helped.house.clock.at = helped.house.clock.at.replace(day=17)
    await keep_report_files(runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.own_record") == 0
