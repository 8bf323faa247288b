"""Withdraw a report (撤回): what it said is taken back; an open alert hears of it, for a person to close."""

from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_appeals as appeals
from services.intake import repository_reports as repository
from services.intake.domain.appeal import AppealState
from services.intake.domain.self_report import taken_back
from services.intake.say_again import (
    ReportUnknown,
    Speaker,
    message_about,
    note,
    observed,
    observed_of_household,
    said_at,
    said_before,
    tell_monitoring,
)
from shared.clock import SHANGHAI
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

SENTENCE = "申报人撤回了申报，请联系确认后据实办结。"


async def withdraw_report(
    connection: asyncpg.Connection, runtime: Runtime, report_id: UUID, reason: str, speaker: Speaker
) -> UUID:
    """Take back what the report said, in the caller's transaction; again changes nothing. The first version's id."""
    root = await repository.lock_root(connection, report_id)
    if root is None:
        raise ReportUnknown
    root_id: UUID = root["report_id"]
    if root["withdrawn_at"] is None:
        await _withdraw(connection, runtime, root, reason, speaker)
    return root_id


async def _withdraw(
    connection: asyncpg.Connection, runtime: Runtime, root: asyncpg.Record, reason: str, speaker: Speaker
) -> None:
    root_id, now = root["report_id"], runtime.clock.now()
    sealed = runtime.keys.seal(reason, "self_report", "sealed_withdrawal", str(root_id))
    await repository.withdraw(connection, root_id, sealed, now)
    versions = await repository.versions_of(connection, root_id)
    newest = versions[-1]
    said = observed(said_before(runtime, newest), root_id, root["person_index"])
    appeal = await appeals.open_of(connection, f"report:{root_id}")
    if appeal is not None:
        said.append(_appealed(root, appeal))
    # Once somebody answered, the alert is closed: a withdrawal then opens nothing anew.
    waits = newest["verified_at"] is None or (appeal is not None and appeal["state"] == AppealState.FILED)
    told = new_id(now) if waits else None
    about = {"nature": "withdrawal", "sentence": SENTENCE, "first_report_id": str(root_id)}
    message = message_about(
        runtime, newest, taken_back(said), report_id=told, note=about, at=said_at(runtime, versions)
    )
    await tell_monitoring(connection, runtime, message, speaker.traceparent)
    if appeal is not None:
        await appeals.withdraw(connection, appeal["appeal_id"])
        await note(connection, runtime, speaker, "appeal.withdraw", f"appeal:{appeal['appeal_id']}")
    await note(connection, runtime, speaker, "self_report.withdraw", f"report:{root_id}", detail={"reason": "sealed"})


def _appealed(root: asyncpg.Record, appeal: asyncpg.Record) -> dict[str, Any]:
    """What the report's appeal asked to be looked at."""
    return observed_of_household(
        appeal["appeal_id"],
        division=root["division"],
        household_no=root["household_no"],
        on=appeal["filed_at"].astimezone(SHANGHAI).date(),
        person=root["person_index"],
    )
