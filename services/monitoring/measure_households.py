"""Measure households again whose stored measures do not stand: other facts, another day, another way of counting."""

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from services.monitoring import repository_screening as repository
from services.monitoring.begin_run import Run
from services.monitoring.domain import screening
from services.monitoring.domain.reading import Reading, reads_ages, stands_until
from services.monitoring.domain.screening import Chosen
from services.monitoring.domain.stored_measures import kept_columns

# What is kept is measured of whatever the statement sees, as is the facts_version kept with it. As of the moment a
# run began, a fact that came between the two would be left out under a version that has it, and never looked at.
ALL_THERE_IS = datetime(9999, 12, 31, tzinfo=UTC)


async def measure_households(
    connection: asyncpg.Connection, run: Run, chosen: Chosen, *, area: tuple[str, str] | None = None
) -> int:
    """Keep fresh measures of those that need it; how many. Of an area only what is not due for its own sake."""
    one = run.reading
    shape = screening.shape(one)
    if area and await repository.all_stand(connection, chosen, one.county, one.on, shape):
        return 0
    stale = await repository.to_measure(connection, chosen, one.county, one.on, shape, area)
    if stale:
        await _measure(connection, one, chosen, stale, shape)
    return len(stale)


async def _measure(
    connection: asyncpg.Connection, one: Reading, wanted: Chosen, ids: Sequence[int], shape: bytes
) -> None:
    chosen = wanted if wanted.listed == tuple(ids) else Chosen.of(ids)
    exact = chosen.listed == tuple(ids) or len(ids) == chosen.last - chosen.first + 1
    await repository.keep_measures(
        connection,
        screening.measuring(one, chosen, ALL_THERE_IS, repository.FIRST_MEASURED_BIND + len(chosen.binds)),
        kept_columns(one.package),
        chosen,
        county=one.county,
        on=one.on,
        until=stands_until(one.on),
        shape=shape,
        stands_months=one.parameters.number("total_stands_months"),
        reads_ages=reads_ages(one.package),
        only=None if exact else ids,
    )
