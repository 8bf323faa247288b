"""Name divisions for people to read."""

from collections.abc import Iterable
from datetime import date

import asyncpg

from shared.db.scope import transaction
from shared.regions.lookup import names_of


async def name_places(directory: asyncpg.Pool, codes: Iterable[str], on: date) -> dict[str, str]:
    """The name of each division on that day; a code no list has ever held stands for itself."""
    wanted = set(codes)
    async with transaction(directory) as connection:
        names = await names_of(connection, wanted, on)
    return {code: names.get(code, code) for code in wanted}
