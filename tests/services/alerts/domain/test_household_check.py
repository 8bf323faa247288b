"""What was seen of 两不愁三保障: how it is kept, and what it forbids."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.domain.answer_form import answer_of, label_of
from services.alerts.domain.household_check import Finding, Need, Seen, as_json, read_findings, said
from services.alerts.domain.verification import Contact, Method, Verification, objections
from services.alerts.schemas import VerificationIn
from shared.vocabulary.terms import Outcome, Severity

DAY = date(2026, 3, 15)
VISITED = Contact(Method.VISIT, "S1", DAY, "户主本人")
FINDINGS = st.builds(
    Finding, st.sampled_from(list(Need)), st.sampled_from(list(Seen)), st.none() | st.text(min_size=1, max_size=9)
)


# The first example pays for what is imported late.
@settings(deadline=None)
@given(st.lists(FINDINGS, max_size=6, unique_by=lambda finding: finding.need))
def test_what_is_kept_is_what_was_said(findings: list[Finding]) -> None:
    ordered = sorted(said(findings), key=lambda finding: list(Need).index(finding.need))
    assert list(read_findings(as_json(findings))) == ordered


def test_nothing_seen_is_nothing_kept() -> None:
    assert as_json([Finding(need, Seen.NOT_SEEN) for need in Need]) is None
    assert read_findings(None) == ()


@pytest.mark.parametrize("need", list(Need))
def test_what_is_lacking_is_explained_and_is_no_no_risk(need: Need) -> None:
    def codes(outcome: Outcome, *findings: Finding) -> set[str]:
        answer = Verification(outcome, ("illness",), VISITED, "民政局", None, findings)
        return {o.code for o in objections(answer, Severity.RED, opened_on=DAY, today=DAY)}

    bare, told = Finding(need, Seen.LACKING), Finding(need, Seen.LACKING, "屋顶漏雨")
    assert codes(Outcome.NO_RISK, bare) == {"lacking_note_required", "check_contradicts"}
    assert codes(Outcome.NO_RISK, told) == {"check_contradicts"}
    assert codes(Outcome.IDENTIFY, told) == codes(Outcome.NEED_MET, told) == set()
    assert codes(Outcome.NO_RISK, Finding(need, Seen.FINE), Finding(need, Seen.NOT_SEEN)) == set()


def test_a_form_becomes_the_body_of_a_verification() -> None:
    form = {"outcome": "no_risk", "method": "visit", "on": "2026-03-15", "met": " 户主 ", "minutes": "", "note": ""}
    form |= {"need_food": "fine", "about_water": "没去看", "csrf": "x", "seen": "red.0"}
    answer = VerificationIn.model_validate(answer_of(form, []))
    assert answer.contact
    assert (answer.contact.met, answer.contact.minutes, answer.note) == ("户主", None, None)
    assert {need: one.seen for need, one in (answer.household_check or {}).items()} == {
        Need.FOOD: Seen.FINE,
        Need.WATER: Seen.NOT_SEEN,
    }


def test_a_day_alone_is_no_contact() -> None:
    assert "contact" not in answer_of({"outcome": "moved", "on": "2026-03-15"}, [])


def test_a_field_is_called_as_the_page_calls_it() -> None:
    assert label_of("body/contact/met") == "见了谁"
    assert label_of("household_check/housing/note") == "住房安全"
    assert label_of("elsewhere") == ""
