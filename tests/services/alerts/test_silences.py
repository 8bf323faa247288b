"""Silences: who may set one and where, what is held back meanwhile, and what is told when it ends."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from shared.db.scope import scoped
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.places import COUNTY, FAR_VILLAGE, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
HOUR = timedelta(hours=1)


@pytest.fixture
def call(alerts_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Any]:
    async def ask(method: str, path: str, json: Any = None, *, code: int = 200, headers: Any = None) -> Any:
        headers = headers or bearer("county_admin", COUNTY, officer_no="C1")
        answer = await alerts_client.request(method, f"/alerts/v1/{path}", json=json, headers=headers)
        assert answer.status_code == code, answer.text
        return answer.json()

    return ask


@pytest.fixture
def hush(call: Callable[..., Any], house: House) -> Callable[..., Any]:
    """Set a silence for some hours from now on, as the county unless told otherwise."""

    async def put(
        match: str = "原因=因病", *, hours: float = 1, code: int = 201, headers: Any = None, **more: Any
    ) -> Any:
        body = {"match": match, "reason": "集中走访", "ends_at": (house.clock.at + hours * HOUR).isoformat(), **more}
        return await call("POST", "silences", body, code=code, headers=headers)

    return put


async def test_the_alert_opens_and_the_messages_are_rows_with_their_reason(
    tell: Tell, cadres: None, rows: Rows, hush: Any, call: Any
) -> None:
    silence = await hush()
    await tell(risk(1), risk(2, causes=["schooling"]))
    alerts = {row["household_no"]: row for row in await rows("alert")}
    assert {row["status"] for row in alerts.values()} == {"open"}
    assert all(row["routed_at"] for row in alerts.values())
    held = await rows("notification", "decision = 'suppress'")
    assert {(row["alert_id"], row["recipient"]) for row in held} == {
        (alerts["H1"]["alert_id"], "G1"),
        (alerts["H1"]["alert_id"], "S1"),
    }
    assert {row["reason"] for row in held} == {"静默：集中走访（至 2026-03-15 11:00）"}
    assert {row["alert_id"] for row in await rows("inbox_item")} == {alerts["H2"]["alert_id"]}
    assert len(await rows("assignment", "alert_id = $1", alerts["H1"]["alert_id"])) == 2
    (listed,) = (await call("GET", "silences?active=true"))["items"]
    assert (listed["silence_id"], listed["withheld"], listed["state"]) == (silence["silence_id"], 2, "active")


async def test_a_group_hears_nothing_either(tell: Tell, cadres: None, rows: Rows, hush: Any, call: Any) -> None:
    body = {"channel": "console", "address": "大屏", "division": TOWNSHIP}
    await call("POST", "endpoints", body)
    await hush()
    await tell(risk())
    assert await rows("delivery") == []
    assert {row["dedupe_key"].rsplit(":")[-1] for row in await rows("notification")} == {"G1", "S1", "group"}


async def test_a_persons_word_an_appeal_and_the_first_of_red_are_sent_all_the_same(
    tell: Tell, cadres: None, rows: Rows, hush: Any
) -> None:
    await hush()
    note = {"nature": "appeal", "sentence": "农户不服", "answered_by": "S2"}
    await tell(
        risk(1, report_ids=[str(uuid4())], reason="hardship_report"),
        risk(2, severity="red"),
        risk(3, notes=[note]),
        risk(4, notes=[{**note, "answered_by": None}]),
        risk(5),
    )
    await tell(risk(5, facts_version=11, severity="red"))
    told = {row["alert_id"] for row in await rows("inbox_item")}
    assert told == {row["alert_id"] for row in await rows("alert")}
    assert {row["kind"] for row in await rows("notification", "decision = 'suppress'")} == {"opened"}


async def test_a_further_report_is_sent_and_a_rise_to_orange_is_not(
    tell: Tell, cadres: None, rows: Rows, hush: Any
) -> None:
    await tell(risk(severity="yellow"))
    await hush()
    await tell(risk(facts_version=11))
    assert {row["kind"] for row in await rows("inbox_item")} == {"opened"}
    await tell(risk(facts_version=12, report_ids=[str(uuid4())], reason="hardship_report"))
    assert {row["kind"] for row in await rows("inbox_item")} == {"opened", "reported"}


@pytest.mark.parametrize(("after", "held"), [(-1, False), (0, True), (3599, True), (3600, False)])
async def test_it_holds_from_its_start_until_before_its_end(
    tell: Tell, cadres: None, rows: Rows, hush: Any, house: House, after: int, held: bool
) -> None:
    starts = house.clock.at + timedelta(minutes=10)
    await hush(starts_at=starts.isoformat(), ends_at=(starts + HOUR).isoformat())
    house.clock.at = starts + timedelta(seconds=after)
    await tell(risk())
    assert bool(await rows("notification", "decision = 'suppress'")) is held


async def test_a_silence_holds_in_its_own_place(tell: Tell, cadres: None, rows: Rows, hush: Any) -> None:
    await hush(division=OTHER_VILLAGE)
    await tell(risk(1), risk(2, living_division=OTHER_VILLAGE, registered_division=OTHER_VILLAGE))
    assert {row["division"] for row in await rows("notification", "decision = 'suppress'")} == {OTHER_VILLAGE}


async def test_what_still_stands_when_it_ends_is_told_once(
    tell: Tell, cadres: None, rows: Rows, hush: Any, house: House, call: Any, admin: asyncpg.Connection
) -> None:
    await hush()
    await tell(*(risk(n) for n in range(1, 5)))
    alerts = {row["household_no"]: row["alert_id"] for row in await rows("alert")}
    house.clock.at += timedelta(minutes=1)
    await call("POST", f"alerts/{alerts['H2']}/acknowledge", {})
    await admin.execute(
        "UPDATE alerts.alert SET status = 'closed', outcome = 'moved', closed_at = now() WHERE alert_id = $1",
        alerts["H3"],
    )
    await tell(risk(4, facts_version=11, severity="red"))
    before = len(await rows("inbox_item"))
    house.clock.at += timedelta(minutes=58, seconds=59)
    assert await house.run_worker("alerts", "silences") == 0
    house.clock.at += timedelta(seconds=1)
    await house.run_worker("alerts", "silences")
    told = await rows("inbox_item", "item_no > 0 AND created_at = $1", house.clock.at)
    assert {(row["alert_id"], row["officer_no"]) for row in told} == {(alerts["H1"], "G1"), (alerts["H1"], "S1")}
    house.clock.at += 24 * HOUR
    assert await house.run_worker("alerts", "silences") == 0
    assert len(await rows("inbox_item")) == before + 2


@pytest.mark.parametrize("acknowledged", [False, True])
async def test_a_rise_that_was_held_back_is_told_as_a_rise_even_if_the_opening_was_seen(
    tell: Tell,
    cadres: None,
    rows: Rows,
    hush: Any,
    house: House,
    call: Any,
    acknowledged: bool,
) -> None:
    await tell(risk(severity="yellow"))
    (alert,) = await rows("alert")
    if acknowledged:
        await call("POST", f"alerts/{alert['alert_id']}/acknowledge", {})
    await hush()
    house.clock.at += timedelta(minutes=1)
    await tell(risk(facts_version=11))
    assert {row["kind"] for row in await rows("inbox_item")} == {"opened"}
    house.clock.at += HOUR
    await house.run_worker("alerts", "silences")
    told = await rows("notification", "starts_with(dedupe_key, 'unsilenced:')")
    assert {row["kind"] for row in told} == {"raised"}
    assert {row["recipient"] for row in told} >= {"G1", "S1"}


async def test_another_silence_holds_it_back_in_turn(
    tell: Tell, cadres: None, rows: Rows, hush: Any, house: House
) -> None:
    await hush(hours=1)
    await tell(risk())
    second = await hush("等级=橙色", hours=5)
    house.clock.at += HOUR
    await house.run_worker("alerts", "silences")
    assert await rows("inbox_item") == []
    held = await rows("notification", "silence_id = $1", second["silence_id"])
    assert {row["recipient"] for row in held} == {"G1", "S1"}
    house.clock.at += 4 * HOUR
    await house.run_worker("alerts", "silences")
    assert {row["officer_no"] for row in await rows("inbox_item")} == {"G1", "S1"}


async def test_ended_before_its_time_it_tells_at_once(
    tell: Tell, cadres: None, rows: Rows, hush: Any, house: House, call: Any
) -> None:
    silence = await hush()
    await tell(risk(1))
    house.clock.at += timedelta(minutes=5)
    ended = await call("DELETE", f"silences/{silence['silence_id']}")
    assert (ended["state"], ended["expired_by"], ended["withheld"]) == ("ended", "C1", 2)
    assert await call("DELETE", f"silences/{silence['silence_id']}") == ended
    await tell(risk(2))
    await house.run_worker("alerts", "silences")
    assert len(await rows("inbox_item")) == 4
    actions = [row["action"] for row in await rows("audit_log", "action LIKE 'silence.%'")]
    assert actions == ["silence.put", "silence.expire", "silence.expire"]


async def test_more_alerts_than_one_turn_takes(
    tell: Tell, cadres: None, rows: Rows, hush: Any, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.alerts.end_silences._AT_ONCE", 2)
    await hush()
    await tell(*(risk(n) for n in range(5)))
    house.clock.at += HOUR
    assert await house.run_worker("alerts", "silences") == 6
    assert len(await rows("inbox_item")) == 10


# --- who, where, how long ------------------------------------------------------------------------------------


async def test_only_the_county_or_a_township_and_only_in_its_range(bearer: Bearer, hush: Any, house: House) -> None:
    township = bearer("township_leader", TOWNSHIP, officer_no="T1")
    assert (await hush(headers=township))["division"] == TOWNSHIP
    await hush(headers=township, division=VILLAGE)
    await hush(headers=township, division=FAR_VILLAGE, code=403)
    await hush(headers=township, division=COUNTY, code=403)
    refused = await hush(f"村={FAR_VILLAGE}", headers=township, code=422)
    assert refused["errors"][0]["code"] == "out_of_range"
    for role in ("grid_worker", "village_secretary", "first_secretary", "auditor"):
        await hush(headers=bearer(role, VILLAGE, officer_no="X1"), code=403)
    await hush(headers=bearer(None, COUNTY), code=403)
    await hush(headers=bearer("county_admin", COUNTY), code=403)


async def test_a_silence_from_above_is_seen_below_and_ended_above(
    bearer: Bearer, hush: Any, call: Any, alerts_runtime: Runtime
) -> None:
    silence = await hush()
    path = f"silences/{silence['silence_id']}"
    township = bearer("township_leader", TOWNSHIP, officer_no="T1")
    own = await hush(headers=township)
    seen = (await call("GET", "silences", headers=township))["items"]
    assert {one["silence_id"] for one in seen} == {own["silence_id"], silence["silence_id"]}
    await call("DELETE", path, headers=township, code=403)
    other = bearer("township_leader", "130624203000", officer_no="T9")
    assert len((await call("GET", "silences", headers=other))["items"]) == 1
    assert (await call("DELETE", f"silences/{own['silence_id']}", headers=other, code=404)) == {
        **(await call("DELETE", f"silences/{uuid4()}", headers=other, code=404)),
        "instance": f"/alerts/v1/silences/{own['silence_id']}",
    }
    neighbour = bearer("county_admin", "130625000000", officer_no="C9")
    assert (await call("GET", "silences", headers=neighbour))["items"] == []
    for sql in (
        "UPDATE silence SET reason = 'x'",
        "DELETE FROM silence",
        "UPDATE silence SET expired_at = now(), expired_by = 'x'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with scoped(alerts_runtime.pool, TOWNSHIP) as connection:
                await connection.execute(sql)


@pytest.mark.parametrize(
    ("match", "field", "code"),
    [
        ("等级=紫色", "match", "unknown_value"),
        ("原因=~.*", "match", "matches_everything"),
        ("等级!=红色", "match", "matches_everything"),
    ],
)
async def test_conditions_that_say_nothing(hush: Any, match: str, field: str, code: str) -> None:
    refused = await hush(match, code=422)
    assert [(error["where"], error["code"]) for error in refused["errors"]] == [(f"body/{field}", code)]


def at(text: str) -> str:
    return datetime.fromisoformat(text).isoformat()


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"ends_at": at("2026-06-13T10:00:00+08:00")}, 201),
        ({"ends_at": at("2026-06-13T10:00:01+08:00")}, 422),
        ({"ends_at": at("2026-03-15T10:00:00+08:00")}, 422),
        ({"ends_at": at("2026-03-15T10:00:01+08:00")}, 201),
        ({"starts_at": at("2026-03-15T09:59:59+08:00")}, 422),
        ({"starts_at": at("2026-03-15T10:00:00+08:00")}, 201),
        ({"reason": ""}, 422),
        ({"ends_at": "2026-03-15"}, 422),
    ],
)
async def test_at_most_ninety_days_and_never_for_the_past(hush: Any, times: dict[str, str], code: int) -> None:
    await hush(code=code, **times)


@pytest.mark.parametrize(
    "times",
    [
        {"starts_at": "9999-12-31T00:00:00+08:00", "ends_at": "9999-12-31T23:59:59-12:00"},
        {"starts_at": "9999-01-01T00:00:00+08:00", "ends_at": "9999-12-31T00:00:00+08:00"},
        {"ends_at": "0001-01-01T00:00:00+14:00"},
        {"ends_at": "9999-12-31T23:59:59-12:00"},
    ],
)
async def test_times_at_the_end_of_the_calendar_are_refused(
    cadres: None, alerts_client: httpx.AsyncClient, bearer: Bearer, times: dict[str, str]
) -> None:
    body = {"match": "原因=因病", "reason": "集中走访", **times}
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    answer = await alerts_client.post("/alerts/v1/silences", json=body, headers=headers)
    assert answer.status_code == 422, answer.text
