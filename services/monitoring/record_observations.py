"""Record what was observed: one self-report or a thousand settlements, by the same path."""

from collections.abc import Iterable, Sequence

import asyncpg

from services.monitoring import repository_freshness as freshness
from services.monitoring import repository_households as households
from services.monitoring import repository_reports as reports
from services.monitoring.announce import announce_progress, announce_unmatched_report
from services.monitoring.append_facts import Appended, append_facts
from services.monitoring.domain.ledger import Content, Entry, Key, Said
from services.monitoring.domain.report import WaitingReport
from services.monitoring.note_identity import note_observed
from services.monitoring.read_message import check_divisions, check_indices
from shared.contracts.envelope import Event
from shared.contracts.intake import Observation, ObservationsRecorded
from shared.contracts.progress import FeedCounts, ProgressItem
from shared.runtime import Runtime
from shared.trace import current_trace
from shared.vocabulary.division import county_of

A_PERSON_WAITS, USUAL = 0, 5


async def record_observations(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Match people, append facts, mark households due; a report that fits nobody goes to a person at once."""
    told = ObservationsRecorded.model_validate(event.data)
    check_divisions([told.division, *(one.division for one in told.observations)])
    check_indices(one.person for one in told.observations)
    await _wait_for_turn(connection, told)
    now = runtime.clock.now()
    priority = A_PERSON_WAITS if told.report_id else USUAL
    appended = await append_facts(connection, entries_of(told), now=now, priority=priority)
    await note_observed(connection, told, now=now)
    if told.report_id:
        await _hold_report(connection, told, appended, runtime)
    else:
        await freshness.record_observed(connection, told, runtime.clock.today())
    await announce_progress(connection, [_progress(told, appended, runtime)], now=now, priority=priority)
    return ("relay", "assess")


def entries_of(told: ObservationsRecorded) -> list[Entry]:
    """The statements in a message, each under the name its record has at that place."""
    said = Said(told.received_at, told.report_id or told.feed_id or "")
    county = county_of(told.division)
    return [_entry(told, county, one, said) for one in told.observations]


def _entry(told: ObservationsRecorded, county: str, one: Observation, said: Said) -> Entry:
    division = one.division or told.division
    return Entry(
        # Two counties' offices may number alike, so the place whose office it is belongs to the record's name.
        key=Key(told.data_set, f"{county}/{one.record}", one.kind),
        said=said,
        op=one.op,
        content=Content(
            occurred_on=one.occurred_on,
            ended_on=one.ended_on,
            period_from=one.period_from,
            period_to=one.period_to,
            amount_fen=one.amount_fen,
            gross_fen=one.gross_fen,
            compliant_fen=one.compliant_fen,
            other_fen=one.other_fen,
            relief_fen=one.relief_fen,
            visit=one.visit,
            stay=one.stay,
            value=one.value,
            verified=one.verified,
            attributes=one.attributes,
        ),
        source=told.source,
        division=division,
        department=told.department,
        person=one.person,
        person_name=one.person_name,
        household_no=one.household_no,
    )


async def _wait_for_turn(connection: asyncpg.Connection, told: ObservationsRecorded) -> None:
    county = county_of(told.division)
    await households.share_rosters(connection, [county])
    if told.feed_id:
        await households.lock_data_set(connection, county, told.data_set)
        await households.plan_afresh(connection)


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
    return WaitingReport(told.report_id, name, phone, current_trace())


def _progress(told: ObservationsRecorded, appended: Appended, runtime: Runtime) -> ProgressItem:
    matched: Sequence[Entry] = appended.matched
    counts = FeedCounts(matched=len(matched), unmatched=len(appended.unmatched), changed=appended.changed)
    return ProgressItem(
        report_id=told.report_id,
        feed_id=told.feed_id,
        stage="matched" if matched else "unmatched",
        at=runtime.clock.now(),
        counts=counts,
    )
