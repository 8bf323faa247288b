"""Withhold what a silence holds back (静默): each message that is not sent is a row with its reason."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.alerts import repository
from services.alerts.channels_in_use import channels_in_use
from services.alerts.dispatch import Desk, Told
from services.alerts.domain.silence import Silence
from shared.clock import SHANGHAI
from shared.vocabulary.division import lineage_of
from shared.vocabulary.identifiers import new_id


async def withhold_silenced(connection: asyncpg.Connection, told: Sequence[Told], desk: Desk) -> None:
    """Write the messages that each person, and each group, would have had."""
    if not told:
        return
    groups = await _divisions_with_groups(connection, told, desk)
    rows = [
        _row(one, one.silence, recipient, desk)
        for one in told
        if one.silence is not None
        for recipient in _recipients(one, groups)
    ]
    await repository.insert_rows(connection, "notification", rows, conflict="ON CONFLICT (dedupe_key) DO NOTHING")


async def _divisions_with_groups(connection: asyncpg.Connection, told: Sequence[Told], desk: Desk) -> set[str]:
    divisions = {division for one in told for division in lineage_of(one.dispatch.living)}
    endpoints = await repository.endpoints_of(connection, (), divisions, channels_in_use(desk.settings))
    return {endpoint["division"] for endpoint in endpoints}


def _recipients(told: Told, groups: set[str]) -> list[str | None]:
    people: list[str | None] = [listener.officer_no for listener in told.listening.listeners]
    return [*people, None] if groups & set(lineage_of(told.dispatch.living)) else people


def _row(told: Told, silence: Silence, recipient: str | None, desk: Desk) -> dict[str, Any]:
    until = silence.ends_at.astimezone(SHANGHAI)
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"{told.dispatch.key}:{recipient or 'group'}",
        "alert_id": told.dispatch.alert_id,
        "subject": told.dispatch.alert["subject"],
        "division": told.dispatch.living,
        "recipient": recipient,
        "kind": told.dispatch.kind,
        "decision": "suppress",
        "reason": f"静默：{silence.reason}（至 {until:%Y-%m-%d %H:%M}）",
        "created_at": desk.now,
        "silence_id": silence.silence_id,
    }
