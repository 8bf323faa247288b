"""Open and close correction tickets: a visitor found data wrong, each department behind the warning mends its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository, repository_tickets
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Matter, MatterKind, ticket_text
from services.alerts.letters_to_departments import Asking, letters_to_departments, liaisons_of
from services.alerts.read_calendar import read_calendar
from services.alerts.take_step import Doing
from shared.clock import SHANGHAI
from shared.contracts.monitoring import RiskItem
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

# How long a department has, in working days.
WORKING_DAYS = 5
# Behind the warning stands no department's fact: the county finds out whose data it is.
UNNAMED = "未注明"


async def open_tickets(
    connection: asyncpg.Connection, alert: repository.Row, doing: Doing, runtime: Runtime
) -> list[Letter]:
    """One for each department whose facts stand behind the alert; an answer sent again opens none. The letters."""
    calendar = await read_calendar(connection, alert["living_division"], doing.now)
    same = {
        "alert_id": doing.alert_id,
        "subject": alert["subject"],
        "household_no": alert["household_no"],
        "division": alert["living_division"],
        "measured": await repository_tickets.measured_of(connection, doing.alert_id),
        "facts_version": alert["facts_version"],
        "opened_at": doing.now,
        "due_at": calendar.add_working_days(doing.now, WORKING_DAYS),
        "state": "open",
    }
    departments = await repository_tickets.departments_of(connection, doing.alert_id) or [UNNAMED]
    rows = [{"ticket_id": new_id(doing.now), "department": department, **same} for department in departments]
    tickets = await repository_tickets.open_tickets(connection, rows)
    return [letter for ticket in tickets for letter in await _letters(connection, alert, ticket, runtime)]


async def _letters(
    connection: asyncpg.Connection, alert: repository.Row, ticket: repository.Row, runtime: Runtime
) -> list[Letter]:
    place, department = ticket["division"], ticket["department"]
    name = (await name_places(runtime.directory_pool, [place], runtime.clock.today()))[place]
    due_on = ticket["due_at"].astimezone(SHANGHAI).date()
    asking = Asking(
        f"ticket:{ticket['ticket_id']}",
        Kind.TICKET,
        Matter(MatterKind.TICKET, ticket["ticket_id"]),
        ticket_text(department, name, due_on, desk=False),
        unheard=ticket_text(department, name, due_on, desk=True),
    )
    liaisons = await liaisons_of(connection, place, [department], runtime.clock.today())
    return await letters_to_departments(connection, alert, liaisons, asking, runtime)


async def close_corrected(connection: asyncpg.Connection, items: Sequence[RiskItem], now: datetime) -> None:
    """Close the tickets whose data was corrected: the household was assessed again, and what was measured differs."""
    newest = {item.subject: item for item in items}
    waiting = await repository_tickets.waiting_of(connection, list(newest))
    mended = [row["ticket_id"] for row in waiting if _is_corrected(row, newest[row["subject"]])]
    if mended:
        await repository_tickets.close_corrected(connection, mended, now)


def _is_corrected(ticket: asyncpg.Record, item: RiskItem) -> bool:
    if item.facts_version <= ticket["facts_version"]:
        return False
    fires: dict[str, Any] = {f.indicator: f.measured for f in item.findings if f.state == "fired"}
    return any(name not in fires or fires[name] != was for name, was in ticket["measured"].items())
