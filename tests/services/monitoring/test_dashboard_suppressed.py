"""Whoever may see figures only sees no small one, no list, and nothing from which a small one follows."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring.draw_boards import KINDS
from shared.runtime import Runtime
from tests.services.monitoring.counted_county import COUNTY, TOWNSHIPS, VILLAGES, add, count, figures_in, fill

BOARDS = "/monitoring/v1/dashboard"
ONLY_FIGURES = ["monitoring:figures"]
Bearer = Callable[..., dict[str, str]]
Ask = Callable[..., Any]


@pytest.fixture
async def ask(monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Ask:
    async def get(board: str, division: str = COUNTY, *, home: str = COUNTY, rows: bool = False) -> Any:
        scopes = None if rows else ONLY_FIGURES
        answer = await monitoring_client.get(
            f"{BOARDS}/{board}?division={division}", headers=bearer(None, home, scopes=scopes)
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


async def homes(admin: asyncpg.Connection, village: str, number: int, first: int, **columns: Any) -> None:
    for serial in range(first, first + number):
        await add(admin, serial, village, **columns)


@pytest.fixture
async def monitoring(admin: asyncpg.Connection) -> asyncpg.Connection:
    await admin.execute("SET search_path = monitoring")
    return admin


def by_severity(summary: Any) -> dict[str | None, int | str]:
    return {figure["key"]: figure["households"] for figure in summary["by_severity"]}


async def test_four_are_suppressed_and_five_are_not(
    monitoring_runtime: Runtime, monitoring: asyncpg.Connection, ask: Ask
) -> None:
    await homes(monitoring, VILLAGES[0], 5, 0, severity=4)
    await homes(monitoring, VILLAGES[0], 20, 100)
    await homes(monitoring, VILLAGES[3], 4, 200, severity=4)
    await homes(monitoring, VILLAGES[3], 30, 300)
    await count(monitoring_runtime)
    county = await ask("summary")
    assert by_severity(county)["red"] == 9
    assert (county["total"]["households"], county["total"]["query"]) == (59, None)
    # The township with four is suppressed, so the one with five is too: it would be nine less five.
    for township in TOWNSHIPS:
        assert by_severity(await ask("summary", township))["red"] == "suppressed"
    # Whoever sees the rows sees the numbers.
    assert by_severity(await ask("summary", TOWNSHIPS[1], rows=True))["red"] == 4
    # A reader at home in the township has nothing to subtract from.
    assert by_severity(await ask("summary", TOWNSHIPS[0], home=TOWNSHIPS[0]))["red"] == 5
    assert by_severity(await ask("summary", TOWNSHIPS[1], home=TOWNSHIPS[1]))["red"] == "suppressed"


async def test_the_last_cell_is_not_the_total_less_the_others(
    monitoring_runtime: Runtime, monitoring: asyncpg.Connection, ask: Ask
) -> None:
    await homes(monitoring, VILLAGES[0], 4, 0, severity=4)
    for severity in (1, 2, 3):
        await homes(monitoring, VILLAGES[0], 5 + severity, 100 * severity, severity=severity)
    await homes(monitoring, VILLAGES[0], 50, 1000)
    await count(monitoring_runtime)
    shown = by_severity(await ask("summary"))
    assert [key for key, number in shown.items() if number == "suppressed"] == ["red", "blue"]
    assert shown[None] == 50


async def test_a_small_village_says_nothing(
    monitoring_runtime: Runtime, monitoring: asyncpg.Connection, ask: Ask
) -> None:
    await homes(monitoring, VILLAGES[0], 4, 0, severity=4)
    await homes(monitoring, VILLAGES[1], 40, 100)
    await homes(monitoring, VILLAGES[2], 60, 200)
    await count(monitoring_runtime)
    township = await ask("summary", TOWNSHIPS[0])
    assert {each["key"]: each["households"] for each in township["by_division"]} == {
        VILLAGES[0]: "suppressed",
        VILLAGES[1]: "suppressed",
        VILLAGES[2]: 60,
    }
    for board in KINDS:
        for village in VILLAGES[:2]:
            found = await ask(board, village)
            assert {each["households"] for each in figures_in(found)} <= {"suppressed"}, board
            assert found.get("unknown_share") is None


async def test_no_board_shows_a_small_number_a_zero_or_a_list(
    monitoring_runtime: Runtime, monitoring: asyncpg.Connection, ask: Ask
) -> None:
    await fill(monitoring, monitoring_runtime, 120)
    numbers = 0
    for board in KINDS:
        for division in (COUNTY, *TOWNSHIPS, *VILLAGES):
            for figure in figures_in(await ask(board, division)):
                assert figure["query"] is None
                assert figure["households"] == "suppressed" or figure["households"] >= 5
                numbers += figure["households"] != "suppressed"
    assert numbers > 100


async def test_what_is_shown_below_never_adds_up_to_a_suppressed_one(
    monitoring_runtime: Runtime, monitoring: asyncpg.Connection, ask: Ask
) -> None:
    """Over every board and key: never is one child suppressed beside shown brothers and a shown parent."""
    await fill(monitoring, monitoring_runtime, 300, seed=3)
    for board in KINDS:
        for division, below in ((COUNTY, TOWNSHIPS), (TOWNSHIPS[0], VILLAGES[:3]), (TOWNSHIPS[1], VILLAGES[3:])):
            above = own(await ask(board, division))
            parts = [own(await ask(board, each)) for each in below]
            for place, number in above.items():
                hidden = [part[place] for part in parts if part.get(place, "suppressed") == "suppressed"]
                shown = sum(part[place] for part in parts if part.get(place, "suppressed") != "suppressed")
                if number == "suppressed":
                    assert hidden, (board, division, place)
                elif number != shown:
                    assert len(hidden) > 1, (board, division, place)
                    assert number - shown >= 5, (board, division, place)


def own(board: Any) -> dict[str, int | str]:
    """A board's own figures, without those of the places below, by where they stand in the answer."""
    found: dict[str, int | str] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict) and {"households", "key"} <= value.keys():
            found[path] = value["households"]
        elif isinstance(value, dict):
            name = value.get("indicator") or value.get("data_set") or value.get("month") or ""
            for key, inner in value.items():
                if key != "by_division":
                    walk(inner, f"{path}/{name}/{key}")
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                walk(
                    inner, path + (f"/{inner['key']}" if "key" in inner else "" if "indicator" in inner else f"/{i}")
                )

    walk(board, "")
    return found


async def test_figures_only_opens_nothing_else(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer(None, COUNTY, scopes=ONLY_FIGURES)
    for path in (
        "/monitoring/v1/households",
        "/monitoring/v1/households?format=csv&purpose=x",
        "/monitoring/v1/unmatched",
    ):
        assert (await monitoring_client.get(path, headers=headers)).status_code == 403
    assert (await monitoring_client.get(f"{BOARDS}/summary", headers=bearer("liaison"))).status_code == 403
    assert (await monitoring_client.get(f"{BOARDS}/summary")).status_code == 401
