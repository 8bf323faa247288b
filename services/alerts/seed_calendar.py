"""Write down the days off that the package knows, once a year of them; a newer package brings a newer year."""

from services.alerts import repository, repository_calendar
from services.alerts.known_days import known_days, known_years
from services.alerts.put_calendar import note_change
from services.alerts.read_calendar import NATION, NATION_HI, PACKAGE
from shared.db.scope import transaction
from shared.runtime import Runtime


async def seed_calendar(runtime: Runtime) -> int:
    """Write the years that are missing; how many. Deadlines that were provisional are computed again."""
    async with transaction(runtime.worker_pool) as connection:
        await repository_calendar.change_calendar(connection)
        written = await repository_calendar.years_of(connection, NATION, PACKAGE)
        missing = [year for year in known_years() if year not in written]
        now = runtime.clock.now()
        for year in missing:
            rows = [
                {
                    "region": NATION,
                    "region_hi": NATION_HI,
                    "date": day.on,
                    "source": PACKAGE,
                    "kind": day.kind,
                    "name": day.name,
                    "written_at": now,
                }
                for day in known_days(year) or ()
            ]
            await repository.insert_rows(connection, "work_calendar_day", rows)
            if year >= runtime.clock.today().year:
                await note_change(connection, NATION, NATION_HI, year, now)
    if missing:
        runtime.waker.wake("recompute_clocks")
    return len(missing)
