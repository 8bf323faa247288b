"""Names of one county's divisions, kept in the process."""

from datetime import date

import asyncpg

from shared.regions.lookup import names_within
from shared.vocabulary.division import county_of, parse_division

COUNTIES_KEPT = 200  # About 300 names each: some ten megabytes.


class RegionNames:
    """The names of counties and all below them, each county read once a day, on first use.

    An import made meanwhile shows from the next day on, or after `forget`.
    """

    def __init__(self) -> None:
        self._on: date | None = None
        self._counties: dict[str, dict[str, str]] = {}

    async def of(self, connection: asyncpg.Connection, code: str, on: date) -> str:
        """The name of a division at or below a county, or its code if no list has it."""
        return (await self.within(connection, county_of(code), on)).get(code, code)

    async def within(self, connection: asyncpg.Connection, county: str, on: date) -> dict[str, str]:
        """Code and name of a county (six digits) and of everything in it."""
        if on != self._on:
            self.forget()
            self._on = on
        if county not in self._counties:
            if len(self._counties) >= COUNTIES_KEPT:
                self.forget()
            self._counties[county] = await names_within(connection, parse_division(county), on)
        return self._counties[county]

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._counties.clear()
