"""What is lost or repeated when a receiver fails, hangs, or processes are stopped and killed; no client sends again.

Each warning is a message of its own, so that each can be counted. Accepted is what was answered with 200.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import asyncpg
import httpx

from benchmarks.alert_delivery import PATIENCE_SECONDS, delivering
from benchmarks.alert_house import A_REQUEST, AlertHouse
from benchmarks.alert_receiver import Receiver

# Long enough for each trouble to meet messages on their way in and out.
_BEFORE, _DURING = 2.0, 3.0
# 20,000 events take longer than all the troubles.
_BETWEEN = 0.12


@dataclass
class Client:
    """Sends each message once; what was not answered counts as not accepted."""

    house: AlertHouse
    accepted: set[str] = field(default_factory=set)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, messages: Iterable[bytes]) -> None:
        with httpx.Client(timeout=10) as http:
            for number, message in enumerate(messages):
                if self._stop.is_set():
                    return
                if self._is_taken(http, message):
                    households = range(number * A_REQUEST, (number + 1) * A_REQUEST)
                    self.accepted |= {f"H{household}" for household in households}
                else:
                    self.refused += A_REQUEST
                time.sleep(_BETWEEN)

    def _is_taken(self, http: httpx.Client, message: bytes) -> bool:
        head, _, body = message.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        try:
            return http.post(self.house.events_url, content=body, headers=headers).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        self._stop.set()


Trouble = Callable[[AlertHouse, Receiver], None]


def _refusing(house: AlertHouse, receiver: Receiver) -> None:
    receiver.be("500")
    time.sleep(_DURING)
    receiver.be("ok")


def _hanging(house: AlertHouse, receiver: Receiver) -> None:
    receiver.be("hang")
    time.sleep(_DURING)
    receiver.be("ok")


def _killed(name: str, number: int) -> Trouble:
    def kill(house: AlertHouse, receiver: Receiver) -> None:
        process = house.processes[name]
        process.send_signal(number)
        process.wait()
        house.launch(name)
        house.wait_ready()

    return kill


def _database_killed(house: AlertHouse, receiver: Receiver) -> None:
    house.kill_database()
    house.wait_ready()


TROUBLES: dict[str, Trouble] = {
    "receiver_500": _refusing,
    "receiver_hangs": _hanging,
    "kill_9_worker": _killed("work alerts", signal.SIGKILL),
    "kill_9_service": _killed("serve alerts", signal.SIGKILL),
    "sigterm_worker": _killed("work alerts", signal.SIGTERM),
    "sigterm_service": _killed("serve alerts", signal.SIGTERM),
    "database_restart": _database_killed,
}


def losses(size: int) -> dict[str, float]:
    """Each trouble once while at most `size` events come in; then all comes to rest and is counted."""
    size -= size % A_REQUEST
    with delivering({}) as (house, receiver):
        client = Client(house)
        # Each message is signed before the first leaves: a signature holds for five minutes.
        sending = threading.Thread(target=client.run, args=(list(house.requests(0, size, A_REQUEST)),))
        sending.start()
        for make in TROUBLES.values():
            time.sleep(_BEFORE)
            make(house, receiver)
        client.stop()
        sending.join()
        return _counted(house, receiver, client)


def _counted(house: AlertHouse, receiver: Receiver, client: Client) -> dict[str, float]:
    """A dead worker's leases run out within a minute; what is then not out is lost."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and house.ask(_waiting):
        time.sleep(1)
    time.sleep(2)
    seen, messages = receiver.seen(), house.ask(_messages)
    told = {household for household, ids in messages.items() if any(one in seen.taken for one in ids)}
    return {
        "accepted": len(client.accepted),
        "not_accepted": client.refused,
        "alerts": len(messages),
        # Of what was not answered some was taken all the same: that must reach people too.
        "lost": len((client.accepted | messages.keys()) - told),
        "repeated_same_id": sum(seen.taken.values()) - len(seen.taken),
        "repeated_new_id": sum(max(sum(one in seen.taken for one in ids) - 1, 0) for ids in messages.values()),
        "unknown_ids": len(seen.taken.keys() - {one for ids in messages.values() for one in ids}),
        "troubles": len(TROUBLES),
        "losses_peak_mib": house.peak_mib(),
    }


async def _waiting(admin: asyncpg.Connection) -> int:
    return int(await admin.fetchval("SELECT count(*) FROM alerts.delivery WHERE due_at IS NOT NULL"))


async def _messages(admin: asyncpg.Connection) -> dict[str, list[str]]:
    """The ids of the messages about each household that has an alert; it has one."""
    rows = await admin.fetch(
        "SELECT a.household_no, array_remove(array_agg(d.delivery_id), NULL) AS ids FROM alerts.alert a"
        " LEFT JOIN alerts.delivery d USING (alert_id) GROUP BY a.alert_id"
    )
    return {row["household_no"]: [str(one) for one in row["ids"]] for row in rows}
