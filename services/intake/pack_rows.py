"""Staged rows in the binary form of PostgreSQL's COPY (批量写入): many at once out of columns, or one by one."""

import operator
import struct
from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from uuid import UUID

import polars as pl

from services.intake.domain.check_columns import CONTENT, DIGEST, LINE, RECORD

STAGED = ("feed_id", "record", "line", "digest", "is_head", "content", "sealed_number")
TEXTS = ("feed_id", "last_line", "first_line", "lines", "contents")
BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"

_NULL = b"\xff\xff\xff\xff"
_TWO_BYTES = pl.Series([number.to_bytes(2, "big") for number in range(1 << 16)], dtype=pl.Binary)


def pack_columns(feed_id: UUID, clean: pl.DataFrame, *, with_content: bool) -> bytes:
    """The clean rows of a block; none of them is of a household."""
    record, content = clean[RECORD], clean[CONTENT]
    before_line = struct.pack(">iI", 8, 0)  # No file has four thousand million lines.
    packed = [
        _constant(_start(feed_id)),
        _four_bytes(record.str.len_bytes()),
        record.cast(pl.Binary),
        _constant(before_line),
        _four_bytes(clean[LINE]),
        _constant(struct.pack(">i", 16)),
        clean[DIGEST],
    ]
    if with_content:
        packed += [_constant(_NULL), _four_bytes(content.str.len_bytes()), content.cast(pl.Binary), _constant(_NULL)]
    else:
        packed.append(_constant(3 * _NULL))
    return b"".join(reduce(operator.add, packed).to_list())


def pack_texts(feed_id: UUID, clean: pl.DataFrame, rows: int) -> Iterator[bytes]:
    """What the clean rows of a block say, up to `rows` of them together."""
    for part in clean.select(LINE, CONTENT).iter_slices(rows):
        lines = array("q", part[LINE].to_list())
        text = "\n".join(part[CONTENT].to_list()).encode()
        yield b"".join(
            (
                struct.pack(">hi", len(TEXTS), 16) + feed_id.bytes,
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
            _start(feed_id),
            struct.pack(">i", len(key)) + key,
            struct.pack(">iq", 8, line),
            struct.pack(">i", len(digest)) + digest,
            _NULL if is_head is None else struct.pack(">i?", 1, is_head),
            struct.pack(">i", len(text)) + text,
            _NULL if sealed is None else struct.pack(">i", len(sealed)) + sealed,
        )
    )


def _start(feed_id: UUID) -> bytes:
    return struct.pack(">hi", len(STAGED), 16) + feed_id.bytes


def _constant(content: bytes) -> pl.Series:
    return pl.Series([content], dtype=pl.Binary)


def _four_bytes(numbers: pl.Series) -> pl.Series:
    return _TWO_BYTES.gather(numbers // (1 << 16)) + _TWO_BYTES.gather(numbers % (1 << 16))
