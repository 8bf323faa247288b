"""Where a table's header stands: in the first rows, below its title, in one row or in two.

A row is the header when it names every required column; nothing is taken for a header because of where it stands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.header_map import ERROR_COLUMN, HeaderMap, map_header

MOST_ROWS_ABOVE = 10  # Rows that say something; the header is among the first so many.

_TOTAL = re.compile(r"(?:[本全各][页表月年县镇乡村组户街道]{1,2})?(?:合计|总计|小计|共计|累计)(?:数|金额)?[:：]?")
_VERSION = re.compile(r"(?:模板|版式)?版本[:：]?\s*([a-z][a-z0-9_]*)[ .]?[vV]([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class FoundHeader:
    """The texts of a header, what they mean, and of how many rows it consists."""

    texts: tuple[str, ...]
    mapped: HeaderMap
    rows: int

    @property
    def known(self) -> int:
        """How many of its cells stand for a column."""
        return sum(cell.column is not None for cell in self.mapped.cells)


def header_at_end(layout: FeedLayout, rows: Sequence[Sequence[str]]) -> FoundHeader | None:
    """The header that the last of these rows completes, alone or with the row above it; None if it does not."""
    single = _header(layout, rows[-1:])
    if not single.mapped.missing:
        return single
    if len(rows) < 2:
        return None
    double = _header(layout, rows[-2:])
    return double if not double.mapped.missing and double.known > single.known else None


def closest_header(layout: FeedLayout, rows: Sequence[Sequence[str]]) -> FoundHeader | None:
    """The row that names most of the columns, for saying what it lacks; the first of equals."""
    found = [_header(layout, [row]) for row in rows]
    return max(found, key=lambda each: each.known, default=None)


def is_total(texts: Sequence[str]) -> bool:
    """True if a row is a total (合计): its first cell that says anything is the word for one."""
    first = next((text for text in texts if text.strip()), "")
    return _TOTAL.fullmatch("".join(first.split())) is not None


def version_said(layout: FeedLayout) -> str:
    """How a template says for which layout and version it was made; `template_version` reads it."""
    return f"模板版本：{layout.name} v{layout.version}"


def template_version(rows: Sequence[Sequence[str]]) -> tuple[str, int] | None:
    """The layout and version that a template says it was made for, in a cell above its header."""
    for row in rows:
        for text in row:
            if match := _VERSION.search(text):
                return match[1], int(match[2])
    return None


def mojibake(layout: FeedLayout, rows: Sequence[Sequence[str]]) -> bool:
    """True if the header can be read once a wrong decoding is taken back: it was read wrongly, then saved."""
    for row in rows:
        for wrong in ("cp1252", "latin-1", "gb18030"):
            again = [_taken_back(text, wrong) for text in row]
            if any(cell.column for cell in map_header(layout, [text for text in again if text]).cells):
                return True
    return False


def _taken_back(text: str, wrong: str) -> str:
    if text.isascii():
        return ""
    try:
        # What could not be decoded the first time is gone; the letters before it are enough to tell.
        return text.encode(wrong, "ignore").decode("utf-8", "ignore")
    except UnicodeError:
        return ""


def _header(layout: FeedLayout, rows: Sequence[Sequence[str]]) -> FoundHeader:
    texts = _joined(rows)
    return FoundHeader(texts, map_header(layout, texts), len(rows))


def _joined(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One text a column, the lower row's before the upper's; trailing columns without a text are none."""
    texts: list[str] = []
    for row in rows:
        texts.extend([""] * (len(row) - len(texts)))
        for at, text in enumerate(row):
            texts[at] = text if text.strip() else texts[at]
    while texts and not texts[-1].strip():
        texts.pop()
    return tuple(texts)


def unknown_headers(header: HeaderMap) -> tuple[str, ...]:
    """Headers that a file may be refused for; our own column of errors, sent back, is none."""
    return tuple(text for text in header.unknown if text != ERROR_COLUMN)
