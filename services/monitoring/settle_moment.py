"""Settle which day a caller asks about, and what was known by then (按哪一天、哪一时刻)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import asyncpg

from services.monitoring import repository_explanations as repository
from shared.clock import SHANGHAI
from shared.errors import FieldError, NotFound, Unprocessable
from shared.runtime import Runtime

# Before this there was no line to compare with, and no fact.
FIRST_DAY = date(2014, 1, 1)


class DayOutOfRange(Unprocessable):
    code, title = "day_out_of_range", "评估日期超出范围"


class HouseholdNotKnownThen(NotFound):
    """Before a household came to be known there was nothing to decide."""

    code, title = "household_not_known_then", "当时还没有掌握这户"


class Asked(NamedTuple):
    """A day, and the moment up to which facts are known."""

    on: date
    known_at: datetime


async def settle_moment(
    connection: asyncpg.Connection,
    household: Mapping[str, Any],
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> Asked:
    """The day and the moment; `known_at` alone asks for that day in Shanghai, neither for today as known now.

    A day outside what can be worked out is DayOutOfRange, a moment before the household was known
    HouseholdNotKnownThen.
    """
    today = runtime.clock.today()
    moment = known_at or await connection.fetchval("SELECT clock_timestamp()")
    on = as_of or _day_of(known_at, runtime)
    if not FIRST_DAY <= on <= today:
        error = FieldError("query/as_of", "day_out_of_range", "不在可推算的日期内", f"{FIRST_DAY} 至 {today}")
        raise DayOutOfRange("评估日期有误", errors=[error])
    if moment < await repository.known_since(connection, household["household_id"]):
        raise HouseholdNotKnownThen("该户在这一时刻尚未录入，没有可推算的评估")
    return Asked(on, moment)


def _day_of(known_at: datetime | None, runtime: Runtime) -> date:
    """The day in Shanghai of a moment that is past; otherwise today."""
    if known_at is None or known_at >= runtime.clock.now():
        return runtime.clock.today()
    return known_at.astimezone(SHANGHAI).date() if known_at.year > FIRST_DAY.year else date.min
