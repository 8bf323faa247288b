"""What the header row of a file means in terms of a layout's columns."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.domain.feed_layout import FeedLayout


@dataclass(frozen=True, slots=True)
class MappedHeader:
    """One header cell and the column it stands for (null: unknown, ignored)."""

    position: int
    header: str
    column: str | None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """What a file's header row means: every cell mapped or listed, what is missing, what comes twice."""

    cells: tuple[MappedHeader, ...]
    missing: tuple[str, ...]
    repeated: tuple[str, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(c.header for c in self.cells if c.column is None and c.header)

    @property
    def usable(self) -> bool:
        return not self.missing and not self.repeated


ERROR_COLUMN = "错误说明"  # Ours, in a file handed back for mending; sent again it is ignored.

_UNIT = re.compile(r"[(\[【](.*?)[)\]】]")
_MONEY_UNITS = {"元": "yuan", "人民币元": "yuan", "万元": "ten_thousand_yuan"}


def map_header(layout: FeedLayout, headers: Sequence[str]) -> HeaderMap:
    """Say which column each header cell stands for: by header, synonym or name; blanks, width, * and units aside.

    What stands in brackets is a unit only where no column is called so: 公益性岗位 and 公益性岗位(月数) are two.
    """
    whole = {_bare(text): c.name for c in layout.columns for text in (c.header, c.name, *c.synonyms)}
    known = {_plain(text)[0]: name for text, name in whole.items()} | whole
    cells = []
    for position, header in enumerate(headers):
        plain, unit = _plain(header)
        column = whole.get(_bare(header)) or known.get(plain)
        cells.append(MappedHeader(position, header.strip(), column, unit))
    names = [c.column for c in cells if c.column]
    repeated = tuple(layout.column(n).header for n in dict.fromkeys(names) if names.count(n) > 1)
    stood_for = {each.stands_for for each in layout.crosswalk if each.column in names}
    missing = tuple(c.header for c in layout.columns if c.required and c.name not in {*names, *stood_for})
    return HeaderMap(tuple(cells), missing, repeated)


def unnamed_column(position: int) -> str:
    """What a column without a header is called where ignored ones are listed."""
    return f"第{position + 1}列（无列名）"


def _plain(header: str) -> tuple[str, str | None]:
    text = unicodedata.normalize("NFKC", header)
    unit = next((_MONEY_UNITS[u] for u in _UNIT.findall(text) if u in _MONEY_UNITS), None)
    return _bare(_UNIT.sub("", text)), unit


def _bare(header: str) -> str:
    text = unicodedata.normalize("NFKC", header)
    return "".join(c for c in text if not c.isspace() and c not in "*:'\ufeff\u200b").lower()
