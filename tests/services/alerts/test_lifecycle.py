"""The life of alerts against the real tables: any order of news and steps keeps the invariants."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import empty_tables
from tests.services.alerts.places import VILLAGE, risk

NEWS = st.tuples(
    st.just("news"),
    st.integers(1, 2),
    st.integers(10, 14),
    st.sampled_from(["red", "orange", "yellow", None]),
    st.booleans(),
    st.booleans(),
)
STEP = st.tuples(
    st.just("step"),
    st.integers(1, 2),
    st.sampled_from(
        ["acknowledge", "attempts", "handover", "accept", "decline", "verification", "no_risk", "confirm", "refuse"]
    ),
)

NO_ALERT = "018f0000-0000-7000-8000-000000000000"
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "attempts": {"method": "call"},
    "verification": {"outcome": "moved"},
    "no_risk": {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}},
    "accept": {"answer": "accept"},
    "decline": {"answer": "decline", "reason": "不在本片"},
    "confirm": {"agrees": True},
    "refuse": {"agrees": False, "reason": "未见到人"},
    "handover": {"to_officer_no": "G1", "reason": "外出"},
}

INVARIANTS = {
    "one open alert per subject": "SELECT subject FROM alerts.alert WHERE status <> 'closed' "
    "GROUP BY subject HAVING count(*) > 1",
    "every alert has evidence": "SELECT 1 FROM alerts.alert a WHERE NOT EXISTS "
    "(SELECT 1 FROM alerts.alert_evidence e WHERE e.alert_id = a.alert_id)",
    "every alert has a person": "SELECT 1 FROM alerts.alert a WHERE NOT EXISTS "
    "(SELECT 1 FROM alerts.assignment s WHERE s.alert_id = a.alert_id)",
    "closed has an answer, and only closed": "SELECT 1 FROM alerts.alert a "
    "LEFT JOIN (SELECT * FROM alerts.verification WHERE state = 'stands') v USING (alert_id) "
    "WHERE (a.status = 'closed') <> (v.alert_id IS NOT NULL)",
    "an answer waits where an alert does": "SELECT 1 FROM alerts.alert a WHERE (a.status = 'confirming') <> "
    "EXISTS (SELECT FROM alerts.verification v WHERE v.alert_id = a.alert_id AND v.state = 'awaiting')",
    "nothing answered is offered": "SELECT 1 FROM alerts.handover h JOIN alerts.alert a USING (alert_id) "
    "WHERE h.state = 'pending' AND a.status = 'closed'",
    "an answer stands by two persons or by one": "SELECT 1 FROM alerts.verification "
    "WHERE second_officer_no = officer_no",
    "one answer goes back per closing": "SELECT 1 WHERE "
    "(SELECT count(*) FROM alerts.verification WHERE state = 'stands') <> "
    "(SELECT count(*) FROM alerts.outbox WHERE type LIKE '%verified%')",
    "the timeline ends in the status": "SELECT 1 FROM alerts.alert a WHERE a.status <> "
    "(SELECT l.status_after FROM alerts.alert_log l WHERE l.alert_id = a.alert_id ORDER BY l.log_id DESC LIMIT 1)",
    "each inbox counts without gaps": "SELECT officer_no FROM alerts.inbox_item "
    "GROUP BY officer_no HAVING max(item_no) <> count(*)",
    "no report is lost": "SELECT 1 FROM alerts.alert_subject s WHERE EXISTS (SELECT unnest(s.report_ids) EXCEPT "
    "SELECT unnest(a.report_ids) FROM alerts.alert a WHERE a.subject = s.subject)",
    "what is withheld has a reason": "SELECT 1 FROM alerts.notification WHERE decision <> 'send' AND reason IS NULL",
}


@pytest.fixture
def headers(bearer: Callable[..., dict[str, str]], alerts_client: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    return {
        "G1": bearer("grid_worker", VILLAGE, officer_no="G1"),
        "S1": bearer("village_secretary", VILLAGE, officer_no="S1"),
    }


@settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(actions=st.lists(st.one_of(NEWS, STEP), min_size=4, max_size=18))
async def test_any_order_keeps_the_invariants(
    actions: list[tuple[Any, ...]],
    database: str,
    admin: asyncpg.Connection,
    alerts_client: httpx.AsyncClient,
    tell: Any,
    enlist: Any,
    headers: dict[str, dict[str, str]],
) -> None:
    await empty_tables(database)
    await enlist(("G1", "grid_worker", VILLAGE), ("S1", "village_secretary", VILLAGE))
    for number, action in enumerate(actions):
        if action[0] == "news":
            answer = await _hear(tell, number, *action[1:])
        else:
            answer = await _act(admin, alerts_client, headers, *action[1:])
        assert answer.status_code < 500, answer.text
        for name, query in INVARIANTS.items():
            assert await admin.fetch(query) == [], name


async def _hear(
    tell: Any, number: int, household: int, version: int, severity: str | None, opens: bool, reported: bool
) -> httpx.Response:
    reports = [f"r{number}"] if reported else []
    news = risk(household, facts_version=version, severity=severity, opens=opens, report_ids=reports)
    answer: httpx.Response = await tell(news)
    return answer


async def _act(
    admin: asyncpg.Connection,
    client: httpx.AsyncClient,
    by: dict[str, dict[str, str]],
    household: int,
    step: str,
) -> httpx.Response:
    alert = await admin.fetchval(
        "SELECT alert_id FROM alerts.alert WHERE household_no = $1 ORDER BY status = 'closed' LIMIT 1",
        f"H{household}",
    )
    offer = await admin.fetchval("SELECT handover_id FROM alerts.handover WHERE alert_id = $1 LIMIT 1", alert)
    answer = await admin.fetchval(
        "SELECT verification_id FROM alerts.verification WHERE alert_id = $1 ORDER BY state LIMIT 1", alert
    )
    about = f"/alerts/v1/alerts/{alert or NO_ALERT}"
    path, who = {
        "no_risk": (f"{about}/verification", "G1"),
        "accept": (f"/alerts/v1/handovers/{offer or NO_ALERT}/answer", "G1"),
        "decline": (f"/alerts/v1/handovers/{offer or NO_ALERT}/answer", "G1"),
        "confirm": (f"{about}/verification/{answer or NO_ALERT}/confirmation", "S1"),
        "refuse": (f"{about}/verification/{answer or NO_ALERT}/confirmation", "S1"),
    }.get(step, (f"{about}/{step}", "S1"))
    return await client.post(path, json=BODIES[step], headers=by[who])
