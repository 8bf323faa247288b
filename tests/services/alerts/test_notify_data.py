"""Data that did not come is said once to the county's administrators."""

from typing import Any

import pytest

from services.alerts.notify_data import notify_data
from shared.contracts.envelope import Event
from shared.contracts.intake import DATA_NOTICE
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY


def notice(state: str = "open", **changes: str) -> dict[str, str]:
    return {
        "notice_id": "n1",
        "kind": "late",
        "state": state,
        "data_set": "medical_settlement",
        "title": "医保结算",
        "department": "医疗保障",
        "division": COUNTY,
        "detail": "医保结算应于 2026-03-01 前报送",
        **changes,
    }


async def hear(runtime: Runtime, *items: dict[str, str]) -> None:
    event = Event.make("fangpin/intake", DATA_NOTICE, "freshness", {"items": list(items)}, runtime.clock.now())
    async with transaction(runtime.worker_pool) as connection:
        await notify_data(connection, event, runtime)


@pytest.mark.usefixtures("cadres")
async def test_a_notice_reaches_each_administrator_once(alerts_runtime: Runtime, admin: Any) -> None:
    for _ in range(2):
        await hear(alerts_runtime, notice(), notice(notice_id="n2", state="closed"))
    letters = await admin.fetch("SELECT officer_no, kind, title, body FROM alerts.inbox_item")
    assert [tuple(row) for row in letters] == [
        ("C1", "data_notice", "数据催报：医保结算", "医保结算应于 2026-03-01 前报送")
    ]


@pytest.mark.usefixtures("cadres")
async def test_another_countys_notice_reaches_nobody_here(alerts_runtime: Runtime, admin: Any) -> None:
    await hear(alerts_runtime, notice(division="440981000000"))
    assert await admin.fetchval("SELECT count(*) FROM alerts.inbox_item") == 0
