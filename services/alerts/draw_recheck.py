"""Draw an answer to be looked at again by the township (抽查): a share of them, foreseen by nobody."""

from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.domain.recheck import is_drawn
from services.alerts.news import answer_terms_of
from services.alerts.read_calendar import read_calendar
from shared.runtime import Runtime
from shared.vocabulary.terms import Outcome


async def draw_recheck(
    connection: asyncpg.Connection, alert: repository.Row, verification_id: UUID, outcome: Outcome, runtime: Runtime
) -> None:
    """Write the re-check of an answer that is drawn. Who answered is told nothing."""
    terms, now = answer_terms_of(alert), runtime.clock.now()
    secret = runtime.keys.secret_for("recheck")
    if not is_drawn(secret, verification_id, outcome, terms.recheck_percent):
        return
    calendar = await read_calendar(connection, alert["living_division"], now)
    row = {
        "verification_id": verification_id,
        "alert_id": alert["alert_id"],
        "drawn_at": now,
        "due_at": calendar.add_working_days(now, terms.recheck_working_days),
        "state": "due",
    }
    await repository.insert_rows(connection, "recheck", [row])
