"""Whatever bytes and texts come: rows, errors or a named refusal; the same however they are cut; in bounded memory.

Bounded in time as well: some seconds for each parser, so that it is part of every test run.
"""

import copy
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.catalogue import FOLDER, layouts
from services.intake.choose_reader import reader_for
from services.intake.domain.csv_records import Record, RecordReader
from services.intake.domain.feed_layout import Column, FeedLayout, LayoutInvalid
from services.intake.domain.feed_row import BadRow, FeedRow, RawRow, RowChecker, RowContext
from services.intake.domain.header_map import map_header
from services.intake.domain.json_elements import ArrayBroken, ArrayCutter, Element
from services.intake.domain.layout_reader import read_layout
from services.intake.domain.normalise import NOTES, Normal, Refusal, normalise
from services.intake.domain.quick_values import UNSURE, quick_reader
from services.intake.domain.row_error import RowError
from services.intake.domain.text_lines import LineSplitter
from services.intake.first_look import look_of
from services.intake.read_rows import FileRefused
from shared.errors import FangpinError
from tests.services.intake.bad_json import ARRAYS, LINE_BY_LINE
from tests.services.intake.bad_values import COLUMNS, VALUES
from tests.services.intake.build import MEDICAL, medical_row

TODAY = date(2026, 3, 15)
LAYOUT = layouts()["medical_settlement"]
HEADER = ",".join(MEDICAL).encode()
KINDS = ("text/csv", "application/json", "application/x-ndjson")
RAW_LAYOUTS = {
    name: yaml.safe_load((FOLDER / f"{name}.v{layout.version}.yaml").read_text())
    for name, layout in layouts().items()
}
CONTEXT = RowContext(TODAY, ("130624000000", "130625000000"), lambda number: number.encode()[::-1])

briefly = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

TOKENS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"null", b"1e999"]
TOKENS += [b"NaN", b'"\\ud800"', b"\xff", b"\x00", "王".encode(), "王".encode("gb18030"), HEADER, b"\t", b"\xe3\x80"]
TOKENS += [json.dumps(medical_row(0), ensure_ascii=False).encode(), ",".join(medical_row(0).values()).encode()]
TOKENS += [b'{"type":"x"}', b'{"a":{"b":[]}}', b'"x":1']
BODIES = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join),
    st.sampled_from([c.body for c in (*ARRAYS, *LINE_BY_LINE) if len(c.body) < 4000]),
)
CUTS = st.lists(st.integers(0, 4000), max_size=8)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from([v.text for v in VALUES]),
    st.lists(st.sampled_from([*"0123456789-/.年月日万元%,，¥Xx '＝．·\u200b\u202e\ud800٣፩²"]), max_size=20).map(
        "".join
    ),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})", fullmatch=True),
    st.from_regex(r"[0-9]{15}|[0-9]{17}[0-9Xx]|[0-9]{0,9}(\.[0-9]{0,4})?", fullmatch=True),
)
EVERY_COLUMN: list[Column] = [*COLUMNS.values(), *(c for layout in layouts().values() for c in layout.columns)]


def pieces(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


def whole_mark(body: bytes, cuts: Sequence[int]) -> list[int]:
    """Cuts that leave a byte order mark in one piece, as the pieces of a stored file do."""
    return [c for c in cuts if not body.startswith(b"\xef") or c % (len(body) + 1) >= 3]


def outcome(read: Callable[[], list[Any]], *named: type[Exception]) -> Any:
    """What was read, or which of the named refusals came."""
    try:
        return read()
    except named as refused:
        return type(refused), getattr(refused, "code", None)


def read(kind: str, parts: Sequence[bytes]) -> list[Any]:
    reader = reader_for(kind, LAYOUT)
    rows = [row for part in parts for row in reader.feed(part)]
    rows.extend(reader.finish())
    assert all(isinstance(row, RawRow | BadRow) for row in rows)
    return rows


@pytest.mark.parametrize("kind", KINDS)
@briefly
@given(body=BODIES, cuts=CUTS, headed=st.booleans())
def test_any_bytes_are_rows_or_errors_however_they_are_cut(
    kind: str, body: bytes, cuts: list[int], headed: bool
) -> None:
    if kind == "text/csv" and headed:
        body = HEADER + b"\n" + body
    once = outcome(lambda: read(kind, [body]), FileRefused)
    cut = outcome(lambda: read(kind, pieces(body, whole_mark(body, cuts))), FileRefused)
    assert once == cut
    if isinstance(once, list):
        lines = [row.line for row in once]
        assert len(set(lines)) == len(lines)
        checker = RowChecker(reader_layout(kind), CONTEXT)
        checked = [checker.check(row) for row in once if isinstance(row, RawRow)]
        assert all(isinstance(row, FeedRow | BadRow) for row in checked)


def reader_layout(kind: str) -> FeedLayout:
    return reader_for(kind, LAYOUT).layout


@pytest.mark.parametrize("kind", KINDS)
@briefly
@given(body=BODIES, cuts=CUTS)
def test_a_first_look_refuses_by_name_and_agrees_with_the_reader(kind: str, body: bytes, cuts: list[int]) -> None:
    def look() -> list[Any]:
        found = look_of(kind)
        for part in pieces(body, whole_mark(body, cuts)):
            found.take(part)
        found.finish()
        return []

    looked = outcome(look, FangpinError)
    if kind == "application/json":
        refused = not isinstance(outcome(lambda: read(kind, [body]), FileRefused), list)
        assert refused == (looked != [])


@briefly
@given(rows=st.lists(JSON, max_size=6), indent=st.sampled_from([None, 1]), cuts=CUTS)
def test_an_array_is_cut_into_what_it_was_made_of(rows: list[Any], indent: int | None, cuts: list[int]) -> None:
    body = json.dumps(rows, indent=indent, allow_nan=True).encode()
    cutter, found = ArrayCutter(), list[Element]()
    for part in pieces(body, cuts):
        found.extend(cutter.feed(part))
    found.extend(cutter.finish())
    assert [json.loads(e.content or b"") for e in found] == json.loads(body) or "NaN" in body.decode()
    assert [body[e.at - 1 : e.at - 1 + len(e.content or b"")] for e in found] == [e.content for e in found]


@pytest.mark.parametrize("delimiter", [",", "\t", "，"])
@briefly
@given(body=BODIES)
def test_records_come_of_any_lines(delimiter: str, body: bytes) -> None:
    reader, splitter = RecordReader(delimiter), LineSplitter()
    lines = [*splitter.feed(body), *splitter.finish()]
    found = [record for line in lines for record in reader.take(line)]
    found.extend(reader.finish())
    assert all(isinstance(record, Record | RowError) for record in found)


@briefly
@given(
    headers=st.lists(TEXTS | st.sampled_from([f"{m}(万元)" for m in MEDICAL]) | st.sampled_from(MEDICAL), max_size=20)
)
def test_any_header_is_mapped_or_listed(headers: list[str]) -> None:
    mapped = map_header(LAYOUT, headers)
    assert [cell.position for cell in mapped.cells] == list(range(len(headers)))
    known = {c.name for c in LAYOUT.columns}
    assert all(cell.column is None or cell.column in known for cell in mapped.cells)


@settings(briefly, max_examples=300)
@given(column=st.sampled_from(EVERY_COLUMN), text=TEXTS, typed=st.booleans())
def test_any_text_is_a_value_or_a_refusal_and_the_quick_reader_agrees(column: Column, text: str, typed: bool) -> None:
    column = replace(column, typed=typed)
    found = normalise(column, text, TODAY)
    assert isinstance(found, Normal | Refusal)
    assert found == normalise(column, text, TODAY)
    if isinstance(found, Normal):
        assert set(found.notes) <= NOTES.keys()
        assert sendable(found.value)
    quick = quick_reader(column, TODAY)
    for _ in range(2):
        value = quick(text)
        assert value is UNSURE or (found == Normal(value) and (value is not None or not column.required))


def sendable(value: Any) -> bool:
    """PostgreSQL stores no NUL and no half a character."""
    return not isinstance(value, str) or ("\x00" not in value and bool(value.encode()) == bool(value))


@briefly
@given(cells=st.lists(JSON | TEXTS, min_size=1, max_size=3), name=st.sampled_from(sorted(layouts())))
def test_any_cells_make_a_row_or_errors(cells: list[Any], name: str) -> None:
    layout = layouts()[name]
    row = RawRow(1, tuple(itertools.islice(itertools.cycle(cells), len(layout.columns))))
    checked = RowChecker(layout, CONTEXT).check(row)
    assert isinstance(checked, FeedRow | BadRow)
    if isinstance(checked, BadRow):
        assert checked.errors


MANGLED = st.sampled_from(
    ["columns", "rules", "facts", "household", "retention", "reversal", "own_codes", "name", "kind"]
)


@briefly
@given(name=st.sampled_from(sorted(layouts())), key=MANGLED, value=JSON, deep=st.booleans(), at=st.integers(0, 30))
def test_any_layout_is_one_or_names_its_mistake(name: str, key: str, value: Any, deep: bool, at: int) -> None:
    raw = copy.deepcopy(RAW_LAYOUTS[name])
    part = raw.get(key)
    if deep and isinstance(part, list) and part and isinstance(part[at % len(part)], dict):
        inner = part[at % len(part)]
        inner[list(inner)[at % len(inner)]] = value
    else:
        raw[key] = value
    found = outcome(lambda: [read_layout(raw, "x.yaml")], LayoutInvalid)
    assert isinstance(found, list) or found[0] is LayoutInvalid


@briefly
@given(JSON)
def test_any_value_is_a_layout_or_none(value: Any) -> None:
    with pytest.raises(LayoutInvalid):
        read_layout(value, "x.yaml")


FILLINGS = [
    (b'{"x":"' + b"x" * 65536, 60),
    (b'"' + b"\\" * 65535, 60),
    (b"{}," * 2000, 3),
    (b" " * 65536, 60),
    (b"9" * 65536, 60),
]


@pytest.mark.parametrize(("filling", "times"), FILLINGS, ids=lambda f: ascii(f)[:8])
def test_memory_stays_bounded_in_an_array(filling: bytes, times: int) -> None:
    reader = reader_for("application/json", LAYOUT)
    list(reader.feed(b"["))
    tracemalloc.start()
    for _ in range(times):
        for _row in outcome(lambda: list(reader.feed(filling)), FileRefused):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * 2**20


def test_an_element_too_long_costs_itself_only() -> None:
    good = json.dumps(medical_row(0), ensure_ascii=False).encode()
    body = b"[" + good + b',{"x":"' + b"y" * 1_100_000 + b'"},' + good + b"]"
    rows = read("application/json", pieces(body, range(0, len(body), 65536)))
    assert [(r.line, r.errors[0].code if isinstance(r, BadRow) else "ok") for r in rows] == [
        (1, "ok"),
        (2, "line_too_long"),
        (3, "ok"),
    ]


@pytest.mark.parametrize(
    ("body", "at"), [(b'[{"a":1}', 9), (b'[{"a":1},]', 10), (b"[1] x", 5), (b"[\xff", 2), (b"\xef\xbb\xbf{}]", 6)]
)
def test_where_it_broke_is_said_to_the_byte(body: bytes, at: int) -> None:
    cutter = ArrayCutter()
    with pytest.raises(ArrayBroken) as raised:
        list(itertools.chain(cutter.feed(body), cutter.finish()))
    assert raised.value.at == at
