"""Ask a second officer to confirm an answer (双人复核): somebody in the first filled post not below the giver's."""

from collections.abc import Iterable
from typing import Any

import asyncpg

from services.alerts import repository, repository_concern
from services.alerts.dispatch import Desk, Dispatch, desk_for
from services.alerts.domain.duty import LADDER, Listener, Post, Reach
from services.alerts.domain.message import Kind
from services.alerts.tell_people import tell_people
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

NOBODY = "没有可复核的另一位在岗干部"


async def ask_second(
    connection: asyncpg.Connection, alert: repository.Row, officer_no: str, runtime: Runtime
) -> None:
    """Tell them that an answer of `officer_no` waits; that there is nobody to tell is written down."""
    desk = await desk_for(runtime, [alert["living_division"]])
    kept_out = await repository_concern.kept_out_of(connection, alert["alert_id"])
    held = await repository.posts_at(connection, [alert["living_division"]], desk.today)
    posts = [post for post in held if post.officer_no not in kept_out]
    ranks = [LADDER.index(post.role) for post in posts if post.officer_no == officer_no and post.role in LADDER]
    only = seconds_among(posts, max(ranks, default=0), officer_no)
    if not only:
        await repository.insert_rows(connection, "notification", [_nobody(alert, desk)])
        return
    key = f"confirm:{alert['alert_id']}:{alert['version']}"
    await tell_people(connection, Dispatch(alert, Kind.CONFIRM, key, only=only), desk)


def seconds_among(posts: Iterable[Post], rank: int, giver: str) -> tuple[Listener, ...]:
    """Who holds the first filled post that is not below the rank of an answer's giver, but for himself."""
    others = [p for p in posts if p.role in LADDER and LADDER.index(p.role) >= rank and p.officer_no != giver]
    role = min((post.role for post in others), key=LADDER.index, default=None)
    people = sorted({post.officer_no for post in others if post.role is role})
    return tuple(Listener(one, role, Reach.DUTY) for one in people if role is not None)


def _nobody(alert: repository.Row, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"confirm:{alert['alert_id']}:{alert['version']}:nobody",
        "alert_id": alert["alert_id"],
        "subject": alert["subject"],
        "division": alert["living_division"],
        "kind": Kind.CONFIRM,
        "decision": "suppress",
        "reason": NOBODY,
        "created_at": desk.now,
    }
