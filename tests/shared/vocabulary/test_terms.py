"""The words: a stable code outside, a Chinese name for people."""

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.vocabulary import terms
from shared.vocabulary.terms import Role, Severity, Term

KINDS = [
    kind for kind in vars(terms).values() if isinstance(kind, type) and issubclass(kind, Term) and kind is not Term
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_word_has_a_code_and_a_chinese_name_of_its_own(kind: type[Term]) -> None:
    assert len(kind) == len({word.zh for word in kind})
    assert all(word.value.isascii() and word.zh and not word.zh.isascii() for word in kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_word_is_its_code_in_json(kind: type[Term]) -> None:
    for word in kind:
        assert json.dumps(word) == json.dumps(word.value)
        assert kind(word.value) is word
        assert TypeAdapter(kind).validate_python(word.value) is word


def test_the_chinese_name_is_no_code() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Role).validate_python("网格员")


def test_red_is_the_most_urgent() -> None:
    assert [word.rank for word in Severity] == [4, 3, 2, 1]
    assert max(Severity, key=lambda word: word.rank) is Severity.RED
