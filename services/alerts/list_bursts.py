"""List bursts of answers (集中办结) for the township to look at, the latest first; nobody is ranked."""

from datetime import timedelta

import asyncpg

from services.alerts import repository_answers
from services.alerts.domain.burst import Burst, Closing, closing_bursts, visit_bursts
from services.alerts.domain.verification import Method
from services.alerts.repository import Row
from services.alerts.settings import AlertsSettings
from shared.runtime import Runtime
from shared.vocabulary.division import code_range


async def list_bursts(connection: asyncpg.Connection, division: str, days: int, runtime: Runtime) -> list[Burst]:
    """The bursts among the answers of the last `days` about households living in `division`."""
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    lo, hi = code_range(division)
    since = runtime.clock.now() - timedelta(days=days)
    closings = [_closing(row) for row in await repository_answers.closings_since(connection, lo, hi, since)]
    within = timedelta(minutes=settings.burst_minutes)
    found = closing_bursts(closings, fewest=settings.burst_closings, within=within) + visit_bursts(closings)
    return sorted(found, key=lambda burst: (burst.ended_at, burst.kind, burst.officer_no), reverse=True)


def _closing(row: Row) -> Closing:
    visited = row["method"] == Method.VISIT
    return Closing(
        row["alert_id"],
        row["officer_no"],
        row["verified_at"],
        row["contacted_by"] if visited else None,
        row["contacted_on"] if visited else None,
        row["minutes"] if visited else None,
    )
