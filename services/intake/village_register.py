"""The villages there are, kept in memory: asked on every self-report, changed a few times a year."""

import time
from dataclasses import dataclass, field
from datetime import date

from services.intake.repository_feeds import villages_in_force
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.division import county_of

KEPT_SECONDS = 600.0
ASKED_AGAIN_SECONDS = 5.0  # For a code that is not there: it may have been imported a moment ago.


@dataclass(slots=True)
class VillageRegister:
    """Codes of villages in force, by county and day; read when first asked for."""

    _known: dict[tuple[str, date], tuple[float, frozenset[str]]] = field(default_factory=dict)

    async def knows(self, runtime: Runtime, division: str) -> bool:
        """True if the 12-digit code is a village in force today."""
        key = (county_of(division), runtime.clock.today())
        read_at, villages = self._known.get(key, (float("-inf"), frozenset()))
        age = time.monotonic() - read_at
        if age < KEPT_SECONDS and (division in villages or age < ASKED_AGAIN_SECONDS):
            return division in villages
        return division in await self._read(runtime, key)

    async def _read(self, runtime: Runtime, key: tuple[str, date]) -> frozenset[str]:
        async with transaction(runtime.directory_pool) as connection:
            villages = await villages_in_force(connection, key[0].ljust(12, "0"), key[1])
        if len(self._known) > 100:
            self._known.clear()
        self._known[key] = (time.monotonic(), villages)
        return villages
