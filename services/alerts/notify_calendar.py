"""Notify the county from December on that next year's days off are not imported yet; once a year each."""

from services.alerts import repository_calendar
from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.domain.message import calendar_text
from services.alerts.letters_to_county import letters_to_county
from services.alerts.read_calendar import read_year
from shared.db.scope import transaction
from shared.runtime import Runtime

_DECEMBER = 12


async def notify_missing_calendar(runtime: Runtime) -> int:
    """Write the notices that are due and not yet written; how many."""
    today = runtime.clock.today()
    if today.month < _DECEMBER:
        return 0
    year, letters = today.year + 1, list[Letter]()
    async with transaction(runtime.worker_pool) as connection:
        for county in await repository_calendar.counties_with_admins(connection, today):
            _, is_known = await read_year(connection, county, year)
            if not is_known:
                key, text = f"calendar:{year}", calendar_text(year)
                letters += await letters_to_county(connection, runtime, key=key, division=county, text=text)
        await put_in_inboxes(connection, letters, runtime.clock.now())
    runtime.waker.wake("inbox")
    return len(letters)
