"""Tell intake how far a report of a person got."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.contracts.envelope import Event
from shared.contracts.progress import ALERTS_PROGRESS, Progress, ProgressItem, Stage
from shared.messaging.outbox import enqueue
from shared.vocabulary.terms import Outcome

SOURCE = "fangpin/alerts"
_URGENT = 0
_ITEMS_PER_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Reported:
    """Reports that came to one alert; of an answer, what it was and whose."""

    alert_id: UUID
    report_ids: Sequence[str]
    outcome: Outcome | None = None
    answered_by: str | None = None


async def report_progress(
    connection: asyncpg.Connection, reported: Iterable[Reported], stages: Sequence[Stage], now: datetime
) -> None:
    """Write the message that these reports reached `stages`; nothing if no report is among them."""
    items = [
        ProgressItem(
            report_id=report_id,
            stage=stage,
            at=now,
            alert_id=str(one.alert_id),
            outcome=one.outcome,
            answered_by=one.answered_by,
        )
        for one in reported
        for report_id in one.report_ids
        for stage in stages
    ]
    for start in range(0, len(items), _ITEMS_PER_MESSAGE):
        progress = Progress(items=items[start : start + _ITEMS_PER_MESSAGE])
        event = Event.make(SOURCE, ALERTS_PROGRESS, None, progress, now)
        await enqueue(connection, event, aggregate="report", priority=_URGENT)
