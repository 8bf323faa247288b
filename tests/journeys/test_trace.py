"""One trace from the request of a report to the messages that alerts sends about it."""

from typing import Any

import httpx
import pytest

from tests.conftest import COUNTY, House
from tests.journeys.village import VILLAGE, Family, officers_csv, roster_csv

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def village(client: httpx.AsyncClient, house: House, bearer: Any) -> Family:
    family, admin = Family(1), bearer("county_admin", COUNTY)
    await client.post(
        "/alerts/v1/officers", content=officers_csv(VILLAGE), headers={**admin, "content-type": "text/csv"}
    )
    query = {"layout": "household_register", "period": "2025", "mode": "partial", "division": COUNTY}
    headers = {**admin, "content-type": "text/csv"}
    await client.post("/intake/v1/feeds", params=query, content=roster_csv([family], 2025), headers=headers)
    await house.settle()
    return family


async def test_every_message_a_report_causes_carries_its_trace(
    client: httpx.AsyncClient, house: House, bearer: Any, admin: Any, village: Family
) -> None:
    headers = {**bearer(scopes=["intake:reports:write"]), "Idempotency-Key": "t", "traceparent": TRACE}
    sent = await client.post("/intake/v1/self-reports", json=village.report(house.clock.today()), headers=headers)
    assert sent.status_code == 202, sent.text
    await house.settle()
    for service, types in (
        ("intake", {"observations_recorded"}),
        ("monitoring", {"risk_changed", "progress"}),
        ("alerts", {"progress"}),
    ):
        rows = await admin.fetch(f"SELECT type FROM {service}.outbox WHERE traceparent = $1", TRACE)
        assert {row["type"].split(".")[-2] for row in rows} == types, service
