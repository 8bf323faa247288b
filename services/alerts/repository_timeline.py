"""The SQL of an alert's timeline: what stands in many tables about it, as events in one order."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection


class After(NamedTuple):
    """The event after which a page begins."""

    at: datetime
    rank: int
    key: str


BEGINNING = After(datetime.fromisoformat("0001-01-01T00:00:00+00:00"), 0, "")

# Of one moment: the step, what it rests on, who answers for it, what was told, how that went.
_EVENTS = """
SELECT at, 1 AS rank, lpad(log_id::text, 19, '0') AS key, 'step' AS kind, actor,
       jsonb_build_object('action', action, 'before', status_before, 'after', status_after, 'detail', detail) AS said
FROM alert_log WHERE alert_id = $1
UNION ALL
SELECT recorded_at, 2, lpad(evidence_id::text, 19, '0'), 'evidence', NULL,
       jsonb_build_object('kind', kind, 'item', item)
FROM alert_evidence WHERE alert_id = $1
UNION ALL
SELECT since, 3, lpad(assignment_id::text, 19, '0'), 'assigned', NULL,
       jsonb_build_object('officer_no', officer_no, 'role', role, 'reach', reach)
FROM assignment WHERE alert_id = $1
UNION ALL
SELECT until, 3, 'until' || lpad(assignment_id::text, 19, '0'), 'released', NULL,
       jsonb_build_object('officer_no', officer_no, 'role', role)
FROM assignment WHERE alert_id = $1 AND until IS NOT NULL
UNION ALL
SELECT created_at, 4, notification_id::text, 'message', NULL,
       jsonb_build_object('kind', kind, 'to', recipient, 'decision', decision, 'reason', reason,
                          'not_before', not_before)
FROM notification WHERE alert_id = $1
UNION ALL
SELECT ended_at, 5, notification_id::text, 'message_ended', NULL,
       jsonb_build_object('kind', kind, 'to', recipient, 'outcome', outcome,
                          'together', carried_by IS NOT NULL AND carried_by <> notification_id)
FROM notification WHERE alert_id = $1 AND ended_at IS NOT NULL
UNION ALL
SELECT t.at, 6, t.delivery_id || lpad(t.attempt::text, 9, '0'), 'attempt', NULL,
       jsonb_build_object('channel', d.channel, 'to', n.recipient, 'attempt', t.attempt, 'outcome', t.outcome,
                          'reason', t.reason)
FROM delivery_attempt t JOIN delivery d USING (delivery_id) JOIN notification n USING (notification_id)
WHERE d.notification_id IN (SELECT coalesce(carried_by, notification_id) FROM notification WHERE alert_id = $1)
UNION ALL
SELECT r.at, 7, r.delivery_id || r.state, 'receipt', NULL,
       jsonb_build_object('channel', d.channel, 'arrived', r.arrived)
FROM delivery_receipt r JOIN delivery d USING (delivery_id)
WHERE d.notification_id IN (SELECT coalesce(carried_by, notification_id) FROM notification WHERE alert_id = $1)
UNION ALL
SELECT drawn_at, 8, verification_id::text, 'recheck_drawn', NULL, jsonb_build_object('due_at', due_at)
FROM recheck WHERE alert_id = $1
UNION ALL
SELECT opened_at, 8, ticket_id::text, 'ticket_opened', NULL,
       jsonb_build_object('department', department, 'due_at', due_at)
FROM correction_ticket WHERE alert_id = $1
UNION ALL
SELECT replied_at, 8, ticket_id::text, 'ticket_replied', replied_by,
       jsonb_build_object('department', department, 'reply', reply)
FROM correction_ticket WHERE alert_id = $1 AND replied_at IS NOT NULL
UNION ALL
SELECT closed_at, 9, ticket_id::text, 'ticket_closed', NULL,
       jsonb_build_object('department', department, 'state', state)
FROM correction_ticket WHERE alert_id = $1 AND closed_at IS NOT NULL
"""


async def events_of(connection: Connection, alert_id: UUID, after: After, limit: int) -> list[asyncpg.Record]:
    """Events of an alert after one of them, oldest first."""
    return await connection.fetch(
        f'SELECT * FROM ({_EVENTS}) e WHERE (at, rank, key COLLATE "C") > ($2, $3, $4 COLLATE "C")'
        ' ORDER BY at, rank, key COLLATE "C" LIMIT $5',
        alert_id,
        *after,
        limit,
    )
