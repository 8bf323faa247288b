"""What is masked cannot be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import mask
from shared.security.masking import mask_name, mask_number, mask_numbers_in, mask_phone

NUMBERS = st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张建国", "张*国"), ("张三", "张*"), ("欧阳建国", "欧**国"), ("张", "*"), ("", "*"), ("𠮷建国", "𠮷*国")],
)
def test_a_name_keeps_its_ends(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("19900000001", "199****0001"), ("", ""), ("12345", "*****"), ("0312-5550001", "031****0001")],
)
def test_a_phone_keeps_its_ends(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [("990624199003070011", "9906************11"), ("123456", "******"), ("", "")]
)
def test_a_number_keeps_too_little_to_guess_it(number: str, shown: str) -> None:
    assert mask_number(number) == shown


@given(number=NUMBERS)
def test_a_masked_number_shows_neither_itself_nor_the_birth_date(number: str) -> None:
    for shown in (mask_number(number), mask(number)):
        assert number not in shown
        assert number[6:14] not in shown
        assert len(shown) == 18


@given(
    number=NUMBERS, before=st.text(max_size=10).filter(lambda s: not s[-1:].isdecimal()), after=st.text(max_size=10)
)
def test_a_number_in_any_text_is_masked(number: str, before: str, after: str) -> None:
    shown = mask(f"{before}{number}{after}")
    assert number not in shown
    assert number[6:17] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "990624199003070011",
        "99062419900307001X",
        "99062419900307001x",
        "9906241990030700114",
        "99062419900307001144",
        "990624900307001",
        "990624 19900307 0011",
        "990624-19900307-0011",
        "９９０６２４１９９００３０７００１１",
        "19900000001",
        "电话19900000001。",
        "id=990624199003070011;",
        "A990624199003070011B",
    ],
)
def test_every_way_to_write_one_is_masked(text: str) -> None:
    shown = mask(text)
    assert "*" * 8 in shown
    assert sum(char.isdecimal() for char in shown) == 3


@pytest.mark.parametrize(
    "text",
    [
        "130624100201",
        "2026-03-15",
        "1234567890.12",
        "20260315040000",
        "大台村 1-2-3",
        "01a204db-5614-7c10-848e-2072abf0cbc1",
        "01a204db-5614-7c10-848e-13912345678a",
        "01a204db-5614-7c10-848e-a13912345678",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


CANARY = "990624199003070011"
HIDING = st.sampled_from(
    [CANARY, f"号码{CANARY}。", CANARY.encode(), ValueError(CANARY), int(CANARY), {CANARY}, {CANARY: 1}, [(CANARY,)]]
)


@given(
    value=st.recursive(
        HIDING,
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    )
)
def test_a_number_hides_in_no_value(value: object) -> None:
    assert CANARY not in repr(mask(value))


@pytest.mark.parametrize("value", [None, True, 0, 42, 1.5, "", "text", [], {}, [1, {"a": None}]])
def test_other_values_stay(value: object) -> None:
    assert mask(value) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我的身份证号990624199003070011，电话19900000001", "我的身份证号9906************11，电话19900000001"),
        ("990624 19900307 0011", "9906**************11"),
        ("卡号6222000000000000123", "卡号6222*************23"),
        ("住院花费较大", "住院花费较大"),
    ],
)
def test_a_persons_own_text_keeps_all_but_the_number(text: str, shown: str) -> None:
    assert mask_numbers_in(text) == shown
