"""Reading many lines at once gives the rows, the errors and the counts that reading line by line gives."""

import itertools
from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake import read_blocks
from services.intake.catalogue import layouts
from services.intake.domain.feed_row import BadRow, RawRow
from services.intake.read_blocks import BlockReader, block_of, rows_of
from services.intake.read_csv import CsvReader
from services.intake.read_rows import Read
from tests.services.intake.build import MEDICAL, medical_row
from tests.services.intake.test_read_rows import CASES

LAYOUT = layouts()["medical_settlement"]
HEADER = ",".join(MEDICAL)
LINE = ",".join(medical_row(0).values())
QUOTED = ",".join(f'"{cell}"' for cell in medical_row(1).values())

WHOLE_LINES = st.one_of(
    st.integers(0, 999).map(lambda i: ",".join(medical_row(i).values())),
    st.sampled_from(
        [
            LINE,
            QUOTED,
            LINE + ",",
            LINE + ",\u3000 ",
            LINE + ",x",
            LINE + '5"',
            '"a\nb"' + LINE[LINE.index(",") :],
            '"' + LINE,
            '"a,b"' + LINE[LINE.index(",") :],
            'a"b"' + LINE[LINE.index(",") :],
            '"a""b"' + LINE[LINE.index(",") :],
            "",
            "   ",
            "," * 12,
            '"",' * 12,
            ",\u3000" * 12,
            "\x1c" + "," * 12,
            "a,b",
            LINE + "\x00",
            "合计" + "," * 12,
            '" 本页小 计："' + "," * 11 + "1",
            ",\u3000,总计" + "," * 10,
            "审计局" + LINE,
            HEADER,
            HEADER + ",",
            HEADER.replace("姓名", '"姓名"'),
        ]
    ),
    st.text('王a,1"\r\n\u3000\x85', max_size=20),
)
ENCODED = st.tuples(WHOLE_LINES, st.sampled_from(["utf-8", "utf-8", "utf-8", "gb18030"])).map(
    lambda line: line[0].encode(line[1])
)


def pieces_of(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(body) + 1) for c in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


def by_lines(pieces: list[bytes]) -> tuple[list[Read], CsvReader]:
    reader = CsvReader(LAYOUT)
    return [read for piece in pieces for read in reader.feed(piece)] + list(reader.finish()), reader


def by_blocks(pieces: list[bytes]) -> tuple[list[Read], CsvReader]:
    reader = CsvReader(LAYOUT)
    blocks, found = BlockReader(reader), list[Read]()
    for at, piece in enumerate(pieces):
        block, reads = blocks.read(piece, at + 1 == len(pieces))
        found.extend(reads)
        if block is not None:
            found.extend(rows_of(reader.layout, block, range(block.height)))
    return found, reader


def in_order(reads: list[Read]) -> list[Read]:
    return sorted(reads, key=lambda read: read.line)


def agree(body: bytes, cuts: Iterable[int] = ()) -> None:
    pieces = pieces_of(body, cuts)
    (one, line_reader), (many, block_reader) = by_lines(pieces), by_blocks(pieces)
    assert in_order(many) == in_order(one)
    assert block_reader.skipped == line_reader.skipped
    assert block_reader.encoding == line_reader.encoding
    assert block_reader.stated == line_reader.stated
    assert block_reader.unnamed == line_reader.unnamed


@pytest.fixture(autouse=True)
def _even_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_blocks, "FEWEST_ROWS", 1)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lines=st.lists(ENCODED, max_size=15),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 4000), max_size=4),
    above=st.sampled_from(["", "某县医保结算\n", "某县\n版本：medical_settlement v1,,\n"]),
    extra=st.sampled_from(["", ",", ",备注", ",,备注", ",错误说明"]),
)
def test_whatever_the_lines_are_both_ways_read_the_same(
    lines: list[bytes], end: bytes, cuts: list[int], above: str, extra: str
) -> None:
    agree(end.join([(above + HEADER + extra).encode(), *lines]), cuts)


@pytest.mark.parametrize("header", [HEADER, f"{HEADER},,备注"])
def test_rows_that_say_nothing_and_lines_of_another_encoding_are_noticed_among_plain_ones(header: str) -> None:
    more = ",x,y" if header != HEADER else ""
    plain = [f"{','.join(medical_row(i).values())}{more}".encode("gb18030") for i in range(200)]
    plain[50:50] = ["合计".encode("gb18030") + b"," * header.count(","), header.encode("gb18030")]
    plain[90:90] = [f"{LINE}{more}".encode()]
    body = b"\n".join([header.encode("gb18030"), *plain])
    block, reads = BlockReader(reader := CsvReader(LAYOUT)).read(body, True)
    assert block is not None
    assert (block.height, [type(read) for read in reads]) == (200, [BadRow])
    assert reader.skipped == {"total_rows": 1, "repeated_headers": 1}
    assert reader.unnamed == ({14} if more else set())
    agree(body, [3000])


@pytest.mark.parametrize("content", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_files_as_they_come(content: bytes) -> None:
    agree(content)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_long_file_is_read_as_columns(encoding: str) -> None:
    lines = [",".join(medical_row(i, 姓名="阿依古丽·买买提").values()) for i in range(500)]
    body = "\r\n".join([HEADER, *lines, QUOTED]).encode(encoding)
    block, reads = BlockReader(CsvReader(LAYOUT)).read(body, True)
    assert (reads, block is not None and block.height) == ([], 501)
    agree(body, [1000, 40_000])


def test_a_header_in_ascii_leaves_the_encoding_to_the_first_line_that_has_one() -> None:
    header = ",".join(c.name for c in LAYOUT.columns)
    agree("\n".join([header, LINE.replace("王小明", "Wang").replace("住院", "inpatient"), LINE]).encode("gb18030"))


def test_a_quote_left_open_at_the_end_of_a_piece_is_closed_in_the_next() -> None:
    rest = LINE[LINE.index(",") :]
    agree(f'{HEADER}\n{LINE}\n"a\nb"{rest}\n{LINE}\n'.encode(), [len(f"{HEADER}\n{LINE}\n".encode()) + 3])


def test_rows_that_came_one_by_one_become_a_block_if_they_are_text() -> None:
    rows: list[RawRow] = [RawRow(i, tuple(medical_row(i).values())) for i in range(3)]
    odd = RawRow(7, (1, *rows[0].cells[1:]))
    block, others = block_of(LAYOUT, [*rows, odd])
    assert others == [odd]
    assert isinstance(block, pl.DataFrame)
    assert list(rows_of(LAYOUT, block, range(3))) == rows


def test_the_line_reader_alone_says_what_is_wrong() -> None:
    found, _ = by_blocks([f"{HEADER}\n{LINE}\na,b\n{LINE}\n".encode()])
    assert [type(read) for read in in_order(found)] == [RawRow, BadRow, RawRow]
