"""How long monitoring takes to make facts of what a feed says: `python -m benchmarks.observations`.

A register of --households (3.2 people each) hears --messages of a thousand new settlements each, two in a hundred of
people it does not know. Stages, each with its own messages: `record` takes a message in within the process, `door`
posts it signed to the service, `relay` sends it from intake's outbox, `say` makes messages of rows and enqueues them.
For each, milliseconds a message: wall, processor of this process, processor of PostgreSQL.
"""

import argparse
import cProfile
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psutil
import uvloop

from benchmarks.assessed_county import NOW, Bench, assessed_county
from benchmarks.report import print_result
from services.intake.catalogue import layout_named
from services.intake.publish_observations import events_of
from services.intake.record_feed import _say
from services.monitoring.app import create_app
from services.monitoring.record_observations import record_observations
from shared.clock import FixedClock
from shared.contracts.envelope import Event
from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.db.pool import to_json
from shared.db.scope import transaction
from shared.messaging.inbox import accept_new
from shared.messaging.relay import relay_once
from shared.messaging.signing import sign
from shared.runtime import Runtime, open_runtime

A_MESSAGE = 1000
STAGES = ("record", "door", "relay", "say")
INDEX_PEOPLE = "UPDATE resident SET number_index = sha256(number_index)"


@dataclass(slots=True)
class Line:
    """Monitoring and intake, running over one server, and the people monitoring knows."""

    bench: Bench
    intake: Runtime
    http: httpx.AsyncClient
    people: list[str]
    luck: random.Random
    feed_id: str

    def observations(self, stage: str, message: int) -> list[dict[str, Any]]:
        return [self._one(f"{stage}{message}x{i:04}") for i in range(A_MESSAGE)]

    def _one(self, record: str) -> dict[str, Any]:
        luck = self.luck
        gross = luck.randrange(2_000, 900_000)
        person = luck.choice(self.people) if luck.random() >= 0.02 else luck.randbytes(32).hex()
        return {
            "record": record,
            "person": person,
            "kind": "expense.medical",
            "occurred_on": (NOW.date() - timedelta(days=luck.randrange(1, 60))).isoformat(),
            "gross_fen": gross,
            "compliant_fen": gross // 3,
            "other_fen": gross // 10,
            "visit": luck.choice(["inpatient", "outpatient", "chronic_outpatient"]),
        }

    def event(self, stage: str, message: int) -> Event:
        data = {
            "department": "医疗保障",
            "data_set": "medical_settlement",
            "feed_id": self.feed_id,
            "division": "130601000000",
            "received_at": NOW.isoformat(),
            "source": "department",
            "observations": self.observations(stage, message),
        }
        return Event.make("fangpin/intake", OBSERVATIONS_RECORDED, f"feed:{self.feed_id}", data, NOW)


async def record(line: Line, events: list[Event]) -> None:
    runtime = line.bench.runtime
    for event in events:
        async with transaction(runtime.worker_pool) as connection:
            assert await accept_new(connection, [event], runtime.clock.now())
            await record_observations(connection, event, runtime)


async def door(line: Line, events: list[Event]) -> None:
    secret = line.intake.keys.message_secret("intake", "monitoring")
    for event in events:
        body = to_json(event.model_dump(mode="json", exclude_none=True)).encode()
        headers = sign(secret, str(event.id), body, NOW) | {"content-type": "application/cloudevents+json"}
        answer = await line.http.post("/monitoring/v1/events", content=body, headers=headers)
        assert answer.status_code == 200, answer.text


async def say(line: Line, events: list[Event]) -> None:
    feed = {
        "feed_id": line.feed_id,
        "traceparent": None,
        "department": "医疗保障",
        "layout": "medical_settlement",
        "division": "130601000000",
        "received_at": NOW,
    }
    layout = layout_named("medical_settlement")
    for event in events:
        said = event.data["observations"]
        rows = [{"record": one["record"], "content": to_json({"observations": [one]})} for one in said]
        async with transaction(line.intake.worker_pool) as connection:
            await _say(connection, events_of(line.intake, feed, layout, rows, NOW))  # type: ignore[arg-type]


async def relay(line: Line, events: list[Event]) -> None:
    while await relay_once(line.intake):
        pass


RUN: dict[str, Callable[[Line, list[Event]], Awaitable[None]]] = {
    "record": record,
    "door": door,
    "relay": relay,
    "say": say,
}


class Costs:
    """Wall and processor seconds of this process and of the server's, since it was made."""

    def __init__(self, server: psutil.Process) -> None:
        self._server, self._before = server, {}
        self._before = self._now()

    def since(self) -> dict[str, float]:
        return {name: value - self._before[name] for name, value in self._now().items()}

    def _now(self) -> dict[str, float]:
        spent = 0.0
        for one in [self._server, *self._server.children(recursive=True)]:
            times = one.cpu_times()
            spent += times.user + times.system
        return {"wall": time.perf_counter(), "python": time.process_time(), "postgres": spent}


async def measure(households: int, messages: int, stages: list[str], profile: str | None) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        line = await _line(stack, households)
        postmaster = line.bench.server._server._postmaster_info
        assert postmaster is not None
        assert postmaster.pid is not None
        server = psutil.Process(postmaster.pid)
        found: dict[str, Any] = {}
        for stage in stages:
            # "relay" sends what "say" put there: another connection must not be open for the first of them.
            for part, count in (("warm", 8), ("", messages)):
                events = [line.event(stage + part, n) for n in range(count)]
                if stage == "relay":
                    await say(line, events)
                costs = Costs(server)
                profiled = cProfile.Profile() if profile and not part else nullcontext()
                with profiled:
                    await RUN[stage](line, events)
                spent = costs.since()
                if stage == "say":
                    await line.bench.admin.execute("UPDATE intake.outbox_delivery SET due_at = NULL")
            found[stage] = {name: round(seconds * 1000 / messages, 2) for name, seconds in spent.items()}
            if isinstance(profiled, cProfile.Profile):
                profiled.dump_stats(f"{profile}.{stage}")
        found["facts"] = await line.bench.admin.fetchval("SELECT count(*) FROM fact WHERE origin = $1", line.feed_id)
        return found


async def _line(stack: AsyncExitStack, households: int) -> Line:
    bench = await stack.enter_async_context(assessed_county(households))
    await bench.admin.execute(INDEX_PEOPLE)
    await bench.admin.execute("VACUUM ANALYZE resident")
    app = create_app(bench.runtime.settings, clock=FixedClock(NOW))
    await stack.enter_async_context(app.router.lifespan_context(app))
    transport = httpx.ASGITransport(app=app)
    intake = await stack.enter_async_context(
        open_runtime("intake", bench.runtime.settings, transport=transport, clock=FixedClock(NOW))
    )
    http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://house"))
    rows = await bench.admin.fetch("SELECT encode(number_index, 'hex') FROM resident")
    return Line(bench, intake, http, [row[0] for row in rows], random.Random(7), str(uuid4()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--households", type=int, default=31_250)
    parser.add_argument("--messages", type=int, default=50)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--profile", help="write cProfile statistics of each stage beside this path")
    given = parser.parse_args()
    found = uvloop.run(measure(given.households, given.messages, list(given.stages), given.profile))
    print_result({"name": "observations", "messages": given.messages, "unit": "ms a message of 1,000", **found})


if __name__ == "__main__":
    main()
