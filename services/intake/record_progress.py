"""Monitoring and alerts say how far a report or a feed got; whatever the order, and each message once."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from services.intake import repository_appeals as appeals
from services.intake.domain.appeal import AppealState, AppealStep, after
from services.intake.repository_ingest import add_monitoring_counts
from services.intake.repository_reports import note_answer, note_stage
from shared.contracts.envelope import Event
from shared.contracts.progress import Progress, ProgressItem
from shared.runtime import Runtime
from shared.web.events import MessageRefused


async def record_progress(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Keep what a progress message says; of a report, appeal or feed we do not know nothing is kept."""
    for item in sorted(Progress.model_validate(event.data).items, key=_subject):
        await _keep(connection, item)
    return ()


async def _keep(connection: asyncpg.Connection, item: ProgressItem) -> None:
    if item.report_id is not None:
        alert_id = None if item.alert_id is None else _id(item.alert_id)
        await note_stage(connection, _id(item.report_id), item.stage, item.at, alert_id)
        if item.outcome is not None:
            await note_answer(connection, _id(item.report_id), item.outcome, item.answered_by)
        await _keep_of_appeal(connection, _id(item.report_id), item, alert_id)
    if item.feed_id is not None and item.counts is not None:
        counts = item.counts
        await add_monitoring_counts(connection, _id(item.feed_id), counts.matched, counts.unmatched)


async def _keep_of_appeal(
    connection: asyncpg.Connection, appeal_id: UUID, item: ProgressItem, alert_id: UUID | None
) -> None:
    """An appeal travels as a report of its own: its answer is the new look."""
    if alert_id is None:
        return
    appeal = await appeals.lock(connection, appeal_id)
    if appeal is None:
        return
    await appeals.note_alert(connection, appeal_id, alert_id)
    looked = after(AppealState(appeal["state"]), AppealStep.LOOK)
    if item.stage == "verified" and looked is not None and item.answered_by != appeal["answered_by"]:
        await appeals.note_look(connection, appeal_id, looked, item.answered_by, item.outcome, item.at)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise MessageRefused("report_id、feed_id 和 alert_id 应为 UUID") from None


def _subject(item: ProgressItem) -> tuple[str, str]:
    """Rows are always locked in this order, so that two messages never wait for each other."""
    return item.report_id or "", item.feed_id or ""
