"""A cursor is what we made, or it is refused."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.identifiers import new_id
from shared.web.page import CursorRefused, before_id, decode_cursor, encode_cursor, newest_first, next_cursor

KINDS = {"score": int, "household_no": str}


def raw(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(score=st.integers(-(2**63), 2**63 - 1), household_no=st.text(max_size=60).filter(lambda s: "\x00" not in s))
def test_a_cursor_comes_back_as_it_went(score: int, household_no: str) -> None:
    position = {"score": score, "household_no": household_no}
    assert decode_cursor(encode_cursor(position), **KINDS) == position


def test_without_a_cursor_the_first_page_begins() -> None:
    assert decode_cursor(None, **KINDS) is None
    assert before_id(None) is None


def test_the_id_in_a_cursor_comes_back_or_is_refused() -> None:
    last = new_id()
    assert before_id(encode_cursor({"before": str(last)})) == last
    with pytest.raises(CursorRefused):
        before_id(encode_cursor({"before": "x"}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "é",
        "null",
        raw(None),
        raw([]),
        raw({}),
        raw({"score": 1}),
        raw({"score": "1", "household_no": "a"}),
        raw({"score": True, "household_no": "a"}),
        raw({"score": 1.0, "household_no": "a"}),
        raw({"score": None, "household_no": "a"}),
        raw({"score": 1, "household_no": "a", "more": 1}),
        raw({"score": 2**63, "household_no": "a"}),
        raw({"score": 1, "household_no": "a\x00"}),
        raw({"score": 1, "household_no": "\ud800"}),
        raw({"score": 1, "household_no": "x" * 201}),
        raw({"score": 1, "household_no": ["a"]}),
        "W" * 20_000,
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        base64.urlsafe_b64encode(b"9" * 5_000).decode(),
    ],
    ids=lambda text: text[:20],
)
def test_any_other_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorRefused):
        decode_cursor(text, **KINDS)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(CursorRefused):
        decode_cursor(base64.urlsafe_b64encode(b'{"share": NaN}').decode(), share=float)


@given(text=st.text(max_size=80) | st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_nothing_but_a_refusal_ever_comes_of_a_made_up_cursor(text: str) -> None:
    try:
        found = decode_cursor(text, **KINDS)
    except CursorRefused:
        return
    assert found is not None
    assert {name: type(value) for name, value in found.items()} == KINDS


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["score", "household_no", "x"]), inner),
        max_leaves=8,
    )
)
def test_nothing_but_a_refusal_ever_comes_of_other_json(value: object) -> None:
    try:
        found = decode_cursor(raw(value), **KINDS)
    except CursorRefused:
        return
    assert found == value


def test_the_next_page_begins_after_the_last_row_that_was_shown() -> None:
    ids = [new_id() for _ in range(3)]
    rows = [{"task_id": one, "number": number} for number, one in enumerate(ids)]
    assert before_id(next_cursor(rows, 2, before="task_id")) == ids[1]
    assert decode_cursor(next_cursor(rows, 1, after="number"), after=int) == {"after": 0}
    assert next_cursor(rows, 3, before="task_id") is None


@pytest.mark.parametrize(("stored", "pages"), [(0, [0]), (4, [2, 2]), (5, [2, 2, 1])])
async def test_a_list_that_is_newest_first_is_read_page_by_page(stored: int, pages: list[int]) -> None:
    rows = [{"task_id": one} for one in sorted((new_id() for _ in range(stored)), reverse=True)]
    cursor, read = None, []
    while not read or cursor:
        newest = await newest_first(cursor, 2)
        found = [row for row in rows if newest.before is None or row["task_id"] < newest.before][: newest.wanted]
        page = newest.page([row["task_id"] for row in newest.shown(found)], found, "task_id")
        read.append(page.items)
        cursor = page.next_cursor
    assert [len(items) for items in read] == pages
    assert [one for items in read for one in items] == [row["task_id"] for row in rows]
