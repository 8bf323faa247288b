"""A JSON body has one meaning or is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.strict_json import MAX_DEPTH, JSONRefused, parse_strict


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "为空"),
        (b" \n\t", "为空"),
        (b"\xef\xbb\xbf", "为空"),
        (b'{"a": 1', "第 1 行"),
        (b'{"a": 1}}', "第 1 行"),
        (b"{'a': 1}", "第 1 行"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "超出范围"),
        (b'{"a": -1e999}', "超出范围"),
        (b'{"a": ' + b"9" * 5000 + b"}", "超出范围"),
        (b'{"a": 1, "a": 1}', "字段重复：a"),
        (b'{"x": [{"b": 1, "c": 2, "b": 3}]}', "字段重复：b"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "字段重复"),
        (b"[" * 100_000 + b"]" * 100_000, "嵌套过深"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "嵌套过深"),
        (b"[" * 100_000, "嵌套过深"),
        (b'{"a": "\\ud800"}', "代理字符"),
        (b'{"\\udfff": 1}', "代理字符"),
        (b'{"a": "\xed\xa0\x80"}', "不是 UTF-8"),
        (b'{"a": "\xff"}', "第 8 字节"),
        ('{"a": "大台村"}'.encode("gbk"), "GBK"),
        ('{"a": "大台村"}'.encode("utf-16"), "UTF-16"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "UTF-16"),
        (b'{"a": 1,}', "第 1 行"),
        (b'{"a": 01}', "第 1 行"),
        (b'{"a": "line\nbreak"}', "第 1 行"),
        (b'{"a": 1} // note', "第 1 行"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_json_is_refused_by_name(body: bytes, words: str) -> None:
    with pytest.raises(JSONRefused, match=words) as refused:
        parse_strict(body)
    refused.value.detail.encode()  # The refusal itself can be sent.


def test_a_byte_order_mark_is_taken_off() -> None:
    assert parse_strict(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_depth_is_counted_to_the_limit() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    assert parse_strict(nested(MAX_DEPTH - 1))
    with pytest.raises(JSONRefused, match="嵌套过深"):
        parse_strict(nested(MAX_DEPTH + 1))


def test_characters_beyond_the_basic_plane_are_characters() -> None:
    assert parse_strict('{"name": "𠮷\\ud842\\udfb7"}'.encode()) == {"name": "𠮷𠮷"}


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(value=_VALUES)
def test_whatever_json_can_say_is_read_as_it_is(value: object) -> None:
    assert parse_strict(json.dumps(value).encode()) == value


@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ud80019eE.-+ntf \n', max_size=40).map(str.encode))
def test_anything_else_is_refused_and_nothing_worse(body: bytes) -> None:
    try:
        parse_strict(body)
    except JSONRefused as error:
        error.detail.encode()
