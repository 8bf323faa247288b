"""The tables behind answers show a request the rows of its alerts, whatever the program asks for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.db.scope import scoped
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
TABLES = (
    "client_step",
    "attempt",
    "handover",
    "verification",
    "recheck",
    "sector_task",
    "sector_task_log",
    "consultation",
    "consultation_opinion",
)
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}


@pytest.fixture
def all_drawn(asked: dict[str, Any]) -> None:
    asked["recheck_percent"] = 100


@pytest.fixture
async def filled(
    alerts_client: httpx.AsyncClient, all_drawn: None, alert: UUID, tell: Any, bearer: Bearer, rows: Any
) -> None:
    """A row in every table."""
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    path = f"/alerts/v1/alerts/{alert}"
    deeds: list[tuple[str, Any, dict[str, str]]] = [
        (f"{path}/attempts", {"method": "call", "id": str(uuid4())}, secretary),
        (f"{path}/handover", {"to_officer_no": "G1", "reason": "外出"}, secretary),
        (
            f"{path}/verification",
            {"outcome": "need_met", "contact": VISIT, "helped_by": "民政局", "needs": ["housing"]},
            secretary,
        ),
    ]
    await tell(risk(2))
    (second,) = await rows("alert", "household_no = 'H2'")
    call = {"departments": ["民政"], "question": "x", "opinions_by": "2026-03-16", "meets_on": "2026-03-17"}
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    deeds.append((f"/alerts/v1/alerts/{second['alert_id']}/consultation", call, leader))
    for where, body, headers in deeds:
        answer = await alerts_client.post(where, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    (consultation,) = await rows("consultation")
    liaison = bearer("liaison", COUNTY, officer_no="L1", department="民政")
    opinion = f"/alerts/v1/consultations/{consultation['consultation_id']}/opinions"
    assert (await alerts_client.post(opinion, json={"opinion": "可救助"}, headers=liaison)).status_code == 200


@pytest.mark.parametrize("table", TABLES)
async def test_a_village_sees_its_own_and_the_next_one_nothing(
    filled: None, alerts_runtime: Runtime, table: str
) -> None:
    async def seen(place: str) -> int:
        async with scoped(alerts_runtime.pool, place) as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))

    assert await seen(VILLAGE) > 0
    assert await seen(OTHER_VILLAGE) == 0


@pytest.mark.parametrize("table", ["attempt", "sector_task_log", "consultation_opinion", "client_step"])
async def test_what_was_said_is_not_said_otherwise_later(filled: None, alerts_runtime: Runtime, table: str) -> None:
    async with scoped(alerts_runtime.pool, VILLAGE) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"DELETE FROM {table}")
