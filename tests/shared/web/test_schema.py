"""A body means one thing: no coercion, no hidden characters, no unknown field."""

from datetime import date
from typing import Any

import pytest
from pydantic import AwareDatetime, Field, ValidationError

from shared.vocabulary.terms import Cause
from shared.web.schema import DivisionStr, Name, OpenText, Strict, Text, YuanStr


class Body(Strict):
    name: Name = "张三"
    note: Text | None = None
    plain: str = ""
    on: date | None = None
    days: list[date] = Field(default_factory=list)
    at: AwareDatetime | None = None
    count: int = 0
    maybe: int | None = None
    flag: bool = False
    cause: Cause = Cause.ILLNESS
    division: DivisionStr = "130624100201"
    amount: YuanStr = "0"


def problem_of(**given: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate(given)
    return str(refused.value.errors()[0]["type"])


def test_what_is_right_is_taken() -> None:
    body = Body.model_validate(
        {
            "name": " 𠮷建国 ",
            "note": "第一行\n第二行",
            "on": "2026-02-28",
            "days": ["2026-01-31"],
            "flag": True,
            "maybe": 3,
            "at": "2026-01-31T08:00:00+08:00",
            "cause": "disability",
            "amount": "1234.50",
        }
    )
    assert (body.name, body.note, body.on, body.cause) == (
        "𠮷建国",
        "第一行\n第二行",
        date(2026, 2, 28),
        Cause.DISABILITY,
    )
    assert body.days == [date(2026, 1, 31)]


def test_python_values_are_taken_as_they_are() -> None:
    assert Body(on=date(2026, 1, 31)).on == date(2026, 1, 31)


def test_an_unknown_field_is_refused() -> None:
    assert problem_of(risk_level="red") == "extra_forbidden"


@pytest.mark.parametrize(
    "given",
    [
        1767225600,
        1767225600.0,
        "1767225600",
        "2026-2-1",
        "2026/02/01",
        "20260201",
        "2026-02-01T00:00:00",
        "２０２６-01-01",
        True,
    ],
)
def test_a_date_is_written_as_a_date(given: Any) -> None:
    assert problem_of(on=given) == "date_type"


@pytest.mark.parametrize("given", ["2026-02-29", "2026-13-01", "0000-01-01"])
def test_a_day_that_does_not_exist_is_refused(given: str) -> None:
    assert problem_of(on=given).startswith("date_")


@pytest.mark.parametrize("given", [1767225600, 1.5, True, "2026-01-31T08:00:00"])
def test_a_moment_is_a_text_with_a_zone(given: Any) -> None:
    assert problem_of(at=given) in {"datetime_type", "timezone_aware"}


@pytest.mark.parametrize("field", ["count", "maybe"])
@pytest.mark.parametrize("given", [True, "x", 1.5, None])
def test_a_number_is_a_number(field: str, given: Any) -> None:
    if (field, given) != ("maybe", None):
        assert problem_of(**{field: given}).startswith("int_")


@pytest.mark.parametrize("given", ["", "   ", "\u3000", "\u200b", "a\nb", "a\tb", "x" * 51, None, 5, ["a"]])
def test_a_name_is_a_short_line_of_visible_characters(given: Any) -> None:
    problem_of(name=given)


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\x7f", "\x85", "\u00ad", "\u200b", "\u202e", "\u2066", "\ufeff"])
@pytest.mark.parametrize("field", ["name", "note", "plain"])
def test_hidden_characters_are_refused_in_every_text(field: str, hidden: str) -> None:
    assert problem_of(**{field: f"张{hidden}三"}) == "control_character"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "1306241002",
        "1306241002011",
        "１３０６２４１００２０１",
        "130624",
        "000000000000",
        "13062410020x",
        130624100201,
    ],
)
def test_a_division_is_twelve_digits(given: Any) -> None:
    problem_of(division=given)


@pytest.mark.parametrize(
    "given", [True, 5, 1.5, "1,000", "１２", "1e3", "1.005", "", " ", "+1", "--1", "1.", ".5", "01", "NaN", "1" * 14]
)
def test_an_amount_is_a_plain_decimal_text(given: Any) -> None:
    problem_of(amount=given)


class Note(Strict):
    open_to_all: OpenText | None = None
    sealed: Text | None = None
    who: Name | None = None


def test_an_identity_number_is_taken_only_where_it_will_be_sealed() -> None:
    for field in ("open_to_all", "who"):
        with pytest.raises(ValidationError) as refused:
            Note.model_validate({field: "见999901195503074016"})
        assert refused.value.errors()[0]["type"] == "identity_number_in_text"
    assert Note.model_validate({"sealed": "我的号码999901195503074016"}).sealed
