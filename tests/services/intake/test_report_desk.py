"""Reports that arrive together share a statement, and nothing else."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.repository_reports import SUBMIT
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from tests.conftest import House
from tests.journeys.village import VILLAGE, Family


def body(family: Family, house: House) -> dict[str, Any]:
    return family.report(house.clock.today())


async def test_reports_at_once_are_all_kept_each_once(
    intake_client: httpx.AsyncClient, house: House, bearer: Any, admin: Any
) -> None:
    headers = bearer(scopes=["intake:reports:write"])

    async def send(serial: int, key: str) -> httpx.Response:
        return await intake_client.post(
            "/intake/v1/self-reports",
            json=body(Family(serial, VILLAGE), house),
            headers={**headers, "Idempotency-Key": key},
        )

    answers = await asyncio.gather(*(send(n, f"k-{n}") for n in range(100)), *(send(n, f"k-{n}") for n in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    for first, second in zip(answers[:100], answers[100:], strict=True):
        assert first.json()["id"] == second.json()["id"]
    for table in ("self_report", "outbox", "audit_log", "idempotency_key"):
        assert await admin.fetchval(f"SELECT count(*) FROM intake.{table}") == 100


async def test_reports_of_different_ranges_never_share_a_scope(
    intake_client: httpx.AsyncClient, house: House, bearer: Any, admin: Any
) -> None:
    villages = [f"1306241002{n:02d}" for n in range(5)]

    async def send(n: int) -> httpx.Response:
        village = villages[n % 5]
        headers = bearer("village_secretary", village)
        return await intake_client.post(
            "/intake/v1/self-reports",
            json=body(Family(n, village), house),
            headers={**headers, "Idempotency-Key": f"k-{n}"},
        )

    answers = await asyncio.gather(*(send(n) for n in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert await admin.fetchval("SELECT count(*) FROM intake.self_report") == 50


async def test_a_report_outside_the_scope_fails_even_if_the_check_before_it_were_gone(
    intake_runtime: Runtime, house: House
) -> None:
    """Row-level security is the second wall: the statement itself refuses a row outside its scope."""
    now = house.clock.now()
    row = [
        "c",
        "system",
        "k",
        b"f",
        new_id(now),
        now,
        "510000000000",
        None,
        b"i" * 32,
        b"s",
        "张三",
        None,
        None,
        "illness",
        None,
        None,
        house.clock.today(),
        new_id(now),
        "{}",
        None,
        new_id(now),
        "r",
        "app",
        None,
        "self",
        None,
        "2025-1",
        None,
        None,
        None,
        None,
        now,
        False,
        "self_report.submit",
        1,
        None,
    ]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await intake_runtime.pool.fetch(SUBMIT, "130000000000", "140000000000", *[[value] for value in row])
