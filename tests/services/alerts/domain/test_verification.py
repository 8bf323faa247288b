"""Which answers close an alert, and which say too little."""

from datetime import date

import pytest

from services.alerts.domain.verification import WITHOUT_VISIT, Contact, Method, Verification, objections
from shared.vocabulary.terms import Outcome, Severity

OPENED, TODAY = date(2026, 3, 10), date(2026, 3, 15)
VISITED = Contact(Method.VISIT, "S1", date(2026, 3, 12), "户主本人")


def codes(verification: Verification, severity: Severity | None = Severity.ORANGE) -> set[str]:
    return {o.code for o in objections(verification, severity, opened_on=OPENED, today=TODAY)}


@pytest.mark.parametrize("outcome", sorted(WITHOUT_VISIT))
def test_these_close_at_the_desk(outcome: Outcome) -> None:
    assert codes(Verification(outcome)) == set()


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - WITHOUT_VISIT))
def test_all_others_need_a_visit_or_call(outcome: Outcome) -> None:
    assert "contact_required" in codes(Verification(outcome, ("illness",), None, "民政局"))


def test_vocabulary_without_visit_is_exactly_four() -> None:
    assert {Outcome.ALREADY_MONITORED, Outcome.DATA_WRONG, Outcome.MOVED, Outcome.DECEASED} == WITHOUT_VISIT


@pytest.mark.parametrize("severity", [Severity.RED, Severity.ORANGE, None])
def test_no_risk_on_a_grave_alert_says_whom(severity: Severity | None) -> None:
    nobody = Contact(Method.CALL, "S1", date(2026, 3, 12))
    assert codes(Verification(Outcome.NO_RISK, contact=nobody), severity) == {"met_required"}
    assert codes(Verification(Outcome.NO_RISK, contact=VISITED), severity) == set()


def test_no_risk_on_a_mild_alert_needs_no_name() -> None:
    nobody = Contact(Method.CALL, "S1", date(2026, 3, 12))
    assert codes(Verification(Outcome.NO_RISK, contact=nobody), Severity.YELLOW) == set()


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 3, 9), {"contact_before_alert"}),
        (date(2026, 3, 10), set()),
        (date(2026, 3, 15), set()),
        (date(2026, 3, 16), {"contact_in_future"}),
    ],
)
def test_the_visit_lies_between_opening_and_today(day: date, code: set[str]) -> None:
    contact = Contact(Method.VISIT, "S1", day, "户主")
    assert codes(Verification(Outcome.NO_RISK, contact=contact)) == code


def test_need_met_names_the_helper_and_identify_the_cause() -> None:
    assert codes(Verification(Outcome.NEED_MET, contact=VISITED)) == {"helped_by_required"}
    assert codes(Verification(Outcome.IDENTIFY, contact=VISITED)) == {"causes_required"}
