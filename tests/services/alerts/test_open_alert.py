"""One household, one open alert, whatever comes how often and in which order."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.clock import SHANGHAI
from tests.conftest import House
from tests.services.alerts.places import OTHER_VILLAGE, VILLAGE, finding, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("cadres")


async def test_news_opens_an_alert_with_clocks_and_evidence(tell: Tell, rows: Rows) -> None:
    assert (await tell(risk())).json() == {"status": "accepted"}
    (alert,) = await rows("alert")
    assert (alert["status"], alert["severity"], alert["subject"]) == ("open", "orange", "household:H1")
    # Opened on a Sunday: 24 hours are Monday's, the seventh day is a Sunday again.
    assert alert["ack_due_at"] == datetime(2026, 3, 17, 8, 30, tzinfo=SHANGHAI)
    assert alert["verify_due_at"] == datetime(2026, 3, 23, 18, 0, tzinfo=SHANGHAI)
    assert {row["kind"] for row in await rows("alert_evidence")} == {"finding", "fact"}


async def test_village_hears_orange_and_the_township_red(tell: Tell, rows: Rows) -> None:
    await tell(risk(1), risk(2, severity="red"))
    alerts = {row["household_no"]: row["alert_id"] for row in await rows("alert")}
    heard = {
        number: {row["officer_no"] for row in await rows("assignment", "alert_id = $1", alert_id)}
        for number, alert_id in alerts.items()
    }
    assert heard == {"H1": {"G1", "S1"}, "H2": {"G1", "S1", "F1", "T1"}}
    assert len(await rows("inbox_item")) == 6


async def test_same_message_again_is_a_duplicate(tell: Tell, rows: Rows) -> None:
    event_id = uuid4()
    await tell(risk(), event_id=event_id)
    assert (await tell(risk(), event_id=event_id)).json() == {"status": "duplicate"}
    assert len(await rows("alert_log", "action <> 'routed'")) == 1


async def test_messages_of_the_same_moment_stay_each_its_own(tell: Tell, rows: Rows) -> None:
    names = {number: uuid4() for number in range(1, 13)}
    broken = {**risk(13), "opens": "perhaps"}
    told = [tell(risk(number), event_id=event_id) for number, event_id in names.items()]
    again = [tell(risk(3), event_id=names[3]), tell(risk(4, findings=[finding("13000.00")], facts_version=11))]
    answers = await asyncio.gather(*told, tell(broken), *again)
    said = [answer.json().get("code") or answer.json()["status"] for answer in answers]
    assert sorted(said[:12]).count("accepted") >= 11
    assert said[12:] in (["message_refused", "duplicate", "accepted"], ["message_refused", "accepted", "accepted"])
    assert len(await rows("inbox")) == 13
    assert len(await rows("alert")) == 12
    (third,) = await rows("alert", "household_no = 'H3'")
    assert {row["event_id"] for row in await rows("alert_evidence", "alert_id = $1", third["alert_id"])} == {names[3]}
    (fourth,) = await rows("alert", "household_no = 'H4'")
    assert len(await rows("alert_evidence", "alert_id = $1", fourth["alert_id"])) == 3
    assert len(await rows("inbox_item")) == 24


async def test_more_of_the_same_extends_and_is_not_sent_again(tell: Tell, rows: Rows) -> None:
    await tell(risk())
    await tell(risk(facts_version=11, findings=[finding(), finding("13000.00")]))
    assert len(await rows("alert")) == 1
    assert len(await rows("alert_evidence")) == 3
    assert len(await rows("inbox_item")) == 2
    (quiet,) = await rows("notification", "decision = 'suppress'")
    assert quiet["reason"]


async def test_a_worse_severity_is_told_and_a_milder_never_lowers(tell: Tell, rows: Rows) -> None:
    await tell(risk())
    await tell(risk(facts_version=11, severity="red", clocks={"acknowledge_hours": 4, "verify_days": 2}))
    await tell(risk(facts_version=12, severity="yellow"))
    (alert,) = await rows("alert")
    assert alert["severity"] == "red"
    assert alert["ack_due_at"] == datetime(2026, 3, 16, 14, 30, tzinfo=SHANGHAI)
    assert {row["officer_no"] for row in await rows("inbox_item", "kind = 'raised'")} == {"G1", "S1", "F1", "T1"}


async def test_older_facts_are_ignored(tell: Tell, rows: Rows) -> None:
    await tell(risk(facts_version=12))
    await tell(risk(facts_version=11, severity="red", findings=[finding("1.00")]))
    (alert,) = await rows("alert")
    assert alert["severity"] == "orange"
    assert len(await rows("alert_log", "action <> 'routed'")) == 1


async def test_a_report_that_comes_after_newer_facts_counts_and_the_facts_beside_it_do_not(
    tell: Tell, rows: Rows
) -> None:
    await tell(risk(facts_version=12))
    report = str(uuid4())
    await tell(risk(facts_version=11, recommendation="marginal_at_risk", report_ids=[report]))
    (alert,) = await rows("alert")
    assert alert["report_ids"] == [report]
    assert (alert["facts_version"], alert["recommendation"]) == (12, "sudden_hardship")


async def test_order_of_arrival_does_not_matter(tell: Tell, rows: Rows) -> None:
    await tell(risk(1, facts_version=11, opens=False, withheld_because="已核实无新情况"))
    await tell(risk(1, facts_version=10))
    assert await rows("alert") == []
    (withheld,) = await rows("notification")
    assert (withheld["decision"], withheld["reason"]) == ("suppress", "已核实无新情况")


async def test_a_report_is_never_withheld_nor_ignored(tell: Tell, rows: Rows) -> None:
    await tell(risk(facts_version=11, opens=False, withheld_because="评分未变"))
    report = str(uuid4())
    await tell(risk(facts_version=10, opens=False, report_ids=[report], reason="hardship_report", severity=None))
    (alert,) = await rows("alert")
    assert alert["report_ids"] == [report]
    assert {row["officer_no"] for row in await rows("inbox_item")} == {"G1", "S1"}
    (event,) = await rows("outbox")
    stages = {(item["report_id"], item["stage"]) for item in event["payload"]["items"]}
    assert stages == {(report, "routed"), (report, "delivered")}


async def test_a_further_report_reaches_those_who_answer_for_the_alert(tell: Tell, rows: Rows) -> None:
    first, second = str(uuid4()), str(uuid4())
    await tell(risk(report_ids=[first], reason="hardship_report"))
    await tell(risk(facts_version=11, report_ids=[first, second], reason="hardship_report"))
    assert len(await rows("alert")) == 1
    assert len(await rows("inbox_item", "kind = 'reported'")) == 2
    assert {r for row in await rows("alert_subject") for r in row["report_ids"]} == {first, second}


async def test_the_alert_of_a_report_becomes_the_households_once_it_is_matched(tell: Tell, rows: Rows) -> None:
    report = str(uuid4())
    unmatched = {"subject": f"report:{report}", "household_no": None, "facts_version": 0}
    await tell(risk(**unmatched, report_ids=[report], reason="hardship_report"))
    await tell(risk(facts_version=11, report_ids=[report], reason="hardship_report"))
    (alert,) = await rows("alert")
    assert (alert["subject"], alert["household_no"], alert["report_ids"]) == ("household:H1", "H1", [report])
    assert len(await rows("inbox_item")) == 2, "nobody is told of the same report a second time"


async def test_one_open_alert_under_concurrency(tell: Tell, rows: Rows) -> None:
    answers = await asyncio.gather(
        *(tell(*(risk(n, facts_version=v) for n in range(1, 6))) for v in range(10, 22)), return_exceptions=True
    )
    assert {answer.status_code for answer in answers if isinstance(answer, httpx.Response)} == {200}
    assert len(await rows("alert")) == 5
    assert len(await rows("inbox_item")) == 10
    assert {row["facts_version"] for row in await rows("alert")} == {21}


async def test_same_subject_twice_in_one_message(tell: Tell, rows: Rows) -> None:
    await tell(risk(facts_version=10), risk(facts_version=11, opens=False))
    (alert,) = await rows("alert")
    assert alert["facts_version"] == 11


async def test_registered_place_gets_a_copy(tell: Tell, rows: Rows) -> None:
    await tell(risk(living_division=VILLAGE, registered_division=OTHER_VILLAGE))
    reach = {row["officer_no"]: row["reach"] for row in await rows("assignment")}
    assert reach == {"G1": "duty", "S1": "duty", "S2": "copy"}


async def test_a_closed_alert_is_followed_by_a_new_one(tell: Tell, rows: Rows, house: House, admin: Any) -> None:
    await tell(risk())
    await admin.execute("UPDATE alerts.alert SET status = 'closed', outcome = 'no_risk', closed_at = now()")
    (old,) = await rows("alert")
    await tell(risk(facts_version=11))
    (new,) = await rows("alert", "status = 'open'")
    assert new["follows"] == UUID(str(old["alert_id"]))
