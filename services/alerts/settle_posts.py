"""Let what follows from an officer's posts follow: where he is at home, and whether he is told anything more."""

from collections.abc import Collection
from datetime import datetime

import asyncpg

from services.alerts import repository_groups, repository_people
from services.alerts.domain.flood import GONE
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.division import code_range, covers, narrowest_over


async def settle_posts(
    connection: asyncpg.Connection, officers: Collection[str] | None, scope: str | None, now: datetime
) -> set[str]:
    """Make homes the narrowest places that cover all posts in force, end what waits for who has gone; who moved.

    Of some officers, or (None) of all. A home that would reach out of the `scope` is not the caller's to write.
    """
    today = now.astimezone(SHANGHAI).date()
    rows = []
    for held in await repository_people.places_held(connection, officers, today):
        home = narrowest_over(held["places"])
        if home is not None and home != held["home"] and (scope is None or covers(scope, home)):
            rows.append(
                {
                    "officer_no": held["officer_no"],
                    "division": home,
                    "division_hi": code_range(home)[1],
                    "updated_at": now,
                }
            )
    moved = await repository_people.move_homes(connection, rows) if rows else set()
    await repository_groups.cancel_of_gone(connection, GONE, today, now, officers=officers)
    return moved


async def settle_dated_posts(runtime: Runtime) -> int:
    """Do so for everybody: posts begin and end by their dates, without anybody's word. How many moved."""
    async with transaction(runtime.worker_pool) as connection:
        return len(await settle_posts(connection, None, None, runtime.clock.now()))
