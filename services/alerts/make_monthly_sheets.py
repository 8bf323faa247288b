"""Make the sheets of a month (月度清单): on the first working day after the comparison on the 20th, once a township.

Who starts late catches up within the month; the figures are of the moment at which a sheet is made.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any

import asyncpg

from services.alerts import repository, repository_groups
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.decide_pushes import rules_of
from services.alerts.dispatch import Desk, desk_for
from services.alerts.domain.digest import Sheet, sheet_day, sheet_period, sheet_text
from services.alerts.domain.message import Kind
from services.alerts.write_letters import Notice, write_letters
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.division import FULL_LENGTH
from shared.vocabulary.terms import Role

_READERS = (Role.TOWNSHIP_LEADER, Role.COUNTY_ADMIN)


async def make_monthly_sheets(runtime: Runtime) -> int:
    """Make the sheets of the counties whose time has come; how many were made."""
    month, made = runtime.clock.today().replace(day=1), 0
    async with transaction(runtime.worker_pool) as connection:
        waiting = await repository_groups.counties_without_sheet(connection, month)
        for county in await _whose_day_it_is(connection, waiting, month, await desk_for(runtime, ())):
            made += await _make(connection, runtime, county, month)
    if made:
        runtime.waker.wake("inbox")
    return made


async def _whose_day_it_is(
    connection: asyncpg.Connection, counties: Sequence[str], month: date, desk: Desk
) -> list[str]:
    if not desk.settings.flood_control:
        return []
    rules = await rules_of(connection, [county.ljust(FULL_LENGTH, "0") for county in counties], desk)
    return [code[:6] for code, of in rules.items() if desk.today >= sheet_day(month, of.calendar)]


async def _make(connection: asyncpg.Connection, runtime: Runtime, county: str, month: date) -> int:
    since, until = (datetime.combine(day, time.min, SHANGHAI) for day in sheet_period(month))
    now = runtime.clock.now()
    figures = await repository_groups.sheet_figures(connection, county, since=since, until=until, now=now)
    desk = await desk_for(runtime, {row["division"] for row in figures})
    sheets = {row["division"]: _sheet(row, desk) for row in figures}
    rows = [
        {"division": division, "month": month, "made_at": now, "figures": _figures(sheet)}
        for division, sheet in sheets.items()
    ]
    made = await repository_groups.keep_sheets(connection, rows)
    await _tell(connection, {one: sheets[one] for one in sorted(made)}, month, desk)
    return len(made)


def _sheet(row: asyncpg.Record, desk: Desk) -> Sheet:
    return Sheet(desk.place(row["division"]), row["open"], row["overdue"], row["opened"], row["outcomes"])


def _figures(sheet: Sheet) -> dict[str, Any]:
    figures = asdict(sheet)
    del figures["place"]
    return figures


async def _tell(connection: asyncpg.Connection, sheets: Mapping[str, Sheet], month: date, desk: Desk) -> None:
    """One letter to each township leader and county administrator, about all his townships."""
    telling = [division for division, sheet in sheets.items() if sheet.says_something]
    of_person: dict[str, list[str]] = defaultdict(list)
    for post in await repository.posts_at(connection, telling, desk.today):
        if post.role in _READERS and post.place not in of_person[post.officer_no]:
            of_person[post.officer_no].append(post.place)
    notices = [
        Notice(
            person,
            f"monthly:{month:%Y-%m}:{places[0][:6]}",
            Kind.MONTHLY,
            min(places),
            sheet_text(month, [sheets[place] for place in sorted(places)]),
        )
        for person, places in sorted(of_person.items())
    ]
    await put_in_inboxes(connection, await write_letters(connection, notices, desk.now), desk.now)
