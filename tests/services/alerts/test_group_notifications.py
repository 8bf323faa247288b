"""One message about one village: when it goes, what it counts, and that nothing is pushed twice or forgotten."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.alerts.group_notifications import tell_due_groups
from services.alerts.settings import AlertsSettings
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from tests.services.alerts.conftest import MONDAY
from tests.services.alerts.places import OTHER_VILLAGE, VILLAGE, risk

Rows = Callable[..., Any]
Tell = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("cadres", "calm")


@pytest.fixture
async def phone(phone: None, robot: None) -> None:
    """A way out of the village secretary's own, and the township's group robot."""


def at(runtime: Runtime, **changes: Any) -> None:
    assert isinstance(runtime.settings, AlertsSettings)
    runtime.settings = runtime.settings.model_copy(update=changes)


async def to(rows: Rows, recipient: str | None) -> list[dict[str, Any]]:
    """The deliveries to a person or, None, to the group; the oldest first."""
    of = {row["notification_id"]: row["recipient"] for row in await rows("notification")}
    found = [row for row in await rows("delivery") if of[row["notification_id"]] == recipient]
    return sorted(found, key=lambda row: row["delivery_id"])


async def test_a_village_is_one_message_with_the_count(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(*(risk(n) for n in range(5)), *(risk(n, living_division=OTHER_VILLAGE) for n in range(5, 8)))
    assert await rows("delivery") == []
    assert len(await rows("inbox_item", "officer_no = 'S1'")) == 8  # also the copies for the registered village
    clock.at = MONDAY + timedelta(seconds=29)
    assert await tell_due_groups(alerts_runtime) == 0
    clock.at = MONDAY + timedelta(seconds=30)
    await tell_due_groups(alerts_runtime)
    assert await tell_due_groups(alerts_runtime) == 0
    counts = sorted((row["message"]["division"], row["message"]["count"]) for row in await to(rows, None))
    assert counts == [(VILLAGE, 5), (OTHER_VILLAGE, 3)]
    told = await rows("notification", "group_key IS NOT NULL")
    assert {row["outcome"] for row in told} == {"sent"}


async def test_the_timing_of_alertmanager(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    """group_wait 1 s, group_interval 1 s: two and two news make two messages, the second about all."""
    at(alerts_runtime, group_wait=timedelta(seconds=1), group_interval=timedelta(seconds=1))

    async def until(seconds: float) -> int:
        clock.at = MONDAY + timedelta(seconds=seconds)
        await tell_due_groups(alerts_runtime)
        return len(await to(rows, "S1"))

    assert await until(1.1) == 0
    await tell(risk(1))
    assert await until(1.7) == 0
    await tell(risk(2))
    assert await until(2.0) == 0
    assert await until(2.5) == 1
    assert await until(3.3) == 1
    await tell(risk(3), risk(4), risk(5))
    assert await until(4.0) == 1
    assert await until(4.5) == 2
    assert await until(9.5) == 2
    assert [row["message"]["count"] for row in await to(rows, "S1")] == [2, 5]


async def test_an_urgent_one_goes_at_once_at_night_on_a_sunday(
    tell: Tell, rows: Rows, phone: None, clock: FixedClock
) -> None:
    clock.at = datetime(2026, 3, 15, 23, 0, tzinfo=SHANGHAI)
    await tell(risk(1, severity="red"), risk(2, severity=None, report_ids=[str(uuid4())], reason="hardship_report"))
    assert len(await to(rows, "S1")) == 2
    assert all(row["due_at"] == clock.now() and row["priority"] == 0 for row in await rows("delivery"))
    assert await rows("notification", "decision <> 'send'") == []


@pytest.mark.parametrize(
    ("moment", "slot"),
    [
        (datetime(2026, 3, 16, 20, 59, tzinfo=SHANGHAI), None),
        (datetime(2026, 3, 16, 21, 0, tzinfo=SHANGHAI), datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 17, 7, 29, tzinfo=SHANGHAI), datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI), None),
        (datetime(2026, 3, 20, 21, 0, tzinfo=SHANGHAI), datetime(2026, 3, 23, 7, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 21, 10, 0, tzinfo=SHANGHAI), datetime(2026, 3, 23, 7, 30, tzinfo=SHANGHAI)),
    ],
)
async def test_nights_and_days_off_defer_and_never_drop(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    clock: FixedClock,
    moment: datetime,
    slot: datetime | None,
) -> None:
    clock.at = moment
    await tell(risk())
    (told,) = await rows("notification", "recipient = 'S1'")
    assert (told["decision"], told["not_before"]) == ("defer" if slot else "send", slot)
    due = slot or moment + timedelta(seconds=30)
    clock.at = due - timedelta(seconds=1)
    assert await tell_due_groups(alerts_runtime) == 0
    clock.at = due
    await tell_due_groups(alerts_runtime)
    assert len(await to(rows, "S1")) == 1
    (told,) = await rows("notification", "recipient = 'S1'")
    assert told["outcome"] == "sent"


async def test_a_worker_that_was_down_sends_nothing_at_night(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk())
    clock.at = datetime(2026, 3, 16, 22, 0, tzinfo=SHANGHAI)
    await tell_due_groups(alerts_runtime)
    assert await rows("delivery") == []
    clock.at = datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI)
    await tell_due_groups(alerts_runtime)
    assert len(await to(rows, "S1")) == 1


async def test_acknowledged_before_its_time_it_is_cancelled(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    acknowledge: Callable[..., Any],
    clock: FixedClock,
) -> None:
    await tell(risk(1), risk(2))
    first, second = sorted(row["alert_id"] for row in await rows("alert"))
    await acknowledge(first)
    cancelled = await rows("notification", "group_key IS NOT NULL AND alert_id = $1", first)
    assert {row["outcome"] for row in cancelled} == {"cancelled"}
    clock.at = MONDAY + timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    assert [row["message"]["count"] for row in await rows("delivery")] == [1, 1]
    await acknowledge(second)
    assert {row["state"] for row in await rows("delivery")} == {"cancelled"}


async def test_what_is_told_after_an_acknowledgement_is_pushed_too(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    alerts_client: httpx.AsyncClient,
    bearer: Callable[..., dict[str, str]],
    acknowledge: Callable[..., Any],
    secretary: dict[str, str],
    clock: FixedClock,
) -> None:
    """The grid worker has seen both, and offers them to the secretary, who then sees one of them."""
    await tell(risk(1), risk(2))
    headers = bearer("grid_worker", VILLAGE, officer_no="G1")
    for alert in await rows("alert"):
        path = f"/alerts/v1/alerts/{alert['alert_id']}"
        clock.at += timedelta(seconds=1)
        await acknowledge(alert["alert_id"], "grid_worker", "G1")
        clock.at += timedelta(seconds=1)
        body = {"to_officer_no": "S1", "reason": "外出"}
        assert (await alerts_client.post(f"{path}/handover", json=body, headers=headers)).status_code == 200
    clock.at += timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    (push,) = await to(rows, "S1")
    assert (push["message"]["kind"], push["message"]["count"], push["state"]) == ("handed_over", 2, "due")
    states = []
    for offer in await rows("handover"):
        path = f"/alerts/v1/handovers/{offer['handover_id']}/answer"
        assert (await alerts_client.post(path, json={"answer": "accept"}, headers=secretary)).status_code == 200
        states.append((await to(rows, "S1"))[0]["state"])
    assert states[0] == "due", "the other one still waits for his answer"


async def test_who_acknowledges_while_a_group_is_told_hears_nothing_more(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    acknowledge: Callable[..., Any],
    clock: FixedClock,
    database: str,
) -> None:
    await tell(risk(1))
    (alert,) = await rows("alert")
    clock.at = MONDAY + timedelta(minutes=1)
    holder = await asyncpg.connect(database)
    async with holder.transaction():
        # The worker has read who is to be told, and stands before it reads their ways.
        await holder.execute("LOCK TABLE alerts.endpoint IN ACCESS EXCLUSIVE MODE")
        telling = asyncio.create_task(tell_due_groups(alerts_runtime))
        while not await holder.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)
        answering = asyncio.create_task(acknowledge(alert["alert_id"]))
        await asyncio.wait([answering], timeout=0.3)
    await holder.close()
    await answering
    await telling
    assert {row["state"] for row in await rows("delivery")} <= {"cancelled"}
    assert {row["outcome"] for row in await rows("notification", "group_key IS NOT NULL")} <= {"sent", "cancelled"}


async def test_a_message_about_two_goes_on_while_one_waits(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    acknowledge: Callable[..., Any],
    clock: FixedClock,
) -> None:
    await tell(risk(1), risk(2))
    clock.at = MONDAY + timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    states = []
    for alert in await rows("alert"):
        await acknowledge(alert["alert_id"])
        states.append({row["state"] for row in await rows("delivery")})
    assert states == [{"due"}, {"cancelled"}]


async def test_the_severe_mutes_the_mild_of_its_household(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1), risk(2))
    await tell(risk(1, facts_version=11, severity="red"))
    clock.at = MONDAY + timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    assert [row["message"]["count"] for row in await to(rows, "S1")] == [1, 1]  # the red one; the other household
    (muted,) = await rows("notification", "recipient = 'S1' AND decision = 'suppress'")
    assert "更紧急" in muted["reason"]


async def test_the_daily_limit_turns_the_rest_into_lines_of_the_digest(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    at(alerts_runtime, pushes_a_day=2, group_interval=timedelta(0))
    for n in range(4):
        await tell(risk(n))
        clock.at += timedelta(minutes=1)
        await tell_due_groups(alerts_runtime)
    await tell(risk(9, severity="red"))
    assert len(await to(rows, "S1")) == 3  # two, and the urgent one
    assert len(await to(rows, None)) == 5  # the limit is a person's
    waiting = await rows("notification", "recipient = 'S1' AND decision = 'digest'")
    assert len(waiting) == 2
    assert all("上限" in row["reason"] for row in waiting)
    clock.at += timedelta(days=1)
    await tell(risk(10))
    clock.at += timedelta(minutes=1)
    await tell_due_groups(alerts_runtime)
    assert len(await to(rows, "S1")) == 4


async def test_three_posts_hear_once(tell: Tell, rows: Rows, phone: None, enlist: Callable[..., Any]) -> None:
    await enlist(("S1", "grid_worker", VILLAGE), ("S1", "first_secretary", VILLAGE))
    await tell(risk(1, severity="red"))
    assert len(await rows("notification", "recipient = 'S1'")) == 1
    assert len(await rows("inbox_item", "officer_no = 'S1'")) == 1
    assert len(await to(rows, "S1")) == 1


async def test_two_thousand_alerts_of_forty_villages_are_forty_messages(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    villages = [str(int(VILLAGE) + n) for n in range(40)]
    for begin in range(0, 2000, 200):
        items = [
            risk(n, living_division=villages[n % 40], registered_division=villages[n % 40])
            for n in range(begin, begin + 200)
        ]
        assert (await tell(*items)).status_code == 200
        clock.at += timedelta(seconds=2)
    assert await rows("delivery") == []
    clock.at = MONDAY + timedelta(seconds=35)
    while await tell_due_groups(alerts_runtime):
        pass
    told = [row["message"] for row in await to(rows, None)]
    assert sorted((one["division"], one["count"]) for one in told) == [(village, 50) for village in villages]
    assert {row["outcome"] for row in await rows("notification", "group_key IS NOT NULL")} == {"sent"}


async def test_two_workers_tell_a_group_once(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(*(risk(n) for n in range(6)))
    clock.at = MONDAY + timedelta(seconds=31)
    await asyncio.gather(*(tell_due_groups(alerts_runtime) for _ in range(3)))
    assert len(await to(rows, "S1")) == 1
    assert len(await to(rows, None)) == 1


async def test_red_ones_are_told_at_once_unless_the_county_lets_them_wait(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1, severity="red"), risk(2, severity="red"))
    assert len(await to(rows, "S1")) == 2
    assert await rows("notify_group") == []


async def test_an_urgent_one_is_sent_where_there_is_a_way_out_and_else_only_a_letter(
    tell: Tell, rows: Rows, phone: None
) -> None:
    await tell(risk(1, severity="red"))
    told = {row["recipient"]: row for row in await rows("notification", "division = $1", VILLAGE)}
    assert len(await rows("inbox_item", "officer_no = 'G1'")) == 1
    assert (told["S1"]["outcome"], told[None]["outcome"]) == ("sent", "sent")
    assert (told["G1"]["outcome"], told["G1"]["ended_at"], told["G1"]["group_key"]) == (None, None, None)


@pytest.mark.parametrize("moment", [MONDAY, MONDAY.replace(hour=23)])
async def test_what_waits_for_a_way_out_that_goes_away_is_not_sent(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    clock: FixedClock,
    admin: asyncpg.Connection,
    moment: datetime,
) -> None:
    """Another one that comes when there is a way out again is told of by itself."""
    clock.at = moment
    await tell(risk(1))
    await admin.execute("UPDATE alerts.endpoint SET state = 'disabled'")
    clock.at = MONDAY + timedelta(days=1)
    await tell_due_groups(alerts_runtime)
    assert await rows("delivery") == []
    kept = await rows("notification", "reason = '推送渠道已停用，没有推送'")
    assert {row["recipient"] for row in kept} == {"S1", None}
    assert {(row["decision"], row["outcome"], row["carried_by"], row["group_key"]) for row in kept} == {
        ("send", None, None, None)
    }
    await admin.execute("UPDATE alerts.endpoint SET state = 'active'")
    await tell(risk(2))
    clock.at += timedelta(hours=1)
    await tell_due_groups(alerts_runtime)
    assert [row["message"]["count"] for row in await to(rows, "S1")] == [1]
    assert await rows("notification", "group_key IS NOT NULL AND outcome IS NULL") == []


async def test_red_ones_of_a_village_are_one_message_after_a_moment_at_any_hour(
    tell: Tell, rows: Rows, phone: None, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    """Orange ones of the same night wait for the morning, a household's own word for nothing."""
    at(alerts_runtime, red_group_wait=timedelta(seconds=10), pushes_a_day=1)
    night = MONDAY.replace(hour=23)
    clock.at = night
    reported = risk(4, severity="red", reason="hardship_report", report_ids=["r4"])
    await tell(risk(1, severity="red"), risk(2, severity="red"), risk(3), reported)
    [told] = await to(rows, "S1")
    assert told["message"]["kind"] == "reported" or told["message"]["count"] == 1
    clock.at = night + timedelta(seconds=9)
    await tell_due_groups(alerts_runtime)
    assert len(await to(rows, "S1")) == 1
    clock.at = night + timedelta(seconds=10)
    await tell_due_groups(alerts_runtime)
    _, grouped = await to(rows, "S1")
    assert (grouped["message"]["count"], grouped["priority"]) == (2, 0)
    waiting = await rows("notification", "recipient = 'S1' AND outcome IS NULL AND decision = 'defer'")
    assert len(waiting) == 1
    # They do not use up the day's pushes of the others.
    clock.at = MONDAY + timedelta(days=1)
    await tell_due_groups(alerts_runtime)
    assert len(await to(rows, "S1")) == 3


async def test_a_red_one_that_was_acknowledged_meanwhile_is_not_pushed(
    tell: Tell,
    rows: Rows,
    phone: None,
    alerts_runtime: Runtime,
    clock: FixedClock,
    acknowledge: Callable[..., Any],
) -> None:
    at(alerts_runtime, red_group_wait=timedelta(seconds=10))
    await tell(risk(1, severity="red"))
    [alert] = await rows("alert")
    await acknowledge(alert["alert_id"])
    clock.at = MONDAY + timedelta(seconds=10)
    await tell_due_groups(alerts_runtime)
    assert await rows("delivery") == []
