"""An officer's home is the narrowest place that covers his posts; who holds none any more is told nothing more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.alerts.make_digests import make_digests
from services.alerts.settle_posts import settle_dated_posts
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from shared.vocabulary.division import code_range
from tests.services.alerts.conftest import MONDAY, Enlist, Tell
from tests.services.alerts.places import COUNTY, FAR_VILLAGE, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
EVENING = datetime(2026, 3, 16, 20, 0, tzinfo=SHANGHAI)

pytestmark = pytest.mark.usefixtures("cadres", "calm")


@pytest.fixture
def put(alerts_client: httpx.AsyncClient, county: dict[str, str]) -> Callable[..., Any]:
    """Register a post, or its end."""

    async def duty(officer_no: str, role: str, division: str, **dates: str) -> None:
        body = {"officer_no": officer_no, "role": role, "division": division, "valid_from": "2026-01-01", **dates}
        answer = await alerts_client.post("/alerts/v1/duties", json=body, headers=county)
        assert answer.status_code == 200, answer.text

    return duty


@pytest.fixture
def home(rows: Rows) -> Callable[..., Any]:
    async def of(officer_no: str) -> str:
        (officer,) = await rows("officer", "officer_no = $1", officer_no)
        assert officer["division_hi"] == code_range(officer["division"])[1]
        return str(officer["division"])

    return of


async def evening(runtime: Runtime) -> None:
    while await make_digests(runtime):
        pass


# --- homes ---------------------------------------------------------------------------------------------------


async def test_a_list_with_one_of_several_posts_leaves_the_home_that_covers_all(enlist: Enlist, home: Any) -> None:
    await enlist(("T1", "grid_worker", VILLAGE))
    assert await home("T1") == TOWNSHIP
    await enlist(("C1", "village_cadre", VILLAGE), ("C1", "township_deputy", TOWNSHIP))
    assert await home("C1") == COUNTY


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ((VILLAGE,), VILLAGE),
        ((VILLAGE, OTHER_VILLAGE), TOWNSHIP),
        ((VILLAGE, FAR_VILLAGE), COUNTY),
    ],
)
async def test_posts_in_several_places_make_the_home_what_covers_them(
    enlist: Enlist, home: Any, rows: Rows, places: tuple[str, ...], expected: str
) -> None:
    """In one list or one after the other; and where mail goes to is owned in the same place, once."""
    await enlist(*(("N1", "grid_worker", place) for place in places), email="n1@example.gov.cn")
    for place in places:
        await enlist(("N2", "grid_worker", place), email="n2@example.gov.cn")
    assert (await home("N1"), await home("N2")) == (expected, expected)
    owned = await rows("endpoint", "officer_no IN ('N1', 'N2')")
    assert [(row["division"], row["division_hi"]) for row in owned] == [(expected, code_range(expected)[1])] * 2


async def test_the_same_list_again_changes_nothing(
    alerts_client: httpx.AsyncClient, county: dict[str, str], put: Any
) -> None:
    await put("S1", "first_secretary", FAR_VILLAGE)
    line = {"officer_no": "S1", "name": "干部S1", "role": "village_secretary", "division": VILLAGE}
    again = await alerts_client.post("/alerts/v1/officers", json=[line], headers=county)
    assert again.json() == {"lines": 1, "officers": 0, "duties": 0}


async def test_a_post_widens_the_home_and_its_end_narrows_it(put: Any, home: Any) -> None:
    await put("S1", "first_secretary", OTHER_VILLAGE)
    assert await home("S1") == TOWNSHIP
    await put("S1", "first_secretary", FAR_VILLAGE)
    assert await home("S1") == COUNTY
    await put("S1", "first_secretary", FAR_VILLAGE, valid_to="2026-03-16")
    assert await home("S1") == TOWNSHIP
    await put("S1", "first_secretary", OTHER_VILLAGE, valid_to="2026-03-16")
    assert await home("S1") == VILLAGE


async def test_a_list_that_ends_a_post_narrows_the_home_too(enlist: Enlist, put: Any, home: Any) -> None:
    await put("S1", "first_secretary", FAR_VILLAGE)
    assert await home("S1") == COUNTY
    await enlist(("S1", "first_secretary", FAR_VILLAGE), valid_from="2026-03-10", valid_to="2026-03-15")
    assert await home("S1") == VILLAGE


async def test_who_holds_no_post_keeps_his_home(put: Any, home: Any) -> None:
    await put("S2", "village_secretary", OTHER_VILLAGE, valid_from="2026-03-15", valid_to="2026-03-16")
    assert await home("S2") == OTHER_VILLAGE


async def test_a_post_counts_from_its_first_day_to_its_last(
    put: Any, home: Any, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await put("S1", "first_secretary", FAR_VILLAGE, valid_from="2026-03-18", valid_to="2026-03-20")
    homes = {}
    for day in range(17, 22):
        clock.at = datetime(2026, 3, day, 0, 30, tzinfo=SHANGHAI)
        await settle_dated_posts(alerts_runtime)
        assert await settle_dated_posts(alerts_runtime) == 0
        homes[day] = await home("S1")
    assert homes == {17: VILLAGE, 18: COUNTY, 19: COUNTY, 20: VILLAGE, 21: VILLAGE}


async def test_a_deputy_answers_for_a_place_that_his_unlisted_post_covers(enlist: Enlist, rows: Rows) -> None:
    """The township's leader stands in, though the list names only his post in another village."""
    await enlist(("T1", "grid_worker", OTHER_VILLAGE))
    await enlist(("S1", "village_secretary", VILLAGE), deputy_no="T1")
    (post,) = await rows("duty", "officer_no = 'S1'")
    assert post["deputy_no"] == "T1"


# --- who has gone --------------------------------------------------------------------------------------------


async def test_what_waits_for_the_digest_of_who_goes_is_cancelled_and_says_why(
    tell: Tell,
    phone: None,
    rows: Rows,
    put: Any,
    admin: asyncpg.Connection,
    alerts_runtime: Runtime,
    clock: FixedClock,
) -> None:
    await tell(risk(1, severity="yellow"))
    await admin.execute("UPDATE alerts.assignment SET until = $1 WHERE officer_no = 'S1'", MONDAY)
    await put("S1", "village_secretary", VILLAGE, valid_from="2026-03-14", valid_to="2026-03-16")
    (waiting,) = await rows("notification", "recipient = 'S1'")
    assert waiting["outcome"] is None, "another post of his, as the list brought it, goes on"
    await put("S1", "village_secretary", VILLAGE, valid_from="2026-03-15", valid_to="2026-03-16")
    (ended,) = await rows("notification", "recipient = 'S1'")
    assert (ended["decision"], ended["outcome"], ended["ended_at"]) == ("digest", "cancelled", clock.now())
    assert ended["reason"] == "低等级预警，列入每日汇总；收件人已离岗，不再汇总"
    clock.at = EVENING
    await evening(alerts_runtime)
    assert await rows("digest_run", "recipient = 'S1'") == []


async def test_who_still_answers_for_something_has_his_digest(
    tell: Tell, phone: None, rows: Rows, put: Any, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await tell(risk(1, severity="yellow"))
    await put("S1", "village_secretary", VILLAGE, valid_from="2026-03-15", valid_to="2026-03-16")
    clock.at = EVENING
    await evening(alerts_runtime)
    (told,) = await rows("notification", "recipient = 'S1' AND kind = 'opened'")
    assert told["outcome"] == "digested"


@pytest.mark.parametrize("how", ["inactive", "dated"])
async def test_at_the_hour_of_the_digest_the_rest_of_the_gone_is_cancelled(
    tell: Tell,
    phone: None,
    rows: Rows,
    put: Any,
    admin: asyncpg.Connection,
    alerts_runtime: Runtime,
    clock: FixedClock,
    how: str,
) -> None:
    """Taken out of service by hand, or a post that ran out by its date while nobody asked."""
    await tell(risk(1, severity="yellow"), risk(2, severity="yellow", living_division=OTHER_VILLAGE))
    if how == "inactive":
        hour = EVENING
        await admin.execute("UPDATE alerts.officer SET active = false WHERE officer_no = 'S1'")
    else:
        hour = EVENING + timedelta(days=1)
        await admin.execute("UPDATE alerts.assignment SET until = $1 WHERE officer_no = 'S1'", MONDAY)
        await admin.execute("UPDATE alerts.duty SET valid_to = $1 WHERE officer_no = 'S1'", hour.date())
    clock.at = hour - timedelta(seconds=1)
    await evening(alerts_runtime)
    assert {row["outcome"] for row in await rows("notification", "recipient = 'S1'")} == {None}
    clock.at = hour
    await evening(alerts_runtime)
    ended = await rows("notification", "recipient = 'S1'")
    assert {row["outcome"] for row in ended} == {"cancelled"}
    assert all("离岗" in row["reason"] for row in ended)
    assert await rows("notification", "decision = 'digest' AND outcome IS NULL") == []
