"""What a silence may hold back and what never, and when it holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.alerts.domain.message import Kind
from services.alerts.domain.route import Matcher, Operator
from services.alerts.domain.silence import Silence, is_selective, may_be_held_back, silence_over

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VILLAGE = "130624100202"
YELLOW = {"severity": ("yellow",), "reported": ("no",), "appealed": ("no",)}


def silence(number: int = 1, division: str = "130624100000", hours: int = 1, label: str = "severity") -> Silence:
    matchers = (Matcher(label, Operator.EQUALS, "yellow"),)
    return Silence(UUID(int=number), division, matchers, "x", NOON, NOON + hours * HOUR)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [(NOON - timedelta(microseconds=1), False), (NOON, True), (NOON + HOUR - timedelta(microseconds=1), True)],
)
def test_it_holds_from_its_start_until_before_its_end(moment: datetime, holds: bool) -> None:
    assert silence().covers(VILLAGE, YELLOW, moment) is holds
    assert not silence().covers(VILLAGE, YELLOW, NOON + HOUR)


def test_it_holds_in_its_place_and_for_what_matches_only() -> None:
    assert not silence(division="130624101000").covers(VILLAGE, YELLOW, NOON)
    assert not silence(label="cause").covers(VILLAGE, YELLOW, NOON)


def test_of_several_the_last_to_end_holds() -> None:
    found = silence_over(
        [silence(1, hours=3), silence(2, hours=5), silence(3)], VILLAGE, YELLOW, kind="opened", now=NOON
    )
    assert found is not None
    assert found.silence_id == UUID(int=2)


@pytest.mark.parametrize(
    ("kind", "labels", "held"),
    [
        (Kind.OPENED, {}, True),
        (Kind.RAISED, {"severity": ("orange",)}, True),
        (Kind.OPENED, {"severity": ("red",)}, False),
        (Kind.RAISED, {"severity": ("red",)}, False),
        (Kind.REPORTED, {}, False),
        (Kind.HANDED_OVER, {}, False),
        (Kind.OPENED, {"reported": ("yes",)}, False),
        (Kind.RAISED, {"appealed": ("yes",)}, False),
    ],
)
def test_a_persons_word_and_the_first_of_red_are_never_held_back(
    kind: Kind, labels: dict[str, tuple[str, ...]], held: bool
) -> None:
    assert may_be_held_back(kind, {**YELLOW, **labels}) is held


def test_a_silence_asks_for_something() -> None:
    assert is_selective((Matcher("cause", Operator.EQUALS, "illness"),))
    assert not is_selective(())
    assert not is_selective((Matcher("cause", Operator.MATCHES, ".*"), Matcher("x", Operator.DIFFERS, "y")))
