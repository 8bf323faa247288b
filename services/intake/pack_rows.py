"""Staged rows in the binary form of PostgreSQL's COPY (批量写入): many at once out of columns, or one by one.

Rows of a large file are laid on shelves by the person they name, and recorded shelf by shelf. A message then speaks
often of a few people, not once of a thousand: whoever takes it in looks each up, and marks his household, once.
"""

import operator
import struct
from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from uuid import UUID

import polars as pl

from services.intake.domain.check_columns import CONTENT, DIGEST, LINE, PERSON, RECORD

STAGED = ("feed_id", "shelf", "record", "line", "digest", "is_head", "content", "sealed_number")
TEXTS = ("feed_id", "shelf", "last_line", "first_line", "lines", "contents")
BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"

SHELF_BYTES = 2 * 1024 * 1024  # Of a file: some twenty thousand rows, recorded in one transaction.
MOST_SHELVES = 1000
NO_SHELF = 0  # Rows told one by one, and those of a small file.

_SHELF = "shelf"
_NULL = b"\xff\xff\xff\xff"
_TWO_BYTES = pl.Series([number.to_bytes(2, "big") for number in range(1 << 16)], dtype=pl.Binary)


def shelves_for(size_bytes: int) -> int:
    """How many shelves the rows of a file of this size are laid on; none if it is small."""
    return min(size_bytes // SHELF_BYTES, MOST_SHELVES)


def lay_on_shelves(clean: pl.DataFrame, shelves: int) -> pl.DataFrame:
    """The clean rows of a block with their `shelf`, in its order; people whose indices begin alike share one."""
    if not shelves:
        return clean.with_columns(pl.lit(NO_SHELF, pl.Int64).alias(_SHELF))
    beginning = clean[PERSON].str.slice(0, 4).str.to_integer(base=16, dtype=pl.Int64, strict=False).fill_null(0)
    laid = clean.with_columns((beginning * shelves // (1 << 16) + NO_SHELF + 1).alias(_SHELF))
    return laid.sort(_SHELF, maintain_order=True)


def pack_columns(feed_id: UUID, laid: pl.DataFrame, *, with_content: bool) -> bytes:
    """Rows laid on shelves; none of them is of a household."""
    record, content = laid[RECORD], laid[CONTENT]
    before_line = struct.pack(">iI", 8, 0)  # No file has four thousand million lines.
    packed = [
        _constant(_start(feed_id)),
        _TWO_BYTES.gather(laid[_SHELF]),
        _four_bytes(record.str.len_bytes()),
        record.cast(pl.Binary),
        _constant(before_line),
        _four_bytes(laid[LINE]),
        _constant(struct.pack(">i", 16)),
        laid[DIGEST],
    ]
    if with_content:
        packed += [_constant(_NULL), _four_bytes(content.str.len_bytes()), content.cast(pl.Binary), _constant(_NULL)]
    else:
        packed.append(_constant(3 * _NULL))
    return b"".join(reduce(operator.add, packed).to_list())


def pack_texts(feed_id: UUID, laid: pl.DataFrame, rows: int) -> Iterator[bytes]:
    """What rows laid on shelves say, up to `rows` of them on one together."""
    every, contents, behind = array("q", laid[LINE].to_list()), laid[CONTENT].to_list(), 0
    for shelf, count in laid[_SHELF].rle().struct.unnest().select("value", "len").iter_rows():
        for at in range(behind, behind + count, rows):
            until = min(at + rows, behind + count)
            yield _text(feed_id, shelf, every[at:until], contents[at:until])
        behind += count


def _text(feed_id: UUID, shelf: int, lines: "array[int]", contents: Sequence[str]) -> bytes:
    text = "\n".join(contents).encode()
    return b"".join(
        (
            struct.pack(">hi", len(TEXTS), 16) + feed_id.bytes + struct.pack(">ih", 2, shelf),
            struct.pack(">iqiq", 8, lines[-1], 8, lines[0]),
            struct.pack(">i", len(lines) * lines.itemsize) + lines.tobytes(),
            struct.pack(">i", len(text)) + text,
        )
    )


def lines_of(packed: bytes) -> Sequence[int]:
    """The lines as `pack_texts` packed them, on a machine of the same kind: staged rows do not travel."""
    lines = array("q")
    lines.frombytes(packed)
    return lines


def pack_row(
    feed_id: UUID, record: str, line: int, digest: bytes, is_head: bool | None, content: str, sealed: bytes | None
) -> bytes:
    """One row."""
    key, text = record.encode(), content.encode()
    return b"".join(
        (
            _start(feed_id) + struct.pack(">h", NO_SHELF),
            struct.pack(">i", len(key)) + key,
            struct.pack(">iq", 8, line),
            struct.pack(">i", len(digest)) + digest,
            _NULL if is_head is None else struct.pack(">i?", 1, is_head),
            struct.pack(">i", len(text)) + text,
            _NULL if sealed is None else struct.pack(">i", len(sealed)) + sealed,
        )
    )


def _start(feed_id: UUID) -> bytes:
    return struct.pack(">hi", len(STAGED), 16) + feed_id.bytes + struct.pack(">i", 2)


def _constant(content: bytes) -> pl.Series:
    return pl.Series([content], dtype=pl.Binary)


def _four_bytes(numbers: pl.Series) -> pl.Series:
    return _TWO_BYTES.gather(numbers // (1 << 16)) + _TWO_BYTES.gather(numbers % (1 << 16))
