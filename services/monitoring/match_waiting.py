"""Match what waited: entries whose person or household is known by now become facts."""

from collections.abc import Sequence

import asyncpg

from services.monitoring import repository_reports as reports
from services.monitoring.announce import announce_progress
from services.monitoring.append_facts import Appended, append_facts
from services.monitoring.domain.ledger import Entry
from services.monitoring.domain.report import WaitingReport, calls_for_help
from services.monitoring.note_identity import note_identity
from shared.contracts.progress import ProgressItem
from shared.runtime import Runtime

USUAL, BULK = 5, 9


async def match_entries(connection: asyncpg.Connection, waited: Sequence[Entry], runtime: Runtime) -> Appended:
    """Append entries that waited; the reports among them are held at the household found."""
    now = runtime.clock.now()
    appended = await append_facts(connection, waited, now=now, priority=BULK)
    await note_identity(connection, appended.entries, now=now)
    found = {
        entry.said.origin: entry.place.household_id
        for entry in appended.matched
        if _is_of_report(entry) and entry.place is not None
    }
    for report_id, household_id in found.items():
        await reports.hold(connection, [household_id], WaitingReport(report_id, ""), now=now)
    progress = [ProgressItem(report_id=report_id, stage="matched", at=now) for report_id in found]
    await announce_progress(connection, progress, now=now, priority=USUAL)
    return appended


def _is_of_report(entry: Entry) -> bool:
    """Whether a report said it, whose records are named after it; a list of calls comes in a feed, and is none."""
    return calls_for_help(entry.source) and entry.said.origin in entry.key.record_key.split("/")
