"""Two timelines of one person laid over each other: the own days stand, the other's fill what is free."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.timeline import Span, filled, holding

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=i) for i in range(-1, 13)]


@st.composite
def timelines(draw: st.DrawFn, value: str) -> list[Span[str]]:
    """Spans that do not overlap; the first may have no start, the last no end."""
    cuts = sorted(draw(st.sets(st.integers(0, 11), max_size=6)))
    pairs = [
        (FIRST + timedelta(days=a), FIRST + timedelta(days=b)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    spans = [Span(f"{value}{i}", a, b) for i, (a, b) in enumerate(pairs)]
    if spans and draw(st.booleans()):
        spans[0] = Span(spans[0].value, None, spans[0].valid_to)
    if spans and draw(st.booleans()):
        spans[-1] = Span(spans[-1].value, spans[-1].valid_from, None)
    return spans


@given(timelines("own"), timelines("other"))
def test_each_day_is_the_own_else_the_others(own: list[Span[str]], other: list[Span[str]]) -> None:
    both = filled(own, other)
    for day in DAYS:
        expected = holding(own, day) or holding(other, day)
        found = [span for span in both if span.holds(day)]
        assert [span.value for span in found] == ([expected.value] if expected else [])
