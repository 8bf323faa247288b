"""How sure a share is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.interval import Share


@pytest.mark.parametrize(
    ("hits", "of", "percent", "interval"),
    [
        (0, 0, None, None),
        (0, 10, 0.0, (0.0, 27.8)),
        (10, 10, 100.0, (72.2, 100.0)),
        # Newcombe (1998), table I: 81 of 263.
        (81, 263, 30.8, (25.5, 36.6)),
        # The same: 15 of 148.
        (15, 148, 10.1, (6.2, 16.0)),
    ],
)
def test_published_intervals(hits: int, of: int, percent: float | None, interval: tuple[float, float] | None) -> None:
    share = Share(hits, of)
    assert (share.percent, share.interval) == (percent, interval)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_within_and_more_answers_make_it_narrower(given_: tuple[int, int]) -> None:
    share, more = Share(*given_), Share(given_[0] * 10, given_[1] * 10)
    assert share.interval is not None
    assert more.interval is not None
    assert share.percent is not None
    assert 0 <= share.interval[0] <= share.percent + 0.1
    assert share.percent - 0.1 <= share.interval[1] <= 100
    assert more.interval[1] - more.interval[0] <= share.interval[1] - share.interval[0]
