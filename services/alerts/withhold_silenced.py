"""Withhold what a silence holds back (静默): each message that is not sent is a row with its reason."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.alerts.dispatch import Desk, Told
from services.alerts.domain.silence import Silence
from services.alerts.draft import Draft
from services.alerts.repository import Row
from shared.clock import SHANGHAI
from shared.vocabulary.division import lineage_of
from shared.vocabulary.identifiers import new_id


def withhold_silenced(told: Sequence[Told], endpoints: Iterable[Row], desk: Desk, draft: Draft) -> None:
    """Draft the messages that each person, and each group, would have had."""
    groups = {endpoint["division"] for endpoint in endpoints if endpoint["officer_no"] is None}
    draft.notify(
        _row(one, one.silence, recipient, desk)
        for one in told
        if one.silence is not None
        for recipient in _recipients(one, groups)
    )


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
