"""An assessment can be asked for again: the same bytes, however much was learnt since."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, assess_all, deliver, rostered, sent_at, settled

PATH = "/monitoring/v1/households/F001/assessment"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
async def history(monitoring_runtime: Runtime, clock: FixedClock) -> Runtime:
    """A household whose bills grow, are corrected, and fall out of the year; assessed each time."""
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=1_800_000)))
    await assess_all(runtime)
    steps = (
        (0, settled(runtime.keys, 1, 940_000)),
        (1, settled(runtime.keys, 1, 1_200_000, sent=sent_at(9), feed="m2")),
        (30, settled(runtime.keys, 2, 300_000, record="S2", on="2026-04-01", sent=sent_at(10), feed="m3")),
        (31, settled(runtime.keys, 1, 0, sent=sent_at(11), feed="m4")),
    )
    start = clock.at
    for days, event in steps:
        clock.at = start + timedelta(days=days)
        await deliver(runtime, event)
        await assess_all(runtime)
    return runtime


async def ask(client: httpx.AsyncClient, headers: dict[str, str], **params: Any) -> httpx.Response:
    answer = await client.get(PATH, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer


def moment(at: datetime) -> str:
    return at.isoformat()


async def stored(runtime: Runtime) -> list[dict[str, Any]]:
    rows = await runtime.worker_pool.fetch("SELECT * FROM assessment ORDER BY assessment_id")
    return [dict(row) for row in rows]


async def test_every_past_assessment_replays_to_what_was_decided(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    rows = await stored(history)
    assert len(rows) >= 4
    admin = bearer("county_admin")
    for row in rows:
        found = (await ask(monitoring_client, admin, as_of=row["on_date"], known_at=moment(row["known_at"]))).json()
        assert found["recommendation"] == row["recommendation"]
        assert found["facts_version"] == row["facts_version"]
        assert found["engine_version"] == row["engine_version"]
        decided = found["decided"]
        assert (decided["on"], decided["agrees"]) == (row["on_date"].isoformat(), True)
        assert datetime.fromisoformat(decided["known_at"]) == row["known_at"]
    assert len({row["recommendation"] for row in rows}) > 1


async def test_the_row_that_stands_replays_to_the_same_bytes(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """The digest is of the whole assessment, sentences and all, without what stale data put in doubt since."""
    admin = bearer("county_admin")
    stands = (await ask(monitoring_client, admin)).json()
    again = (await ask(monitoring_client, admin, as_of=stands["on"], known_at=stands["known_at"])).json()
    assert (stands["origin"], again["origin"]) == ("stored", "replay")
    assert again["digest"] == stands["digest"]
    assert again["parameters_used"] == stands["parameters_used"]


async def test_asked_again_after_more_was_learnt_it_is_the_same_bytes(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    admin = bearer("county_admin")
    asked = [{"as_of": row["on_date"], "known_at": moment(row["known_at"])} for row in await stored(history)]
    before = [(await ask(monitoring_client, admin, **each)).content for each in asked]
    await deliver(
        history,
        settled(history.keys, 1, 5_000_000, sent=sent_at(12), feed="m5"),
        settled(history.keys, 2, 700_000, record="S9", on="2026-03-01", sent=sent_at(13), feed="m6"),
    )
    await assess_all(history)
    assert [(await ask(monitoring_client, admin, **each)).content for each in asked] == before


async def test_what_was_known_but_not_assessed_yet_is_said(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """What would have been decided differs from what was: a fact was waiting."""
    await deliver(history, settled(history.keys, 1, 5_000_000, sent=sent_at(12), feed="m5"))
    now = moment(datetime.now(UTC))
    found = (await ask(monitoring_client, bearer("county_admin"), known_at=now)).json()
    assert found["decided"]["agrees"] is False
    assert found["facts_version"] > found["decided"]["facts_version"]


async def test_a_replay_says_which_engine_decided(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    last = (await stored(history))[-1]
    await admin.execute(
        "UPDATE monitoring.assessment SET engine_version = '0', policy_version = 'older', outcome = '{1}'"
        " WHERE assessment_id = $1",
        last["assessment_id"],
    )
    params = {"as_of": last["on_date"], "known_at": moment(last["known_at"])}
    found = (await ask(monitoring_client, bearer("county_admin"), **params)).json()
    assert found["decided"]["engine_version"] == "0"
    assert found["decided"]["policy_version"] == "older"
    assert found["decided"]["agrees"] is False
    assert found["engine_version"] == last["engine_version"]


async def test_before_a_household_was_known_there_is_nothing(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("county_admin")
    answer = await monitoring_client.get(f"{PATH}?known_at=2024-01-01T00:00:00Z", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "household_not_known_then")


async def test_before_anybody_belonged_to_it_all_is_unknown(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = (await ask(monitoring_client, bearer("county_admin"), as_of="2023-06-30")).json()
    assert (found["members_counted"], found["recommendation"], found["decided"]) == (0, None, None)
    assert found["net_income_per_capita_yuan"] is None
    assert "income_below_line" in found["unknown"]


async def test_each_indicator_names_its_evidence_with_source_and_date(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    rows = await stored(history)
    row = next(row for row in rows if row["recommendation"] is not None)
    params = {"as_of": row["on_date"], "known_at": moment(row["known_at"])}
    found = await ask(monitoring_client, bearer("county_admin"), **params)
    by_id = {each["id"]: each for each in found.json()["indicators"]}
    [bill] = by_id["medical_self_paid"]["evidence"]
    assert (bill["kind"], bill["occurred_on"], bill["source"], bill["department"]) == (
        "expense.medical",
        "2026-02-10",
        "department",
        "医保局",
    )
    assert {each["kind"] for each in by_id["dwelling_unsafe"]["evidence"]} == {"state.dwelling"}
    assert len(by_id["income_below_line"]["evidence"]) <= 5
    assert "amount" not in found.text.split('"evidence"')[1].split("]")[0]


async def test_what_almost_fired_is_told_to_posts_that_see_amounts(
    history: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """The first bill was 9,400 yuan of a line of 10,000."""
    row = (await stored(history))[1]
    params = {"as_of": row["on_date"], "known_at": moment(row["known_at"])}
    county = (await ask(monitoring_client, bearer("county_admin"), **params)).json()
    village = (await ask(monitoring_client, bearer("village_secretary"), **params)).json()
    assert county["almost_fired"] == ["medical_self_paid"]
    assert "接近界线" in county["explanation"]
    assert (village["almost_fired"], village["digest"]) == (None, None)
    assert "接近界线" not in village["explanation"]
