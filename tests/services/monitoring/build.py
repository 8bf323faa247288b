"""Builders: invented people and households, and the messages in which intake would bring them."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.monitoring.app import HANDLERS
from services.monitoring.assess_households import assess_due
from services.monitoring.screen_ranges import screen_ranges
from shared.contracts.alerts import VERIFIED
from shared.contracts.envelope import Event
from shared.contracts.intake import HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED
from shared.db.scope import transaction
from shared.messaging.inbox import accept_new
from shared.runtime import Runtime
from shared.security.keys import Keyring
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.identity_number import check_digit

COUNTY = "130624000000"
VILLAGE = "130624100201"
OTHER_VILLAGE = "130624101201"
ROSTER = "household_register"
SENT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def number(serial: int, birth: str = "19700101") -> str:
    """An identity number of a reserved area, with the right check digit."""
    first = f"990101{birth}{serial:03d}"
    return first + check_digit(first)


@dataclass(frozen=True)
class Home:
    """A household of a roster; `people` are serials of invented numbers, the head first."""

    no: str = "F001"
    people: tuple[int, ...] = (1, 2)
    division: str = VILLAGE
    base_group: str = "general"
    wage_fen: int = 4_000_000
    grade: str | None = "A"
    insured: bool | None = True
    phone: str | None = "19900000001"
    details: dict[str, Any] = field(default_factory=dict)
    member_details: tuple[dict[str, Any], ...] = ()


def rostered(
    keys: Keyring,
    *homes: Home,
    on: str = "2026-01-01",
    sent: datetime = SENT,
    feed: str | None = None,
    division: str = COUNTY,
) -> Event:
    """A roster message."""
    event_id = new_id()
    data = {
        "feed_id": feed or f"roster-{on}",
        "department": "农业农村局",
        "data_set": ROSTER,
        "division": division,
        "received_at": sent.isoformat(),
        "recorded_from": on,
        "households": [_household(keys, event_id, home, int(on[:4]) - 1) for home in homes],
    }
    return Event.make("fangpin/intake", HOUSEHOLDS_RECORDED, None, data, datetime.now(UTC), id_=event_id)


def _household(keys: Keyring, event_id: UUID, home: Home, year: int) -> dict[str, Any]:
    return {
        "household_no": home.no,
        "record": home.no,
        "division": home.division,
        "base_group": home.base_group,
        "phone": home.phone,
        "dwelling_grade": home.grade,
        "occupied_grade": home.grade,
        "income_year": year,
        "income": {
            "wage_fen": home.wage_fen,
            "business_sales_fen": 0,
            "production_cost_fen": 0,
            "property_fen": 0,
            "transfer_fen": 0,
        },
        "details": home.details,
        "members": [
            {
                "index": keys.blind_index(number(serial)).hex(),
                "sealed": base64.b64encode(
                    keys.seal_for_transit(number(serial), str(event_id), f"members/{home.no}/{i}")
                ).decode(),
                "name": f"测试{'甲乙丙丁戊己庚辛壬癸'[serial % 10]}",
                "relation": "户主" if i == 0 else "家庭成员",
                "sex": "male",
                "birth_date": "1970-01-01",
                "insured_resident": home.insured,
                "insured_employee": False if home.insured is not None else None,
                "details": home.member_details[i] if i < len(home.member_details) else {},
            }
            for i, serial in enumerate(home.people)
        ],
    }


def settled(
    keys: Keyring,
    person: int,
    compliant_fen: int,
    *,
    record: str = "S1",
    on: str = "2026-02-10",
    sent: datetime = SENT,
    feed: str = "medical-1",
    op: str = "put",
    kind: str = "expense.medical",
    **more: Any,
) -> Event:
    """A message with one medical settlement."""
    one = {
        "record": record,
        "op": op,
        "person": keys.blind_index(number(person)).hex(),
        "kind": kind,
        "occurred_on": on,
        "gross_fen": compliant_fen * 3,
        "compliant_fen": compliant_fen,
        "other_fen": 0,
        "visit": "inpatient",
        **more,
    }
    return observed([one], sent=sent, feed=feed)


def observed(
    observations: Sequence[dict[str, Any]],
    *,
    sent: datetime = SENT,
    feed: str = "medical-1",
    data_set: str = "medical_settlement",
    department: str = "医保局",
) -> Event:
    data = {
        "source": "department",
        "department": department,
        "data_set": data_set,
        "feed_id": feed,
        "division": COUNTY,
        "received_at": sent.isoformat(),
        "observations": list(observations),
    }
    return Event.make("fangpin/intake", OBSERVATIONS_RECORDED, None, data, datetime.now(UTC))


def reported(
    keys: Keyring,
    person: int,
    *,
    report: str = "R1",
    on: str = "2026-03-14",
    hardships: Sequence[str] = ("illness",),
    division: str = VILLAGE,
    household_no: str | None = None,
) -> Event:
    """A household's call for help."""
    data = {
        "source": "self_report",
        "data_set": "self_report",
        "report_id": report,
        "division": division,
        "received_at": datetime(2026, 3, 14, 1, tzinfo=UTC).isoformat(),
        "reporter": {"name": "测试丁", "phone": "19900000009"},
        "observations": [
            {
                "record": f"{report}/{each}",
                "person": keys.blind_index(number(person)).hex(),
                "division": division,
                "household_no": household_no,
                "kind": "event.hardship_report",
                "occurred_on": on,
                "value": each,
            }
            for each in hardships
        ],
    }
    return Event.make("fangpin/intake", OBSERVATIONS_RECORDED, None, data, datetime.now(UTC))


def answered(
    item: dict[str, Any], outcome: str = "no_risk", alert: str = "A1", visit_minutes: int | None = None
) -> Event:
    """The answer to the warning that `item` opened."""
    answer = {
        "alert_id": alert,
        "subject": item["subject"],
        "household_no": item.get("household_no"),
        "living_division": item["living_division"],
        "outcome": outcome,
        "causes": [],
        "visited_on": "2026-03-15",
        "visit_minutes": visit_minutes,
        "verified_at": datetime(2026, 3, 15, 3, tzinfo=UTC).isoformat(),
        "officer_role": "village_secretary",
        "facts_version": item["facts_version"],
        "policy_version": "x",
        "indicators": [finding["indicator"] for finding in item["findings"]],
    }
    return Event.make("fangpin/alerts", VERIFIED, None, {"items": [answer]}, datetime.now(UTC))


def sent_at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def with_people(home: Home, *people: int) -> Home:
    return replace(home, people=people)


async def deliver(runtime: Runtime, *events: Event) -> None:
    """Take messages in as the door for messages does."""
    for event in events:
        async with transaction(runtime.worker_pool) as connection:
            if await accept_new(connection, [event], datetime.now(UTC)):
                await HANDLERS[event.type](connection, event, runtime)


async def assess_all(runtime: Runtime) -> int:
    """Assess until nothing is due; how many households."""
    total = 0
    while done := await assess_due(runtime) + await screen_ranges(runtime):
        total += done
    return total


async def told(runtime: Runtime, type_: str) -> list[dict[str, Any]]:
    """The items of all messages of a type in the outbox, in the order written (the clock stands still in tests)."""
    rows = await runtime.worker_pool.fetch("SELECT payload FROM outbox WHERE type = $1 ORDER BY ctid", type_)
    return [item for row in rows for item in row["payload"]["items"]]


async def facts(runtime: Runtime, *, standing: bool = True) -> list[dict[str, Any]]:
    """The facts that stand (or all), with the household's number in place of our own."""
    rows = await runtime.worker_pool.fetch(
        f"""
        SELECT h.household_no, f.* FROM fact f JOIN household h USING (household_id)
        WHERE {"f.superseded_at IS NULL" if standing else "true"} ORDER BY f.fact_id
        """
    )
    return [dict(row) for row in rows]
