"""Take a step once under the id its client made: sent again after working offline it changes nothing (断网补传)."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository_answers
from services.alerts.take_step import Doing, lock_any_version
from shared.db.pool import to_json
from shared.errors import Conflict


class StepIdTaken(Conflict):
    code, title = "step_id_taken", "此编号已用于另一次操作"


async def take_once(
    connection: asyncpg.Connection,
    doing: Doing,
    step_id: UUID | None,
    content: Any,
    act: Callable[[], Awaitable[asyncpg.Record]],
) -> asyncpg.Record:
    """Act, or give the alert as it is if this step was taken already; StepIdTaken if the id stands for another.

    An id that stands out of the caller's range is taken like any other, and says no more.
    """
    if step_id is None:
        return await act()
    alert = await lock_any_version(connection, doing)
    digest = _digest(doing, content)
    row = {"step_id": step_id, "alert_id": doing.alert_id, "digest": digest, "taken_at": doing.now}
    if await repository_answers.claim_step(connection, row):
        return await act()
    if await repository_answers.step_digest(connection, step_id) != digest:
        raise StepIdTaken("请为不同的操作使用不同的编号")
    return alert


def _digest(doing: Doing, content: Any) -> str:
    said = to_json([str(doing.alert_id), doing.officer_no, content])
    return hashlib.sha256(said.encode()).hexdigest()
