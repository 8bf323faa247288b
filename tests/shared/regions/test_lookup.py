"""Looking up: names on a day, children, paths; and the table is what the model says."""

from datetime import date

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.pool import alchemy_url
from shared.regions.load import load_regions, load_shipped_regions
from shared.regions.lookup import is_valid_on, names_of, region_on
from shared.regions.region import Region
from shared.regions.tables import RegionRow
from shared.vocabulary.division import DivisionLevel, lineage_of, parse_division

VILLAGE = "130624100200"
TODAY = date(2026, 11, 22)


async def test_a_village_is_found_with_its_whole_path(directory_connection: asyncpg.Connection) -> None:
    await load_shipped_regions(directory_connection)
    region = await region_on(directory_connection, VILLAGE, TODAY)
    assert region is not None
    assert (region.name, region.level, region.parent) == ("城厢村村民委员会", DivisionLevel.VILLAGE, "130624100000")
    names = await names_of(directory_connection, lineage_of(VILLAGE), TODAY)
    assert set(names.values()) == {"河北省", "保定市", "阜平县", "阜平镇", "城厢村村民委员会"}


async def test_validity_is_asked_by_day(directory_connection: asyncpg.Connection) -> None:
    await load_shipped_regions(directory_connection)
    assert await is_valid_on(directory_connection, "653228000000", date(2024, 12, 31))
    assert not await is_valid_on(directory_connection, "653228000000", date(2024, 12, 30))
    assert not await is_valid_on(directory_connection, "990101000000", TODAY)


async def test_a_division_out_of_force_keeps_its_nearest_name(directory_connection: asyncpg.Connection) -> None:
    code = parse_division("990101")
    ended = [
        Region(code=code, name=name, valid_from=date(year, 1, 1), valid_to=date(year + 1, 1, 1), source="test")
        for name, year in (("甲县", 2021), ("乙县", 2024))
    ]
    await load_regions(directory_connection, ended)
    names = [
        await names_of(directory_connection, [code, "990102000000"], date(year, 6, 1))
        for year in (2020, 2021, 2023, 2024, 2026)
    ]
    assert names == [{code: name} for name in ("甲县", "甲县", "甲县", "乙县", "乙县")]


async def test_the_migration_makes_what_the_model_says(migrated_url: str) -> None:
    engine = create_async_engine(alchemy_url(migrated_url))
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()
    assert differences == []


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": lambda name, kind, parents: kind != "schema" or name == "directory",
            "include_object": lambda obj, name, kind, reflected, other: kind != "table" or name == "region",
        },
    )
    return list(compare_metadata(context, RegionRow.metadata))
