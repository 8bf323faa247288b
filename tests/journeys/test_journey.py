"""From a family's report to the answer at the door, over HTTP only, in real processes, in both modes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.clock import SystemClock
from tests.journeys.running import WAIT_SECONDS, Mode, Running, new_folder, until
from tests.journeys.village import (
    COUNTY,
    MEDICAL_HEADER,
    NEIGHBOUR,
    VILLAGE,
    Family,
    as_csv,
    officers_csv,
    roster_csv,
)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

TODAY = SystemClock().today()


@pytest.fixture(scope="module", params=["all_in_one", "separate"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    mode: Mode = request.param
    with new_folder() as folder:
        house = Running(mode, folder / "data")
        house.data.mkdir()
        house.start()
        load_village(house, FAMILIES)
        yield house
        assert set(house.stop()) == {0}, "every process ends cleanly on SIGTERM"


FAMILIES = [Family(1), Family(2), Family(3, NEIGHBOUR)]


def load_village(running: Running, families: list[Family]) -> None:
    """Cadres and families over the public interface; returns when every family is known to monitoring."""
    admin = running.bearer("county_admin", COUNTY)
    answer = httpx.post(
        f"{running.url('alerts')}/alerts/v1/officers",
        content=officers_csv(VILLAGE, NEIGHBOUR).encode(),
        headers={**admin, "Content-Type": "text/csv; charset=utf-8"},
    )
    assert answer.is_success, answer.text
    feed = send_feed(running, "household_register", roster_csv(families, TODAY.year - 1), str(TODAY.year - 1))
    assert feed["counts"]["accepted"] == len(families), feed
    until(lambda: known_households(running) >= len(families), "every family is known", every=0.3)


def known_households(running: Running) -> int:
    """How many households monitoring has on its register."""
    counts = httpx.get(
        f"{running.url('monitoring')}/monitoring/v1/dashboard/summary", headers=running.bearer("county_admin", COUNTY)
    ).json()
    return int(counts["total"]["households"])


def send_feed(
    running: Running, layout: str, text: str, period: str, *, seconds: float = WAIT_SECONDS
) -> dict[str, Any]:
    """Send a file and wait until it is recorded, `seconds` at most."""
    headers = {**running.bearer("county_admin", COUNTY), "Content-Type": "text/csv"}
    feeds = f"{running.url('intake')}/intake/v1/feeds"
    query = {"layout": layout, "period": period, "mode": "partial", "division": COUNTY}
    answer = httpx.post(feeds, params=query, content=text.encode(), headers=headers, timeout=60)
    assert answer.status_code in {200, 202}, answer.text
    feed: dict[str, Any] = answer.json()

    def recorded() -> bool:
        feed.update(httpx.get(f"{feeds}/{feed['id']}", headers=headers).json())
        return feed["status"] not in {"received", "reading", "recording"}

    until(recorded, f"{layout} is recorded", seconds)
    assert feed["status"] == "recorded", feed
    return feed


def inbox(running: Running, officer: str, role: str, division: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{running.url('alerts')}/alerts/v1/inbox", headers=running.bearer(role, division, officer_no=officer)
    )
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_self_report_reaches_the_village_secretary_and_the_answer_comes_back(running: Running) -> None:
    family = FAMILIES[0]
    system = running.bearer("system", COUNTY)
    reports = f"{running.url('intake')}/intake/v1/self-reports"
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    named = {**system, "Idempotency-Key": "journey-1", "traceparent": trace}
    sent = httpx.post(reports, json=family.report(TODAY), headers=named)
    assert sent.status_code == 202, sent.text
    report_id = sent.json()["id"]

    secretary = running.bearer("village_secretary", VILLAGE, officer_no=f"S-{VILLAGE}")
    until(
        lambda: inbox(running, f"S-{VILLAGE}", "village_secretary", VILLAGE),
        "the secretary hears of it",
    )
    item = inbox(running, f"S-{VILLAGE}", "village_secretary", VILLAGE)[0]
    alert = f"{running.url('alerts')}/alerts/v1/alerts/{item['alert_id']}"
    assert httpx.get(alert, headers=secretary).json()["household_no"] == family.household_no

    acknowledged = httpx.post(f"{alert}/acknowledge", headers={**secretary, "Idempotency-Key": "ack-1"}, json={})
    assert acknowledged.status_code == 200, acknowledged.text
    answer = {
        "outcome": "no_risk",
        "contact": {"method": "visit", "on": TODAY.isoformat(), "met": "户主本人", "by": "王书记"},
    }
    verified = httpx.post(f"{alert}/verification", headers={**secretary, "Idempotency-Key": "v-1"}, json=answer)
    assert verified.status_code in {200, 201}, verified.text

    def stages() -> set[str]:
        told = httpx.get(f"{reports}/{report_id}", headers=system).json()["stages"]
        return {step["stage"] for step in told}

    wanted = {"received", "matched", "assessed", "routed", "acknowledged", "verified"}
    until(lambda: wanted <= stages(), f"the report knows it went through {wanted}")


def test_a_household_outside_the_division_never_appears_by_any_route(running: Running) -> None:
    family = FAMILIES[2]
    system = {**running.bearer("system", COUNTY), "Idempotency-Key": "journey-2"}
    sent = httpx.post(f"{running.url('intake')}/intake/v1/self-reports", json=family.report(TODAY), headers=system)
    assert sent.status_code == 202, sent.text
    until(
        lambda: inbox(running, f"S-{NEIGHBOUR}", "village_secretary", NEIGHBOUR),
        "the neighbours hear of it",
    )
    alert_id = inbox(running, f"S-{NEIGHBOUR}", "village_secretary", NEIGHBOUR)[0]["alert_id"]

    stranger = running.bearer("village_secretary", VILLAGE, officer_no=f"S-{VILLAGE}")
    monitoring, alerts = running.url("monitoring"), running.url("alerts")
    seen = [
        httpx.get(f"{monitoring}/monitoring/v1/households", headers=stranger),
        httpx.get(f"{alerts}/alerts/v1/alerts", headers=stranger),
        httpx.get(f"{alerts}/alerts/v1/inbox", headers=stranger),
    ]
    assert all(answer.status_code == 200 for answer in seen)
    assert not any(family.household_no in answer.text or alert_id in answer.text for answer in seen)
    nobody = {family.household_no: "1306249999999999", alert_id: str(uuid4()), sent.json()["id"]: str(uuid4())}
    for path, key in (
        (f"{monitoring}/monitoring/v1/households/{{}}", family.household_no),
        (f"{monitoring}/monitoring/v1/households/{{}}/assessment", family.household_no),
        (f"{monitoring}/monitoring/v1/households/{{}}/history", family.household_no),
        (f"{alerts}/alerts/v1/alerts/{{}}", alert_id),
        (f"{running.url('intake')}/intake/v1/self-reports/{{}}", sent.json()["id"]),
    ):
        hidden = httpx.get(path.format(key), headers=stranger)
        never = httpx.get(path.format(nobody[key]), headers=stranger)
        assert hidden.status_code == 404, path
        assert {**hidden.json(), "instance": None} == {**never.json(), "instance": None}


def test_a_high_hospital_bill_opens_an_alert_with_its_reasons(running: Running) -> None:
    family = FAMILIES[1]
    day = TODAY - timedelta(days=1)
    bill = family.stay_row(day, 12000, "B-1")
    feed = send_feed(running, "medical_settlement", as_csv([MEDICAL_HEADER, bill]), f"{day:%Y-%m}")
    assert feed["counts"]["accepted"] == 1, feed
    admin = running.bearer("county_admin", COUNTY)
    url = f"{running.url('monitoring')}/monitoring/v1/households/{family.household_no}/assessment"

    def medical() -> dict[str, Any]:
        told = httpx.get(url, headers=admin).json()["indicators"]
        return next(one for one in told if one["id"] == "medical_self_paid")

    until(lambda: medical()["state"] == "fired", "the medical indicator fires")
    assert medical()["measured"] == "12000.00"
    assert medical()["threshold"] == "10000.00"
    told = lambda: inbox(running, f"S-{VILLAGE}", "village_secretary", VILLAGE)  # noqa: E731
    until(lambda: len({item["alert_id"] for item in told()}) == 2, "a second alert reaches the secretary")
