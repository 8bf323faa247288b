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
OWN_WORD = "self_report"  # The data set of reports by households.


async def match_entries(connection: asyncpg.Connection, waited: Sequence[Entry], runtime: Runtime) -> Appended:
    """Append entries that waited; the reports among them are held at the household found."""
    now = runtime.clock.now()
    appended = await append_facts(connection, waited, now=now, priority=BULK)
    await note_identity(connection, appended.entries, now=now)
    found = {
        report_id: entry.place.household_id
        for entry in appended.matched
        if entry.place is not None
        for report_id in _reports_behind(entry)
    }
    for report_id, household_id in found.items():
        await reports.hold(connection, [household_id], WaitingReport(report_id, ""), now=now)
    progress = [ProgressItem(report_id=report_id, stage="matched", at=now) for report_id in found]
    await announce_progress(connection, progress, now=now, priority=USUAL)
    return appended


def _reports_behind(entry: Entry) -> list[str]:
    """The report that said it, and the one it corrects, after which its records are named; none once withdrawn.

    A list of calls comes in a feed, and is no report.
    """
    if entry.op in ("withdraw", "reverse") or entry.content.verified is False or not calls_for_help(entry.source):
        return []
    named = entry.key.record_key.split("/")
    if entry.said.origin in named:
        return [entry.said.origin]
    return [named[1], entry.said.origin] if entry.key.data_set == OWN_WORD and len(named) == 3 else []
