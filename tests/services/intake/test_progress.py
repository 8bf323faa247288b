"""Progress messages of monitoring and alerts: in any order, each once."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.record_progress import record_progress
from shared.contracts.envelope import Event
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.db.pool import to_json
from shared.db.scope import transaction
from shared.messaging.signing import sign
from shared.vocabulary.identifiers import new_id
from tests.services.intake.build import VILLAGE, Department, csv_text, medical_row
from tests.services.intake.test_self_reports import URL, report, send

AT = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
STAGES = ("matched", "assessed", "routed", "acknowledged", "verified")


def progress(*items: dict[str, Any], source: str = "monitoring") -> Event:
    kind = MONITORING_PROGRESS if source == "monitoring" else ALERTS_PROGRESS
    return Event.make(f"fangpin/{source}", kind, None, {"items": list(items)}, AT)


@pytest.fixture
async def report_id(intake_client: httpx.AsyncClient, bearer: Any) -> str:
    return str((await send(intake_client, bearer("village_secretary", VILLAGE), report())).json()["id"])


async def view(client: httpx.AsyncClient, bearer: Any, report_id: str) -> dict[str, Any]:
    answer = await client.get(f"{URL}/{report_id}", headers=bearer("village_secretary", VILLAGE))
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(STAGES))[::17])
async def test_stages_come_in_any_order(
    intake_client: httpx.AsyncClient, intake_runtime: Any, bearer: Any, report_id: str, order: tuple[str, ...]
) -> None:
    for stage in (*order, *order):
        at = AT + timedelta(minutes=STAGES.index(stage))
        async with transaction(intake_runtime.worker_pool) as connection:
            item = {"report_id": report_id, "stage": stage, "at": at.isoformat()}
            await record_progress(connection, progress(item), intake_runtime)
    seen = await view(intake_client, bearer, report_id)
    assert seen["status"] == "verified"
    assert [s["stage"] for s in seen["stages"]] == ["received", *STAGES]
    times = [s["at"] for s in seen["stages"][1:]]
    assert times == sorted(times)
    assert all(times)


async def test_a_routed_report_names_its_newest_alert(
    intake_client: httpx.AsyncClient, intake_runtime: Any, bearer: Any, report_id: str
) -> None:
    assert (await view(intake_client, bearer, report_id))["alert_id"] is None
    older, newer = str(new_id(AT)), str(new_id(AT + timedelta(days=1)))
    for stage, alert_id in (("routed", newer), ("routed", older), ("matched", None)):
        item = {"report_id": report_id, "stage": stage, "at": AT.isoformat(), "alert_id": alert_id}
        async with transaction(intake_runtime.worker_pool) as connection:
            await record_progress(connection, progress(item, source="alerts"), intake_runtime)
    assert (await view(intake_client, bearer, report_id))["alert_id"] == newer


async def test_an_unmatched_report_says_so_until_it_is_matched(
    intake_client: httpx.AsyncClient, intake_runtime: Any, bearer: Any, report_id: str
) -> None:
    for stage, unmatched in (("unmatched", True), ("matched", False)):
        async with transaction(intake_runtime.worker_pool) as connection:
            item = {"report_id": report_id, "stage": stage, "at": AT.isoformat()}
            await record_progress(connection, progress(item), intake_runtime)
        assert (await view(intake_client, bearer, report_id))["unmatched"] is unmatched


async def test_a_signed_message_counts_once(
    intake_client: httpx.AsyncClient, intake_runtime: Any, department: Department
) -> None:
    feed = await department.send("medical_settlement", csv_text([medical_row(0)]))
    counts = {"matched": 3, "unmatched": 2, "changed": 1}
    event = progress({"feed_id": feed["id"], "stage": "matched", "at": AT.isoformat(), "counts": counts})
    body = to_json(event.model_dump(mode="json", exclude_none=True)).encode()
    headers = sign(
        intake_runtime.keys.message_secret("monitoring", "intake"), str(event.id), body, intake_runtime.clock.now()
    )
    for status in ("accepted", "duplicate"):
        answer = await intake_client.post("/intake/v1/events", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": status}), answer.text
    found = (await department.feed(feed["id"]))["counts"]
    assert (found["matched"], found["unmatched"]) == (3, 2)


async def test_what_we_do_not_know_is_left_alone(intake_runtime: Any) -> None:
    item = {"report_id": str(new_id()), "stage": "matched", "at": AT.isoformat()}
    async with transaction(intake_runtime.worker_pool) as connection:
        assert list(await record_progress(connection, progress(item), intake_runtime)) == []
    assert UUID(str(item["report_id"]))
