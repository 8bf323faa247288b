"""Division codes: what is read and refused, and that a division is exactly a range of codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.division import (
    AFTER_EVERYTHING,
    DIGITS,
    DivisionCode,
    DivisionCodeError,
    DivisionLevel,
    code_range,
    county_of,
    covers,
    level_of,
    lineage_of,
    narrowest_over,
    parent_of,
    parse_division,
)


def number(digits: int) -> st.SearchStrategy[str]:
    """Digits from a few neighbours and the edges, so that drawn codes often lie in one another."""
    last = 10**digits - 1
    return st.sampled_from([1, 2, 9, last - 1, last]).map(lambda n: f"{n:0{digits}d}")


@st.composite
def divisions(draw: st.DrawFn) -> DivisionCode:
    level = draw(st.sampled_from(DivisionLevel))
    groups = [draw(number(digits)) for digits in (2, 2, 2, 3, 3)][:level]
    if level >= DivisionLevel.TOWNSHIP and draw(st.booleans()):
        groups[2] = "00"  # A city without counties.
    return parse_division("".join(groups))


def contains(scope: str, code: str) -> bool:
    """What it means to lie within, without ranges: the scope is among what lies above, or is the code."""
    return scope in lineage_of(code)


@given(divisions(), divisions())
def test_covering_is_lying_in_the_range(scope: DivisionCode, code: DivisionCode) -> None:
    lo, hi = code_range(scope)
    assert covers(scope, code) == (lo <= code < hi) == contains(scope, code)


@given(divisions())
def test_a_division_lies_in_every_division_above_it(code: DivisionCode) -> None:
    for above in lineage_of(code):
        assert covers(above, code)
        assert covers(code, above) == (above == code)


@given(divisions())
def test_a_range_starts_at_its_division_and_ends_within_its_parent(code: DivisionCode) -> None:
    lo, hi = code_range(code)
    assert lo == code < hi
    assert len(hi) == len(code)
    parent = parent_of(code)
    if parent is not None:
        assert code_range(parent)[0] < lo
        assert hi <= code_range(parent)[1]
        assert level_of(parent) < level_of(code)


@given(divisions())
def test_the_short_form_means_the_full_form(code: DivisionCode) -> None:
    assert parse_division(code) == code
    assert parse_division(code[: DIGITS[level_of(code)]]) == code


@pytest.mark.parametrize(
    ("text", "code", "level", "parent"),
    [
        ("13", "130000000000", DivisionLevel.PROVINCE, None),
        ("1306", "130600000000", DivisionLevel.PREFECTURE, "130000000000"),
        ("130624", "130624000000", DivisionLevel.COUNTY, "130600000000"),
        ("130624100", "130624100000", DivisionLevel.TOWNSHIP, "130624000000"),
        ("130624100200", "130624100200", DivisionLevel.VILLAGE, "130624100000"),
        ("441900", "441900000000", DivisionLevel.PREFECTURE, "440000000000"),
        ("441900003", "441900003000", DivisionLevel.TOWNSHIP, "441900000000"),
    ],
)
def test_levels_and_parents(text: str, code: str, level: DivisionLevel, parent: str | None) -> None:
    assert parse_division(text) == code
    assert level_of(code) == level
    assert parent_of(code) == parent


@pytest.mark.parametrize(
    ("scope", "lo", "hi"),
    [
        ("13", "130000000000", "140000000000"),
        ("130699", "130699000000", "130700000000"),
        ("130624999", "130624999000", "130625000000"),
        ("130624100999", "130624100999", "130624101000"),
        ("99", "990000000000", AFTER_EVERYTHING),
        ("999999999999", "999999999999", AFTER_EVERYTHING),
    ],
)
def test_ranges_at_the_edges(scope: str, lo: str, hi: str) -> None:
    assert code_range(parse_division(scope)) == (lo, hi)


def test_the_county_of_a_village_is_its_first_six_digits() -> None:
    assert county_of("130624100200") == "130624"
    assert county_of("441900003001") == "441900"


@given(st.lists(divisions(), min_size=1, max_size=4))
def test_the_narrowest_over_some_covers_all_and_none_below_it_does(codes: list[DivisionCode]) -> None:
    over = narrowest_over(codes)
    covering = [one for one in lineage_of(codes[0]) if all(covers(one, code) for code in codes)]
    assert over == (covering[-1] if covering else None)


@pytest.mark.parametrize(
    ("codes", "over"),
    [
        ([], None),
        (["130624100202"], "130624100202"),
        (["130624100202", "130624100000"], "130624100000"),
        (["130624100202", "130624203200"], "130624000000"),
        (["130624100202", "110101001001"], None),
        (["441900003001", "441900003002"], "441900003000"),  # 东莞 has no counties.
        (["441900003001", "441900004001"], "441900000000"),
    ],
)
def test_the_narrowest_over_places(codes: list[str], over: str | None) -> None:
    assert narrowest_over(codes) == over


def test_neighbours_are_not_covered() -> None:
    assert covers("130624000000", "130624999999")
    assert not covers("130624000000", "130625000000")
    assert not covers("130624000000", "130623999999")
    assert not covers("130624100000", "130624000000")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "division_format"),
        ("13062410O200", "division_format"),
        ("１３０６２４１００２００", "division_format"),
        ("٣٠٦٢٤١٠٠٢٠٠", "division_format"),
        ("130624100200\n", "division_format"),
        ("1.30624E+11", "division_format"),
        ("1306241", "division_length"),
        ("1306241002001", "division_length"),
        ("00", "division_structure"),
        ("000000000000", "division_structure"),
        ("130024", "division_structure"),
        ("130624000001", "division_structure"),
    ],
)
def test_what_is_no_division_is_refused_in_words(text: str, code: str) -> None:
    with pytest.raises(DivisionCodeError, match=r"例如 130624100200") as refused:
        parse_division(text)
    assert refused.value.code == code


@pytest.mark.parametrize("scope", ["", "1", "13", "130624", "130624abcdef", "000000000000"])
def test_a_scope_that_is_no_full_code_opens_nothing(scope: str) -> None:
    with pytest.raises(DivisionCodeError):
        code_range(scope)
    with pytest.raises(DivisionCodeError):
        covers("130000000000", scope)
