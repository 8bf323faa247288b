"""Names as sources write them: which spellings may be one name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.person_name import may_be_same_name, normal_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张建国", "张 建 国"),
        ("张建国", "張建國"),
        ("张建国", "张*国"),
        ("张建国", "张？国"),
        ("王㛃", "王□"),
        ("买买提·艾力", "买买提•艾力"),
        ("买买提·艾力", "买买提．艾力"),
        ("买买提·艾力", "买买提艾力"),
        ("ＷＡＮＧ", "wang"),
        ("张三", "***"),
        ("张三", ""),
    ],
)
def test_one_name(one: str, other: str) -> None:
    assert may_be_same_name(one, other)
    assert may_be_same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("张建国", "张建军"), ("张建国", "张国"), ("张建国", "李*国"), ("张三", "张三三"), ("王丽", "王莉")],
)
def test_two_names(one: str, other: str) -> None:
    assert not may_be_same_name(one, other)
    assert not may_be_same_name(other, one)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_breaks_it_and_order_does_not_matter(one: str, other: str) -> None:
    assert may_be_same_name(one, other) is may_be_same_name(other, one)
    assert may_be_same_name(one, one)
    assert normal_name(normal_name(one)) is not None
