"""What news does: open, extend, withhold, ignore."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.alert import Status
from services.alerts.domain.change import Change, Known, change_for

OPEN = Known(10, Status.OPEN)
NONE = Known(10)


@pytest.mark.parametrize(
    ("known", "version", "opens", "change"),
    [
        (NONE, 10, True, Change.OPEN),
        (NONE, 10, False, Change.WITHHOLD),
        (NONE, 9, True, Change.IGNORE),
        (OPEN, 10, True, Change.EXTEND),
        (OPEN, 11, False, Change.EXTEND),
        (OPEN, 9, True, Change.IGNORE),
    ],
)
def test_news(known: Known, version: int, opens: bool, change: Change) -> None:
    assert change_for(known, facts_version=version, opens=opens, report_ids=()) is change


@given(st.integers(0, 20), st.booleans(), st.sampled_from([None, Status.OPEN, Status.VERIFYING]))
def test_a_new_report_always_opens_or_extends(version: int, opens: bool, status: Status | None) -> None:
    change = change_for(Known(10, status), facts_version=version, opens=opens, report_ids=["r"])
    assert change is (Change.EXTEND if status else Change.OPEN)


@given(st.integers(0, 9), st.booleans())
def test_a_known_report_does_not_make_old_facts_new(version: int, opens: bool) -> None:
    known = Known(10, None, frozenset({"r"}))
    assert change_for(known, facts_version=version, opens=opens, report_ids=["r"]) is Change.IGNORE
