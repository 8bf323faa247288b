"""A joint consultation: what a call and a decision must say, on both sides of each day."""

from dataclasses import replace
from datetime import date, timedelta

from services.alerts.domain.consultation import Call, Decision, call_objections, decision_objections
from shared.vocabulary.terms import Outcome

TODAY = date(2026, 3, 15)
DAY = timedelta(days=1)
CALL = Call(("医疗保障", "民政"), "是否纳入", TODAY, TODAY)
DECISION = Decision(TODAY, ("GB1", "GB2"), Outcome.NO_RISK)


def _codes(decision: Decision, awaited: set[str] | None = None, opinions_by: date = TODAY) -> list[str]:
    found = decision_objections(
        decision, called_on=TODAY - DAY, today=TODAY, awaited=awaited or set(), opinions_by=opinions_by
    )
    return [objection.code for objection in found]


def test_a_call_for_today_stands_and_for_yesterday_does_not() -> None:
    assert call_objections(CALL, TODAY) == []
    found = call_objections(replace(CALL, opinions_by=TODAY - DAY), TODAY)
    assert [one.code for one in found] == ["opinions_in_past"]
    found = call_objections(replace(CALL, opinions_by=TODAY + DAY), TODAY)
    assert [one.code for one in found] == ["meets_too_early"]
    assert call_objections(replace(CALL, departments=("民政", "民政")), TODAY)[0].code == "department_twice"


def test_departments_are_waited_for_until_their_day_is_over() -> None:
    assert _codes(DECISION, {"民政"}, TODAY) == ["opinions_awaited"]
    assert _codes(DECISION, {"民政"}, TODAY - DAY) == []
    assert _codes(DECISION) == []


def test_it_was_held_after_the_call_and_not_tomorrow_by_two_at_least() -> None:
    assert _codes(replace(DECISION, held_on=TODAY - DAY)) == []
    assert _codes(replace(DECISION, held_on=TODAY - 2 * DAY)) == ["held_out_of_time"]
    assert _codes(replace(DECISION, held_on=TODAY + DAY)) == ["held_out_of_time"]
    assert _codes(replace(DECISION, attendees=("GB1", "GB1"))) == ["attendees_required"]


def test_outcomes_say_what_they_always_say() -> None:
    assert _codes(replace(DECISION, outcome=Outcome.IDENTIFY)) == ["causes_required"]
    assert _codes(replace(DECISION, outcome=Outcome.NEED_MET)) == ["helped_by_required"]
