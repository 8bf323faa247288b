"""kill -9 of real processes at the worst moments: while a message is on its way, and inside an acknowledgement.

Each moment is held still by a lock of the test's own, or by a receiver that does not answer, and not by a hook in
what is tested.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock, SystemClock
from shared.settings import Settings
from tests.journeys.forked import Forked, fork_command
from tests.journeys.running import free_port
from tests.services.alerts.outlets import put
from tests.services.alerts.places import COUNTY, VILLAGE, risk
from tests.services.alerts.receiver import HttpReceiver, http_receiver

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

Rows = Callable[..., Any]
Tell = Callable[..., Any]
MESSAGES = 40
PATIENCE_SECONDS = 60


@pytest.fixture
def environment(settings: Settings, database: str) -> dict[str, str]:
    """What a process of alerts is told: the database of these tests, and that nothing waits for office hours."""
    told = {
        "DATA": str(settings.data),
        "DEMO": "true",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1:*",
        "FLOOD_CONTROL": "false",
        "POOL_SIZE": "4",
        **{f"{service}_URL": "http://127.0.0.1:1" for service in ("INTAKE", "MONITORING", "ALERTS")},
    }
    return {**os.environ, **{f"FANGPIN_{name}": value for name, value in told.items()}}


@pytest.fixture(autouse=True)
def present(clock: FixedClock) -> None:
    """Real processes go by the machine's clock."""
    clock.at = SystemClock().now()


Start = Callable[..., Forked]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start `fangpin <arguments>` as a process of its own; none outlives the test."""
    started: list[Forked] = []

    def fork(*arguments: str) -> Forked:
        started.append(fork_command(list(arguments), environment, tmp_path / "log.txt"))
        return started[-1]

    yield fork
    for one in started:
        kill(one)


def kill(process: Forked) -> None:
    """kill -9, and wait until it is gone."""
    process.process.kill()
    process.process.join(20)


async def until(holds: Callable[[], Awaitable[object]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await holds():
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}") from error


@asynccontextmanager
async def holding(database: str, query: str, *args: Any) -> AsyncIterator[None]:
    """Keep the rows of a query locked."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.fetch(f"{query} FOR UPDATE", *args)
            yield
    finally:
        await connection.close()


async def stands_at(admin: asyncpg.Connection, statement: str) -> bool:
    """Whether some process waits for a lock in a statement that begins so."""
    return bool(
        await admin.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND ltrim(query, E' \\n') LIKE $1 || '%')",
            statement,
        )
    )


async def nobody_waits(admin: asyncpg.Connection) -> bool:
    """Whether the server has noticed that who waited is dead: nothing of it is open any more."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start IS NOT NULL AND (wait_event_type = 'Lock' OR state LIKE 'idle in transaction%')"
    )
    return not await admin.fetchval(query)


# --- on its way --------------------------------------------------------------------------------------------------


@contextmanager
def deaf() -> Iterator[int]:
    """The port of a receiver that takes connections and reads nothing."""
    with socket.socket() as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(("127.0.0.1", 0))
        ear.listen(64)
        yield ear.getsockname()[1]


@asynccontextmanager
async def hearing(port: int, *, silent: bool = False) -> AsyncIterator[HttpReceiver]:
    """A receiver at a port; while it is `silent`, it takes messages and answers none."""
    async with http_receiver("200 OK", port=port) as receiver:
        if silent:
            receiver.speaks.clear()
        yield receiver


async def some_are_claimed(admin: asyncpg.Connection) -> bool:
    return bool(await admin.fetchval("SELECT EXISTS (SELECT FROM alerts.delivery WHERE lease_token IS NOT NULL)"))


async def end_leases(admin: asyncpg.Connection) -> None:
    """What a minute does to whatever a dead process holds."""
    await admin.execute(
        "UPDATE alerts.delivery SET lease_until = clock_timestamp() - interval '1 second'"
        " WHERE lease_until IS NOT NULL"
    )


async def all_are_delivered(admin: asyncpg.Connection) -> bool:
    return not await admin.fetchval("SELECT count(*) FROM alerts.delivery WHERE state <> 'delivered'")


async def test_a_message_outlives_who_sends_it_and_comes_under_no_second_id(
    start: Start,
    database: str,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    bearer: Callable[..., dict[str, str]],
    cadres: None,
    tell: Tell,
) -> None:
    """Killed after it claimed; killed after it sent and before it committed; then left in peace."""
    with deaf() as port:
        headers = bearer("county_admin", COUNTY, officer_no="C1")
        await put(alerts_client, headers, channel="webhook", address=f"http://127.0.0.1:{port}/hook")
        await tell(*(risk(n) for n in range(MESSAGES)))
        ids = {str(row["delivery_id"]) for row in await admin.fetch("SELECT delivery_id FROM alerts.delivery")}
        assert len(ids) == MESSAGES
        worker = start("work", "alerts")
        await until(lambda: some_are_claimed(admin), "a worker has claimed")
        kill(worker)
    assert await admin.fetchval("SELECT count(*) FROM alerts.delivery WHERE state <> 'due'") == 0
    await end_leases(admin)

    async with hearing(port, silent=True) as receiver:
        worker = start("work", "alerts")
        await until(lambda: _has(receiver, 1), "something was sent")
        async with holding(database, "SELECT FROM alerts.delivery"):
            receiver.speaks.set()
            await until(lambda: stands_at(admin, "UPDATE delivery d SET state"), "it stands before the commit")
            kill(worker)
        await until(lambda: nobody_waits(admin), "the server knows that it is dead")
        taken = Counter(one.message_id for one in receiver.received)
        assert 0 < len(taken) <= MESSAGES
        assert set(taken.values()) == {1}
        assert await admin.fetchval("SELECT count(*) FROM alerts.delivery WHERE state <> 'due'") == 0
        assert await admin.fetchval("SELECT count(*) FROM alerts.delivery_attempt") == 0
        await end_leases(admin)

        worker = start("work", "alerts")
        await until(lambda: all_are_delivered(admin), "all are delivered")
        kill(worker)
    came = Counter(one.message_id for one in receiver.received)
    assert set(came) == ids, "nothing is lost, and nothing came under another id"
    assert {one for one, times in came.items() if times > 1} <= set(taken)
    assert sum(came.values()) == MESSAGES + len(taken), "only what was under way is repeated"


async def _has(receiver: HttpReceiver, count: int) -> bool:
    return len(receiver.received) >= count


# --- inside an acknowledgement -------------------------------------------------------------------------------------


async def serving(start: Start, port: int) -> Forked:
    """The service, answering."""
    process = start("serve", "alerts", "--port", str(port))

    async def answers() -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    await until(answers, "the service answers")
    return process


async def state_of(admin: asyncpg.Connection, alert_id: UUID) -> dict[str, Any]:
    """What an acknowledgement changes."""
    row = await admin.fetchrow(
        """
        SELECT a.status, a.version, a.acknowledged_at, a.verify_due_at, e.next_step_at, e.token,
               (SELECT array_agg(DISTINCT d.state) FROM alerts.delivery d
                WHERE d.alert_id = a.alert_id) AS deliveries,
               (SELECT count(*) FROM alerts.alert_log l WHERE l.alert_id = a.alert_id
                AND l.action = 'acknowledge') AS steps,
               (SELECT count(*) FROM alerts.audit_log u WHERE u.object = 'alert:' || a.alert_id
                AND u.action = 'alert.acknowledge') AS audited
        FROM alerts.alert a JOIN alerts.alert_escalation e USING (alert_id) WHERE a.alert_id = $1
        """,
        alert_id,
    )
    assert row is not None
    return dict(row)


async def test_an_acknowledgement_is_whole_or_not_at_all_and_its_repeat_succeeds(
    start: Start,
    database: str,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    bearer: Callable[..., dict[str, str]],
    cadres: None,
    tell: Tell,
) -> None:
    admin_headers = bearer("county_admin", COUNTY, officer_no="C1")
    await put(alerts_client, admin_headers, channel="webhook", address="http://127.0.0.1:1/hook")
    await tell(risk(1, report_ids=["r1"]), risk(2, report_ids=["r2"]))
    inside, after = [row["alert_id"] for row in await admin.fetch("SELECT alert_id FROM alerts.alert ORDER BY 1")]
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    port = free_port()
    service = await serving(start, port)

    before = await state_of(admin, inside)
    assert (before["status"], before["deliveries"], before["next_step_at"] is None) == ("open", ["due"], False)
    async with holding(database, "SELECT FROM alerts.alert_escalation WHERE alert_id = $1", inside):
        asked = asyncio.create_task(acknowledge(port, inside, secretary))
        await until(lambda: stands_at(admin, "UPDATE alert_escalation SET since"), "it stands inside the transaction")
        kill(service)
        with pytest.raises(httpx.TransportError):
            await asked
    await until(lambda: nobody_waits(admin), "the server knows that it is dead")
    assert await state_of(admin, inside) == before, "not at all"

    service = await serving(start, port)
    assert (await acknowledge(port, inside, secretary)).status_code == 200
    await assert_acknowledged(admin, inside)

    # The answer is lost, the deed is not.
    async with acknowledging_unheard(port, after, secretary):
        await until(lambda: _is_acknowledged(admin, after), "it is acknowledged")
        kill(service)
    await assert_acknowledged(admin, after)
    done = await state_of(admin, after)
    service = await serving(start, port)
    for alert_id in (inside, after):
        repeated = await acknowledge(port, alert_id, secretary)
        assert (repeated.status_code, repeated.json()["status"]) == (200, "acknowledged")
    assert await state_of(admin, after) == done, "once"


async def assert_acknowledged(admin: asyncpg.Connection, alert_id: UUID) -> None:
    """Acknowledged with all that belongs to it: nothing more is sent, and it climbs for the answer only."""
    state = await state_of(admin, alert_id)
    assert (state["status"], state["deliveries"]) == ("acknowledged", ["cancelled"])
    assert (state["steps"], state["audited"]) == (1, 1)
    assert state["next_step_at"] == state["verify_due_at"]
    written = await admin.fetch(WRITTEN, alert_id, str(alert_id))
    assert len(written) == KINDS_OF_ROWS
    assert len({row["xmin"] for row in written}) == 1, "of one transaction, so that no kill at any moment parts it"


# All that an acknowledgement writes.
KINDS_OF_ROWS = 7
WRITTEN = """
SELECT xmin::text FROM alerts.alert WHERE alert_id = $1
UNION ALL SELECT xmin::text FROM alerts.delivery WHERE alert_id = $1
UNION ALL SELECT xmin::text FROM alerts.alert_escalation WHERE alert_id = $1
UNION ALL SELECT xmin::text FROM alerts.alert_log WHERE alert_id = $1 AND action = 'acknowledge'
UNION ALL SELECT xmin::text FROM alerts.audit_log WHERE object = 'alert:' || $2 AND action = 'alert.acknowledge'
UNION ALL SELECT xmin::text FROM alerts.idempotency_key WHERE key = 'ack-' || $2
UNION ALL SELECT o.xmin::text FROM alerts.outbox o CROSS JOIN json_array_elements(o.payload -> 'items') item
    WHERE item ->> 'alert_id' = $2 AND item ->> 'stage' = 'acknowledged'
"""


async def _is_acknowledged(admin: asyncpg.Connection, alert_id: UUID) -> bool:
    return (await state_of(admin, alert_id))["status"] == "acknowledged"


async def acknowledge(port: int, alert_id: UUID, headers: dict[str, str]) -> httpx.Response:
    """The same request each time it is sent, under the same key."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        return await client.post(
            f"http://127.0.0.1:{port}/alerts/v1/alerts/{alert_id}/acknowledge",
            json={},
            headers={**headers, "Idempotency-Key": f"ack-{alert_id}"},
        )


@asynccontextmanager
async def acknowledging_unheard(port: int, alert_id: UUID, headers: dict[str, str]) -> AsyncIterator[None]:
    """The same request, by a client that does not get to read the answer."""
    lines = {**headers, "Idempotency-Key": f"ack-{alert_id}", "content-type": "application/json"}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, "content-length": "2", "host": "x"}.items())
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"POST /alerts/v1/alerts/{alert_id}/acknowledge HTTP/1.1\r\n{head}\r\n{{}}".encode())
        await writer.drain()
        yield
    finally:
        writer.transport.abort()
