"""An alert as an errand: its next deadline, the time left, why."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.domain.alert import Status
from services.alerts.domain.errand import Due, mark_of, next_due, why
from services.alerts.domain.look_at import look_at
from shared.vocabulary.terms import Cause

NOW = datetime(2026, 3, 15, 2, tzinfo=UTC)
ACK, VERIFY = NOW + timedelta(hours=24), NOW + timedelta(days=7)


def test_an_open_alert_is_acknowledged_first_any_other_answered() -> None:
    assert next_due(Status.OPEN, ACK, VERIFY) == Due(ACK, "签收")
    assert next_due(Status.ACKNOWLEDGED, ACK, VERIFY) == Due(VERIFY, "核实")
    assert next_due(Status.OPEN, VERIFY, VERIFY) == Due(VERIFY, "核实")


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=2), "还剩 2 天"),
        (timedelta(days=2) - timedelta(seconds=1), "还剩 47 小时"),
        (timedelta(hours=1), "还剩 1 小时"),
        (timedelta(minutes=59), "还剩 59 分钟"),
        (timedelta(0), "已超期 0 分钟"),
        (timedelta(days=-3), "已超期 3 天"),
    ],
)
def test_time_left_in_words(left: timedelta, said: str) -> None:
    assert Due(NOW + left, "核实").left(NOW) == said


def test_why_says_amounts_to_those_who_see_them_only() -> None:
    sentences = ["近一年医疗自付 12345.60 元，超过 10000.00 元"]
    assert why(["illness"], sentences, {"cause", "amount"}, has_reported=False) == f"{sentences[0]}。"
    assert "因病" in why(["illness"], sentences, {"cause"}, has_reported=False)
    assert "12345" not in why(["illness"], sentences, {"cause"}, has_reported=False)
    assert "因病" not in why(["illness"], sentences, set(), has_reported=False)
    assert "农户自己申报" in why([], [], {"cause"}, has_reported=True)


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_something_to_look_at(cause: Cause) -> None:
    assert len(look_at([cause, cause], has_reported=False)) == 1
    assert len(look_at([cause], has_reported=True)) == 2


def test_an_unknown_cause_is_looked_at_as_a_whole() -> None:
    assert "逐项看" in look_at(["of_another_regime"], has_reported=False)[0]


def test_the_mark_changes_with_what_matters() -> None:
    marks = {mark_of(s, r) for s in (None, "orange", "red") for r in ([], ["1"], ["1", "2"])}
    assert len(marks) == 9
