"""Answers that are kept: what the endpoints would say, to whoever may hear it, and as new as the last count."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import asyncpg
import httpx
import pytest

from services.monitoring.answer_figures import Asked, make_answer
from services.monitoring.app import create_app
from services.monitoring.domain.dashboard import Figure
from services.monitoring.draw_boards import KINDS
from services.monitoring.draw_figures import Reader
from services.monitoring.keep_sums import Children, KeptSums
from services.monitoring.refresh_figures import LAST
from services.monitoring.repository_figures import Version, child_of
from services.monitoring.settings import MonitoringSettings
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.monitoring.counted_county import (
    ABROAD,
    COUNTY,
    TOWNSHIPS,
    VILLAGES,
    add,
    answer,
    count,
    fill,
    observe,
)

BOARDS = "/monitoring/v1/dashboard"
PREFECTURE = "130600000000"
Bearer = Callable[..., dict[str, str]]
READERS = (
    ("county_admin", COUNTY, None),
    ("grid_worker", VILLAGES[0], None),
    (None, PREFECTURE, ["monitoring:figures"]),
    (None, PREFECTURE, None),
)


@pytest.fixture
async def county(admin: asyncpg.Connection, monitoring_runtime: Runtime) -> Runtime:
    await fill(admin, monitoring_runtime)
    await admin.execute("SET search_path = monitoring")
    return monitoring_runtime


async def tags(client: httpx.AsyncClient, headers: dict[str, str], division: str = COUNTY) -> dict[str, str]:
    """The ETag of each board."""
    asked = [client.get(f"{BOARDS}/{board}?division={division}", headers=headers) for board in KINDS]
    return {board: found.headers["etag"] for board, found in zip(KINDS, await asyncio.gather(*asked), strict=True)}


# --- who hears it --------------------------------------------------------------------------------------------


async def test_what_is_kept_is_what_was_said_first(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers, paths = bearer("county_admin"), [f"{BOARDS}/{board}" for board in KINDS]
    for path in paths:
        first, kept, short = [
            await monitoring_client.get(asked, headers=headers)
            for asked in (path, path, f"{path}?division={COUNTY[:6]}")
        ]
        assert first.content == kept.content == short.content
        assert dict(first.headers) | {"x-request-id": ""} == dict(kept.headers) | {"x-request-id": ""}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"headers": {}}, 401, "token_refused"),
        ({"headers": {"Authorization": "Bearer x.y.z"}}, 401, "token_refused"),
        ({"params": {"region": COUNTY}}, 422, "unknown_parameter"),
        ({"params": {"division": "13062"}}, 422, "validation_failed"),
        ({"params": {"division": COUNTY, "limit": 1}}, 422, "unknown_parameter"),
    ],
)
async def test_what_is_kept_is_not_given_to_whoever_asks_wrongly(
    county: Runtime,
    monitoring_client: httpx.AsyncClient,
    bearer: Bearer,
    change: dict[str, dict[str, str]],
    status: int,
    code: str,
) -> None:
    asked = {"headers": bearer("county_admin")}
    assert (await monitoring_client.get(f"{BOARDS}/summary", **asked)).status_code == 200  # type: ignore[arg-type]
    refused = await monitoring_client.get(f"{BOARDS}/summary", **{**asked, **change})  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_what_is_kept_is_not_given_to_a_liaison_or_after_the_token_ran_out(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, clock: FixedClock
) -> None:
    headers = bearer("county_admin", lifetime=timedelta(minutes=5))
    for _ in range(2):
        assert (await monitoring_client.get(f"{BOARDS}/summary", headers=headers)).status_code == 200
        refused = await monitoring_client.get(f"{BOARDS}/summary", headers=bearer("liaison"))
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    clock.at += timedelta(minutes=6)
    late = await monitoring_client.get(f"{BOARDS}/summary", headers=headers)
    assert (late.status_code, late.json()["code"]) == (401, "token_refused")


async def test_a_kept_answer_is_counted_logged_and_open_to_the_origins_of_the_setting(
    county: Runtime, bearer: Bearer, monitoring_client: httpx.AsyncClient, clock: FixedClock
) -> None:
    settings = county.settings.model_dump() | {"cors_origins": ["https://daping.example.gov.cn"]}
    app = create_app(MonitoringSettings(**settings), clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://house") as client,
    ):
        for origin, allowed in (("https://daping.example.gov.cn", True), ("https://elsewhere.example.com", False)):
            for _ in range(2):
                headers = {**bearer("county_admin"), "Origin": origin}
                found = await client.get(f"{BOARDS}/summary", headers=headers)
                assert found.headers.get("access-control-allow-origin") == (origin if allowed else None)
                assert found.headers["x-content-type-options"] == "nosniff"
        measured = (await client.get("/metrics")).text
    assert f'route="{BOARDS}/summary"' in measured


# --- how new it is -------------------------------------------------------------------------------------------


async def test_a_count_changes_the_answers_whose_figures_it_changed_and_no_others(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("county_admin")
    before = await tags(monitoring_client, headers)
    elsewhere = await tags(monitoring_client, headers, TOWNSHIPS[1])
    await admin.execute(
        "UPDATE household SET severity = coalesce(severity, 0) % 4 + 1 WHERE living_division = $1", VILLAGES[0]
    )
    await count(county)
    after = await tags(monitoring_client, headers)
    # Some had no finding, so that a visit to them is expected now.
    assert {board for board in KINDS if before[board] != after[board]} == {"summary", "workload"}
    assert await tags(monitoring_client, headers, TOWNSHIPS[1]) == elsewhere


async def test_a_count_that_changes_nothing_is_no_new_version(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    before = await tags(monitoring_client, bearer("county_admin"))
    versions = await admin.fetchval("SELECT count(*) FROM dashboard_version")
    rows = "SELECT array_agg(ctid ORDER BY ctid) FROM dashboard_figure"
    stood = await admin.fetchval(rows)
    await admin.execute("INSERT INTO dashboard_touch (village, what) SELECT unnest($1::text[]), 'facts'", VILLAGES)
    await count(county)
    assert await admin.fetchval("SELECT count(*) FROM dashboard_touch") == 0
    assert await admin.fetchval("SELECT count(*) FROM dashboard_version") == versions
    assert await admin.fetchval(rows) == stood
    assert await tags(monitoring_client, bearer("county_admin")) == before


async def change(admin: asyncpg.Connection, chance: random.Random, serial: int) -> None:
    """Something happens to a household, or to a village."""
    home = await admin.fetchval("SELECT household_id FROM household ORDER BY random() LIMIT 1")
    match chance.randrange(6):
        case 0:
            await add(admin, serial, chance.choice([*VILLAGES, ABROAD, TOWNSHIPS[0], COUNTY]))
        case 1:
            place = chance.choice([*VILLAGES, ABROAD])
            await admin.execute("UPDATE household SET living_division = $2 WHERE household_id = $1", home, place)
        case 2:
            await answer(admin, home, "identify", (await admin.fetchval("SELECT now()")))
        case 3:
            await admin.execute(
                "UPDATE household SET severity = $2 WHERE household_id = $1", home, chance.choice([1, 4])
            )
        case 4:
            await observe(admin, home, f"state.insured{serial}", chance.choice(["household_register", "land"]))
        case _:
            place = chance.choice(VILLAGES)
            await admin.execute(
                "UPDATE household SET living_division = $2 WHERE living_division = $1", place, VILLAGES[0]
            )


async def test_what_is_kept_is_what_would_be_read(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    """Whatever happens, and whatever of the sums was kept: every board of every level, for every kind of reader."""
    chance = random.Random(5)
    places = [PREFECTURE, COUNTY, *TOWNSHIPS, VILLAGES[0], VILLAGES[4], ABROAD]
    for serial in range(910, 922):
        await change(admin, chance, serial)
        await count(county)
        for role, home, scopes in READERS:
            headers = bearer(role, home, scopes=scopes)
            for board, place in [(board, chance.choice(places)) for board in KINDS for _ in range(2)]:
                found = await monitoring_client.get(f"{BOARDS}/{board}?division={place}", headers=headers)
                assert found.status_code == 200, found.text
                said = {k: v for k, v in found.json().items() if k != "counted_at"}
                assert said == await anew(county, board, place, home, role, scopes), (serial, board, place, role)


async def anew(
    runtime: Runtime, board: str, place: str, home: str, role: str | None, scopes: Sequence[str] | None
) -> dict[str, object]:
    """The board as it is read when nothing is kept."""
    import json

    asked = Asked(KINDS[board], place, home, Reader(role != "grid_worker", scopes is None), date(2026, 3, 15))
    made = await make_answer(asked, Version(), runtime, KeptSums())
    found: dict[str, object] = json.loads(made.answer.body)
    del found["counted_at"]
    return found


async def test_what_is_hidden_rests_on_what_is_counted_beside_it(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    """A village of few comes up, and what is known of its neighbour would give it away."""
    await admin.execute("SET search_path = monitoring")
    headers = bearer(None, COUNTY, scopes=["monitoring:figures"])

    async def told() -> int | str:
        found = await monitoring_client.get(f"{BOARDS}/summary?division={VILLAGES[0]}", headers=headers)
        number: int | str = found.json()["total"]["households"]
        return number

    for serial in range(9):
        await add(admin, serial, VILLAGES[0])
    await count(monitoring_runtime)
    assert await told() == 9
    for serial in range(9, 12):
        await add(admin, serial, VILLAGES[1])
    await count(monitoring_runtime)
    assert await told() == "suppressed"


async def test_who_reads_while_it_is_counted_hears_the_new_figures_afterwards(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    headers = bearer("county_admin")

    async def keep_reading() -> None:
        for _ in range(60):
            found = await monitoring_client.get(f"{BOARDS}/summary", headers=headers)
            parts = sum(each["households"] for each in found.json()["by_division"])
            assert parts == found.json()["total"]["households"]

    async def keep_counting() -> None:
        for serial in range(930, 940):
            await add(admin, serial, VILLAGES[serial % 5])
            await count(county)

    await asyncio.gather(keep_reading(), keep_reading(), keep_counting())
    found = await monitoring_client.get(f"{BOARDS}/summary", headers=headers)
    living = await admin.fetchval("SELECT count(*) FROM household WHERE living_division LIKE '130624%'")
    assert found.json()["total"]["households"] == living


async def test_what_another_process_counted_is_told_soon_and_the_old_never_again(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    """Until the new figures are drawn the old ones are given, and nobody waits."""

    async def total() -> int:
        found = await monitoring_client.get(f"{BOARDS}/summary", headers=bearer("county_admin"))
        number: int = found.json()["total"]["households"]
        return number

    before = await total()
    await add(admin, 950, VILLAGES[0])
    counted_here = LAST.counted_at
    await count(county)
    LAST.counted_at = counted_here
    told = [await total()]
    while told[-1] == before:
        await asyncio.sleep(0.02)
        told.append(await total())
    told += [await total() for _ in range(5)]
    assert [number for number in told if number != before] == told[told.index(before + 1) :]
    assert set(told) <= {before, before + 1}


def test_a_count_takes_the_sum_of_its_village_only() -> None:
    figures = (Figure.TOTAL, Figure.SEVERITY)
    kept = KeptSums({(COUNTY, figures): Children({}), (TOWNSHIPS[0], figures): Children({})})
    kept.forget(Version(1, None, (VILLAGES[0],), frozenset({"stage"})))
    kept.forget(Version(2, None, (VILLAGES[4],), frozenset({"severity"})))
    assert [sorted(found.missing) for found in kept.kept.values()] == [[TOWNSHIPS[1]], []]
    kept.forget(Version(3, None, (TOWNSHIPS[0],), frozenset({"total"})))
    assert [key[0] for key in kept.kept] == [COUNTY]


@pytest.mark.parametrize(
    ("division", "place", "child"),
    [
        (PREFECTURE, VILLAGES[0], COUNTY),
        (COUNTY, VILLAGES[0], TOWNSHIPS[0]),
        (COUNTY, COUNTY, COUNTY),
        (TOWNSHIPS[0], VILLAGES[0], VILLAGES[0]),
        (VILLAGES[0], VILLAGES[0], VILLAGES[0]),
        # A city without counties.
        ("441900000000", "441900003001", "441900003000"),
    ],
)
async def test_a_place_lies_in_the_child_that_the_database_says(
    admin: asyncpg.Connection, division: str, place: str, child: str
) -> None:
    from services.monitoring.repository_figures import _CHILD, _digits_below

    near, far = _digits_below(division)
    sql = f"SELECT {_CHILD} FROM (SELECT $1::text AS living_division, $2::text, $3::text) p"
    assert await admin.fetchval(sql, place, "", "", division, near, far) == child == child_of(division, place)
