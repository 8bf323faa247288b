"""Figures: they add up, each can be listed by whoever reads it, and they are as new as what they count."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring import repository_figures, schemas_dashboard
from services.monitoring.board_examples import EXAMPLES
from services.monitoring.draw_boards import KINDS
from shared.db.scope import scoped, transaction
from shared.runtime import Runtime
from tests.services.monitoring.counted_county import (
    ABROAD,
    COUNTY,
    MORNING,
    TOWNSHIPS,
    VILLAGES,
    add,
    answer,
    count,
    figures_in,
    fill,
    observe,
)

BOARDS = "/monitoring/v1/dashboard"
HOUSEHOLDS = "/monitoring/v1/households"
Bearer = Callable[..., dict[str, str]]

READERS = (
    ("county_admin", COUNTY),
    ("auditor", COUNTY),
    (None, COUNTY),
    ("township_leader", TOWNSHIPS[0]),
    ("village_secretary", VILLAGES[3]),
    ("grid_worker", VILLAGES[0]),
)


@pytest.fixture
async def county(admin: asyncpg.Connection, monitoring_runtime: Runtime) -> Runtime:
    await fill(admin, monitoring_runtime)
    return monitoring_runtime


@pytest.fixture
async def monitoring(admin: asyncpg.Connection) -> asyncpg.Connection:
    """The superuser, at home in monitoring."""
    await admin.execute("SET search_path = monitoring")
    return admin


async def get(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> Any:
    found = await client.get(path, headers=headers)
    assert found.status_code == 200, found.text
    return found.json()


async def listed(client: httpx.AsyncClient, query: str, headers: dict[str, str]) -> int:
    page = await get(client, f"{query}&limit=200", headers)
    assert page["next_cursor"] is None
    return len(page["items"])


def without_nulls(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without_nulls(value) for name, value in found.items() if value is not None}
    return [without_nulls(each) for each in found] if isinstance(found, list) else found


@pytest.mark.parametrize("board", KINDS)
async def test_the_documentation_shows_an_answer_of_the_shape_that_is_given(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, board: str
) -> None:
    given = await get(monitoring_client, f"{BOARDS}/{board}", bearer("county_admin"))
    document = (await monitoring_client.get("/monitoring/openapi.json")).json()
    described = document["paths"][f"{BOARDS}/{board}"]["get"]["responses"]["200"]["content"]["application/json"]
    view = getattr(schemas_dashboard, described["schema"]["$ref"].rsplit("/", 1)[1])
    for answer_ in (given, EXAMPLES[board]):
        assert view.model_validate_json(json.dumps(answer_)).model_dump(mode="json") == answer_
    # FastAPI writes no null into a document, not even into an example.
    assert described["example"] == without_nulls(EXAMPLES[board])
    for figure in figures_in(described["example"]):
        asked = await monitoring_client.get(figure["query"], headers=bearer("county_admin"))
        assert asked.status_code == 200, figure


@pytest.mark.parametrize("board", KINDS)
async def test_every_figure_lists_as_many_households_as_it_says(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, board: str
) -> None:
    seen = 0
    for role, division in READERS:
        headers = bearer(role, division)
        shown = {
            (figure["query"], figure["households"])
            for asked in ("", f"?division={TOWNSHIPS[0]}")
            for figure in figures_in(await get(monitoring_client, f"{BOARDS}/{board}{asked}", headers))
        }
        # Every figure that counts anybody, and a few of those that count nobody.
        empty = sorted(query for query, number in shown if not number)[:3]
        for query, number in sorted(shown):
            if number or query in empty:
                assert await listed(monitoring_client, query, headers) == number, (role, query)
                seen += bool(number)
    assert seen > len(READERS)


async def test_what_is_above_is_the_sum_of_what_is_below(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")

    async def numbers(board: str, division: str) -> Counter[str]:
        found = await get(monitoring_client, f"{BOARDS}/{board}?division={division}", admin)
        own = {f["query"].replace(division, ""): f["households"] for f in figures_in(found) if division in f["query"]}
        return Counter({query: number for query, number in own.items() if number})

    for board in KINDS:
        whole = await numbers(board, COUNTY)
        assert whole == sum([await numbers(board, each) for each in TOWNSHIPS], Counter[str]())
        for township in TOWNSHIPS:
            below = [each for each in VILLAGES if each.startswith(township[:9])]
            parts = sum([await numbers(board, each) for each in below], Counter[str]())
            assert parts == await numbers(board, township), (board, township)
    summary = await get(monitoring_client, f"{BOARDS}/summary", admin)
    for name in ("by_division", "by_severity", "by_last_outcome", "by_recommendation", "by_listed_as"):
        assert sum(figure["households"] for figure in summary[name]) == summary["total"]["households"]


async def test_the_trend_of_a_division_is_the_sum_of_the_trends_below(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await get(monitoring_client, f"{BOARDS}/trend", bearer("county_admin"))
    below = [each["months"] for each in found["by_division"]]
    assert [each["division"] for each in found["by_division"]] == list(TOWNSHIPS)
    for whole, *parts in zip(found["months"], *below, strict=True):
        assert {whole["month"]} == {part["month"] for part in parts}
        for event, *shares in zip(whole["events"], *(part["events"] for part in parts), strict=True):
            assert {event["key"]} == {share["key"] for share in shares}
            assert event["households"] == sum(share["households"] for share in shares)
    assert len(found["months"]) == 12
    assert sum(event["households"] for month in found["months"] for event in month["events"]) > 0


async def test_a_board_leads_down_to_the_village(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for board in KINDS:
        path, seen = f"{BOARDS}/{board}?division={COUNTY}", []
        while path is not None:
            found = await get(monitoring_client, path, bearer("county_admin"))
            seen.append(found["division"])
            below = found.get("by_division") or found["indicators"][0]["by_division"]
            path = below[0]["drill_down"]
        assert seen == [COUNTY, TOWNSHIPS[0], VILLAGES[0]], board


async def test_figures_are_of_the_callers_range(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monitoring: asyncpg.Connection
) -> None:
    """A household registered with the reader and living elsewhere is his to count, where it lives."""
    here, elsewhere = VILLAGES[0], VILLAGES[4]
    await add(monitoring, 900, elsewhere, registered_division=here)
    await count(county)
    headers = bearer("village_secretary", here)
    for division in (here, elsewhere, TOWNSHIPS[0], TOWNSHIPS[1], COUNTY, ABROAD):
        found = await get(monitoring_client, f"{BOARDS}/summary?division={division}", headers)
        assert found["total"]["households"] == await listed(monitoring_client, found["total"]["query"], headers)
    of_all = await get(monitoring_client, f"{BOARDS}/summary?division={COUNTY}", headers)
    own = await monitoring.fetchval(
        "SELECT count(*) FROM household WHERE $1 IN (living_division, registered_division)"
        " AND living_division LIKE '130624%'",
        here,
    )
    assert of_all["total"]["households"] == own


async def test_rows_of_figures_are_seen_in_range_only(county: Runtime) -> None:
    sql = "SELECT DISTINCT living_division, registered_division FROM dashboard_figure"
    async with county.pool.acquire() as connection:
        assert await connection.fetch(sql) == []
    for place in (VILLAGES[0], VILLAGES[4]):
        async with scoped(county.pool, place) as connection:
            rows = await connection.fetch(sql)
        assert rows
        assert all(place in tuple(row) for row in rows)
    for statement in (
        "DELETE FROM dashboard_figure",
        "SELECT * FROM dashboard_touch",
        "INSERT INTO warning_opened VALUES (1, 1)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await county.pool.execute(statement)


async def test_posts_without_the_class_see_no_figure_of_it(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    worker = bearer("grid_worker", VILLAGES[0])
    summary = await get(monitoring_client, f"{BOARDS}/summary", worker)
    assert (summary["by_recommendation"], summary["by_listed_as"]) == (None, None)
    funnel = await get(monitoring_client, f"{BOARDS}/funnel", worker)
    assert [each["key"] for each in funnel["stages"]] == ["warned", "visited"]
    for query in ("stage=helped&year=2026", "event=entered&month=2026-03", "listed_as=none"):
        refused = await monitoring_client.get(f"{HOUSEHOLDS}?{query}", headers=worker)
        assert (refused.status_code, refused.json()["code"]) == (403, "filter_not_allowed")


async def test_half_a_filter_is_refused(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for query in ("stage=warned", "year=2026", "month=2026-03", "indicator=disability", "month=2026-13&event=warned"):
        refused = await monitoring_client.get(f"{HOUSEHOLDS}?{query}", headers=bearer("county_admin"))
        assert refused.status_code == 422, query


async def test_the_funnel_counts_from_the_warning(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monitoring: asyncpg.Connection
) -> None:
    """One household after another goes one step further; an answer of before the warning is none."""
    admin = bearer("county_admin")

    async def stages() -> list[int]:
        found = await get(monitoring_client, f"{BOARDS}/funnel?division={VILLAGES[2]}", admin)
        return [each["households"] for each in found["stages"]]

    before = await stages()
    home = await add(monitoring, 901, VILLAGES[2])
    await answer(monitoring, home, "identify", MORNING.replace(month=1))
    await monitoring.execute("UPDATE household SET warned_at = $2 WHERE household_id = $1", home, MORNING)
    await count(county)
    steps = [await stages()]
    await answer(monitoring, home, "identify", MORNING.replace(hour=5))
    await count(county)
    steps.append(await stages())
    await observe(monitoring, home, "event.measure", "help")
    await monitoring.execute("UPDATE fact SET occurred_on = '2026-03-15' WHERE household_id = $1", home)
    await count(county)
    steps.append(await stages())
    assert [[now - then for now, then in zip(step, before, strict=True)] for step in steps] == [
        [1, 0, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
    ]


async def test_an_answer_is_the_same_until_something_changed(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monitoring: asyncpg.Connection
) -> None:
    headers, path = bearer("county_admin"), f"{BOARDS}/summary"
    first = await monitoring_client.get(path, headers=headers)
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = await monitoring_client.get(path, headers={**headers, "If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    await add(monitoring, 902, VILLAGES[0])
    await count(county)
    changed = await monitoring_client.get(path, headers={**headers, "If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["total"]["households"] == first.json()["total"]["households"] + 1


async def test_one_readers_answer_is_never_anothers(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """The same question by different posts and from different places, one right after the other, twice."""
    path = f"{BOARDS}/summary?division={TOWNSHIPS[0]}"
    for _ in range(2):
        wide, narrow, worker = [
            await get(monitoring_client, path, bearer(*who))
            for who in (
                ("county_admin", COUNTY),
                ("village_secretary", VILLAGES[0]),
                ("grid_worker", VILLAGES[0]),
            )
        ]
        assert wide["total"]["households"] > narrow["total"]["households"] > 0
        assert narrow["by_division"][0]["key"] == VILLAGES[0]
        assert wide["by_listed_as"] is not None is not narrow["by_listed_as"]
        assert worker["by_listed_as"] is None


async def test_counting_again_waits_for_nobody_and_holds_nobody_up(
    county: Runtime, monitoring: asyncpg.Connection
) -> None:
    """A report may change a household while its village is counted, and a count goes on while a report is written."""
    await monitoring.execute("UPDATE household SET severity = 4")
    async with transaction(county.worker_pool) as counting:
        assert await repository_figures.try_lock(counting)
        touched = await repository_figures.take_touched(counting, 50, facts=True)
        await repository_figures.count_again(counting, touched)
        async with transaction(county.worker_pool) as report:
            await report.execute("SET LOCAL lock_timeout = '2s'")
            await report.execute("UPDATE household SET severity = 3, facts_version = facts_version + 1")
    async with transaction(county.worker_pool) as report:
        await report.execute("UPDATE household SET severity = 2")
        await count(county)
    await count(county)
    severities = await monitoring.fetch("SELECT DISTINCT key FROM dashboard_figure WHERE figure = 'severity'")
    assert [row["key"] for row in severities] == ["yellow"]


async def test_what_does_not_count_is_not_noted(county: Runtime, monitoring: asyncpg.Connection) -> None:
    await monitoring.execute("UPDATE household SET due_at = now(), priority = 5, lease_until = now(), score = 3")
    assert await monitoring.fetchval("SELECT count(*) FROM dashboard_touch") == 0
    worse = "UPDATE household SET severity = coalesce(severity, 0) % 4 + 1"
    await monitoring.execute(worse)
    noted = await monitoring.fetch("SELECT what, count(DISTINCT village) FROM dashboard_touch GROUP BY 1")
    assert [row["what"] for row in noted] == ["household"]
    async with monitoring.transaction():
        await monitoring.execute("DELETE FROM dashboard_touch")
        await monitoring.execute("SET LOCAL fangpin.figures = 'later'")
        await monitoring.execute(worse)
    assert await monitoring.fetchval("SELECT count(*) FROM dashboard_touch") == 0


async def test_a_household_that_lives_in_no_village_is_counted_where_it_lives(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monitoring: asyncpg.Connection
) -> None:
    await add(monitoring, 903, TOWNSHIPS[0])
    await add(monitoring, 904, COUNTY)
    await count(county)
    admin = bearer("county_admin")
    for division in (COUNTY, TOWNSHIPS[0]):
        found = await get(monitoring_client, f"{BOARDS}/summary?division={division}", admin)
        assert sum(each["households"] for each in found["by_division"]) == found["total"]["households"]
        [itself] = [each for each in found["by_division"] if each["key"] == division]
        assert (itself["households"], itself["drill_down"]) == (1, None)
        assert await listed(monitoring_client, itself["query"], admin) == 1


async def test_coverage_says_how_new_data_are_and_which_never_came(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, monitoring: asyncpg.Connection
) -> None:
    await monitoring.execute(
        "INSERT INTO feed_freshness VALUES ('130624', 'medical_settlement', '2026-03-01', now()),"
        " ('130625', 'medical_settlement', '2026-03-02', now()),"
        " ('130624', 'household_register', '2024-01-01', now())"
    )
    await count(county)
    for role, division in (("county_admin", COUNTY), ("village_secretary", VILLAGES[0])):
        found = await get(monitoring_client, f"{BOARDS}/coverage", bearer(role, division))
        told = {each["data_set"]: each["freshness"] for each in found["data_sets"]}
        assert [(f["county"], f["newest_on"], f["stale"]) for f in told["medical_settlement"]] == [
            ("130624", "2026-03-01", False)
        ]
        assert told["household_register"][0]["stale"]
        assert (told["disability_register"][0]["newest_on"], told["disability_register"][0]["stale"]) == (None, True)
        assert (told["water_supply"][0]["newest_on"], told["water_supply"][0]["stale"]) == (None, True)
        # The roster tells the grade of houses too, where the housing office sends none.
        assert (told["housing_grades"][0]["newest_on"], told["housing_grades"][0]["stale"]) == ("2024-01-01", True)
        assert found["data_sets"][0]["covered"]["households"] > 0
    abroad = await get(monitoring_client, f"{BOARDS}/coverage?division={ABROAD}", bearer("county_admin"))
    assert [each["freshness"] for each in abroad["data_sets"]] == [[]] * len(abroad["data_sets"])


async def test_origins_are_allowed_by_setting_only(
    county: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    answer_ = await monitoring_client.get(
        f"{BOARDS}/summary", headers={**bearer("county_admin"), "Origin": "https://daping.example.gov.cn"}
    )
    assert "access-control-allow-origin" not in answer_.headers
