"""An alert climbs when nobody answers: one level a scan, each step once, never after a person acted."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from services.alerts.domain.alert import Status
from services.alerts.escalate import escalate_due
from services.alerts.worker import build_worker
from shared.clock import FixedClock
from shared.runtime import Runtime
from shared.settings import Settings
from shared.vocabulary.division import code_range
from tests.conftest import MORNING, House, empty_tables
from tests.services.alerts.conftest import at
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]
Enlist = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]


# Opened on Sunday, 15 March, 10:00; 24 hours of working days to acknowledge, then 24 hours for each level.
FIRST, SECOND, THIRD = at("2026-03-17T08:30"), at("2026-03-18T08:30"), at("2026-03-19T08:30")


async def step(
    client: httpx.AsyncClient, alert: UUID, name: str, headers: dict[str, str], **body: Any
) -> httpx.Response:
    answer = await client.post(f"/alerts/v1/alerts/{alert}/{name}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def secretary(bearer: Bearer, alerts_client: httpx.AsyncClient) -> Bearer:
    """His token, fresh at the clock's time."""
    return lambda: bearer("village_secretary", VILLAGE, officer_no="S1")


async def told(rows: Rows, kind: str) -> list[str]:
    return sorted(row["recipient"] for row in await rows("notification", "kind = $1", kind))


async def test_it_copies_the_chain_and_waits_for_the_acknowledgement(alert: UUID, rows: Rows) -> None:
    (timer,) = await rows("alert_escalation")
    assert [[p["officer_no"] for p in rung["people"]] for rung in timer["chain_snapshot"]] == [
        ["G1"],
        ["F1", "S1"],
        ["T1"],
        ["C1"],
    ]
    assert (timer["step"], timer["next_step_at"], timer["finished_at"]) == (1, FIRST, None)


async def test_it_climbs_a_level_a_clock_up_to_the_county(
    alert: UUID, rows: Rows, clock: FixedClock, house: House
) -> None:
    clock.at = FIRST - timedelta(seconds=1)
    assert await house.run_worker("alerts", "escalate") == 0
    for moment, level, people in ((FIRST, 2, ["F1", "S1"]), (SECOND, 3, ["T1"]), (THIRD, 4, ["C1"])):
        clock.at = moment
        assert await house.run_worker("alerts", "escalate") == 1
        (timer,) = await rows("alert_escalation")
        assert timer["step"] == level
        (*_, last) = await rows("alert_log", "action = 'escalated' ORDER BY log_id")
        assert (last["detail"]["to"], last["detail"]["because"]) == (people, "not_acknowledged")
    assert timer["finished_at"] == THIRD
    assert await told(rows, "escalation") == ["C1", "F1", "S1", "T1"]
    assert {row["officer_no"] for row in await rows("assignment")} == {"G1", "S1", "F1", "T1", "C1"}
    clock.at += timedelta(days=30)
    assert await house.run_worker("alerts", "escalate") == 0


async def test_those_who_hold_it_are_reminded_and_nobody_is_told_twice(
    alert: UUID, rows: Rows, clock: FixedClock, house: House
) -> None:
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    assert await told(rows, "reminder") == ["G1"]
    clock.at = SECOND
    await house.run_worker("alerts", "escalate")
    assert await told(rows, "reminder") == ["F1", "G1", "G1", "S1"]


async def test_a_jump_of_the_clock_runs_one_step(alert: UUID, rows: Rows, clock: FixedClock, house: House) -> None:
    clock.at = at("2026-04-01T10:00")
    assert await house.run_worker("alerts", "escalate") == 1
    (timer,) = await rows("alert_escalation")
    assert (timer["step"], timer["next_step_at"]) == (2, at("2026-04-02T10:00"))


@pytest.mark.parametrize("moment", ["2026-03-18T02:00", "2026-03-18T12:30", "2026-03-21T10:00", "2026-04-05T10:00"])
async def test_nobody_is_told_at_night_nor_on_a_day_off(
    moment: str, alert: UUID, rows: Rows, clock: FixedClock, house: House
) -> None:
    clock.at = at(moment)
    await house.run_worker("alerts", "escalate")
    assert await told(rows, "escalation") == []
    (timer,) = await rows("alert_escalation")
    assert timer["next_step_at"] > clock.at
    clock.at = timer["next_step_at"]
    await house.run_worker("alerts", "escalate")
    assert await told(rows, "escalation") == ["F1", "S1"]


async def test_acknowledging_waits_for_the_answer_and_that_climbs_too(
    alert: UUID,
    rows: Rows,
    clock: FixedClock,
    house: House,
    alerts_client: httpx.AsyncClient,
    secretary: Bearer,
) -> None:
    clock.at = MORNING + timedelta(hours=1)
    await step(alerts_client, alert, "acknowledge", secretary())
    (timer,) = await rows("alert_escalation")
    verify_by = at("2026-03-23T18:00")
    assert timer["next_step_at"] == verify_by
    clock.at = FIRST
    assert await house.run_worker("alerts", "escalate") == 0
    clock.at = verify_by
    assert await house.run_worker("alerts", "escalate") == 1
    (entry,) = await rows("alert_log", "action = 'escalated'")
    assert entry["detail"]["because"] == "not_verified"


async def test_an_answer_ends_it(
    alert: UUID,
    rows: Rows,
    clock: FixedClock,
    house: House,
    alerts_client: httpx.AsyncClient,
    secretary: Bearer,
) -> None:
    visit = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}
    await step(alerts_client, alert, "verification", secretary(), outcome="no_risk", contact=visit)
    (timer,) = await rows("alert_escalation")
    assert (timer["next_step_at"], timer["finished_at"]) == (None, clock.now())
    clock.at += timedelta(days=60)
    assert await house.run_worker("alerts", "escalate") == 0


async def test_acknowledged_after_the_county_was_told_it_waits_again(
    alert: UUID,
    rows: Rows,
    clock: FixedClock,
    house: House,
    alerts_client: httpx.AsyncClient,
    secretary: Bearer,
) -> None:
    for clock.at in (FIRST, SECOND, THIRD):
        await house.run_worker("alerts", "escalate")
    await step(alerts_client, alert, "acknowledge", secretary())
    (timer,) = await rows("alert_escalation")
    assert (timer["next_step_at"], timer["finished_at"]) == (at("2026-03-23T18:00"), None)
    clock.at = at("2026-03-23T18:00")
    await house.run_worker("alerts", "escalate")
    (timer,) = await rows("alert_escalation")
    assert timer["finished_at"] == clock.at
    (entry,) = await rows("alert_log", "action = 'reminded'")
    assert entry["detail"]["reminded"] == ["G1", "S1", "F1", "T1", "C1"]


async def test_an_offer_to_a_colleague_does_not_stop_the_climb(
    alert: UUID,
    rows: Rows,
    clock: FixedClock,
    house: House,
    alerts_client: httpx.AsyncClient,
    secretary: Bearer,
) -> None:
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    await step(alerts_client, alert, "handover", secretary(), to_officer_no="T1", reason="外出")
    (timer,) = await rows("alert_escalation")
    assert (timer["step"], timer["next_step_at"]) == (2, SECOND)


async def test_a_worse_severity_shortens_the_wait(alert: UUID, tell: Tell, rows: Rows) -> None:
    await tell(risk(facts_version=11, severity="red", clocks={"acknowledge_hours": 2, "verify_days": 1}))
    (timer,) = await rows("alert_escalation")
    (after,) = await rows("alert")
    assert timer["next_step_at"] == after["ack_due_at"] == at("2026-03-16T10:30")


async def test_a_worse_severity_after_the_deadline_shortens_the_wait_of_the_next_level(
    alert: UUID, tell: Tell, rows: Rows, clock: FixedClock, house: House
) -> None:
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    await tell(risk(facts_version=11, severity="red", clocks={"acknowledge_hours": 2, "verify_days": 1}))
    (timer,) = await rows("alert_escalation")
    (after,) = await rows("alert")
    assert (after["ack_due_at"], after["acknowledge_hours"]) == (FIRST, 2)
    assert (timer["step"], timer["next_step_at"]) == (2, at("2026-03-17T10:30"))


async def test_a_change_of_duties_changes_no_running_case(
    alert: UUID, rows: Rows, clock: FixedClock, house: House, enlist: Enlist
) -> None:
    await enlist(("T2", "township_leader", TOWNSHIP))
    for clock.at in (FIRST, SECOND):
        await house.run_worker("alerts", "escalate")
    assert await told(rows, "escalation") == ["F1", "S1", "T1"]


async def test_who_left_is_passed_over_with_a_notice(
    alert: UUID, rows: Rows, clock: FixedClock, house: House, admin: asyncpg.Connection
) -> None:
    await admin.execute("UPDATE alerts.officer SET active = false WHERE officer_no = 'T1'")
    for clock.at in (FIRST, SECOND):
        await house.run_worker("alerts", "escalate")
    assert await told(rows, "escalation") == ["C1", "F1", "S1"]
    (notice,) = await rows("inbox_item", "kind = 'data_notice'")
    assert "乡镇长" in notice["body"]


async def test_when_all_have_left_their_successors_are_told(
    alert: UUID, rows: Rows, clock: FixedClock, house: House, enlist: Enlist, admin: asyncpg.Connection
) -> None:
    await enlist(("C2", "county_admin", COUNTY))
    await admin.execute("UPDATE alerts.officer SET active = false WHERE officer_no <> 'C2'")
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    assert await told(rows, "escalation") == ["C2"]


async def test_with_nobody_in_post_it_asks_again_after_a_clock(
    alert: UUID, rows: Rows, clock: FixedClock, house: House, admin: asyncpg.Connection
) -> None:
    await admin.execute("UPDATE alerts.officer SET active = false")
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    (timer,) = await rows("alert_escalation")
    assert (timer["step"], timer["next_step_at"]) == (1, SECOND)


async def test_an_alert_from_before_there_were_timers_gets_one(
    alert: UUID, rows: Rows, house: House, admin: asyncpg.Connection
) -> None:
    (before,) = await rows("alert_escalation")
    await admin.execute("DELETE FROM alerts.alert_escalation")
    assert await house.run_worker("alerts", "begin_escalations") == 1
    (timer,) = await rows("alert_escalation")
    for name in ("chain_snapshot", "step", "next_step_at"):
        assert timer[name] == before[name]


async def test_over_new_year(tell: Tell, cadres: None, rows: Rows, clock: FixedClock, house: House) -> None:
    clock.at = at("2026-12-31T17:00")
    await tell(risk(clocks={"acknowledge_hours": 2, "acknowledge_unit": "working_hours", "verify_days": 3}))
    (timer,) = await rows("alert_escalation")
    assert timer["next_step_at"] == at("2027-01-01T09:30")  # Provisional: nobody published 2027.


async def test_a_message_outside_says_how_many_and_where_and_no_more(
    alert: UUID, rows: Rows, clock: FixedClock, house: House, admin: asyncpg.Connection
) -> None:
    await admin.execute(
        "WITH o AS (INSERT INTO alerts.outlet (outlet_id) VALUES (gen_random_uuid()) RETURNING *)"
        " INSERT INTO alerts.endpoint (endpoint_id, outlet_id, channel, address, officer_no, division, division_hi,"
        " state, updated_at)"
        " SELECT gen_random_uuid(), outlet_id, 'console', 'x', 'S1', $1, $2, 'active', now() FROM o",
        *code_range(VILLAGE),
    )
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    (delivery,) = await rows("delivery")
    assert delivery["message"]["body"] == "青沿村村民委员会有 1 户超期预警升级督办，请登录后查看。"
    (letter,) = await rows("inbox_item", "kind = 'escalation' AND officer_no = 'S1'")
    assert "张建国" in letter["body"]


async def test_the_view_shows_the_chain_and_when_it_climbs_next(
    alert: UUID, alerts_client: httpx.AsyncClient, secretary: Bearer
) -> None:
    view = (await alerts_client.get(f"/alerts/v1/alerts/{alert}", headers=secretary())).json()
    assert view["deadlines_provisional"] is False
    assert view["escalation"]["step"] == 1
    assert view["escalation"]["chain"][2] == {
        "level": 3,
        "people": [{"officer_no": "T1", "role": "township_leader"}],
        "wait": None,
    }
    assert datetime.fromisoformat(view["escalation"]["next_step_at"]) == FIRST


async def test_two_workers_step_once(
    tell: Tell, cadres: None, rows: Rows, clock: FixedClock, alerts_runtime: Runtime, settings: Settings
) -> None:
    """Every task and tick of two workers at the same moment, over twelve alerts and three clocks."""
    await tell(*(risk(n) for n in range(12)))
    workers = [build_worker(settings), build_worker(settings)]  # type: ignore[arg-type]
    for clock.at in (FIRST, SECOND, THIRD):
        runs = [job.run for worker in workers for job in (*worker.tasks, *worker.ticks)]
        await asyncio.gather(*(run(alerts_runtime) for run in runs))
        await asyncio.gather(*(escalate_due(alerts_runtime) for _ in range(4)))
        assert len({row["step"] for row in await rows("alert_escalation")}) == 1
    assert len(await rows("alert_log", "action = 'escalated'")) == 12 * 3
    assert len(await told(rows, "escalation")) == 12 * 4


ACTS = st.lists(
    st.sampled_from(["tick", "ack", "ack+tick", "tick+ack", "tick+tick", "attempt", "wait", "answer+tick"]),
    min_size=1,
    max_size=7,
)


@trying(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
async def test_an_acknowledgement_races_the_tick(
    acts: list[str],
    database: str,
    house: House,
    enlist: Enlist,
    tell: Tell,
    rows: Rows,
    clock: FixedClock,
    alerts_runtime: Runtime,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    """Whatever comes at once: steps never repeat, none follows an answer, the timer and the status agree."""
    await empty_tables(database)
    clock.at = MORNING
    await enlist(("G1", "grid_worker", VILLAGE), ("T1", "township_leader", TOWNSHIP), ("C1", "county_admin", COUNTY))
    await tell(risk())
    (opened,) = await rows("alert")
    for act in acts:
        clock.at = _later(clock.at)
        headers = bearer("township_leader", TOWNSHIP, officer_no="T1")
        before = (await rows("alert_escalation"))[0]["step"]
        ended = (await rows("alert"))[0]["status"] == Status.CLOSED
        await asyncio.gather(
            *(_act(one, opened["alert_id"], headers, alerts_client, alerts_runtime) for one in act.split("+"))
        )
        await _check(rows, before, ended)


def _later(moment: datetime) -> datetime:
    """Ten in the morning, two working days on: any clock of a level has run out by then."""
    later = moment + timedelta(days=2)
    return later + timedelta(days=max(0, 7 - later.weekday()) if later.weekday() >= 5 else 0)


async def _act(act: str, alert: UUID, headers: dict[str, str], client: httpx.AsyncClient, runtime: Runtime) -> None:
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "ack": ("acknowledge", {}),
        "attempt": ("attempts", {"method": "call"}),
        "answer": ("verification", {"outcome": "data_wrong"}),
    }
    if act == "tick":
        await escalate_due(runtime)
    elif act in bodies:
        path, body = bodies[act]
        answer = await client.post(f"/alerts/v1/alerts/{alert}/{path}", json=body, headers=headers)
        assert answer.status_code in (200, 409), answer.text


async def _check(rows: Rows, before: int, ended: bool) -> None:
    (timer,), (alert,) = await rows("alert_escalation"), await rows("alert")
    # A gap of one level: the village has nobody but the grid worker. Who tries in vain for the third time asks above
    # himself, wherever the timer stood.
    in_vain = await rows("alert_log", "action = 'cannot_reach' AND (detail ->> 'goes_up')::boolean")
    assert before <= timer["step"] <= before + (3 if in_vain else 2)
    assert not ended or timer["step"] == before
    told = [row["dedupe_key"] for row in await rows("notification", "kind IN ('escalation','reminder')")]
    assert len(told) == len(set(told))
    levels = [row["detail"]["level"] for row in await rows("alert_log", "action = 'escalated' ORDER BY log_id")]
    assert levels == sorted(set(levels))
    seen = False
    for row in await rows("alert_log", "true ORDER BY log_id"):
        seen = seen or row["action"] in ("acknowledge", "cannot_reach")
        assert not seen or row["detail"].get("because") != "not_acknowledged"
    if alert["status"] == Status.CLOSED:
        assert timer["next_step_at"] is None
        entries = [row["action"] for row in await rows("alert_log", "true ORDER BY log_id")]
        assert entries[-1] == "verify"


async def test_it_climbs_to_the_deputy_of_who_is_away(
    cadres: None, enlist: Enlist, tell: Tell, rows: Rows, clock: FixedClock, house: House, admin: asyncpg.Connection
) -> None:
    await enlist(("X1", "township_deputy", TOWNSHIP))
    await enlist(("S1", "village_secretary", VILLAGE), deputy_no="X1")
    await tell(risk())
    for person in ("S1", "F1"):
        await admin.execute(
            "INSERT INTO alerts.absence (officer_no, first_day, last_day, recorded_at) "
            "VALUES ($1, '2026-03-17', '2026-03-17', $2)",
            person,
            clock.now(),
        )
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    (timer,) = await rows("alert_escalation")
    assert (await told(rows, "escalation"), timer["step"]) == (["X1"], 2)
