"""Conditions as they are written, in Chinese or in codes, and what is refused with what is right."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.condition import is_safe_pattern, read_condition
from tests.services.intake.build import number

COUNTY = "130624000000"


def read(text: str) -> list[str]:
    matchers, errors = read_condition(text, COUNTY)
    assert errors == []
    return [str(matcher) for matcher in matchers]


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("", []),
        ("等级=红色", ["severity=red"]),
        ("severity = red ; cause=~illness|schooling", ["severity=red", "cause=~illness|schooling"]),
        ("原因＝～因病｜因残；农户申报！＝是", ["cause=~illness|disability", "reported!=yes"]),
        ("户编号=", ['household=""']),
        ('户编号=""', ['household=""']),
        ("村=130624100201", ["village=130624100201"]),
        ("乡镇=130624100000", ["town=130624100"]),
        ("乡镇=130624100", ["town=130624100"]),
        ("县!=130624", ["county!=130624"]),
        ("来源部门=医保局\n指标!~medical.*", ["department=医保局", "indicator!~medical.*"]),
        ("村=~13062410020[1-3]", ["village=~13062410020[1-3]"]),
        ("建议类别=自定义", ["class=自定义"]),
        ("建议类别=突发严重困难户", ["class=sudden_hardship"]),
    ],
)
def test_what_is_written_is_read(text: str, matchers: list[str]) -> None:
    assert read(text) == matchers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("红色", "condition_format"),
        ("颜色=红", "unknown_label"),
        ("等级=紫色", "unknown_value"),
        ("等级=~红色|紫色", "unknown_value"),
        ("村=130624100", "division_level"),
        ("村=1306241", "division_format"),
        ("村=130625100201", "out_of_range"),
        ("村=~(", "pattern_refused"),
        ("村=~(a+)+", "pattern_refused"),
        ("村=~(?=a)", "pattern_refused"),
        (f"来源部门={number(1)}", "value_refused"),
        (";".join(["等级=红色"] * 21), "too_many"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, code: str) -> None:
    _, (error,) = read_condition(text, COUNTY)
    assert error.code == code
    assert error.example


@pytest.mark.parametrize("pattern", ["a.*", "v000[2-3]", r"1\.2", "(a|b)c", "[^a]+", "a{2,3}"])
def test_a_plain_pattern_is_taken(pattern: str) -> None:
    assert is_safe_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a*)*",
        "(a|a)+",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30,
        r"(.)\1",
        ".*.*.*.*x",
        "[a",
        "a{9",
        "*a",
        "^a$",
        "[a--]",
        "[z-a]",
        "[[a]",
    ],
)
def test_a_pattern_that_could_take_for_ever_is_not(pattern: str) -> None:
    assert not is_safe_pattern(pattern)


def test_the_worst_that_is_taken_is_quick() -> None:
    started = time.perf_counter()
    assert re.fullmatch(".*.*.*x", "a" * 200) is None
    assert time.perf_counter() - started < 2


@given(st.text() | st.text(alphabet='等级原因村=!~;[](){}|*+?.\\^$-&ab12 "\n'))
def test_whatever_is_written_is_read_or_refused_and_what_is_read_can_be_matched(text: str) -> None:
    matchers, errors = read_condition(text, COUNTY)
    assert all(error.message for error in errors)
    for matcher in matchers:
        matcher.matches({matcher.label: ("a" * 50, "")})
