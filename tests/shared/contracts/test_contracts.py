"""Messages mean what they say: an envelope by CloudEvents, contents in which nothing is lost in silence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.contracts.alerts import VERIFIED, Verified
from shared.contracts.envelope import Event
from shared.contracts.intake import (
    DATA_NOTICE,
    HOUSEHOLDS_RECORDED,
    OBSERVATIONS_RECORDED,
    OWN_RECORD_ASKED,
    HouseholdsRecorded,
    ObservationsRecorded,
)
from shared.contracts.monitoring import OWN_RECORD_TOLD, RISK_CHANGED, RiskChanged
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS, Progress
from shared.messaging.subscription import INTERNAL, senders_to

NOW = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
MEMBER = {
    "index": "00" * 32,
    "sealed": "AA==",
    "name": "张三",
    "relation": "self",
    "sex": "male",
    "birth_date": "1990-03-07",
}
HOUSEHOLD = {
    "household_no": "H1",
    "record": "H1",
    "division": "130624100201",
    "base_group": "general",
    "members": [MEMBER],
}
OBSERVATION = {"record": "1", "kind": "event.hardship_report", "occurred_on": "2026-03-01"}
RISK = {
    "subject": "household:H1",
    "facts_version": 1,
    "living_division": "130624100201",
    "registered_division": "130624100201",
    "contact": {"name": "张三"},
    "reason": "finding",
    "opens": True,
    "on": "2026-03-15",
    "clocks": {"acknowledge_hours": 24, "verify_days": 5},
}
SAID: list[tuple[type[BaseModel], str, dict[str, Any], dict[str, Any], int]] = [
    (
        HouseholdsRecorded,
        "households",
        HOUSEHOLD,
        {
            "feed_id": "f",
            "department": "d",
            "data_set": "s",
            "division": "130624000000",
            "received_at": "2026-03-15T04:00:00Z",
            "recorded_from": "2026-01-01",
        },
        300,
    ),
    (
        ObservationsRecorded,
        "observations",
        OBSERVATION,
        {"source": "self_report", "data_set": "s", "division": "130624100201", "received_at": "2026-03-15T04:00:00Z"},
        1000,
    ),
    (RiskChanged, "items", RISK, {"policy_version": "v1"}, 200),
    (Progress, "items", {"stage": "matched", "at": "2026-03-15T04:00:00Z", "report_id": "r"}, {}, 1000),
    (
        Verified,
        "items",
        {
            "alert_id": "a",
            "subject": "household:H1",
            "living_division": "130624100201",
            "outcome": "no_risk",
            "verified_at": "2026-03-15T04:00:00Z",
            "officer_role": "grid_worker",
            "facts_version": 1,
            "policy_version": "v1",
        },
        {},
        1000,
    ),
]
EACH = pytest.mark.parametrize(
    ("kind", "list_of", "item", "around", "most"), SAID, ids=lambda v: getattr(v, "__name__", "")
)


@EACH
def test_contents_come_back_from_json_as_they_were(
    kind: type[BaseModel], list_of: str, item: dict[str, Any], around: dict[str, Any], most: int
) -> None:
    said = kind.model_validate(around | {list_of: [item]})
    event = Event.make("fangpin/intake", OBSERVATIONS_RECORDED, None, said, NOW)
    assert kind.model_validate(json.loads(json.dumps(event.data))) == said


@EACH
def test_a_misspelt_field_is_never_lost(
    kind: type[BaseModel], list_of: str, item: dict[str, Any], around: dict[str, Any], most: int
) -> None:
    for wrong in (around | {list_of: [item], "misspelt": 1}, around | {list_of: [item | {"misspelt": 1}]}):
        with pytest.raises(ValidationError):
            kind.model_validate(wrong)


@EACH
def test_a_message_has_at_least_one_item_and_not_too_many(
    kind: type[BaseModel], list_of: str, item: dict[str, Any], around: dict[str, Any], most: int
) -> None:
    assert kind.model_validate(around | {list_of: [item] * most})
    for count in (0, most + 1):
        with pytest.raises(ValidationError):
            kind.model_validate(around | {list_of: [item] * count})


def test_an_event_comes_back_from_json_as_it_was() -> None:
    event = Event.make(
        "fangpin/intake", RISK_CHANGED, "household:1", {"a": None, "b": ["大台村"]}, NOW, traceparent="00-x"
    )
    again = Event.model_validate_json(event.model_dump_json(exclude_none=True))
    assert (again.id, again.time, again.subject) == (event.id, event.time, event.subject)


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "1.1"},
        {"id": "1"},
        {"source": "fangpin/up"},
        {"source": "x/fangpin/intake"},
        {"type": "v1"},
        {"type": "cn.fangpin.A.v1"},
        {"time": datetime(2026, 3, 15)},
        {"data": None},
        {"more": 1},
        {"subject": "x" * 201},
        {"datacontenttype": "text/plain"},
    ],
    ids=str,
)
def test_an_envelope_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    event = Event.make("fangpin/intake", RISK_CHANGED, None, {}, NOW).model_dump()
    with pytest.raises(ValidationError):
        Event.model_validate(event | change)


def test_every_type_is_spoken_by_the_service_in_its_name() -> None:
    spoken = {(sender, name) for sender, heard in INTERNAL.items() for types in heard.values() for name in types}
    assert {name for _, name in spoken} == {
        HOUSEHOLDS_RECORDED,
        OBSERVATIONS_RECORDED,
        OWN_RECORD_ASKED,
        OWN_RECORD_TOLD,
        DATA_NOTICE,
        MONITORING_PROGRESS,
        RISK_CHANGED,
        ALERTS_PROGRESS,
        VERIFIED,
    }
    assert all(name.startswith(f"cn.fangpin.{sender}.") for sender, name in spoken)


def test_the_three_services_hear_each_other() -> None:
    assert {name: sorted(senders_to(name)) for name in ("intake", "monitoring", "alerts")} == {
        "intake": ["alerts", "monitoring"],
        "monitoring": ["alerts", "intake"],
        "alerts": ["intake", "monitoring"],
    }
