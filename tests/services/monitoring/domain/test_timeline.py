"""Values that follow each other: changed from a day on, both sides of every day, whatever the order of telling."""

from datetime import date

from services.monitoring.domain.timeline import Span, altered, begun, holding, joined, moved_to, parted

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
BEFORE_MAR = date(2026, 2, 28)


def test_a_value_holds_on_its_first_day_and_not_on_its_last() -> None:
    span = Span("a", FEB, MAR)
    assert [span.holds(day) for day in (date(2026, 1, 31), FEB, BEFORE_MAR, MAR)] == [False, True, True, False]
    assert holding([span], MAR) is None


def test_a_move_holds_from_its_day_on() -> None:
    spans = moved_to("b", [Span("a", None)], MAR)
    assert spans == [Span("a", None, MAR), Span("b", MAR)]
    assert [holding(spans, day).value for day in (BEFORE_MAR, MAR)] == ["a", "b"]  # type: ignore[union-attr]


def test_moves_told_in_any_order_say_the_same() -> None:
    start = [Span("a", None)]
    in_order = moved_to("c", moved_to("b", start, FEB), MAR)
    reversed_order = moved_to("b", moved_to("c", start, MAR), FEB)
    assert in_order == reversed_order == [Span("a", None, FEB), Span("b", FEB, MAR), Span("c", MAR)]


def test_a_move_of_the_same_day_is_corrected() -> None:
    spans = moved_to("c", moved_to("b", [Span("a", None)], FEB), FEB)
    assert spans == [Span("a", None, FEB), Span("c", FEB)]


def test_a_change_goes_on_through_what_is_alike_in_it() -> None:
    """The relation changed in February although the status changed in March: both hold afterwards."""
    spans = [Span(("child", "living"), JAN, MAR), Span(("child", "away"), MAR)]
    after = altered(spans, FEB, lambda value: ("other", value[1]), alike=lambda one, other: one[0] == other[0])
    assert after == [
        Span(("child", "living"), JAN, FEB),
        Span(("other", "living"), FEB, MAR),
        Span(("other", "away"), MAR),
    ]


def test_an_end_leaves_what_begins_after_a_gap() -> None:
    spans = [Span("a", JAN, MAR), Span("a", APR)]
    assert altered(spans, FEB, lambda _: None, alike=lambda _, __: True) == [Span("a", JAN, FEB), Span("a", APR)]


def test_an_end_on_the_first_day_leaves_nothing() -> None:
    assert altered([Span("a", FEB)], FEB, lambda _: None, alike=lambda _, __: True) == []


def test_what_begins_ends_where_the_next_begins() -> None:
    assert begun([Span("a", APR)], FEB, "b") == [Span("b", FEB, APR), Span("a", APR)]
    assert begun([Span("a", JAN, FEB)], FEB, "a") == [Span("a", JAN)]


def test_parts_meet_at_the_day() -> None:
    assert parted([Span("a", JAN, MAR), Span("b", MAR)], FEB) == (
        [Span("a", JAN, FEB)],
        [Span("a", FEB, MAR), Span("b", MAR)],
    )
    assert parted([Span("a", FEB)], FEB) == ([], [Span("a", FEB)])


def test_neighbours_of_one_value_are_one() -> None:
    assert joined([Span("a", FEB, MAR), Span("a", JAN, FEB), Span("b", MAR)]) == [Span("a", JAN, MAR), Span("b", MAR)]
