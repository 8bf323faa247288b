"""Write letters that are no warning (提示、任务、清单): a notice for each officer, once for its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Matter, Text
from services.alerts.draft import Draft
from shared.vocabulary.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Notice:
    """What one officer is told of a division, of an `alert` there, of a `matter`; the same `key` tells him once."""

    officer_no: str
    key: str
    kind: Kind
    division: str
    text: Text
    alert: repository.Row | None = None
    matter: Matter | None = None

    @property
    def dedupe_key(self) -> str:
        return f"{self.key}:{self.officer_no}"


async def write_letters(connection: asyncpg.Connection, notices: Sequence[Notice], now: datetime) -> list[Letter]:
    """Write the notices; the letters that are new are returned, to be put into inboxes."""
    made = await repository.insert_rows(
        connection,
        "notification",
        [_row(notice, now) for notice in notices],
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id, dedupe_key",
    )
    known = {notice.dedupe_key: notice for notice in notices}
    return [_letter(known[row["dedupe_key"]], row) for row in made]


def draft_letters(draft: Draft, notices: Sequence[Notice], now: datetime) -> None:
    """Let the notices be written with a draft."""
    rows = [_row(notice, now) for notice in notices]
    draft.notify(rows)
    draft.letters += [_letter(notice, row) for notice, row in zip(notices, rows, strict=True)]


def _row(notice: Notice, now: datetime) -> dict[str, Any]:
    return {
        "notification_id": new_id(now),
        "dedupe_key": notice.dedupe_key,
        "alert_id": notice.alert["alert_id"] if notice.alert else None,
        "subject": notice.alert["subject"] if notice.alert else None,
        "division": notice.division,
        "recipient": notice.officer_no,
        "kind": notice.kind,
        "decision": "send",
        "created_at": now,
    }


def _letter(notice: Notice, made: repository.Row) -> Letter:
    alert_id = notice.alert["alert_id"] if notice.alert else None
    message_id = made["notification_id"]
    return Letter(notice.officer_no, message_id, alert_id, notice.kind, None, notice.text, None, matter=notice.matter)
