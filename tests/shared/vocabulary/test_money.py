"""Money is read exactly or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.money import MoneyError, parse_yuan, yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.00", 0),
        ("1", 100),
        ("0.1", 10),
        ("0.01", 1),
        ("1234.5", 123_450),
        ("-0.5", -50),
        ("9999999999999.99", 999_999_999_999_999),
        ("-1234.05", -123_405),
    ],
)
def test_an_amount_is_read_in_fen(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 1",
        "1 ",
        "1\n",
        "1.005",
        "1.",
        ".5",
        "01",
        "00",
        "+1",
        "--1",
        "1,000",
        "１２",
        "1e3",
        "1E3",
        "NaN",
        "inf",
        "0x10",
        "1_000",
        "¥5",
        "5元",
        "-",
        "1.2.3",
        "10000000000000",
        "٣",
        "1234.5０",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_yuan(text)
    assert refused.value.code == "money_format"


@given(fen=st.integers(-999_999_999_999_999, 999_999_999_999_999))
def test_what_is_written_is_read_back(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen


@given(text=st.text(alphabet="-0123456789.", max_size=12))
def test_reading_and_writing_keeps_the_value(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except MoneyError:
        return
    assert float(yuan(fen)) == float(text)
