"""The life of every message against the real tables: whatever happens, it ends in one way, and goes out under one id.

News, silences, nights, limits, outages, kills, steps of people in any order; then the weather clears, and all that
was ever to be told is accounted for: sent, sent later, told in a digest, suppressed with a reason, or cancelled
because somebody acted.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.alerts.channels.channel import Message, Target
from services.alerts.deliver import deliver_due
from services.alerts.domain.alert import SEEN_BY
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from services.alerts.end_silences import end_silences
from services.alerts.escalate import escalate_due
from services.alerts.group_notifications import tell_due_groups
from services.alerts.make_digests import make_digests
from services.alerts.settings import AlertsSettings
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from shared.vocabulary.division import code_range
from tests.conftest import empty_tables
from tests.services.alerts.conftest import MONDAY
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

POSTS = {
    "G1": ("grid_worker", VILLAGE),
    "S1": ("village_secretary", VILLAGE),
    "T1": ("township_leader", TOWNSHIP),
    "C1": ("county_admin", COUNTY),
}
# Whose each address is: S1 has two, the township's group one, G1 none.
ADDRESSES = {"s1-first": "S1", "s1-second": "S1", "t1": "T1", "c1": "C1", "group": None}
STEPS = ("acknowledge", "attempts", "offer", "offer", "accept", "decline", "verification", "propose")


def drawn(chance: Random) -> tuple[Any, ...]:
    """What happens next: mostly news, steps of people and time; now and then a mishap."""
    household = chance.randint(1, 5)
    match chance.choices(["news", "step", "wait", "weather", "die", "silence"], [7, 3, 6, 2, 1, 1])[0]:
        case "news":
            return "news", household, chance.choices(["red", "orange", "yellow"], [1, 3, 3])[0], household == 1
        case "step":
            return "step", household, chance.choice(STEPS)
        case "wait":
            return "wait", chance.choice([1, 2, 40, 40, 200, 700, 1500])
        case "weather":
            return "weather", chance.choice(["s1-first", "t1", "group"]), chance.choice(["ok", "away", "limited"])
        case "die":
            return "die", chance.choice(["before", "after"])
        case _:
            return "silence", chance.choice([30, 600])


BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "attempts": {"method": "call"},
    "handover": {"to_officer_no": "S1", "reason": "外出"},
    "accept": {"answer": "accept"},
    "decline": {"answer": "decline", "reason": "不在本片"},
    "verification": {"outcome": "moved"},
    "propose": {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-16", "met": "户主本人"}},
}
NO_ALERT = "018f0000-0000-7000-8000-000000000000"


class Killed(BaseException):
    """Nothing of the worker's runs after this."""


@dataclass
class Outside:
    """All receivers: what came to which address when, and how each of them fares."""

    weather: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, UUID, datetime]] = field(default_factory=list)
    kill: str | None = None

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        kill, self.kill = self.kill, None
        if kill == "before":
            raise Killed
        weather = self.weather.get(target.address, "ok")
        if weather == "ok":
            self.received.append((target.address, message.message_id, now))
        if kill == "after":
            raise Killed
        if weather == "away":
            return SendOutcome(OutcomeClass.RETRY, 503)
        if weather == "limited":
            return SendOutcome(OutcomeClass.LIMITED, 429, retry_after=timedelta(seconds=90))
        return SendOutcome(OutcomeClass.OK, 200)


@dataclass
class World:
    """One county, its workers, its people and what is outside."""

    runtime: Runtime
    clock: FixedClock
    admin: asyncpg.Connection
    client: httpx.AsyncClient
    tell: Callable[..., Any]
    bearer: Callable[..., dict[str, str]]
    outside: Outside = field(default_factory=Outside)
    version: int = 10

    async def open_ways(self) -> None:
        lo, hi = code_range(TOWNSHIP)
        for rank, (address, officer) in enumerate(ADDRESSES.items()):
            await self.admin.execute(
                "WITH o AS (INSERT INTO alerts.outlet (outlet_id) VALUES (gen_random_uuid()) RETURNING *)"
                " INSERT INTO alerts.endpoint (endpoint_id, outlet_id, channel, address, officer_no, division,"
                " division_hi, state, rank, updated_at)"
                " SELECT gen_random_uuid(), outlet_id, 'webhook', $1, $2, $3, $4, 'active', $5, now() FROM o",
                address,
                officer,
                lo,
                hi,
                rank,
            )

    async def do(self, action: tuple[Any, ...]) -> None:
        # Each thing at its own second, so that before and after can be told apart.
        self.clock.at += timedelta(seconds=1)
        match action:
            case "news", household, severity, reported:
                await self.news(household, severity, reported=reported)
            case "step", household, "offer":
                await self.step(household, "acknowledge")
                self.clock.at += timedelta(seconds=1)
                await self.step(household, "handover")
            case "step", household, step:
                await self.step(household, step)
            case "wait", minutes:
                await self.wait(timedelta(minutes=minutes))
            case "weather", address, weather:
                self.outside.weather[address] = weather
            case "die", when:
                self.outside.kill = when
            case "silence", minutes:
                await self.silence(timedelta(minutes=minutes))

    async def news(self, household: int, severity: str, *, reported: bool) -> None:
        self.version += 1
        reports = [f"r{self.version}"] if reported else []
        answer = await self.tell(risk(household, facts_version=self.version, severity=severity, report_ids=reports))
        assert answer.status_code == 200, answer.text

    async def step(self, household: int, step: str) -> None:
        alert = await self.admin.fetchval(
            "SELECT alert_id FROM alerts.alert WHERE household_no = $1 ORDER BY status = 'closed' LIMIT 1",
            f"H{household}",
        )
        offer = await self.admin.fetchval(
            "SELECT handover_id FROM alerts.handover WHERE alert_id = $1 ORDER BY offered_at DESC LIMIT 1", alert
        )
        path = f"alerts/{alert or NO_ALERT}/{'verification' if step == 'propose' else step}"
        if step in ("accept", "decline"):
            path = f"handovers/{offer or NO_ALERT}/answer"
        who = "S1" if step in ("accept", "decline") else "G1"
        headers = self.bearer(POSTS[who][0], POSTS[who][1], officer_no=who)
        answer = await self.client.post(f"/alerts/v1/{path}", json=BODIES[step], headers=headers)
        assert answer.status_code < 500, answer.text

    async def silence(self, length: timedelta) -> None:
        headers = self.bearer("county_admin", COUNTY, officer_no="C1")
        body = {"match": "原因=因病", "reason": "集中走访", "ends_at": (self.clock.at + length).isoformat()}
        answer = await self.client.post("/alerts/v1/silences", json=body, headers=headers)
        assert answer.status_code == 201, answer.text

    async def wait(self, length: timedelta) -> None:
        """Time passes, the leases of the dead run out, and a worker does what is due."""
        self.clock.at += length
        await self.admin.execute(
            "UPDATE alerts.delivery SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE lease_until IS NOT NULL"
        )
        try:
            await self.work()
        except* Killed:
            pass

    async def work(self) -> None:
        for task in (end_silences, escalate_due, tell_due_groups, make_digests):
            while await task(self.runtime):
                pass
        for sick in (False, True, False):
            await deliver_due(self.runtime, {"webhook": self.outside}, sick=sick)

    async def come_to_rest(self) -> None:
        """The weather clears, and the clock goes from one thing that is due to the next until nothing is."""
        self.outside.weather, self.outside.kill = {}, None
        for _ in range(200):
            due = await self.admin.fetchval(NEXT_DUE)
            if due is None:
                return
            if await self.admin.fetchval(WAITING_FOR_DIGEST):
                due = min(due, self._next_evening())
            await self.wait(max(due - self.clock.at, timedelta(seconds=10)))
        raise AssertionError("it never comes to rest")

    def _next_evening(self) -> datetime:
        today = self.clock.at.astimezone(SHANGHAI)
        evening = datetime.combine(today.date(), time(20), SHANGHAI)
        return evening if evening > today else evening + timedelta(days=1)


WAITING_FOR_DIGEST = "SELECT count(*) FROM alerts.notification WHERE decision = 'digest' AND outcome IS NULL"
NEXT_DUE = """
SELECT min(at) FROM (
    SELECT greatest(due_at, blocked_until) FROM alerts.delivery JOIN alerts.outlet USING (outlet_id)
        WHERE due_at IS NOT NULL
    UNION ALL SELECT due_at FROM alerts.notify_group WHERE due_at IS NOT NULL
    UNION ALL SELECT next_step_at FROM alerts.alert_escalation WHERE next_step_at IS NOT NULL
    UNION ALL SELECT ends_at FROM alerts.silence WHERE released_at IS NULL
    UNION ALL SELECT created_at + interval '7 days' FROM alerts.notification
        WHERE decision = 'digest' AND outcome IS NULL
) x (at)
"""


@pytest.fixture
async def world(
    alerts_runtime: Runtime,
    clock: FixedClock,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    tell: Callable[..., Any],
    bearer: Callable[..., dict[str, str]],
    calm: None,
) -> Callable[[], World]:
    told = alerts_runtime.settings
    assert isinstance(told, AlertsSettings)
    alerts_runtime.settings = told.model_copy(update={"pushes_a_day": 1})
    return lambda: World(alerts_runtime, clock, admin, alerts_client, tell, bearer)


@settings(
    max_examples=10,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(chance=st.randoms(use_true_random=True))
async def test_every_message_ends_in_one_way_and_goes_out_under_one_id(
    chance: Random, database: str, world: Callable[[], World], enlist: Callable[..., Any]
) -> None:
    await empty_tables(database)
    county = world()
    county.clock.at = MONDAY
    await enlist(*((no, role, place) for no, (role, place) in POSTS.items()))
    await county.open_ways()
    for _ in range(30):
        await county.do(drawn(chance))
    await county.come_to_rest()
    lives = await Lives.read(county)
    lives.each_ends_in_one_way()
    lives.what_is_delivered_has_come()
    lives.nobody_hears_a_thing_twice()
    lives.what_a_silence_held_back_is_told_when_it_ends()
    lives.everybody_has_his_letters()
    lives.nothing_that_can_wait_comes_at_night()


@dataclass(frozen=True)
class Lives:
    """What the tables and the receivers hold in the end."""

    messages: dict[UUID, dict[str, Any]]
    deliveries: dict[UUID, list[dict[str, Any]]]  # of a message
    letters: dict[UUID, list[dict[str, Any]]]  # of a message
    steps: dict[UUID, list[datetime]]  # of an alert: when somebody showed that he had seen it
    alerts: list[dict[str, Any]]
    duties: dict[UUID, set[str]]  # of an alert: who was made to answer for it when it opened
    silences: dict[UUID, datetime]  # when each was followed up
    received: list[tuple[str, UUID, datetime]]

    @classmethod
    async def read(cls, county: World) -> "Lives":
        async def of(query: str, *args: Any) -> list[dict[str, Any]]:
            return [dict(row) for row in await county.admin.fetch(query, *args)]

        deliveries = await of(
            "SELECT d.*, e.address FROM alerts.delivery d JOIN alerts.endpoint e USING (endpoint_id)"
        )
        steps = await of("SELECT alert_id, at FROM alerts.alert_log WHERE action = ANY ($1)", list(map(str, SEEN_BY)))
        duties = await of("SELECT alert_id, officer_no FROM alerts.assignment WHERE reach = 'duty'")
        return cls(
            messages={row["notification_id"]: row for row in await of("SELECT * FROM alerts.notification")},
            deliveries=_grouped(deliveries, "notification_id"),
            letters=_grouped(await of("SELECT * FROM alerts.inbox_item"), "notification_id"),
            steps={alert: [row["at"] for row in rows] for alert, rows in _grouped(steps, "alert_id").items()},
            alerts=await of("SELECT * FROM alerts.alert"),
            duties={a: {row["officer_no"] for row in rows} for a, rows in _grouped(duties, "alert_id").items()},
            silences={row["silence_id"]: row["released_at"] for row in await of("SELECT * FROM alerts.silence")},
            received=county.outside.received,
        )

    def each_ends_in_one_way(self) -> None:
        for message in self.messages.values():
            ending = self.ending(message)
            if ending == "suppressed":
                assert message["reason"]
            elif ending == "cancelled":
                assert self._somebody_acted_since(message), message
            else:
                assert ending in {"sent", "sent later", "digested", "letter", "dead letter"}, (ending, message)

    def ending(self, message: dict[str, Any]) -> str:
        """The one way in which it ended; what says two things at once has none."""
        own = self.deliveries[message["notification_id"]]
        match message["decision"], message["outcome"]:
            case "suppress", None:
                return "suppressed" if not own else "suppressed and sent"
            case "digest", "digested":
                carrier = self.messages[message["carried_by"]]
                told = carrier["kind"] == "digest" and len(self.letters[carrier["notification_id"]]) == 1
                return "digested" if told and not own else "digested by nothing, or sent too"
            case _, "cancelled":
                return "cancelled" if {row["state"] for row in own} <= {"cancelled"} else "cancelled and sent"
            case "send" | "defer", "sent":
                carrier_id = message["carried_by"] or message["notification_id"]
                if own and carrier_id != message["notification_id"]:
                    return "sent with others and by itself"
                return self._sent(message, self.deliveries[carrier_id])
            case "send", None if message["group_key"] is None:
                return self._sent(message, own) if own else "letter"
        return f"waits: {message['decision']}, {message['outcome']}"

    def _sent(self, message: dict[str, Any], ways: list[dict[str, Any]]) -> str:
        states = {row["state"] for row in ways}
        if not ways and message["recipient"] not in ADDRESSES.values():
            return "letter"
        if "delivered" in states:
            return "sent later" if message["decision"] == "defer" else "sent"
        if "cancelled" in states:
            return "cancelled"
        tried_to_the_end = all(row["settled_at"] >= row["give_up_at"] - timedelta(days=2) for row in ways)
        return "dead letter" if states == {"dead"} and tried_to_the_end else f"lost: {states}"

    def what_is_delivered_has_come(self) -> None:
        """A push is written down as delivered when its receiver has it, and not before."""
        came = {(address, message_id) for address, message_id, _ in self.received}
        delivered = [row for rows in self.deliveries.values() for row in rows if row["state"] == "delivered"]
        assert {(row["address"], row["delivery_id"]) for row in delivered} <= came

    def _somebody_acted_since(self, message: dict[str, Any]) -> bool:
        return any(at > message["created_at"] for at in self.steps.get(message["alert_id"], ()))

    def what_a_silence_held_back_is_told_when_it_ends(self) -> None:
        """Unless somebody acts meanwhile, a person hears of the household by then; another silence may begin anew."""
        for message in self.messages.values():
            if message["silence_id"] and not self._somebody_acted_since(message):
                ended = self.silences[message["silence_id"]]
                assert any(
                    other["alert_id"] == message["alert_id"]
                    and other["recipient"]
                    and message["created_at"] <= other["created_at"] <= ended
                    and (other["decision"] != "suppress" or other["silence_id"] not in (None, message["silence_id"]))
                    for other in self.messages.values()
                ), message

    def nobody_hears_a_thing_twice(self) -> None:
        """At an address a message has one id; each piece of news is one message for each person."""
        known = {row["delivery_id"]: row for rows in self.deliveries.values() for row in rows}
        ids: dict[tuple[str, UUID], set[UUID]] = defaultdict(set)
        for address, message_id, _ in self.received:
            assert known[message_id]["address"] == address
            ids[address, known[message_id]["notification_id"]].add(message_id)
        assert all(len(of_one) == 1 for of_one in ids.values())
        told: dict[tuple[Any, ...], int] = defaultdict(int)
        for message in self.messages.values():
            if message["kind"] in ("opened", "raised") and self.ending(message) not in ("suppressed", "cancelled"):
                told[message["alert_id"], message["recipient"], self._news_of(message)] += 1
        assert set(told.values()) <= {1}, told

    def _news_of(self, message: dict[str, Any]) -> tuple[str, ...]:
        """An opening, a rise to a severity, or the end of a silence, at which an alert is told as when it opened."""
        said = message["dedupe_key"].split(":")
        match said[0]:
            case "raised":
                return "raised", said[2]
            case "unsilenced":
                return "unsilenced", said[1]
        return (message["kind"],)

    def everybody_has_his_letters(self) -> None:
        """Whoever answers for an alert was told of it, in his inbox too unless it was withheld."""
        for message_id, message in self.messages.items():
            if message["decision"] != "suppress" and message["recipient"]:
                assert len(self.letters[message_id]) == 1, message
        for alert in self.alerts:
            about = [m for m in self.messages.values() if m["alert_id"] == alert["alert_id"]]
            assert self.duties.get(alert["alert_id"], set()) <= {m["recipient"] for m in about}

    def nothing_that_can_wait_comes_at_night(self) -> None:
        priority = {row["delivery_id"]: row["priority"] for rows in self.deliveries.values() for row in rows}
        for _, message_id, at in self.received:
            local = at.astimezone(SHANGHAI)
            is_awake = time(7, 30) <= local.time() < time(21) and local.weekday() < 5
            assert is_awake or priority[message_id] == 0, (local, message_id)


def _grouped(rows: list[dict[str, Any]], by: str) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(row)
    return found
