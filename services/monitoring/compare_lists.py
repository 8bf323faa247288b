"""Compare the lists with the register and with each other (每月20日数据比对).

On the 20th of each month once for each county, and whenever a person asks. What is found is written beside last
month's, and is evidence: a state of the household that ends when a later comparison does not find it any more.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import asyncpg
import yaml

import shared.policies
from services.monitoring import repository_households as households
from services.monitoring import repository_list_comparisons as repository
from services.monitoring.append_facts import append_facts
from services.monitoring.compiled_lists import check_sql
from services.monitoring.domain.ledger import Content, Entry, Key, Place, Said
from services.monitoring.domain.list_check import ListChecks, read_list_checks
from services.monitoring.settings import MonitoringSettings
from shared.db.scope import transaction
from shared.queue.claim import finish
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

DATA_SET, KIND = "list_comparison", "state.list_mismatch"
LEASE = timedelta(minutes=10)
BULK = 9
FACTS_A_STEP = 1000


@cache
def list_checks() -> ListChecks:
    """The lists and checks this installation compares by, read and checked once."""
    path = Path(shared.policies.__file__).parent / "checks" / "lists.yaml"
    return read_list_checks(yaml.safe_load(path.read_text(encoding="utf-8")))


async def compare_lists_due(runtime: Runtime) -> int:
    """Order the month's comparisons when their day has come, then compare the next county that is due; 0 if none."""
    async with transaction(runtime.worker_pool) as connection:
        await _order_months(connection, runtime)
        row = await repository.claim_comparison(connection, runtime.clock.now(), LEASE)
    if row is None:
        return 0
    async with transaction(runtime.worker_pool) as connection:
        await _compare(connection, row, runtime)
    runtime.waker.wake("assess")
    return 1


async def _order_months(connection: asyncpg.Connection, runtime: Runtime) -> None:
    settings, today = runtime.settings, runtime.clock.today()
    days = settings if isinstance(settings, MonitoringSettings) else MonitoringSettings()
    if today.day >= days.comparison_day:
        await repository.order_months(connection, today.replace(day=1), runtime.clock.now())


async def order_comparison(
    connection: asyncpg.Connection, county: str, by: str, *, today: date, now: datetime
) -> asyncpg.Record:
    """Let a county be compared now; ordered again while one waits, it is that one."""
    return await repository.order(connection, new_id(now), county, today.replace(day=1), by, now)


async def _compare(connection: asyncpg.Connection, row: asyncpg.Record, runtime: Runtime) -> None:
    """Find, write, and tell the ledger; one transaction, so that a killed comparison is done again whole."""
    county, today, now = row["county"], runtime.clock.today(), runtime.clock.now()
    await households.share_rosters(connection, [county])
    checks = list_checks()
    for code, check in checks.checks.items():
        await repository.find(connection, row["comparison_id"], code, check_sql(check, checks), county, today)
    found = await repository.findings_of(connection, row["comparison_id"])
    before = await repository.standing_mismatches(connection, county, DATA_SET)
    for entries in _parts(list(_entries(found, before, row, today, now))):
        await append_facts(connection, entries, now=now, priority=BULK)
    done = "compared_at = $1, compared_on = $2, due_at = NULL, attempts = 0"
    await finish(
        connection,
        repository.COMPARISONS,
        (row["comparison_id"],),
        row["lease_token"],
        set_sql=done,
        args=(now, today),
    )


def _entries(
    found: Sequence[asyncpg.Record],
    before: Sequence[asyncpg.Record],
    row: asyncpg.Record,
    today: date,
    now: datetime,
) -> Iterator[Entry]:
    """What the ledger is told: findings that are new, and the ends of those that are no longer found."""
    said = Said(now, str(row["comparison_id"]))
    standing, now_found = {one["record_key"] for one in before}, {_record(row["county"], one): one for one in found}
    for record, one in now_found.items():
        if record not in standing:
            yield _entry(record, one, row["county"], said, Content(today, value=one["check_code"]))
    for one in before:
        if one["record_key"] not in now_found:
            content = Content(one["occurred_on"], ended_on=max(today, one["occurred_on"]), value=one["value"])
            yield _entry(one["record_key"], one, row["county"], said, content, ends=True)


def _record(county: str, one: asyncpg.Record) -> str:
    return f"{county}/{one['check_code']}/{one['household_id']}/{one['resident_id'] or 0}"


def _entry(
    record: str, one: asyncpg.Record, county: str, said: Said, content: Content, *, ends: bool = False
) -> Entry:
    return Entry(
        Key(DATA_SET, record, KIND),
        said,
        content,
        source="department",
        division=one["division"],
        op="end" if ends else "put",
        place=Place(one["household_id"], county, one["resident_id"]),
    )


def _parts(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[first : first + FACTS_A_STEP] for first in range(0, len(entries), FACTS_A_STEP))
