"""A household, its report and the people who answer, in the three services at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.vocabulary.identifiers import new_id
from tests.conftest import House
from tests.services.intake.build import COUNTY, VILLAGE
from tests.services.monitoring.build import Home, deliver, number, rostered

Bearer = Callable[..., dict[str, str]]
HOUSEHOLD = "F-helped"
PERSON = 1
OFFICERS = {
    "S-1": ("village_secretary", VILLAGE),
    "G-1": ("grid_worker", VILLAGE),
    "T-1": ("township_leader", "130624100000"),
    "C-1": ("county_admin", COUNTY),
    "C-2": ("county_admin", COUNTY),
}
NO_RISK = {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}}


def report_body(**changes: Any) -> dict[str, Any]:
    return {
        "division": VILLAGE,
        "hardships": ["illness"],
        "reported_on": "2026-03-15",
        "description": "住院花费较大",
        "amount_yuan": "8000.00",
        "reporter": {"name": "测试甲", "identity_number": number(PERSON), "phone": "19900000001"},
        "consent": {"version": "2025-1"},
        **changes,
    }


@dataclass
class Helped:
    """What the tests do, in the words of the people who do it."""

    client: httpx.AsyncClient
    house: House
    bearer: Bearer
    sent: int = field(default=0)

    def as_(self, officer_no: str) -> dict[str, str]:
        role, division = OFFICERS[officer_no]
        return self.bearer(role, division, officer_no=officer_no, subject=f"login-{officer_no}")

    async def people(self) -> None:
        """Officers at their posts, and the household on the roster."""
        rows = [
            {"officer_no": no, "name": f"干部{no}", "role": role, "division": division}
            for no, (role, division) in OFFICERS.items()
        ]
        made = await self.client.post("/alerts/v1/officers", json=rows, headers=self.as_("C-1"))
        assert made.status_code == 200, made.text
        runtime = await self.house.runtime("monitoring")
        home = Home(HOUSEHOLD, (PERSON, PERSON + 1), VILLAGE, wage_fen=3_000_000)
        await deliver(runtime, rostered(runtime.keys, home, feed=str(new_id())))
        await self.house.settle()

    async def report(self, **changes: Any) -> dict[str, Any]:
        """A report by the household's own app; its answer."""
        self.sent += 1
        headers = {**self.bearer(None, COUNTY), "Idempotency-Key": f"helped-{self.sent}"}
        answer = await self.client.post("/intake/v1/self-reports", json=report_body(**changes), headers=headers)
        assert answer.status_code == 202, answer.text
        await self.house.settle()
        found: dict[str, Any] = answer.json()
        return found

    async def by_code(self, path: str, code: str, **body: Any) -> httpx.Response:
        answer = await self.client.post(f"/intake/v1/receipts/{path}", json={"receipt_code": code, **body})
        await self.house.settle()
        return answer

    async def alerts(self, officer_no: str = "C-1", **query: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/alerts/v1/alerts", params=query, headers=self.as_(officer_no))
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def alert(self, alert_id: str, officer_no: str = "C-1") -> dict[str, Any]:
        found: dict[str, Any] = (
            await self.client.get(f"/alerts/v1/alerts/{alert_id}", headers=self.as_(officer_no))
        ).json()
        return found

    async def answer(self, alert_id: str, officer_no: str, **body: Any) -> httpx.Response:
        path = f"/alerts/v1/alerts/{alert_id}/verification"
        done = await self.client.post(path, json={**NO_RISK, **body}, headers=self.as_(officer_no))
        await self.house.settle()
        return done

    async def inbox(self, officer_no: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/alerts/v1/inbox", headers=self.as_(officer_no))
        found: list[dict[str, Any]] = answer.json()["items"]
        return found
