"""Notify the county that a way out is broken: messages to it wait dead until a person mends it."""

from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.domain.message import Kind, endpoint_text
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role


async def notify_broken(connection: asyncpg.Connection, runtime: Runtime, endpoint_id: UUID) -> None:
    """Put one notice into the inbox of each county administrator above the endpoint's owner."""
    now, today = runtime.clock.now(), runtime.clock.today()
    endpoint = (await repository.endpoints_by_id(connection, [endpoint_id]))[endpoint_id]
    posts = await repository.posts_at(connection, [endpoint["division"]], today)
    key = f"endpoint:{endpoint_id}:{now.isoformat()}"
    rows = [
        {
            "notification_id": new_id(now),
            "dedupe_key": f"{key}:{post.officer_no}",
            "alert_id": None,
            "subject": None,
            "division": endpoint["division"],
            "recipient": post.officer_no,
            "kind": Kind.DATA_NOTICE,
            "decision": "send",
            "reason": None,
            "created_at": now,
        }
        for post in posts
        if post.role is Role.COUNTY_ADMIN
    ]
    made = await repository.insert_rows(
        connection,
        "notification",
        rows,
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id, recipient",
    )
    text = endpoint_text(endpoint["channel"], endpoint["officer_no"])
    letters = [
        Letter(row["recipient"], row["notification_id"], None, Kind.DATA_NOTICE, None, text, None) for row in made
    ]
    await put_in_inboxes(connection, letters, now)
    runtime.waker.wake("inbox")
