"""Letters to the county's administrators about something that is no warning (数据提示): each once for its key."""

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Text
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role


async def letters_to_county(
    connection: asyncpg.Connection, runtime: Runtime, *, key: str, division: str, text: Text
) -> list[Letter]:
    """Write the notices; the letters that are new are returned, to be put into inboxes."""
    now = runtime.clock.now()
    posts = await repository.posts_at(connection, [division], runtime.clock.today())
    rows = [
        {
            "notification_id": new_id(now),
            "dedupe_key": f"{key}:{officer_no}",
            "alert_id": None,
            "subject": None,
            "division": division,
            "recipient": officer_no,
            "kind": Kind.DATA_NOTICE,
            "decision": "send",
            "reason": None,
            "created_at": now,
        }
        for officer_no in sorted({post.officer_no for post in posts if post.role is Role.COUNTY_ADMIN})
    ]
    made = await repository.insert_rows(
        connection,
        "notification",
        rows,
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id, recipient",
    )
    return [
        Letter(row["recipient"], row["notification_id"], None, Kind.DATA_NOTICE, None, text, None) for row in made
    ]
