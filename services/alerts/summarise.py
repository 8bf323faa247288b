"""Summarise the alerts and messages of a division; each figure with the query that lists what it counts."""

from typing import Any
from urllib.parse import urlencode

import asyncpg

from services.alerts import repository_lists
from services.alerts.schemas import AlertCount, MessageCounts, Summary
from shared.runtime import Runtime
from shared.vocabulary.division import code_range

LISTS = "/alerts/v1/alerts"


async def summarise(connection: asyncpg.Connection, division: str, runtime: Runtime) -> Summary:
    """Count the alerts living or registered in `division` that the caller may list, and their messages."""
    lo, hi = code_range(division)
    counts = await repository_lists.count_alerts(connection, lo, hi, runtime.clock.now())
    messages = await repository_lists.count_messages(connection, lo, hi)
    return Summary(
        counts=[AlertCount(**dict(row), query=_query(division, row)) for row in counts],
        messages=MessageCounts.model_validate(dict(messages)),
    )


def _query(division: str, row: Any) -> str:
    severity = row["severity"] or repository_lists.NONE
    return f"{LISTS}?{urlencode({'division': division, 'status': row['status'], 'severity': severity})}"
