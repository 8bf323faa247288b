"""Staged rows in the binary form of PostgreSQL's COPY (批量写入): many at once out of columns, or one by one."""

import operator
import struct
from functools import reduce
from uuid import UUID

import polars as pl

from services.intake.domain.check_columns import CONTENT, DIGEST, LINE, RECORD

STAGED = ("feed_id", "record", "line", "digest", "is_head", "content", "sealed_number")
BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"

_NULL = b"\xff\xff\xff\xff"
_TWO_BYTES = pl.Series([number.to_bytes(2, "big") for number in range(1 << 16)], dtype=pl.Binary)


def pack_columns(feed_id: UUID, clean: pl.DataFrame) -> bytes:
    """The clean rows of a block; none of them names a householder."""
    record, content = clean[RECORD], clean[CONTENT]
    before_line = struct.pack(">iI", 8, 0)  # No file has four thousand million lines.
    before_content = struct.pack(">i?", 1, False)
    head = (
        _constant(_start(feed_id)),
        _four_bytes(record.str.len_bytes()),
        record.cast(pl.Binary),
        _constant(before_line),
        _four_bytes(clean[LINE]),
        _constant(struct.pack(">i", 16)),
        clean[DIGEST],
        _constant(before_content),
        _four_bytes(content.str.len_bytes()),
    )
    # The content is by far the longest: it is joined once.
    packed = reduce(operator.add, head) + (content.cast(pl.Binary) + _constant(_NULL))
    return b"".join(packed.to_list())


def pack_row(
    feed_id: UUID, record: str, line: int, digest: bytes, is_head: bool, content: str, sealed: bytes | None
) -> bytes:
    """One row."""
    key, text = record.encode(), content.encode()
    return b"".join(
        (
            _start(feed_id),
            struct.pack(">i", len(key)) + key,
            struct.pack(">iq", 8, line),
            struct.pack(">i", len(digest)) + digest,
            struct.pack(">i?", 1, is_head),
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
