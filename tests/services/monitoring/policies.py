"""Builders of policy tests: two people of the county, households beside the line, and a draft on its way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from services.monitoring.screen_ranges import screen_ranges
from shared.runtime import Runtime
from tests.services.monitoring.build import COUNTY, OTHER_VILLAGE, Home, assess_all, deliver, rostered, settled

POLICIES = "/monitoring/v1/policies"
TODAY = "2026-03-15"
# The worked cases are of days before, and new values leave those alone.
NEXT = "2026-08-01"
Bearer = Callable[..., dict[str, str]]


async def beside_the_line(runtime: Runtime) -> None:
    """F001 poor and ill; F002 in an unsafe house just above the line of 9,500 yuan; F003 well off."""
    await deliver(
        runtime,
        rostered(
            runtime.keys,
            Home(wage_fen=1_000_000),
            Home(no="F002", people=(3,), division=OTHER_VILLAGE, wage_fen=960_000, grade="D"),
            Home(no="F003", people=(4,), division=OTHER_VILLAGE),
        ),
        settled(runtime.keys, 1, 1_200_000),
    )
    await assess_all(runtime)


async def assess_everything(runtime: Runtime) -> int:
    """Assess whom somebody made due, one by one or by area, until nothing is left; how many."""
    total = await assess_all(runtime)
    while done := await screen_ranges(runtime):
        total += done
    return total


def line(value: str = "10000.00", since: str = NEXT, document_no: str = "阜农领〔2026〕3号") -> dict[str, Any]:
    """A row that changes the monitoring line."""
    return {"name": "monitoring_line", "value": value, "from": since, "document_no": document_no}


@dataclass(frozen=True)
class Office:
    """The county's office: whoever drafts is `author`, whoever approves `second`."""

    client: httpx.AsyncClient
    bearer: Bearer

    @property
    def author(self) -> dict[str, str]:
        return self.bearer("county_admin", COUNTY, subject="author")

    @property
    def second(self) -> dict[str, str]:
        return self.bearer("county_admin", COUNTY, subject="second")

    async def post(self, path: str, headers: dict[str, str], status: int, **body: Any) -> Any:
        answer = await self.client.post(f"{POLICIES}/{path}", headers=headers, **body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str = "", status: int = 200) -> Any:
        answer = await self.client.get(f"{POLICIES}{path}", headers=self.author)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def draft(self, *rows: dict[str, Any]) -> str:
        version: str = (await self.post("changes", self.author, 201, json=list(rows or [line()])))["version"]
        return version

    async def approved(self, *rows: dict[str, Any]) -> str:
        version = await self.draft(*rows)
        await self.post(f"{version}/approve", self.second, 200)
        return version

    async def compared(self, version: str, **asked: Any) -> Any:
        return await self.post(f"{version}/compare", self.author, 200, json=asked)

    async def publish(self, version: str, status: int = 200, on: str = NEXT, **more: Any) -> Any:
        return await self.post(f"{version}/publish", self.second, status, json={"activates_on": on, **more})

    async def published(self, *rows: dict[str, Any], on: str = NEXT) -> str:
        version = await self.approved(*rows)
        await self.compared(version)
        await self.publish(version, on=on)
        return version
