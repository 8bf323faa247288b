"""Outside the house, a message names no person and no amount, and speaks of the subscriber's places only."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.alerts import VERIFIED, Verified, VerifiedItem
from shared.contracts.intake import HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED
from shared.contracts.monitoring import (
    RISK_CHANGED,
    AnswerTerms,
    Clocks,
    Contact,
    EvidenceItem,
    Finding,
    RiskChanged,
    RiskItem,
)
from shared.contracts.outside import OUTSIDE_TYPES, as_told_outside
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.vocabulary.division import DivisionCodeError, covers
from shared.vocabulary.terms import Outcome, Role, Severity, Source

NOON = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
VILLAGES = ("130624100201", "130624100202", "130624101201", "130625100201", "140100001001")
SCOPES = ("130000000000", "130600000000", "130624000000", "130624100000", "130624100201", "130625000000")

# Whatever must stay inside carries this character, and nothing else does.
SECRET = "秘"
secrets = st.text(alphabet="张三0123456789.", max_size=12).map(lambda text: SECRET + text)
maybe_secret = st.none() | secrets
places = st.sampled_from(VILLAGES)

findings = st.builds(
    Finding,
    indicator=st.just("medical_out_of_pocket"),
    state=st.sampled_from(["fired", "clear", "unknown"]),
    severity=st.none() | st.sampled_from(Severity),
    cause=st.none() | st.just("illness"),
    measured=maybe_secret,
    threshold=maybe_secret,
    margin=maybe_secret,
    unit=maybe_secret,
    sentence=secrets,
)
evidence = st.builds(
    EvidenceItem,
    kind=secrets,
    occurred_on=st.just(date(2026, 3, 1)),
    source=st.sampled_from(Source),
    department=maybe_secret,
    summary=secrets,
)
risks = st.builds(
    RiskItem,
    subject=st.sampled_from(["household:H1", "household:H2"]),
    household_no=st.none() | st.just("H1"),
    facts_version=st.integers(0, 9),
    living_division=places,
    registered_division=places,
    contact=st.builds(Contact, name=secrets, phone=maybe_secret),
    recommendation=st.none(),
    previous_recommendation=st.none(),
    listed_as=st.none(),
    severity=st.none() | st.sampled_from(Severity),
    causes=st.just(["illness"]),
    findings=st.lists(findings, max_size=3),
    evidence=st.lists(evidence, max_size=3),
    reason=st.just("finding"),
    report_ids=st.just([]),
    opens=st.booleans(),
    withheld_because=st.none(),
    on=st.just(date(2026, 3, 15)),
    clocks=st.just(Clocks(acknowledge_hours=24, verify_days=5)),
    answer_terms=st.none() | st.just(AnswerTerms(recheck_percent=20)),
)
answers = st.builds(
    VerifiedItem,
    alert_id=st.just("a"),
    subject=st.just("household:H1"),
    household_no=st.just("H1"),
    living_division=places,
    outcome=st.sampled_from(Outcome),
    causes=st.just(["illness"]),
    visited_on=st.none() | st.just(date(2026, 3, 14)),
    visit_minutes=st.none() | st.integers(1, 1440),
    verified_at=st.just(NOON),
    officer_role=st.sampled_from(Role),
    facts_version=st.integers(0, 9),
    policy_version=st.just("v1"),
    indicators=st.just([]),
)
risk_messages = st.builds(
    RiskChanged, policy_version=st.just("v1"), items=st.lists(risks, min_size=1, max_size=5)
).map(lambda said: (RISK_CHANGED, said.model_dump(mode="json")))
answer_messages = st.builds(Verified, items=st.lists(answers, min_size=1, max_size=5)).map(
    lambda said: (VERIFIED, said.model_dump(mode="json"))
)
Message = tuple[str, dict[str, Any]]
messages = risk_messages | answer_messages


def places_of(item: dict[str, Any]) -> set[str]:
    return {item[name] for name in ("living_division", "registered_division") if name in item}


@given(messages, st.sampled_from(SCOPES))
def test_no_contact_no_amount_and_no_sentence_is_told(message: Message, division: str) -> None:
    assert SECRET not in json.dumps(as_told_outside(*message, division), ensure_ascii=False)


@given(messages, st.sampled_from(SCOPES))
def test_what_is_told_lies_in_the_division_and_nothing_of_it_is_kept_back(message: Message, division: str) -> None:
    type_, data = message
    concerned = [item for item in data["items"] if any(covers(division, place) for place in places_of(item))]
    told = as_told_outside(type_, data, division)
    if not concerned:
        assert told is None
        return
    assert told is not None
    assert [one["living_division"] for one in told["items"]] == [one["living_division"] for one in concerned]
    assert [one["facts_version"] for one in told["items"]] == [one["facts_version"] for one in concerned]
    assert {name: told[name] for name in told if name != "items"} == {n: data[n] for n in data if n != "items"}


@given(messages, st.sampled_from(SCOPES))
def test_telling_one_takes_nothing_from_the_next(message: Message, division: str) -> None:
    before = json.dumps(message[1])
    as_told_outside(*message, division)
    assert json.dumps(message[1]) == before


# A field that is new to the contract is told outside only after somebody added it here.
TOLD_OF_A_RISK = {
    "subject",
    "household_no",
    "facts_version",
    "living_division",
    "registered_division",
    "recommendation",
    "previous_recommendation",
    "listed_as",
    "severity",
    "score",
    "causes",
    "findings",
    "reason",
    "report_ids",
    "opens",
    "withheld_because",
    "on",
    "clocks",
}
TOLD_OF_AN_ANSWER = {
    "alert_id",
    "subject",
    "household_no",
    "living_division",
    "outcome",
    "causes",
    "visited_on",
    "verified_at",
    "officer_role",
    "facts_version",
    "policy_version",
    "indicators",
}


@given(risk_messages)
def test_a_risk_is_told_by_indicator_and_cause(message: Message) -> None:
    told = as_told_outside(*message, "130000000000") or {"items": []}
    for item in told["items"]:
        assert set(item) == TOLD_OF_A_RISK
        assert all(set(one) == {"indicator", "state", "severity", "cause"} for one in item["findings"])


@given(answer_messages)
def test_an_answer_is_told_with_the_post_of_the_visitor_only(message: Message) -> None:
    told = as_told_outside(*message, "130000000000") or {"items": []}
    assert all(set(item) == TOLD_OF_AN_ANSWER for item in told["items"])


def test_a_household_concerns_the_place_it_lives_in_and_the_one_it_is_registered_in() -> None:
    item = {"living_division": "130624100201", "registered_division": "130625100201"}
    for division, concerned in (("130624000000", True), ("130625000000", True), ("130626000000", False)):
        assert (as_told_outside(RISK_CHANGED, {"items": [item]}, division) is not None) is concerned


@pytest.mark.parametrize("division", ["", "13", "130624", "000000000000", "x"])
def test_a_subscription_without_a_proper_division_hears_nothing(division: str) -> None:
    with pytest.raises(DivisionCodeError):
        as_told_outside(VERIFIED, {"items": [{"living_division": "130624100201"}]}, division)


def test_two_types_are_spoken_outside_and_no_other_can_be() -> None:
    assert {RISK_CHANGED, VERIFIED} == OUTSIDE_TYPES
    for type_ in (HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, MONITORING_PROGRESS, ALERTS_PROGRESS):
        with pytest.raises(KeyError):
            as_told_outside(type_, {"items": [{"living_division": "130624100201"}]}, "130000000000")
