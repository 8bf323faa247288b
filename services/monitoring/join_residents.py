"""Join two residents who are one person, and part them again: nothing is overwritten, so an undo is exact."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_identity as repository
from services.monitoring import repository_register as register
from services.monitoring import repository_waiting as waiting
from services.monitoring.append_facts import move_facts, reassign_facts
from services.monitoring.domain.ledger import Place, Stored
from services.monitoring.domain.timeline import Span, filled
from services.monitoring.match_waiting import match_entries
from services.monitoring.repository_register import Belonging
from shared.runtime import Runtime

USUAL = 5
Homes = Mapping[int, Sequence[Span[Belonging]]]


async def join_residents(
    connection: asyncpg.Connection, survivor: int, absorbed: int, runtime: Runtime
) -> dict[str, Any]:
    """Let facts, membership, tags and numbers of `absorbed` be the survivor's; returns what an undo needs.

    The caller holds the rosters of the counties they belong to.
    """
    people = await repository.residents(connection, [survivor, absorbed])
    own, others = [await repository.belongings_of(connection, each) for each in (survivor, absorbed)]
    await households.lock(connection, sorted({*own, *others}))
    facts = await repository.facts_of(connection, absorbed)
    numbers = await repository.numbers_of(connection, absorbed)
    await repository.keep_subjects(connection, facts, numbers[0])
    was_at = await repository.home_of(connection, survivor)
    after = {home: filled(own.get(home, ()), others.get(home, ())) for home in {*own, *others}}
    await _belong(connection, survivor, after)
    await _belong(connection, absorbed, {home: [] for home in others})
    await repository.name_by(connection, numbers, survivor)
    died_on = people[survivor]["died_on"], people[survivor]["died_on"] or people[absorbed]["died_on"]
    if died_on[0] != died_on[1]:
        await register.set_death(connection, survivor, died_on[1])
    await _take(connection, facts, survivor, was_at, runtime)
    await _tell(connection, {*own, *others}, runtime)
    await match_numbers(connection, [*numbers, people[survivor]["number_index"]], runtime)
    await repository.withdraw_pairs(connection, absorbed)
    return {
        "numbers": [number.hex() for number in numbers],
        "own": written_homes(own),
        "others": written_homes(others),
        "after": written_homes(after),
        "died_on": [day and day.isoformat() for day in died_on],
    }


async def part_residents(
    connection: asyncpg.Connection, kept: Mapping[str, Any], survivor: int, absorbed: int | None, runtime: Runtime
) -> list[str]:
    """Take a joining back: what was told of the absorbed one's numbers is his again, later facts too.

    Without `absorbed` a number was linked that the register did not know: what was told of it waits again. Returns
    notes of what a person has to look at.
    """
    numbers = [bytes.fromhex(number) for number in kept["numbers"]]
    was_at = await repository.home_of(connection, survivor)
    told = await repository.subjects_of(connection, survivor, numbers)
    notes = await restore(connection, survivor, read_homes(kept["own"]), read_homes(kept["after"]))
    if absorbed is not None:
        for home, spans in read_homes(kept["others"]).items():
            await _belong(connection, absorbed, {home: spans})
        await repository.name_by(connection, numbers, absorbed)
        await _restore_death(connection, survivor, kept["died_on"])
    else:
        await repository.forget_alias(connection, numbers[0])
    await _give_back(connection, told, numbers[0], absorbed, runtime)
    await repository.forget_subjects(connection, numbers[0])
    await _follow(connection, survivor, was_at, runtime)
    await _tell(connection, {*read_homes(kept["own"]), *read_homes(kept["others"])}, runtime)
    return notes


async def link_number(
    connection: asyncpg.Connection, number: bytes, resident_id: int, runtime: Runtime
) -> dict[str, Any]:
    """Let a number that the register does not know name a resident; what waited for it is his at once."""
    await repository.name_by(connection, [number], resident_id)
    await match_numbers(connection, [number], runtime)
    return {"numbers": [number.hex()], "own": {}, "others": {}, "after": {}}


async def restore(connection: asyncpg.Connection, resident_id: int, before: Homes, after: Homes) -> list[str]:
    """Let somebody belong as `before`, wherever he still does as `after`; what changed since stands."""
    now = await repository.belongings_of(connection, resident_id)
    alike = [home for home in after if list(now.get(home, ())) == list(after[home])]
    await _belong(connection, resident_id, {home: before.get(home, ()) for home in alike})
    if len(alike) == len(after):
        return []
    return ["决定之后花名册又有变动，这些变动保留未动，请核对成员所在户"]


async def match_numbers(connection: asyncpg.Connection, numbers: Sequence[bytes], runtime: Runtime) -> None:
    """What waited for somebody under any of his numbers is matched at once."""
    waited = await waiting.of(connection, numbers, [])
    if waited:
        await match_entries(connection, waited, runtime)


async def _take(
    connection: asyncpg.Connection,
    facts: Sequence[Stored],
    survivor: int,
    was_at: asyncpg.Record | None,
    runtime: Runtime,
) -> None:
    home = await repository.home_of(connection, survivor)
    assert home is not None, "one of two residents in the queue belongs somewhere"
    place = Place(home["household_id"], home["county"], survivor)
    now = runtime.clock.now()
    await reassign_facts(connection, [(fact, place, None) for fact in facts], now=now, priority=USUAL)
    await _follow(connection, survivor, was_at, runtime)


async def _follow(
    connection: asyncpg.Connection, resident_id: int, was_at: asyncpg.Record | None, runtime: Runtime
) -> None:
    """Let somebody's facts follow him if he is at home elsewhere now."""
    home = await repository.home_of(connection, resident_id)
    if home != was_at:
        await move_facts(connection, [resident_id], "", now=runtime.clock.now(), priority=USUAL)


async def _give_back(
    connection: asyncpg.Connection,
    told: Sequence[tuple[Stored, asyncpg.Record]],
    number: bytes,
    absorbed: int | None,
    runtime: Runtime,
) -> None:
    """Let facts be his again, each where it lay; of whom no household is known, they wait."""
    home = await repository.home_of(connection, absorbed) if absorbed is not None else None
    moves = []
    for fact, kept in told:
        lay_at = kept["lay_at"] if kept["person"] == number else None
        county = await repository.county_of_household(connection, lay_at) if lay_at is not None else None
        place = Place(home["household_id"], home["county"], absorbed) if home is not None else None
        if lay_at is not None and county is not None:
            place = Place(lay_at, county, absorbed)
        moves.append((fact.told_at(kept["told_at"]), place, kept["person"].hex()))
    await reassign_facts(connection, moves, now=runtime.clock.now(), priority=USUAL)


async def _restore_death(connection: asyncpg.Connection, survivor: int, died_on: Sequence[str | None]) -> None:
    before, after = (date.fromisoformat(day) if day else None for day in died_on)
    person = (await repository.residents(connection, [survivor]))[survivor]
    if before != after and person["died_on"] == after:
        await register.set_death(connection, survivor, before)


async def _belong(connection: asyncpg.Connection, resident_id: int, spans_of: Homes) -> None:
    at = await households.database_time(connection)
    homes = await register.homes(connection, sorted(spans_of))
    for household_id, spans in sorted(spans_of.items()):
        await register.rewrite_belonging(connection, homes[household_id], resident_id, spans, at)


async def _tell(connection: asyncpg.Connection, touched: set[int], runtime: Runtime) -> None:
    """Heads are counted anew where somebody belonged."""
    await households.mark_changed(connection, sorted(touched), now=runtime.clock.now(), priority=USUAL)


def written_homes(homes: Homes) -> dict[str, list[list[str | None]]]:
    """Where somebody belonged, as JSON."""
    return {
        str(home): [[*s.value, _text(s.valid_from), _text(s.valid_to)] for s in spans]
        for home, spans in homes.items()
    }


def read_homes(kept: Mapping[str, Any]) -> dict[int, list[Span[Belonging]]]:
    return {
        int(home): [
            Span(Belonging(relation, status), _day(since), _day(until)) for relation, status, since, until in spans
        ]
        for home, spans in kept.items()
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
