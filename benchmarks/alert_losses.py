"""What is lost or repeated when a receiver fails, hangs, or processes are stopped and killed; no client sends again.

Each trouble meets a stretch of events of its own, which comes to rest before the next begins, so that each loss and
each repeat is that trouble's. Each warning is a message of its own, so that each can be counted. Of each trouble:

- `accepted`: households whose event was answered with 200; `not_accepted`: those whose event was not;
- `lost`: of those accepted, or taken in without an answer, how many no message reached;
- `repeated_same_id`: how often a message came once more under its id: what was under way when somebody died;
- `repeated_new_id`: how often a household was told again under another id: must not happen.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import asyncpg
import httpx

from benchmarks.alert_delivery import PATIENCE_SECONDS, delivering
from benchmarks.alert_house import A_REQUEST, AlertHouse
from benchmarks.alert_receiver import Receiver
from benchmarks.report import Figures

# Long enough for each trouble to meet messages on their way in and out.
_BEFORE, _DURING = 2.0, 3.0
# Of one stretch; with as many as this it lasts longer than a restart.
_REQUESTS, _BETWEEN = 60, 0.12


@dataclass
class Client:
    """Sends each message once; what was not answered counts as not accepted."""

    house: AlertHouse
    accepted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def run(self, messages: Iterable[tuple[set[str], bytes]]) -> None:
        with httpx.Client(timeout=10) as http:
            for households, message in messages:
                answered = self.accepted if self._is_taken(http, message) else self.refused
                answered |= households
                time.sleep(_BETWEEN)

    def _is_taken(self, http: httpx.Client, message: bytes) -> bool:
        head, _, body = message.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        try:
            return http.post(self.house.events_url, content=body, headers=headers).status_code == 200
        except httpx.HTTPError:
            return False


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


def losses(size: int) -> Figures:
    """Each trouble once, while its share of `size` events comes in; all comes to rest and is counted by trouble."""
    share = size // len(TROUBLES)
    with delivering({}) as (house, receiver):
        clients = {}
        for number, (name, make) in enumerate(TROUBLES.items()):
            clients[name] = client = Client(house)
            _meet(client, range(number * share, (number + 1) * share), partial(make, house, receiver))
            _rest(house)
        seen, messages = receiver.seen(), house.ask(_messages)
        return {
            "troubles": {name: _counted(client, seen.taken, messages) for name, client in clients.items()},
            "unknown_ids": len(seen.taken.keys() - {one for ids in messages.values() for one in ids}),
            "losses_peak_mib": house.peak_mib(),
        }


def _meet(client: Client, households: range, make_trouble: Callable[[], None]) -> None:
    """Send an event of each household, and make the trouble meanwhile."""
    a_request = max(1, min(A_REQUEST, len(households) // _REQUESTS))
    named = [{f"H{n}" for n in households[i : i + a_request]} for i in range(0, len(households), a_request)]
    # Each message is signed before the first leaves: a signature holds for five minutes.
    messages = list(zip(named, client.house.requests(households.start, len(households), a_request), strict=True))
    sending = threading.Thread(target=client.run, args=(messages,))
    sending.start()
    time.sleep(_BEFORE)
    make_trouble()
    sending.join()


def _rest(house: AlertHouse) -> None:
    """A dead worker's leases run out within a minute; what is then not out is lost."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and house.ask(_waiting):
        time.sleep(1)
    time.sleep(2)


def _counted(client: Client, taken: Counter[str], messages: Mapping[str, list[str]]) -> Figures:
    """Of what was not answered some was taken in all the same: that must reach people too."""
    due = client.accepted | (client.refused & messages.keys())
    came = {household: [taken[one] for one in messages.get(household, ()) if taken[one]] for household in due}
    return {
        "accepted": len(client.accepted),
        "not_accepted": len(client.refused),
        "lost": sum(not times for times in came.values()),
        "repeated_same_id": sum(sum(times) - len(times) for times in came.values()),
        "repeated_new_id": sum(max(len(times) - 1, 0) for times in came.values()),
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
