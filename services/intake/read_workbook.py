"""Rows out of the frames in which a child process tells what is in a sheet (see `shared.workbook.child`)."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.csv_records import Record
from services.intake.domain.feed_layout import Column, FeedLayout
from services.intake.domain.feed_row import Cell, RawRow, in_units
from services.intake.domain.file_options import PLAIN, FileOptions
from services.intake.domain.header_map import HeaderMap
from services.intake.domain.header_search import MOST_ROWS_ABOVE, FoundHeader, closest_header, header_at_end, is_total
from services.intake.domain.normalise import Refusal
from services.intake.domain.row_error import echo
from services.intake.domain.workbook_cell import MERGED, cell_of, shown
from services.intake.judge_header import check_columns, check_header, check_version, refuse_without_header
from services.intake.read_rows import FileRefused, Read
from shared.workbook.open_workbook import Sheet

Numbered = tuple[int, Sequence[Any]]


@dataclass(slots=True)
class WorkbookReader:
    """One sheet; the `line` of a row is its row in the sheet. What is fed to it are whole frames.

    Merged cells say the same in each of their rows where a household stands (户编号, 行政区划); elsewhere only in the
    first, and the others are refused.
    """

    layout: FeedLayout
    options: FileOptions = PLAIN
    header: HeaderMap | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    stated: dict[str, Any] = field(default_factory=dict)
    unnamed: set[int] = field(default_factory=set)
    on_record: Callable[[Record], None] | None = None
    encoding: str | None = None
    _above: list[Numbered] = field(default_factory=list)
    _plan: Sequence[tuple[Column, int | None]] = ()
    _width: int = 0
    _headers: Sequence[str] = ()
    _blank_headers: Sequence[int] = ()
    _merged: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _tops: dict[tuple[int, int], Any] = field(default_factory=dict)
    _filled: frozenset[int] = frozenset()
    _last: int = 0
    _1904: bool = False

    def feed(self, piece: bytes) -> Iterator[Read]:
        frame = json.loads(piece)
        if isinstance(frame, dict):
            self._know(frame)
            return
        for number, row in frame:
            yield from self._row(number, row)

    def finish(self) -> Iterator[Read]:
        if self.header is None:
            self._refuse()
        yield from ()

    def _know(self, of: dict[str, Any]) -> None:
        self._1904 = of["uses_1904"]
        named = ("sheet", "other_sheets", "hidden_sheets", "hidden_rows", "hidden_columns", "uses_1904")
        self.stated.update({name: of[name] for name in named if of.get(name)})
        for top, left, bottom, right in of["merged"]:
            for number in range(top, min(bottom, of["rows"]) + 1):
                at = [(column, top) for column in range(left, right + 1) if (number, column) != (top, left)]
                self._merged.setdefault(number, []).extend(at)
            self._tops[(top, left)] = None

    def _row(self, number: int, row: Sequence[Any]) -> Iterator[Read]:
        self.skipped["blank_rows"] += number - self._last - 1
        self._last = number
        if self.on_record is not None:
            self.on_record(Record(number, [shown(cell) for cell in row]))
        if self.header is None:
            self._look_for_header((number, row))
        elif not self._skips(row):
            yield self._raw(number, row)

    def _skips(self, row: Sequence[Any]) -> bool:
        first = row[0]
        if (first == "" or (first.__class__ is str and "计" in first)) and is_total([shown(cell) for cell in row]):
            self.skipped["total_rows"] += 1
        elif first == self._headers[0] and tuple(shown(cell) for cell in row[: self._width]) == self._headers:
            self.skipped["repeated_headers"] += 1
        else:
            return False
        return True

    def _raw(self, number: int, row: Sequence[Any]) -> RawRow:
        merged = self._merged.get(number)
        if merged is not None or self._tops:
            row = self._unmerged(number, list(row), merged or ())
        if self._blank_headers or len(row) > self._width:
            self._note_unnamed(row)
        of_1904 = self._1904
        cells: list[Cell | Refusal] = []
        for column, at in self._plan:
            value = row[at] if at is not None else None
            if value.__class__ is str or value is None:
                cells.append(value)
            else:
                cells.append(value if isinstance(value, Refusal) else cell_of(column, value, uses_1904=of_1904))
        return RawRow(number, cells)

    def _note_unnamed(self, row: Sequence[Any]) -> None:
        """Something that stands in a column without a header is not read, and so is told."""
        places = (*self._blank_headers, *range(self._width, len(row)))
        self.unnamed.update(at for at in places if row[at] is not MERGED and shown(row[at]).strip())

    def _unmerged(self, number: int, row: list[Any], merged: Sequence[tuple[int, int]]) -> list[Any]:
        """The row with what its merged cells mean."""
        for column in self._filled:
            if (number, column) in self._tops:
                self._tops[(number, column)] = row[column]
        for column, top in merged:
            if column < len(row):
                known = column in self._filled and (top, column) in self._tops
                row[column] = self._tops[(top, column)] if known else MERGED
                self.stated["merged_filled"] = self.stated.get("merged_filled", 0) + known
        return row

    def _look_for_header(self, row: Numbered) -> None:
        self._above.append(row)
        texts = _texts(self._above)
        found = header_at_end(self.layout, texts)
        if found is not None:
            self._settle(found, texts[: -found.rows])
        elif len(self._above) >= MOST_ROWS_ABOVE:
            self._refuse()

    def _settle(self, found: FoundHeader, above: list[list[str]]) -> None:
        check_columns(found.texts)
        self.stated.update(check_version(self.layout, above, self.options))
        check_header(found.mapped, self.options)
        self.header, self._headers, self._width = found.mapped, found.texts, len(found.texts)
        self._blank_headers = [at for at, text in enumerate(found.texts) if not text.strip()]
        at = {c.column: c.position for c in self.header.cells if c.column}
        self.layout = in_units(self.layout, {c.column: c.unit for c in self.header.cells if c.column and c.unit})
        self._plan = [(column, at.get(column.name)) for column in self.layout.columns]
        of_household = household_columns(self.layout)
        self._filled = frozenset(place for name, place in at.items() if name in of_household)
        self.stated["header_line"] = self._above[-found.rows][0]
        if found.rows > 1:
            self.stated["header_rows"] = found.rows
        if above:
            self.skipped["title_rows"] = len(above)
        self._above = []

    def _refuse(self) -> None:
        texts = _texts(self._above)
        refuse_without_header(self.layout, closest_header(self.layout, texts), texts)


def household_columns(layout: FeedLayout) -> frozenset[str]:
    """The columns that say something of the household a row belongs to, so that one cell may serve all its rows."""
    if layout.household is not None:
        spec = layout.household
        return frozenset(
            (spec.number, spec.division, *spec.of_head.values(), spec.income_year, *spec.income.values())
        )
    return frozenset(name for fact in layout.facts for name in (fact.household, fact.division) if name is not None)


def choose_sheet(layout: FeedLayout, sheets: Sequence[Sheet], wanted: str) -> dict[str, Any]:
    """Which sheet to read (the one named, or the only visible with our header), and what to say of the others."""
    names = [sheet.name for sheet in sheets]
    listed = "、".join(echo(name) for name in names[:20])
    if wanted and wanted not in names:
        raise FileRefused("sheet_unknown", f"工作簿中没有工作表“{echo(wanted)}”", f"工作表: {listed}")
    if not sheets:
        raise FileRefused("sheet_missing", "工作簿中没有工作表")
    visible = [sheet for sheet in sheets if sheet.visible]
    with_header = [sheet.name for sheet in visible if _has_header(layout, sheet)]
    if not wanted and len(with_header) > 1:
        reason = f"有 {len(with_header)} 张工作表都像是本数据集: {'、'.join(echo(n) for n in with_header)}"
        raise FileRefused("several_sheets", reason, "以 sheet=工作表名 指定，或分别报送")
    if not wanted and not any(sheet.head for sheet in visible):
        raise FileRefused("sheet_empty", "工作表中没有内容", "第一行是列名")
    chosen = wanted or (with_header[0] if with_header else next(s.name for s in visible if s.head))
    return {
        "sheet": echo(chosen),
        "name": chosen,
        "other_sheets": [echo(s.name) for s in visible if s.name != chosen][:20],
        "hidden_sheets": [echo(s.name) for s in sheets if not s.visible][:20],
    }


def _has_header(layout: FeedLayout, sheet: Sheet) -> bool:
    texts = _texts(sheet.head[:MOST_ROWS_ABOVE])
    return any(header_at_end(layout, texts[: i + 1]) for i in range(len(texts)))


def _texts(rows: Sequence[Numbered]) -> list[list[str]]:
    return [[shown(cell) for cell in row] for _, row in rows]
