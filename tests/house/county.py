"""A county and its neighbour in one process: at each place a household, an alert, a report, a file, an officer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx

from services.alerts.import_officers import import_officers
from shared.db.scope import scoped
from shared.security.principal import Principal
from shared.vocabulary.identifiers import new_id
from tests.conftest import House
from tests.services.intake.build import csv_text, medical_row
from tests.services.intake.photos import png
from tests.services.monitoring.build import Home, deliver, number, rostered, settled

COUNTY, OTHER_COUNTY = "130624000000", "130625000000"
TOWNSHIP = "130624100000"
OWN = "130624100201"
PLACES = {"own": OWN, "sibling": "130624100202", "parent": TOWNSHIP, "far": "130624101201", "abroad": "130625100201"}
BEFORE_ABROAD = "130624101202"
FOREIGN = tuple(place for place in PLACES if place != "own")

MEDICAL_YUAN = "12345.67"
HEADS = {"own": "测试乙", "sibling": "测试丁", "parent": "测试己", "far": "测试辛", "abroad": "测试癸"}
PHONES = {place: f"1990000{i}{i}{i}{i}" for i, place in enumerate(PLACES, start=1)}
NOWHERE = {
    "report": "00000000-0000-7000-8000-000000000000",
    "feed": "00000000-0000-7000-8000-000000000000",
    "rescreen": "00000000-0000-7000-8000-000000000000",
    "attachment": "00000000-0000-7000-8000-000000000000",
    "appeal": "00000000-0000-7000-8000-000000000000",
    "alert": "00000000-0000-7000-8000-000000000000",
    "household": "F-nowhere",
}
DECISION = {"listed_as": None, "decided_on": "2026-03-15", "document_no": "1号", "reason": "核对"}
VERIFICATION = {
    "outcome": "no_risk",
    "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"},
    "note": "已核实",
}
# Who may call every route, in one village: whatever refuses him is the range, not the role.
WIDEST = ("county_admin", OWN)

Bearer = Callable[..., dict[str, str]]


@dataclass
class County:
    """What is there, by kind and place: `ids["alert"]["own"]`; and how to ask for it."""

    client: httpx.AsyncClient
    house: House
    bearer: Bearer
    admin: asyncpg.Connection
    ids: dict[str, dict[str, str]] = field(default_factory=dict)

    def as_(self, role: str | None, division: str = OWN, **more: Any) -> dict[str, str]:
        return self.bearer(role, division, **({"officer_no": "S-own"} if role else {}), **more)

    def at(self, path: str, place: str) -> str:
        """The path with the ids of what is at a place."""
        return path.format(**{kind: found[place] for kind, found in self.ids.items()})

    async def call(
        self, method: str, path: str, headers: Mapping[str, str], json: Any = None, **options: Any
    ) -> httpx.Response:
        keyed = {"Idempotency-Key": f"{method}{path}".replace(" ", "_")[:200]} if keyed_path(path) else {}
        if json is not None:
            options["json"] = json
        return await self.client.request(method, path, headers={**headers, **keyed}, **options)


def keyed_path(path: str) -> bool:
    """Whether what is asked for carries an Idempotency-Key."""
    return "self-reports" in path or path.endswith("/changes")


def household_no(place: str) -> str:
    return f"F-{place}"


def person(place: str) -> int:
    """The serial of the head's invented number."""
    return 2 * list(PLACES).index(place) + 1


async def build(county: County) -> County:
    """Fill the county by the ways that people and departments use."""
    await _officers(county)
    await _households(county)
    await _reports(county)
    await _attachments(county)
    await _appeals(county)
    await _feeds(county)
    await _rescreens(county)
    found = await county.admin.fetch("SELECT household_no, alert_id::text FROM alerts.alert")
    alerts = {row["household_no"]: row["alert_id"] for row in found}
    county.ids["alert"] = {place: alerts[household_no(place)] for place in PLACES}
    county.ids["household"] = {place: household_no(place) for place in PLACES}
    return county


def _post_of(division: str) -> str:
    return "township_leader" if division == TOWNSHIP else "village_secretary"


async def _officers(county: County) -> None:
    runtime = await county.house.runtime("alerts")
    now, today = runtime.clock.now(), runtime.clock.today()
    for whole in (COUNTY, OTHER_COUNTY):
        caller = Principal("admin", "person", whole, officer_no="C-1")
        lines: list[dict[str, str | None]] = [
            {
                "officer_no": f"S-{place}",
                "name": f"干部{place}",
                "role": _post_of(code),
                "division": code,
                "phone": "19900099999",
            }
            for place, code in PLACES.items()
            if code[:6] == whole[:6]
        ]
        lines.append({"officer_no": f"C-{whole[:6]}", "name": "县管", "role": "county_admin", "division": whole})
        async with scoped(runtime.pool, whole) as connection:
            await import_officers(connection, lines, caller, now=now, today=today)


async def _households(county: County) -> None:
    """A poor household with large bills at each place, assessed and alerted."""
    runtime = await county.house.runtime("monitoring")
    homes = [
        Home(
            household_no(place),
            (person(place), person(place) + 1),
            code if place != "abroad" else BEFORE_ABROAD,
            wage_fen=1_000_000,
            phone=PHONES[place],
        )
        for place, code in PLACES.items()
    ]
    await deliver(runtime, rostered(runtime.keys, *homes, feed=str(new_id())))
    for place in PLACES:
        bill = settled(runtime.keys, person(place), 1_234_567, record=f"S-{place}", feed=str(new_id()))
        await deliver(runtime, bill)
    await county.house.settle()
    await _move_abroad(county)


async def _move_abroad(county: County) -> None:
    """Set the last household down in the neighbour, for which no policy is published that could assess it there."""
    for table in ("monitoring.household", "alerts.alert"):
        await county.admin.execute(
            f"UPDATE {table} SET living_division = $1, registered_division = $1 WHERE household_no = $2",
            PLACES["abroad"],
            household_no("abroad"),
        )
    await county.admin.execute(
        "UPDATE alerts.notification SET division = $1 WHERE subject = $2",
        PLACES["abroad"],
        f"household:{household_no('abroad')}",
    )
    await county.house.run_worker("monitoring", "dashboard", "coverage")


async def _reports(county: County) -> None:
    """A report at each place; they stay in intake, which knows villages of the demo county only."""
    county.ids["report"] = {}
    for place, code in PLACES.items():
        body = {
            "division": OWN,
            "hardships": ["illness"],
            "consent": {"version": "2025-1"},
            "reported_on": "2026-03-14",
            "amount_yuan": MEDICAL_YUAN,
            "household_no": household_no(place),
            "description": "住院花费较大",
            "reporter": {
                "name": HEADS[place],
                "identity_number": number(person(place)),
                "phone": PHONES[place],
            },
        }
        headers = {**county.as_("village_secretary"), "Idempotency-Key": f"report-{place}"}
        answer = await county.client.post("/intake/v1/self-reports", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        county.ids["report"][place] = answer.json()["id"]
        await county.admin.execute(
            "UPDATE intake.self_report SET division = $1 WHERE report_id::text = $2", code, answer.json()["id"]
        )


async def _attachments(county: County) -> None:
    """A photo for the report at each place, from its own village."""
    county.ids["attachment"] = {}
    for place, code in PLACES.items():
        answer = await county.client.post(
            "/intake/v1/attachments",
            params={"division": code, "report_id": county.ids["report"][place]},
            content=png(),
            headers=county.bearer("village_secretary", code),
        )
        assert answer.status_code == 201, answer.text
        county.ids["attachment"][place] = answer.json()["id"]


async def _appeals(county: County) -> None:
    """An appeal at each place, against what the village's own officer answered."""
    county.ids["appeal"] = {}
    for place, code in PLACES.items():
        body = {
            "household_no": household_no(place),
            "division": code,
            "against": "not_listed",
            "answered_by": f"S-{place}",
            "reason": "家里确有困难",
        }
        headers = county.bearer("village_secretary", code, officer_no=f"S-{place}")
        answer = await county.client.post("/intake/v1/appeals", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        county.ids["appeal"][place] = answer.json()["id"]


async def _feeds(county: County) -> None:
    """A file with one good and one bad row for each place."""
    county.ids["feed"] = {}
    for i, (place, code) in enumerate(PLACES.items()):
        rows = [medical_row(10 * i), medical_row(10 * i + 1, 结算日期="26-1-5", 住院号=f"ZY-{place}")]
        answer = await county.client.post(
            "/intake/v1/feeds",
            params={"layout": "medical_settlement", "division": code},
            content=csv_text(rows).encode(),
            headers={**county.bearer(None, code), "Content-Type": "text/csv"},
        )
        assert answer.status_code == 202, answer.text
        county.ids["feed"][place] = answer.json()["id"]
    await county.house.run_worker("intake", "ingest")


async def _rescreens(county: County) -> None:
    county.ids["rescreen"] = {}
    for place, code in PLACES.items():
        body = {"division": code, "reason": "抽查"}
        answer = await county.client.post(
            "/monitoring/v1/rescreens", json=body, headers=county.bearer("county_admin", code)
        )
        assert answer.status_code == 202, answer.text
        county.ids["rescreen"][place] = answer.json()["rescreen_id"]
