"""What a transaction is going to write, gathered and then written in one statement.

A statement for each table is a round trip for each, and the round trips cost more than the rows. Foreign keys hold:
they are looked at when the whole statement is done.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.channels.inbox import Letter
from services.alerts.repository import rows_text

Rows = list[dict[str, Any]]

# What a message is unless it says otherwise.
_MESSAGE: Mapping[str, Any] = {
    "alert_id": None,
    "subject": None,
    "recipient": None,
    "decision": "send",
    "reason": None,
    "silence_id": None,
    "not_before": None,
    "group_key": None,
    "urgent": False,
    "outcome": None,
    "ended_at": None,
}
# How each table takes what is there already.
_CONFLICTS = {
    "alert": "",
    "alert_barred": "ON CONFLICT DO NOTHING",
    "alert_evidence": "ON CONFLICT (alert_id, digest) DO NOTHING",
    "alert_log": "",
    "assignment": "ON CONFLICT (alert_id, officer_no) WHERE until IS NULL DO NOTHING",
    "alert_escalation": """
        ON CONFLICT (alert_id) DO UPDATE SET chain_snapshot = excluded.chain_snapshot, step = excluded.step,
            since = excluded.since, next_step_at = excluded.next_step_at, token = excluded.token, finished_at = NULL
        """,
    "notification": "ON CONFLICT (dedupe_key) DO NOTHING RETURNING notification_id",
}
# Letters of messages that were told before are not written; the counters' locks make numbers appear in their order.
_LETTERS = """
letter AS (
    SELECT l.*, row_number() OVER (PARTITION BY officer_no ORDER BY at) AS nth,
           count(*) OVER (PARTITION BY officer_no) AS many
    FROM json_to_recordset(${n}::text::json) AS l (at int, officer_no text, notification_id uuid, alert_id uuid,
         kind text, severity text, title text, body text, link text, created_at timestamptz,
         matter text, matter_id uuid)
    JOIN new_notification USING (notification_id)
), counter AS (
    INSERT INTO inbox_counter AS c (officer_no, last_item_no)
    SELECT officer_no, count(*) FROM letter GROUP BY officer_no ORDER BY officer_no
    ON CONFLICT (officer_no) DO UPDATE SET last_item_no = c.last_item_no + excluded.last_item_no
    RETURNING officer_no, last_item_no
), item AS (
    INSERT INTO inbox_item (officer_no, item_no, notification_id, alert_id, kind, severity, title, body, link,
                            created_at, matter, matter_id)
    SELECT officer_no, last_item_no - many + nth, notification_id, alert_id, kind, severity, title, body, link,
           created_at, matter, matter_id
    FROM letter JOIN counter USING (officer_no)
)
"""


@dataclass(slots=True)
class Draft:
    """Rows by table, in the order in which they are written, and the letters of the messages among them."""

    alert: Rows = field(default_factory=list)
    alert_barred: Rows = field(default_factory=list)
    alert_evidence: Rows = field(default_factory=list)
    alert_log: Rows = field(default_factory=list)
    assignment: Rows = field(default_factory=list)
    alert_escalation: Rows = field(default_factory=list)
    notification: Rows = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    @property
    def opened(self) -> set[UUID]:
        """The alerts that open: nothing is known of them yet."""
        return {row["alert_id"] for row in self.alert}

    def notify(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Add messages; what a row does not say is as usual."""
        self.notification += [{**_MESSAGE, **message} for message in messages]

    async def write(self, connection: asyncpg.Connection, now: datetime) -> frozenset[UUID]:
        """Write it all; which messages are new. Call once a transaction: it locks the counters of inboxes."""
        parts, texts = [], []
        for table, conflict in _CONFLICTS.items():
            if rows := getattr(self, table):
                texts.append(rows_text(rows))
                columns = ", ".join(rows[0])
                parts.append(
                    f"new_{table} AS (INSERT INTO {table} ({columns}) SELECT {columns} "
                    f"FROM json_populate_recordset(NULL::{table}, ${len(texts)}::text::json) {conflict})"
                )
        if self.letters:
            texts.append(rows_text([{"at": n, **letter.columns(now)} for n, letter in enumerate(self.letters)]))
            parts.append(_LETTERS.format(n=len(texts)))
        if not parts:
            return frozenset()
        told = "SELECT notification_id FROM new_notification" if self.notification else "SELECT"
        made = await connection.fetch(f"WITH {', '.join(parts)} {told}", *texts)
        return frozenset(row["notification_id"] for row in made) if self.notification else frozenset()
