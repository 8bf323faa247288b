"""Letters to the liaisons of departments (部门联络员) about what is asked of them; without one, to the county."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from services.alerts import repository_concern, repository_tasks
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Matter, Text
from services.alerts.letters_to_county import letters_to_county
from services.alerts.repository import Row
from services.alerts.write_letters import Notice, write_letters
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about an alert, once for its `key`; `unheard` is what the county reads where no liaison is."""

    key: str
    kind: Kind
    matter: Matter
    text: Text
    unheard: Text | None = None


async def liaisons_of(
    connection: asyncpg.Connection, place: str, departments: Collection[str], today: date
) -> list[str]:
    """Who answers for some departments over a place today."""
    found = await repository_tasks.liaisons_at(connection, place, today)
    return sorted({row["officer_no"] for row in found if row["department"] in departments})


async def departments_without(
    connection: asyncpg.Connection, place: str, departments: Sequence[str], runtime: Runtime
) -> list[str]:
    """Those that have no liaison over a place today, in their order."""
    found = await repository_tasks.liaisons_at(connection, place, runtime.clock.today())
    heard = {row["department"] for row in found}
    return [one for one in departments if one not in heard]


async def letters_to_departments(
    connection: asyncpg.Connection, alert: Row, liaisons: Collection[str], asking: Asking, runtime: Runtime
) -> list[Letter]:
    """The letters that are new, to be put into inboxes: the liaisons', or the county's with a notice of the gap.

    A liaison whom the alert is about hears nothing of it (回避).
    """
    place, alert_id = alert["living_division"], alert["alert_id"]
    concerned = (await repository_concern.concerned_in(connection, [alert_id])).get(alert_id, frozenset())
    liaisons = [one for one in liaisons if one not in concerned]
    if not liaisons and asking.unheard is not None:
        return await letters_to_county(
            connection, runtime, key=asking.key, division=place, text=asking.unheard, matter=asking.matter
        )
    notices = [Notice(one, asking.key, asking.kind, place, asking.text, alert, asking.matter) for one in liaisons]
    return await write_letters(connection, notices, runtime.clock.now())
