"""Open correction tickets: a visitor found the data wrong, so each department behind the warning looks at its own."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_tickets
from services.alerts.take_step import Doing
from services.alerts.work_days import add_working_days
from shared.contracts.monitoring import RiskItem
from shared.vocabulary.identifiers import new_id

# How long a department has, in working days, where no policy says otherwise.
WORKING_DAYS = 5
UNNAMED = "未注明"


async def open_tickets(connection: asyncpg.Connection, alert: repository.Row, doing: Doing) -> list[UUID]:
    """One for each department whose facts stand behind the alert; the new ones."""
    departments = await repository_tickets.departments_of(connection, doing.alert_id) or [UNNAMED]
    indicators = await repository.indicators_of(connection, doing.alert_id)
    rows = [
        {
            "ticket_id": new_id(doing.now),
            "alert_id": doing.alert_id,
            "subject": alert["subject"],
            "household_no": alert["household_no"],
            "division": alert["living_division"],
            "department": department,
            "indicators": indicators,
            "facts_version": alert["facts_version"],
            "opened_at": doing.now,
            "due_at": add_working_days(doing.now, WORKING_DAYS),
            "state": "open",
        }
        for department in departments
    ]
    return [row["ticket_id"] for row in await repository_tickets.open_tickets(connection, rows)]


async def close_corrected(connection: asyncpg.Connection, items: Iterable[RiskItem], now: object) -> None:
    """Close the tickets whose record was corrected: newer facts, by which what was wrong fires no more as it did."""
    raise NotImplementedError


_ = timedelta
