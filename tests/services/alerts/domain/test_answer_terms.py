"""Of two things policy asked of an answer, the stricter of each holds, whichever came first."""

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.answer_terms import AnswerTerms
from shared.vocabulary.terms import Severity

days = st.integers(1, 120)
terms = st.builds(AnswerTerms, st.frozensets(st.sampled_from(Severity)), st.integers(0, 100), days, days)


def test_each_is_the_stricter_one() -> None:
    one = AnswerTerms(frozenset({Severity.RED}), 5, 10, 10)
    other = AnswerTerms(frozenset({Severity.ORANGE}), 20, 12, 3)
    assert one.stricter(other) == AnswerTerms(frozenset({Severity.RED, Severity.ORANGE}), 20, 10, 3)


@given(terms, terms, terms)
def test_the_order_does_not_matter(a: AnswerTerms, b: AnswerTerms, c: AnswerTerms) -> None:
    assert a.stricter(b) == b.stricter(a)
    assert a.stricter(b).stricter(c) == a.stricter(b.stricter(c))
    assert a.stricter(a) == a
