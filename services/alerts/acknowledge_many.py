"""Acknowledge many alerts at once (批量签收): each for itself; one that is closed stops none of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import asyncpg

from services.alerts import repository_answers
from services.alerts.acknowledge import acknowledge
from services.alerts.take_step import AlertClosed, AlertUnknown, Doing


class Acknowledged(StrEnum):
    """What an acknowledgement came to; `unknown` too for an alert out of range."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answered:
    """One alert of a list, and where it stands now."""

    alert_id: UUID
    result: Acknowledged
    version: int | None = None


async def acknowledge_many(connection: asyncpg.Connection, doings: Sequence[Doing]) -> list[Answered]:
    """The result of each, in the order asked. A refusal comes before anything is written, so it undoes nothing."""
    await repository_answers.lock_in_order(connection, [doing.alert_id for doing in doings])
    # Their messages are taken in the same order.
    done = [await _one(connection, doing) for doing in sorted(doings, key=lambda doing: doing.alert_id)]
    answers = {answer.alert_id: answer for answer in done}
    return [answers[doing.alert_id] for doing in doings]


async def _one(connection: asyncpg.Connection, doing: Doing) -> Answered:
    try:
        alert = await acknowledge(connection, doing)
    except AlertUnknown:
        return Answered(doing.alert_id, Acknowledged.UNKNOWN)
    except AlertClosed:
        return Answered(doing.alert_id, Acknowledged.CLOSED)
    return Answered(doing.alert_id, Acknowledged.ACKNOWLEDGED, alert["version"])
