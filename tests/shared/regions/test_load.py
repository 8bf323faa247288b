"""Loading: idempotent, and the names of a code never overlap in time."""

import random
from collections.abc import Iterator
from datetime import date

import asyncpg
import pytest

from shared.regions.load import Loaded, load_regions, load_shipped_regions
from shared.regions.lookup import region_on
from shared.regions.region import Region
from shared.vocabulary.division import parse_division

CODE = "990101001001"


def named(name: str, year: int, until: int | None = None, source: str = "test", code: str = CODE) -> Region:
    return Region(
        code=parse_division(code),
        name=name,
        valid_from=date(year, 1, 1),
        valid_to=date(until, 1, 1) if until else None,
        source=source,
    )


async def stored(connection: asyncpg.Connection) -> list[tuple[str, int, int | None]]:
    rows = await connection.fetch("select * from directory.region where code = $1 order by valid_from", CODE)
    return [(r["name"], r["valid_from"].year, r["valid_to"].year if r["valid_to"] else None) for r in rows]


async def test_a_second_load_of_what_is_shipped_changes_nothing(directory_connection: asyncpg.Connection) -> None:
    first = await load_shipped_regions(directory_connection)
    assert first == Loaded(inserted=44_919, changed=0, unchanged=0)
    assert await load_shipped_regions(directory_connection) == Loaded(0, 0, 44_919)


async def test_the_same_day_takes_the_newer_word(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023)])
    assert await load_regions(directory_connection, [named("乙村", 2023)]) == Loaded(0, 1, 0)
    assert await stored(directory_connection) == [("乙村", 2023, None)]


async def test_a_later_name_ends_the_one_before(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023)])
    assert await load_regions(directory_connection, [named("乙村", 2025)]) == Loaded(0, 1, 0)
    assert await stored(directory_connection) == [("甲村", 2023, 2025), ("乙村", 2025, None)]


async def test_an_earlier_name_ends_where_the_next_begins(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("乙村", 2025)])
    assert await load_regions(directory_connection, [named("甲村", 2023)]) == Loaded(1, 0, 0)
    assert await stored(directory_connection) == [("甲村", 2023, 2025), ("乙村", 2025, None)]


async def test_a_later_list_with_the_same_name_adds_nothing(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023)])
    assert await load_regions(directory_connection, [named("甲村", 2025)]) == Loaded(0, 0, 1)
    assert await load_regions(directory_connection, [named("甲村", 2025, until=2026)]) == Loaded(0, 1, 0)
    assert await stored(directory_connection) == [("甲村", 2023, 2026)]


async def test_silence_about_an_end_reopens_nothing(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023, until=2024)])
    assert await load_regions(directory_connection, [named("甲村", 2023)]) == Loaded(0, 0, 1)
    assert await stored(directory_connection) == [("甲村", 2023, 2024)]


async def test_two_later_names_at_once_follow_one_another(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023)])
    later = [named("丙村", 2026), named("乙村", 2025)]
    assert await load_regions(directory_connection, later) == Loaded(1, 1, 0)
    assert await stored(directory_connection) == [("甲村", 2023, 2025), ("乙村", 2025, 2026), ("丙村", 2026, None)]
    assert await load_regions(directory_connection, later) == Loaded(0, 0, 2)


async def test_what_another_source_said_is_left_when_told_so(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023, source="import:own.csv")])
    shipped = [named("乙村", 2023, source="nbs"), named("丙村", 2025, source="nbs")]
    for region in shipped:
        assert await load_regions(directory_connection, [region], correcting=["nbs"]) == Loaded(0, 0, 1)
    assert await stored(directory_connection) == [("甲村", 2023, None)]


async def test_an_interrupted_load_leaves_nothing(directory_connection: asyncpg.Connection) -> None:
    def breaking_off() -> Iterator[Region]:
        yield named("甲村", 2023)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="disk"):
        await load_regions(directory_connection, breaking_off())
    assert await stored(directory_connection) == []
    assert await load_regions(directory_connection, [named("甲村", 2023)]) == Loaded(1, 0, 0)


async def test_progress_tells_how_many_were_read(directory_connection: asyncpg.Connection) -> None:
    heard: list[int] = []
    regions = (named("甲村", 2023, code=f"9901{n:08d}") for n in range(1_001_001, 1_026_001) if n % 1000)
    await load_regions(directory_connection, regions, heard.append)
    assert heard == [20_000, 24_975]


async def test_whatever_is_loaded_a_repetition_changes_nothing_and_names_never_overlap(
    directory_connection: asyncpg.Connection,
) -> None:
    chance = random.Random(20231)
    for _ in range(60):
        await directory_connection.execute("delete from directory.region")
        for _ in range(3):
            batch = _some_names(chance)
            loaded = await load_regions(directory_connection, batch)
            assert loaded.inserted + loaded.changed + loaded.unchanged == len(batch)
            assert min(loaded.inserted, loaded.changed, loaded.unchanged) >= 0
            before = await stored(directory_connection)
            assert await load_regions(directory_connection, batch) == Loaded(0, 0, len(batch))
            assert await stored(directory_connection) == before
            ends = [until for _, _, until in before[:-1]]
            assert all(
                until is not None and until <= begins for until, (_, begins, _) in zip(ends, before[1:], strict=True)
            )


def _some_names(chance: random.Random) -> list[Region]:
    years = chance.sample(range(2020, 2027), chance.randint(1, 3))
    return [
        named(chance.choice("甲乙"), year, chance.choice([None, None, year + chance.randint(1, 4)])) for year in years
    ]


async def test_a_renamed_division_answers_by_day(directory_connection: asyncpg.Connection) -> None:
    await load_regions(directory_connection, [named("甲村", 2023), named("乙村", 2025)])
    before = await region_on(directory_connection, CODE, date(2024, 12, 31))
    after = await region_on(directory_connection, CODE, date(2025, 1, 1))
    assert before is not None
    assert after is not None
    assert (before.name, after.name) == ("甲村", "乙村")
