"""Rows out of a file as it streams by, in bounded memory, each with its physical line number: what all formats share.

A reader is fed bytes and answers rows and row errors in order. What concerns the whole file is a FileRefused.
Reading is deterministic: fed the same bytes in other pieces, it answers the same.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow
from services.intake.domain.header_map import HeaderMap

Read = RawRow | BadRow


class FileRefused(Exception):
    """The file as a whole cannot be read: a stable code, the reason, what is right."""

    def __init__(self, code: str, reason: str, expected: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.expected = code, reason, expected


class RowReader(Protocol):
    """What turns the bytes of one format into rows."""

    layout: FeedLayout
    skipped: Counter[str]

    @property
    def header(self) -> HeaderMap | None: ...
    @property
    def encoding(self) -> str | None: ...
    def feed(self, piece: bytes) -> Iterator[Read]: ...
    def finish(self) -> Iterator[Read]: ...
