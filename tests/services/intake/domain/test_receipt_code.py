"""A code that a person reads out, types and mistypes."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.receipt_code import ALPHABET, code_of, parse_code

digests = st.binary(min_size=32, max_size=32)


@given(digests)
def test_a_code_is_found_again_however_it_is_typed(digest: bytes) -> None:
    code = code_of(digest)
    assert len(code.replace("-", "")) == 16
    bare = code.replace("-", "")
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in bare)
    for typed in (code, code.lower(), bare, f" {code.replace('-', ' ')} ", wide, code.replace("-", "－")):
        assert parse_code(typed) == code


@given(digests, st.integers(0, 15), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_noticed(digest: bytes, place: int, sign: str) -> None:
    bare = code_of(digest).replace("-", "")
    wrong = bare[:place] + sign + bare[place + 1 :]
    assert (parse_code(wrong) is not None) == (wrong == bare)


@given(digests, st.integers(0, 14))
def test_two_neighbours_swapped_are_noticed(digest: bytes, place: int) -> None:
    bare = code_of(digest).replace("-", "")
    wrong = bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :]
    assert (parse_code(wrong) is not None) == (wrong == bare)


@given(st.text(max_size=40))
def test_no_text_is_too_strange_to_be_refused(text: str) -> None:
    assert parse_code(text) is None or len(text) >= 16


def test_signs_that_look_alike_are_not_used() -> None:
    assert not set("01OIL") & set(ALPHABET)
    assert len(ALPHABET) == 31
