"""Record what was observed: one self-report or a thousand settlements, by the same path."""

import contextlib
from collections.abc import Iterable
from datetime import datetime

import asyncpg

from services.monitoring import repository_freshness as freshness
from services.monitoring import repository_households as households
from services.monitoring import repository_reports as reports
from services.monitoring.announce import announce_progress, announce_unmatched_report
from services.monitoring.append_facts import Appended, append_facts
from services.monitoring.append_observations import (
    Located,
    Sorted,
    append_observations,
    locate,
    sort_observations,
)
from services.monitoring.domain.report import WaitingReport
from services.monitoring.note_identity import note_observed
from services.monitoring.read_message import check_divisions, check_indices
from services.monitoring.read_observations import entries_of
from services.monitoring.tell_counts import note_counts
from shared.contracts.envelope import Event
from shared.contracts.intake import ObservationsRecorded
from shared.contracts.progress import FeedCounts, ProgressItem
from shared.runtime import Runtime
from shared.trace import current_trace
from shared.vocabulary.division import county_of

A_PERSON_WAITS, BULK = 0, 9


class _Alone(Exception):
    """A message must have the data set for itself."""


async def record_observations(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Match people, append facts, mark households due; a report that fits nobody goes to a person at once."""
    told = ObservationsRecorded.model_validate(event.data)
    check_divisions([told.division, *(one.division for one in told.observations)])
    check_indices(one.person for one in told.observations)
    await households.share_rosters(connection, [county_of(told.division)])
    if told.report_id:
        await _record_report(connection, told, runtime)
    else:
        await _record_feed(connection, told, runtime)
    return ("relay", "assess")


async def _record_report(connection: asyncpg.Connection, told: ObservationsRecorded, runtime: Runtime) -> None:
    now = runtime.clock.now()
    appended = await append_facts(connection, entries_of(told), now=now, priority=A_PERSON_WAITS)
    await note_observed(connection, told, {}, now=now)
    await _hold_report(connection, told, appended, runtime)
    await announce_progress(connection, [_progress(told, appended, now)], now=now, priority=A_PERSON_WAITS)


async def _record_feed(connection: asyncpg.Connection, told: ObservationsRecorded, runtime: Runtime) -> None:
    """Append what a feed says, if anything; what became of it is told together with its other messages.

    What is of no feed takes an earlier report back.
    """
    await households.look_up(connection)
    # Before the turn: where people are, only rosters change.
    located = await locate(connection, told)
    sorted_ = await _wait_for_turn(connection, told, located)
    if told.observations:
        now = runtime.clock.now()
        counts = await append_observations(connection, told, sorted_, now=now, priority=BULK)
        await note_observed(connection, told, located.names, now=now)
        if told.feed_id is not None:
            await note_counts(connection, told.feed_id, counts)
    if told.feed_id is not None:
        await freshness.record_observed(connection, told, runtime.clock.today())


async def _wait_for_turn(connection: asyncpg.Connection, told: ObservationsRecorded, located: Located) -> Sorted:
    """Wait until no other message is at work that may speak of the same records; what is said for the first time.

    Messages of one feed speak of different records, so those that say nothing but new ones share their turn. All
    others have the data set for themselves, and the first of a feed lets the rest share it.
    """
    place = county_of(told.division), told.data_set
    with contextlib.suppress(_Alone):
        async with connection.transaction():  # Left by an error, it gives its lock back.
            await households.share_data_set(connection, *place)
            return await _all_new(connection, told, located)
    await households.lock_data_set(connection, *place)
    await freshness.let_speak(connection, *place, told.feed_id)
    return await sort_observations(connection, told, located.every)


async def _all_new(connection: asyncpg.Connection, told: ObservationsRecorded, located: Located) -> Sorted:
    if told.feed_id is None or not await freshness.is_speaking(
        connection, county_of(told.division), told.data_set, told.feed_id
    ):
        raise _Alone
    sorted_ = await sort_observations(connection, told, located.every)
    if sorted_.others:
        raise _Alone
    return sorted_


async def _hold_report(
    connection: asyncpg.Connection, told: ObservationsRecorded, appended: Appended, runtime: Runtime
) -> None:
    """Let the report wait at its household for the assessment; without a household, tell alerts now."""
    report = _report(told)
    ids = sorted({e.place.household_id for e in appended.matched if e.place is not None})
    if ids:
        await reports.hold(connection, ids, report, now=runtime.clock.now())
    else:
        await announce_unmatched_report(connection, told, report, runtime)


def _report(told: ObservationsRecorded) -> WaitingReport:
    assert told.report_id is not None
    contact = told.reporter
    name, phone = (contact.name, contact.phone) if contact else ("", None)
    note = told.note.model_dump(mode="json", exclude_none=True) if told.note else None
    return WaitingReport(told.report_id, name, phone, current_trace(), note)


def _progress(told: ObservationsRecorded, appended: Appended, now: datetime) -> ProgressItem:
    matched, unmatched = len(appended.matched), len(appended.unmatched)
    return ProgressItem(
        report_id=told.report_id,
        stage="matched" if matched else "unmatched",
        at=now,
        counts=FeedCounts(matched=matched, unmatched=unmatched, changed=appended.changed),
    )
