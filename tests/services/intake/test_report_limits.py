"""How often one may report: published numbers, one more is refused, a person's first of the day never is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.services.intake.build import VILLAGE, number
from tests.services.intake.test_self_reports import URL, report

LIMITS = {"limit_person": 3, "limit_phone": 2, "limit_address": 4}
Bearer = Callable[..., dict[str, str]]
DAYS = [f"2026-03-{day:02d}" for day in range(1, 15)]


@pytest.fixture
async def limited(house: Any, intake_client: httpx.AsyncClient) -> AsyncIterator[None]:
    runtime = await house.runtime("intake")
    settings = runtime.settings
    runtime.settings = settings.model_copy(update=LIMITS)
    yield
    runtime.settings = settings


class Sender:
    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers, self.sent = client, headers, 0

    async def __call__(
        self, person: int, day: str, phone: str | None = None, key: str | None = None
    ) -> httpx.Response:
        self.sent += 1
        reporter = {"name": "王小明", "identity_number": number(person), "phone": phone}
        headers = {**self.headers, "Idempotency-Key": key or f"limit-{self.sent}"}
        return await self.client.post(URL, json=report(reporter=reporter, reported_on=day), headers=headers)


@pytest.fixture
def sender(limited: None, intake_client: httpx.AsyncClient, bearer: Bearer) -> Sender:
    return Sender(intake_client, bearer("village_secretary", VILLAGE))


async def test_the_rules_are_published_as_they_are(sender: Sender) -> None:
    rules = (await sender.client.get("/intake/v1/reporting-rules")).json()
    told = {rule["rule"]: rule["most"] for rule in rules["limits"]}
    assert {name: told[name.removeprefix("limit_")] for name in LIMITS} == LIMITS
    assert rules["first_report_of_a_day_is_never_refused"] is True


async def test_a_person_reports_so_often_a_day_and_the_next_day_again(sender: Sender, house: Any, admin: Any) -> None:
    found = [(await sender(1, day)).status_code for day in DAYS[:4]]
    assert found == [202, 202, 202, 429]
    refused = await sender(1, DAYS[4])
    problem = refused.json()
    assert (problem["code"], problem["rule"], problem["most"]) == ("limit_reached", "person", 3)
    assert "12317" in problem["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 14 * 3600
    assert (await sender(1, DAYS[0], key="limit-1")).status_code == 202, "a retry is no further report"
    assert await admin.fetchval("SELECT count(*) FROM intake.self_report") == 3
    assert await admin.fetchval("SELECT count(*) FROM intake.outbox") == 3


async def test_at_midnight_in_shanghai_the_count_begins_anew(sender: Sender, house: Any, bearer: Bearer) -> None:
    house.clock.at = house.clock.at.replace(hour=23, minute=59)
    sender.headers = bearer("village_secretary", VILLAGE)
    assert [(await sender(1, day)).status_code for day in DAYS[:4]] == [202, 202, 202, 429]
    house.clock.at = house.clock.at.replace(day=16, hour=0, minute=0)
    assert (await sender(1, DAYS[5])).status_code == 202


async def test_one_phone_reports_further_for_so_many_but_first_for_everybody(sender: Sender) -> None:
    phone = "19900000077"
    assert {(await sender(person, DAYS[0], phone)).status_code for person in range(1, 8)} == {202}
    assert [(await sender(person, DAYS[1], phone)).status_code for person in (1, 2, 3)] == [202, 202, 429]
    refused = await sender(4, DAYS[1], phone)
    assert refused.json()["rule"] == "phone"
    assert (await sender(4, DAYS[1], "19900000078")).status_code == 202, "by another phone he still may"
    assert (await sender(50, DAYS[0], phone)).status_code == 202, "the first report of a day is never refused"


async def test_one_address_reports_further_for_so_many_but_first_for_everybody(sender: Sender) -> None:
    for person in range(1, 10):
        assert (await sender(person, DAYS[0])).status_code == 202
    found = [(await sender(person, DAYS[1])) for person in range(1, 7)]
    assert [one.status_code for one in found] == [202] * 4 + [429] * 2
    assert found[-1].json()["rule"] == "address"
    assert (await sender(60, DAYS[0])).status_code == 202


async def test_what_is_refused_counts_nowhere(sender: Sender, admin: asyncpg.Connection) -> None:
    for person in range(1, 6):
        await sender(person, DAYS[0])
    for person in range(1, 5):
        await sender(person, DAYS[1])
    before = await admin.fetch("SELECT * FROM intake.limit_count ORDER BY 1, 2")
    assert (await sender(5, DAYS[1], "19900000066")).status_code == 429
    assert await admin.fetch("SELECT * FROM intake.limit_count ORDER BY 1, 2") == before


async def test_at_once_no_more_come_through_than_one_after_another(sender: Sender, admin: asyncpg.Connection) -> None:
    answers = await asyncio.gather(*(sender(1, day) for day in DAYS[:12]))
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 9
    assert await admin.fetchval("SELECT count(*) FROM intake.self_report") == 3


async def test_a_repeated_report_of_yesterday_does_not_use_up_todays_first(
    sender: Sender, house: Any, bearer: Bearer, admin: asyncpg.Connection
) -> None:
    assert (await sender(1, DAYS[0])).status_code == 202
    house.clock.at = house.clock.at.replace(day=16)
    sender.headers = bearer("village_secretary", VILLAGE)
    for _ in range(5):  # The same again, under ever new keys.
        assert (await sender(1, DAYS[0])).headers["Idempotent-Replay"] == "true"
    runtime = await house.runtime("intake")
    runtime.settings = runtime.settings.model_copy(update={"limit_phone": 1, "limit_address": 1})
    for person in (2, 3):  # The address is used up by others' further reports.
        await sender(person, DAYS[0])
        await sender(person, DAYS[1])
    assert (await sender(1, DAYS[2])).status_code == 202


async def test_counts_name_nobody_and_are_forgotten(sender: Sender, house: Any, admin: asyncpg.Connection) -> None:
    from services.intake.keep_report_files import keep_report_files

    for day in DAYS[:2]:
        await sender(1, day, "19900000055")
    kept = str(await admin.fetch("SELECT * FROM intake.limit_count"))
    assert "19900000055" not in kept
    assert number(1) not in kept
    runtime = await house.runtime("intake")
    await keep_report_files(runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.limit_count") == 3
    house.clock.at = house.clock.at.replace(day=19)
    await keep_report_files(runtime)
    assert await admin.fetchval("SELECT count(*) FROM intake.limit_count") == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    from services.intake.domain.report_limit import network_of

    assert network_of(address) == network
