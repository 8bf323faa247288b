"""Households near a line, and the day on which they cross it at the pace so far."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.monitoring.domain.near_miss import crossing_day
from shared.runtime import Runtime
from tests.services.monitoring.build import OTHER_VILLAGE, VILLAGE, Home, assess_all, deliver, rostered, settled

PATH = "/monitoring/v1/near-misses"
TOWNSHIP = "130624100000"
Bearer = Callable[..., dict[str, str]]

# The county's lines on the day of the tests: 9,500 yuan a head and 10,000 yuan of bills.
LINE, BILLS = 950_000, 1_000_000


@pytest.fixture
async def village(monitoring_runtime: Runtime) -> Runtime:
    """F001 stands 4 % over the income line, F002 6 % under the medical one, F003 near nothing, F004 across both."""
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(
            runtime.keys,
            Home(wage_fen=2 * LINE * 104 // 100),
            Home(no="F002", people=(3,), division=OTHER_VILLAGE, wage_fen=10_000_000),
            Home(no="F003", people=(4,), division=OTHER_VILLAGE, wage_fen=10_000_000),
            Home(no="F004", people=(5,), wage_fen=LINE - 1),
        ),
        settled(runtime.keys, 3, BILLS * 94 // 100, record="S3"),
        settled(runtime.keys, 4, BILLS * 40 // 100, record="S4"),
        settled(runtime.keys, 5, BILLS * 2, record="S5"),
    )
    await assess_all(runtime)
    return runtime


async def ask(client: httpx.AsyncClient, headers: dict[str, str], query: str = "") -> Any:
    answer = await client.get(f"{PATH}{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def near(page: Any) -> dict[str, set[str]]:
    return {item["household"]["household_no"]: {one["indicator"] for one in item["near"]} for item in page["items"]}


async def test_whoever_is_near_a_line_is_listed_and_whoever_crossed_it_is_not(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = near(await ask(monitoring_client, bearer("county_admin")))
    assert found.keys() == {"F001", "F002"}
    assert found["F001"] >= {"income_below_line"}
    assert found["F002"] == {"medical_self_paid"}


async def test_the_percentage_says_how_near(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    assert near(await ask(monitoring_client, admin, "?percent=3")) == {}
    assert near(await ask(monitoring_client, admin, "?percent=4")).keys() == {"F001"}
    assert near(await ask(monitoring_client, admin, "?percent=5")).keys() == {"F001"}
    assert near(await ask(monitoring_client, admin, "?percent=6")).keys() == {"F001", "F002"}
    for wrong in ("-1", "51", "x"):
        assert (await monitoring_client.get(f"{PATH}?percent={wrong}", headers=admin)).status_code == 422


async def test_a_line_is_told_with_number_margin_and_day_of_crossing(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    page = await ask(monitoring_client, bearer("county_admin"), f"?division={OTHER_VILLAGE}")
    [[line]] = [item["near"] for item in page["items"]]
    assert line == {
        "indicator": "medical_self_paid",
        "label": line["label"],
        "measured": "9400.00",
        "threshold": "10000.00",
        "margin": "-600.00",
        "unit": "CNY",
        "crosses_on": "2026-03-20",
    }
    income = (await ask(monitoring_client, bearer("county_admin"), "?percent=4"))["items"][0]["near"][0]
    assert (income["measured"], income["margin"], income["crosses_on"]) == ("9880.00", "380.00", None)


async def test_the_run_rate_finds_those_who_will_cross_in_time(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """F003 paid 4,000 of 10,000 in 74 days: at that pace it crosses on day 186."""
    admin = bearer("county_admin")
    days = 186 - 74
    assert "F003" not in near(await ask(monitoring_client, admin, f"?crossing_within_days={days - 1}"))
    page = await ask(monitoring_client, admin, f"?percent=0&crossing_within_days={days}")
    assert near(page) == {"F002": {"medical_self_paid"}, "F003": {"medical_self_paid"}}
    assert page["items"][1]["near"][0]["crosses_on"] == "2026-07-05"


async def test_only_posts_that_see_amounts_may_ask(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for role in ("grid_worker", "village_secretary", "first_secretary"):
        answer = await monitoring_client.get(PATH, headers=bearer(role, VILLAGE))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_for_post")
    assert (await monitoring_client.get(PATH, headers=bearer())).status_code == 403


async def test_a_range_ends_at_its_borders(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    town = bearer("township_leader", TOWNSHIP)
    assert near(await ask(monitoring_client, town)).keys() == {"F001"}
    assert near(await ask(monitoring_client, town, f"?division={OTHER_VILLAGE}&crossing_within_days=366")) == {}
    auditor = await ask(monitoring_client, bearer("auditor", VILLAGE))
    assert auditor["items"][0]["household"]["head_name"] == "测*乙"


async def test_pages_follow_one_another(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    first = await ask(monitoring_client, admin, "?limit=1")
    rest = await ask(monitoring_client, admin, f"?limit=1&cursor={first['next_cursor']}")
    assert (list(near(first)), list(near(rest)), rest["next_cursor"]) == (["F001"], ["F002"], None)


async def test_asking_leaves_a_trace_that_names_the_households(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    await ask(monitoring_client, bearer("county_admin"))
    [row] = await admin.fetch("SELECT action, object, detail FROM monitoring.audit_log")
    assert (row["action"], row["object"]) == ("near_misses.read", "division:130624000000")
    assert row["detail"] == {"households": ["F001", "F002"]}


async def test_nothing_is_near_where_nothing_is(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    assert await ask(monitoring_client, bearer("county_admin")) == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("so_far", "line", "on", "expected"),
    [
        ("100", "1000", date(2026, 1, 1), date(2026, 1, 11)),
        ("999.99", "1000", date(2026, 3, 15), date(2026, 3, 16)),
        ("1000", "1000", date(2026, 3, 15), date(2026, 3, 16)),
        ("0", "1000", date(2026, 3, 15), None),
        ("200", "1000", date(2026, 3, 15), None),
        ("202.75", "1000", date(2026, 3, 15), date(2026, 12, 31)),
        ("202.73", "1000", date(2026, 3, 15), None),
        ("500", "1000", date(2028, 6, 30), date(2028, 12, 30)),
    ],
)
def test_the_day_a_line_is_crossed(so_far: str, line: str, on: date, expected: date | None) -> None:
    def fen(text: str) -> int:
        return int(Decimal(text) * 100)

    day = crossing_day(fen(so_far), fen(line), on)
    assert day == expected
    if day is not None and day > on:
        days = on.timetuple().tm_yday
        assert fen(so_far) * day.timetuple().tm_yday > fen(line) * days
        assert fen(so_far) * (day - timedelta(days=1)).timetuple().tm_yday <= fen(line) * days
