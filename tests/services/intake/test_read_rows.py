"""Reading files: the same rows however the bytes arrive, every bad line by its number, memory bounded."""

import csv
import io
import itertools
import json
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.catalogue import layouts
from services.intake.domain.feed_row import BadRow, RawRow
from services.intake.read_csv import CsvReader
from services.intake.read_ndjson import NdjsonReader
from services.intake.read_rows import FileRefused, Read, RowReader
from tests.services.intake.build import MEDICAL, csv_text, medical_row

LAYOUT = layouts()["medical_settlement"]
HEADER = ",".join(MEDICAL)


def read(content: str | bytes, reader: RowReader | None = None, *, cuts: Iterable[int] = ()) -> list[Read]:
    """All rows, the bytes fed in the pieces that `cuts` makes."""
    body = content.encode() if isinstance(content, str) else content
    reader = reader or CsvReader(LAYOUT)
    rows: list[Read] = []
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts), len(body)]
    for start, end in itertools.pairwise(edges):
        rows.extend(reader.feed(body[start:end]))
    rows.extend(reader.finish())
    return rows


def codes(rows: list[Read]) -> list[tuple[int, str]]:
    return [(r.line, r.errors[0].code if isinstance(r, BadRow) else "ok") for r in rows]


LINE = ",".join(medical_row(0).values())
REST = LINE[LINE.index(",") :]
CASES: list[tuple[str, bytes, list[tuple[int, str]]]] = [
    ("byte order mark", b"\xef\xbb\xbf" + f"{HEADER}\n{LINE}\n".encode(), [(2, "ok")]),
    ("gb18030", f"{HEADER}\n{LINE}\n".encode("gb18030"), [(2, "ok")]),
    ("CR only", f"{HEADER}\r{LINE}\r{LINE}".encode(), [(2, "ok"), (3, "ok")]),
    ("no end of line", f"{HEADER}\r\n{LINE}".encode(), [(2, "ok")]),
    ("blank lines", f"\n{HEADER}\n\n{LINE}\n,,,,,,,,,,,,\n".encode(), [(4, "ok")]),
    ("tabs", f"{HEADER}\n{LINE}".replace(",", "\t").encode(), [(2, "ok")]),
    ("semicolons", f"{HEADER}\n{LINE}".replace(",", ";").encode(), [(2, "ok")]),
    ("trailing delimiter", f"{HEADER},\n{LINE},\n".encode(), [(2, "ok")]),
    ("short row", f"{HEADER}\n{LINE}\na,b\n".encode(), [(2, "ok"), (3, "ragged_row")]),
    ("long row", f"{HEADER}\n{LINE},x\n".encode(), [(2, "ragged_row")]),
    ("newline in quotes", f'{HEADER}\n"a\nb"{REST}\n{LINE}\n'.encode(), [(2, "ok"), (4, "ok")]),
    ("blank line in quotes", f'{HEADER}\n"a\n\nb"{REST}\n{LINE}\n'.encode(), [(2, "ok"), (5, "ok")]),
    ("stray quote", f'{HEADER}\n{LINE}5"\n{LINE}\n'.encode(), [(2, "ok"), (3, "ok")]),
    ("quote not closed", f'{HEADER}\n"{LINE}\n{LINE}\n'.encode(), [(2, "quote_not_closed"), (3, "ok")]),
    ("NUL", f"{HEADER}\n{LINE}\x00\n{LINE}\n".encode(), [(2, "nul_character"), (3, "ok")]),
    (
        "one line in another encoding",
        f"{HEADER}\n".encode() + "王".encode("gb18030") + b"\n" + LINE.encode(),
        [(2, "wrong_encoding"), (3, "ok")],
    ),
    (
        "endless line",
        f"{HEADER}\n".encode() + b"x" * 1_100_000 + b"\n" + LINE.encode(),
        [(2, "line_too_long"), (3, "ok")],
    ),
]


@pytest.mark.parametrize(("content", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_csv_as_it_comes(content: bytes, expected: list[tuple[int, str]]) -> None:
    assert codes(read(content)) == expected


@pytest.mark.parametrize(("content", "expected"), [c[1:] for c in CASES if len(c[1]) < 10_000])
@given(cuts=st.lists(st.integers(0, 5000), max_size=6))
def test_the_pieces_do_not_matter(content: bytes, expected: list[tuple[int, str]], cuts: list[int]) -> None:
    if content.startswith(b"\xef\xbb\xbf"):
        cuts = [c for c in cuts if c % (len(content) + 1) >= 3]
    assert codes(read(content, cuts=cuts)) == expected
    assert read(content, cuts=cuts) == read(content)


FIELDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85") | st.sampled_from('",\n'),
    max_size=12,
)


@given(st.lists(st.lists(FIELDS, min_size=len(MEDICAL), max_size=len(MEDICAL)), max_size=6))
def test_what_a_writer_quotes_is_read_back(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([MEDICAL, *rows])
    found = [r.cells for r in read(out.getvalue()) if isinstance(r, RawRow)]
    assert found == [tuple(row) for row in rows if any(map(str.strip, row))]


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_errors_or_refused(content: bytes) -> None:
    for reader in (CsvReader(LAYOUT), NdjsonReader(LAYOUT)):
        try:
            rows = read(f"{HEADER}\n".encode() + content if isinstance(reader, CsvReader) else content, reader)
        except FileRefused:
            continue
        assert all(isinstance(row, RawRow | BadRow) for row in rows)


REFUSED = [
    ("no header", b"\n\n", "header_missing"),
    ("nothing that shows", b"\x1c\x1c\n", "header_missing"),
    ("title row only", "某县2026年医保结算\n".encode(), "header_incomplete"),
    ("required header missing", HEADER.replace("合规自付", "自付").encode() + b"\n", "header_incomplete"),
    ("header twice", HEADER.replace("姓名", "身份证号").encode() + b"\n", "header_repeated"),
    ("ten thousand columns", ("x," * 10_000).encode() + b"\n", "too_many_columns"),
    ("header in no encoding", b"\xff\xff\xff\xff\n", "header_unreadable"),
]


@pytest.mark.parametrize(("content", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_an_unreadable_file_is_refused_as_a_whole(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as raised:
        read(content)
    assert raised.value.code == code


OBJECT = json.dumps(medical_row(0), ensure_ascii=False)
LINES: list[tuple[str, bytes, list[tuple[int, str]]]] = [
    ("byte order mark and CRLF", b"\xef\xbb\xbf" + f"{OBJECT}\r\n{OBJECT}".encode(), [(1, "ok"), (2, "ok")]),
    ("truncated", OBJECT[:-5].encode(), [(1, "invalid_json")]),
    ("NaN", OBJECT.replace('"300.00"', "NaN").encode(), [(1, "invalid_json")]),
    ("key twice", OBJECT.replace("}", ', "姓名": "x"}').encode(), [(1, "key_repeated")]),
    ("two names of one column", OBJECT.replace("}", ', "身份证号": "x"}').encode(), [(1, "key_repeated")]),
    ("unknown key", OBJECT.replace("}", ', "x": "x"}').encode(), [(1, "unknown_field")]),
    ("no object", b"3\n", [(1, "not_an_object")]),
    ("depth", b"[" * 0 + b'{"a":' * 100_000 + b"\n" + OBJECT.encode(), [(1, "invalid_json"), (2, "ok")]),
    ("not UTF-8", b'{"\xff": 1}\n' + OBJECT.encode(), [(1, "wrong_encoding"), (2, "ok")]),
    ("long line", b'"' + b"x" * 1_100_000 + b"\n" + OBJECT.encode(), [(1, "line_too_long"), (2, "ok")]),
    ("huge number", b'{"a": ' + b"9" * 5000 + b"}\n", [(1, "invalid_json")]),
]


@pytest.mark.parametrize(("content", "expected"), [c[1:] for c in LINES], ids=[c[0] for c in LINES])
def test_ndjson_as_it_comes(content: bytes, expected: list[tuple[int, str]]) -> None:
    assert codes(read(content, NdjsonReader(LAYOUT))) == expected


@pytest.mark.parametrize(("content", "code"), [(b"[{}]", "json_array"), (b"{\n}", "json_pretty_printed")])
def test_other_json_is_refused_with_a_hint(content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as raised:
        read(content, NdjsonReader(LAYOUT))
    assert raised.value.code == code


@pytest.mark.parametrize("filling", [b"x" * 65536, b'"\n' * 500, b'"' * 65536, b'{"a":' * 13_000])
def test_memory_stays_bounded_whatever_comes(filling: bytes) -> None:
    for reader in (CsvReader(LAYOUT), NdjsonReader(LAYOUT)):
        list(reader.feed(f"{HEADER}\n".encode() if isinstance(reader, CsvReader) else b"{}\n"))
        tracemalloc.start()
        for _ in range(60):
            for _row in reader.feed(filling):
                pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 24 * 2**20


def test_lines_are_physical_lines() -> None:
    rows = [medical_row(0, 住院号="a\nb\nc"), medical_row(1)]
    assert [row.line for row in read(csv_text(rows))] == [2, 5]
