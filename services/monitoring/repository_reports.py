"""Reports that wait at their household for the assessment."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.monitoring.domain.report import WaitingReport


async def hold(
    connection: asyncpg.Connection, household_ids: Sequence[int], report: WaitingReport, *, now: datetime
) -> None:
    """Let a report wait at these households, which become due before all others; again changes nothing."""
    await connection.execute(
        """
        UPDATE household SET waiting_reports = waiting_reports || $2::jsonb, due_at = least(due_at, $4), priority = 0
        WHERE household_id = ANY ($1::bigint[]) AND NOT waiting_reports @> $3::jsonb
        """,
        household_ids,
        [report.as_json()],
        [{"report_id": report.report_id}],
        now,
    )
