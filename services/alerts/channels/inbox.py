"""The in-app inbox (收件箱): items are written in the transaction that routes, so none is lost and none repeats."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.message import Matter, Text
from services.alerts.repository import insert_rows, take_item_numbers


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one officer; the only kind of message that may name a household."""

    officer_no: str
    notification_id: UUID
    alert_id: UUID | None
    kind: str
    severity: str | None
    text: Text
    link: str | None
    matter: Matter | None = None

    def columns(self, now: datetime) -> dict[str, object]:
        """The columns of its item in the inbox, but for the number."""
        return {
            "officer_no": self.officer_no,
            "notification_id": self.notification_id,
            "alert_id": self.alert_id,
            "kind": self.kind,
            "severity": self.severity,
            "title": self.text.title,
            "body": self.text.body,
            "link": self.link,
            "created_at": now,
            "matter": self.matter.kind if self.matter else None,
            "matter_id": self.matter.matter_id if self.matter else None,
        }


async def put_in_inboxes(connection: asyncpg.Connection, letters: Sequence[Letter], now: datetime) -> None:
    """Write the letters under the next numbers of each officer. Call once a transaction: it locks counters."""
    if not letters:
        return
    last = await take_item_numbers(connection, Counter(letter.officer_no for letter in letters))
    rows = []
    for letter in reversed(letters):
        rows.append({"item_no": last[letter.officer_no], **letter.columns(now)})
        last[letter.officer_no] -= 1
    await insert_rows(connection, "inbox_item", rows)
