"""Letters to the county's administrators about something that is no warning (数据提示): each once for its key."""

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Matter, Text
from services.alerts.write_letters import Notice, write_letters
from shared.runtime import Runtime
from shared.vocabulary.terms import Role


async def letters_to_county(
    connection: asyncpg.Connection,
    runtime: Runtime,
    *,
    key: str,
    division: str,
    text: Text,
    matter: Matter | None = None,
) -> list[Letter]:
    """Write the notices; the letters that are new are returned, to be put into inboxes."""
    posts = await repository.posts_at(connection, [division], runtime.clock.today())
    admins = sorted({post.officer_no for post in posts if post.role is Role.COUNTY_ADMIN})
    notices = [Notice(one, key, Kind.DATA_NOTICE, division, text, matter=matter) for one in admins]
    return await write_letters(connection, notices, runtime.clock.now())
