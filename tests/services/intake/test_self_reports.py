"""A household's own report: kept once, on its way at once, seen only in range."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.intake.schemas import SelfReportCreate
from shared.contracts.intake import ObservationsRecorded
from shared.vocabulary.identifiers import new_id
from shared.web.problem import ProblemDocument
from tests.services.intake.build import COUNTY, VILLAGE, number

URL = "/intake/v1/self-reports"
OTHER_VILLAGE = "130624100202"
Bearer = Callable[..., dict[str, str]]


def report(**changes: Any) -> dict[str, Any]:
    body = {
        "division": VILLAGE,
        "reporter": {"name": "王小明", "identity_number": number(1), "phone": "19900000001"},
        "hardships": ["illness", "job_loss"],
        "consent": {"version": "2025-1"},
        "description": "住院花费较大",
        "amount_yuan": "12000.50",
        "reported_on": "2026-03-14",
    }
    return {**body, **changes}


async def send(
    client: httpx.AsyncClient, headers: dict[str, str], body: Any, key: str | None = "k1"
) -> httpx.Response:
    extra = {"Idempotency-Key": key} if key is not None else {}
    return await client.post(URL, json=body, headers={**headers, **extra})


async def test_a_report_is_kept_and_said_to_monitoring(
    intake_client: httpx.AsyncClient, bearer: Bearer, said: Any, admin: Any, intake_runtime: Any
) -> None:
    answer = await send(intake_client, bearer("village_secretary", VILLAGE), report())
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{URL}/{answer.json()['id']}"
    [(kind, payload, _)] = await said()
    assert kind == "cn.fangpin.intake.observations_recorded.v1"
    data = ObservationsRecorded.model_validate(payload)
    assert data.report_id == answer.json()["id"]
    assert data.reporter is not None
    assert data.reporter.phone == "19900000001"
    assert [(o.kind, o.value, o.amount_fen) for o in data.observations] == [
        ("event.hardship_report", "illness", 1200050),
        ("event.hardship_report", "job_loss", 1200050),
    ]
    assert data.observations[0].person == intake_runtime.keys.blind_index(number(1)).hex()
    delivery = await admin.fetchrow("SELECT priority, state FROM intake.outbox_delivery")
    assert (delivery["priority"], delivery["state"]) == (0, "due")
    trail = await admin.fetchrow("SELECT actor, action, object FROM intake.audit_log")
    assert (trail["action"], trail["object"]) == ("self_report.submit", f"report:{answer.json()['id']}")
    whole = str(await admin.fetch("SELECT * FROM intake.self_report")) + str(payload)
    assert number(1) not in whole
    assert "住院花费" not in whole


async def test_the_same_key_and_payload_replay(intake_client: httpx.AsyncClient, bearer: Bearer, said: Any) -> None:
    headers = bearer("village_secretary", VILLAGE)
    first, again = [await send(intake_client, headers, report()) for _ in range(2)]
    assert again.status_code == 202
    assert again.json() == first.json()
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(await said()) == 1


async def test_the_same_key_at_once_has_one_effect(
    intake_client: httpx.AsyncClient, bearer: Bearer, said: Any
) -> None:
    headers = bearer("village_secretary", VILLAGE)
    answers = await asyncio.gather(*(send(intake_client, headers, report()) for _ in range(8)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(await said()) == 1


async def test_the_same_key_with_another_payload_is_refused(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = bearer("village_secretary", VILLAGE)
    await send(intake_client, headers, report())
    answer = await send(intake_client, headers, report(amount_yuan="1.00"))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_report_under_another_key_answers_with_the_first(
    intake_client: httpx.AsyncClient, bearer: Bearer, said: Any
) -> None:
    headers = bearer("village_secretary", VILLAGE)
    first = await send(intake_client, headers, report())
    again = await send(intake_client, headers, report(hardships=["job_loss", "illness"]), "k2")
    assert again.json() == first.json() | {"receipt_code": None}
    assert again.headers["Idempotent-Replay"] == "true"
    other = await send(intake_client, headers, report(hardships=["water"]), "k3")
    assert other.json() != first.json()
    assert len(await said()) == 2


async def test_keys_of_different_clients_are_different_keys(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    a = await send(intake_client, bearer("village_secretary", VILLAGE, subject="a"), report())
    b = await send(intake_client, bearer("village_secretary", VILLAGE, subject="b"), report(hardships=["water"]))
    assert (a.status_code, b.status_code) == (202, 202)


@pytest.mark.parametrize("keys", [[], ["a", "b"], ["x" * 256], [" "], ["中"]])
async def test_a_bad_key_is_refused(intake_client: httpx.AsyncClient, bearer: Bearer, keys: list[str]) -> None:
    headers = [*bearer("village_secretary", VILLAGE).items(), *(("Idempotency-Key", k.encode()) for k in keys)]
    answer = await intake_client.post(URL, json=report(), headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"division": OTHER_VILLAGE}, 403, "division_out_of_range"),
    ({"hardships": []}, 422, "validation_failed"),
    ({"hardships": ["poverty"]}, 422, "validation_failed"),
    ({"amount_yuan": 12000}, 422, "validation_failed"),
    ({"amount_yuan": "1.005"}, 422, "validation_failed"),
    ({"amount_yuan": "-1"}, 422, "validation_failed"),
    ({"amount_yuan": "100000000.01"}, 422, "validation_failed"),
    ({"reported_on": "2026-03-16"}, 422, "report_refused"),
    ({"reported_on": 1767225600}, 422, "validation_failed"),
    ({"reported_on": "2026-02-29"}, 422, "validation_failed"),
    ({"risk_level": "red"}, 422, "validation_failed"),
    ({"description": "x" * 1001}, 422, "validation_failed"),
    ({"description": "a\x00b"}, 422, "validation_failed"),
    ({"reporter": {"name": "王", "identity_number": "999901196001010011"}}, 422, "report_refused"),
    ({"reporter": {"name": " ", "identity_number": number(1)}}, 422, "validation_failed"),
    ({"reporter": {"name": "王", "identity_number": 1}}, 422, "validation_failed"),
    ({"reporter": {"name": "王", "identity_number": number(1), "phone": "1"}}, 422, "validation_failed"),
]


@pytest.mark.parametrize(("changes", "status", "code"), REFUSED)
async def test_a_bad_report_is_refused_with_a_problem(
    intake_client: httpx.AsyncClient, bearer: Bearer, said: Any, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await send(intake_client, bearer("village_secretary", VILLAGE), report(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    ProblemDocument.model_validate(answer.json())
    assert "999901196001010011" not in answer.text
    assert await said() == []


async def test_an_unknown_village_is_refused(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await send(intake_client, bearer(), report(division="130624100999"))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "division_unknown")
    assert answer.json()["errors"][0]["example"]


async def test_who_may_not_write_is_refused(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    assert (await send(intake_client, {}, report())).status_code == 401
    assert (await send(intake_client, bearer("auditor"), report())).status_code == 403


async def test_a_report_out_of_range_looks_like_none(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    id_ = (await send(intake_client, bearer("village_secretary", VILLAGE), report())).json()["id"]
    seen = await intake_client.get(f"{URL}/{id_}", headers=bearer("village_secretary", VILLAGE))
    hidden = await intake_client.get(f"{URL}/{id_}", headers=bearer("village_secretary", OTHER_VILLAGE))
    none = await intake_client.get(f"{URL}/{new_id()}", headers=bearer("village_secretary", VILLAGE))
    assert (seen.status_code, hidden.status_code, none.status_code) == (200, 404, 404)
    assert {k: v for k, v in hidden.json().items() if k != "instance"} == {
        k: v for k, v in none.json().items() if k != "instance"
    }


async def test_each_role_sees_its_field_classes(intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    id_ = (await send(intake_client, bearer(), report())).json()["id"]
    views = {
        role: (await intake_client.get(f"{URL}/{id_}", headers=bearer(role, division))).json()
        for role, division in (("grid_worker", VILLAGE), ("township_leader", COUNTY), ("auditor", COUNTY))
    }
    assert views["grid_worker"]["phone"] == "19900000001"
    assert views["grid_worker"]["description"] == "住院花费较大"
    assert views["grid_worker"]["amount_yuan"] is None
    assert views["township_leader"]["amount_yuan"] == "12000.50"
    assert (views["auditor"]["phone"], views["auditor"]["reporter_name"]) == (None, "王*明")
    assert views["auditor"]["amount_yuan"] == "12000.50"
    for view in views.values():
        assert view["identity_number"] == f"9999{'*' * 12}{number(1)[-2:]}"


def test_the_examples_of_the_openapi_description_are_valid() -> None:
    example = {
        name: field["examples"][0]
        for name, field in SelfReportCreate.model_json_schema()["properties"].items()
        if "examples" in field
    }
    assert {"division", "hardships", "reported_on"} <= example.keys()
