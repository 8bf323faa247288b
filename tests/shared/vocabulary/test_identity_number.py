"""The identity number: what is accepted, normalised and refused, and why."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.identity_number import (
    MESSAGES,
    IdentityNumberError,
    check_digit,
    holds_identity_number,
    parse_identity_number,
)

TODAY = date(2026, 11, 22)


def oracle_check_character(first_17: str) -> str:
    """ISO 7064 MOD 11-2 as the standard writes it: doubling a running remainder, no table of weights."""
    remainder = 0
    for character in first_17:
        remainder = (remainder + (ord(character) - 48)) * 2 % 11
    check = (12 - remainder) % 11
    return "X" if check == 10 else str(check)


def numbered(area: str, birth: str, sequence: str) -> str:
    first_17 = area + birth + sequence
    return first_17 + oracle_check_character(first_17)


def refusal(text: str) -> str | None:
    try:
        parse_identity_number(text, TODAY)
    except IdentityNumberError as error:
        return error.code
    return None


VALID = numbered("990624", "19580312", "023")
ENDING_IN_X = next(n for n in (numbered("990624", "19900307", f"{i:03d}") for i in range(1, 999)) if n.endswith("X"))


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_check_digit_agrees_with_the_iterative_form_of_the_standard(first_17: str) -> None:
    assert check_digit(first_17) == oracle_check_character(first_17)


@given(
    birth=st.dates(date(1900, 1, 1), TODAY),
    area=st.integers(0, 9999),
    sequence=st.integers(1, 999),
)
def test_every_wellformed_number_is_read_back(birth: date, area: int, sequence: int) -> None:
    text = numbered(f"99{area:04d}", birth.strftime("%Y%m%d"), f"{sequence:03d}")
    read = parse_identity_number(text, TODAY)
    assert (read.number, read.birth_date, read.area, read.notes) == (text, birth, f"99{area:04d}", ())
    assert read.sex == ("male" if sequence % 2 else "female")


@given(position=st.integers(0, 16), shift=st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(position: int, shift: int) -> None:
    wrong = str((int(VALID[position]) + shift) % 10)
    with pytest.raises(IdentityNumberError):
        parse_identity_number(VALID[:position] + wrong + VALID[position + 1 :], TODAY)


@given(position=st.integers(0, 15))
def test_two_neighbouring_digits_swapped_are_always_noticed(position: int) -> None:
    swapped = VALID[:position] + VALID[position + 1] + VALID[position] + VALID[position + 2 :]
    if swapped == VALID:
        return
    with pytest.raises(IdentityNumberError):
        parse_identity_number(swapped, TODAY)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_known_code(text: str) -> None:
    code = refusal(text)
    assert code is None or code in MESSAGES


NORMALISED = [
    (ENDING_IN_X.lower(), ENDING_IN_X, ("upper_case",)),
    (ENDING_IN_X[:17] + "\uff38", ENDING_IN_X, ("width",)),
    ("".join(chr(0xFEE0 + ord(c)) for c in VALID), VALID, ("width",)),
    (f" {VALID[:6]} {VALID[6:14]}-{VALID[14:]}\u00a0\u200b\u3000", VALID, ("separators",)),
    (f"\ufeff{VALID}\t\n", VALID, ("separators",)),
    (VALID[:6] + VALID[8:17], VALID, ("legacy_15_digits",)),
    (numbered("990624", "19580312", "000"), numbered("990624", "19580312", "000"), ("sequence_000",)),
    (numbered("830000", "19880808", "011"), numbered("830000", "19880808", "011"), ("permit",)),
    (numbered("999999", "19580312", "023"), numbered("999999", "19580312", "023"), ()),
]


@pytest.mark.parametrize(("text", "number", "notes"), NORMALISED)
def test_unusual_writing_is_normalised_and_noted(text: str, number: str, notes: tuple[str, ...]) -> None:
    read = parse_identity_number(text, TODAY)
    assert (read.number, read.notes) == (number, notes)


WRONG_CHECK = VALID[:17] + ("1" if VALID[17] == "0" else "0")
TOMORROW = (TODAY + timedelta(days=1)).strftime("%Y%m%d")
REFUSED = [
    ("", "blank"),
    ("\u3000\u200b ", "blank"),
    ("1.10101E+17", "precision_lost"),
    ("9.90624199003070011e17", "precision_lost"),
    ("990624195803120000.0", "precision_lost"),
    ("990624195803120" + "000", "precision_lost"),
    (ENDING_IN_X[:17] + "\u0425", "lookalike_letter"),
    (ENDING_IN_X[:17] + "\u0445", "lookalike_letter"),
    (VALID + "44", "disability_certificate"),
    (VALID + "32B1", "disability_certificate"),
    (VALID[:17], "wrong_length"),
    (VALID + "9", "wrong_length"),
    ("9" * 65, "wrong_length"),
    ("A" + VALID[1:], "wrong_character"),
    ("X" + VALID[1:], "wrong_character"),
    ("".join(chr(0x0660 + int(c)) for c in VALID[:17]) + "1", "wrong_character"),
    ("0" * 18, "placeholder"),
    ("1" * 18, "placeholder"),
    (numbered("990624", "19900230", "011"), "wrong_birth_date"),
    (numbered("990624", "20230229", "011"), "wrong_birth_date"),
    ("990624900230011", "wrong_birth_date"),
    (numbered("990624", TOMORROW, "011"), "birth_in_future"),
    (numbered("990624", "18991231", "011"), "birth_before_1900"),
    (WRONG_CHECK, "wrong_check_digit"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_refused_with_the_reason_and_without_quoting_the_number(text: str, code: str) -> None:
    with pytest.raises(IdentityNumberError) as refused:
        parse_identity_number(text, TODAY)
    assert refused.value.code == code
    assert not text.strip() or text not in str(refused.value)


def test_born_today_is_accepted() -> None:
    assert parse_identity_number(numbered("990624", "20261122", "011"), TODAY).birth_date == TODAY


SOMEBODY = numbered("990624", "19900307", "011")


@pytest.mark.parametrize(
    "text",
    [
        SOMEBODY,
        f"本人{SOMEBODY}，请核对",
        f"{SOMEBODY}42",
        f"0{SOMEBODY}",
        SOMEBODY.translate({c: c + 0xFEE0 for c in range(48, 58)}),
        f"{SOMEBODY[:6]} {SOMEBODY[6:14]} {SOMEBODY[14:]}",
        f"{SOMEBODY[:6]}-{SOMEBODY[6:14]}-{SOMEBODY[14:]}",
    ],
)
def test_a_number_is_found_in_a_text_however_it_is_written(text: str) -> None:
    assert holds_identity_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "住院花费较大",
        WRONG_CHECK,
        SOMEBODY[:17],
        "130624100201000001",
        "JS202601050001",
        "19900000001",
        "01a20505-1a0e-744b-8a10-b6f3677c1808",
        "2026-01-05 12:00:00",
    ],
)
def test_other_numbers_are_no_identity_numbers(text: str) -> None:
    assert not holds_identity_number(text)
