"""Put off what is due at night or on a day off (免打扰): a try again and a backlog wait as a first try does."""

from collections.abc import Sequence

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.decide_pushes import county, rules_for
from services.alerts.domain.flood import next_slot
from services.alerts.domain.message import Kind
from services.alerts.read_calendar import read_calendars
from services.alerts.settings import AlertsSettings
from shared.runtime import Runtime


async def put_off(
    connection: asyncpg.Connection, runtime: Runtime, claimed: Sequence[asyncpg.Record]
) -> list[asyncpg.Record]:
    """Those of the claimed that go now; the others are given back untried until their county's next slot."""
    settings, now = runtime.settings, runtime.clock.now()
    assert isinstance(settings, AlertsSettings)
    counties = {county(row["owned_in"]) for row in claimed if _can_wait(row)} if settings.flood_control else set()
    if not counties:
        return list(claimed)
    calendars = await read_calendars(connection, counties, now)
    slots = {code: next_slot(now, rules_for(calendars, code, settings, now)) for code in counties}
    late = {
        row["delivery_id"]: slots[county(row["owned_in"])]
        for row in claimed
        if _can_wait(row) and slots[county(row["owned_in"])] > now
    }
    if late:
        await repository.postpone(connection, late, claimed[0]["lease_token"])
    return [row for row in claimed if row["delivery_id"] not in late]


def _can_wait(delivery: asyncpg.Record) -> bool:
    """Urgent ones never wait, nor does what an administrator tries out."""
    return bool(delivery["priority"] > 0 and delivery["message"]["kind"] != Kind.TEST)
