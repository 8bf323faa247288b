"""What a sheet says that calamine does not tell: errors, formulas never worked out, per cents, what is hidden.

Calamine gives an empty text for #REF! and for a formula without a value, and 0.7 for 70 %: each would be a silent
change. The sheet's XML is searched for them with a few patterns, a piece at a time, cut between rows.
"""

import re
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree

from shared.workbook.archive import WorkbookRefused

PIECE = 2**20
LONGEST_ROW = 16 * 2**20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PERCENT_FORMATS = {9, 10}
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ROOT = re.compile(rb"<(?:(\w+):)?worksheet\b")

ERROR, NO_VALUE, PERCENT = "excel_error", "formula_without_value", "percent"


@dataclass(slots=True)
class SheetMarks:
    """Cells by row (from 1) and column (from 0) that are not what their value seems; counts of what is hidden."""

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    hidden_rows: int = 0
    hidden_columns: bool = False


def scan_sheet(archive: zipfile.ZipFile, sheet: str) -> SheetMarks:
    """Search the sheet of that name."""
    part = _part_of(archive, sheet)
    marks = SheetMarks()
    if part is None:
        return marks
    styles, patterns, rest = _percent_styles(archive), None, b""
    with archive.open(part) as file:
        while piece := file.read(PIECE):
            rest += piece
            if patterns is None:
                patterns = _Patterns(rest, styles)
            cut = max(rest.rfind(b"<" + patterns.prefix + b"row"), 0)
            _search(rest[:cut], patterns, marks)
            rest = rest[cut:]
            if len(rest) > LONGEST_ROW:
                raise WorkbookRefused("row_too_long", "工作表中有一行过长", "检查该行，重新另存为 .xlsx")
    if patterns is not None:
        _search(rest, patterns, marks)
    return marks


class _Patterns:
    """The patterns for one sheet: its XML may name its elements with a prefix."""

    def __init__(self, start: bytes, percent_styles: frozenset[int]) -> None:
        root = _ROOT.search(start)
        self.prefix = root[1] + b":" if root and root[1] else b""
        p = self.prefix
        self.formula_start = b"<" + p + b"f"
        self.error = re.compile(rb"<" + p + rb"""c\b([^>]*\bt=["']e["'][^>]*)>""")
        self.formula = re.compile(
            rb"<" + p + rb"c\b([^>]*)>\s*<" + p + rb"f\b(?:[^>]*/>|[^>]*>[^<]*</" + p + rb"f>)\s*"
            rb"(?:<" + p + rb"v\s*/>|<" + p + rb"v>\s*</" + p + rb"v>)?\s*</" + p + rb"c>"
        )
        self.hidden_row = re.compile(rb"<" + p + rb"""row\b[^>]*\bhidden=["'](?:1|true)["']""")
        self.hidden_column = re.compile(rb"<" + p + rb"""col\b[^>]*\bhidden=["'](?:1|true)["']""")
        numbers = b"|".join(str(style).encode() for style in sorted(percent_styles))
        self.percent = (
            re.compile(rb"<" + p + rb"""c\b([^>]*\bs=["'](?:""" + numbers + rb""")["'][^>/]*)>""")
            if numbers
            else None
        )


def _search(xml: bytes, patterns: _Patterns, marks: SheetMarks) -> None:
    # A plain search for a few bytes is a hundred times as fast as a pattern, and most sheets have none of these.
    if patterns.percent is not None:
        _mark(patterns.percent, xml, PERCENT, marks)
    if b't="e"' in xml or b"t='e'" in xml:
        _mark(patterns.error, xml, ERROR, marks)
    if patterns.formula_start in xml:
        _mark(patterns.formula, xml, NO_VALUE, marks)
    if b"hidden=" in xml:
        marks.hidden_rows += len(patterns.hidden_row.findall(xml))
        marks.hidden_columns = marks.hidden_columns or patterns.hidden_column.search(xml) is not None


def _mark(pattern: re.Pattern[bytes], xml: bytes, what: str, marks: SheetMarks) -> None:
    for match in pattern.finditer(xml):
        attributes = match[1]
        if what == NO_VALUE and re.search(rb"""\bt=["'](?:str|e)["']""", attributes):
            continue  # The empty text is a value, and an error has been marked.
        reference = _REFERENCE.search(attributes)
        if reference is None:
            raise WorkbookRefused(
                "cells_unplaced", "工作表的单元格没有位置，无法读取", "用 Excel 或 WPS 打开后另存为 .xlsx"
            )
        marks.cells.setdefault(int(reference[2]), {})[_column(reference[1])] = what


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The path of a sheet's part; None if the book does not say."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 no DTD got past the check
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (ElementTree.ParseError, KeyError):
        raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from None
    wanted = next((_of(s, _RELATION) for s in book.iter(f"{_MAIN}sheet") if s.get("name") == sheet), None)
    target = next((r.get("Target", "") for r in relations if r.get("Id") == wanted), None)
    if not target:
        return None
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return next((name for name in archive.namelist() if name.lower() == path.lower()), None)


def _of(element: ElementTree.Element, name: str) -> str | None:
    return element.get(name)


def _percent_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Which cell styles show a number as per cent."""
    try:
        styles = ElementTree.fromstring(archive.read("xl/styles.xml"))  # noqa: S314 no DTD got past the check
    except KeyError:
        return frozenset()
    except ElementTree.ParseError:
        raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from None
    own = {f.get("numFmtId") for f in styles.iter(f"{_MAIN}numFmt") if "%" in (f.get("formatCode") or "")}
    formats = styles.find(f"{_MAIN}cellXfs")
    shown = [] if formats is None else [x.get("numFmtId", "0") for x in formats]
    return frozenset(i for i, f in enumerate(shown) if f in own or (f.isdigit() and int(f) in _PERCENT_FORMATS))


def uses_1904(archive: zipfile.ZipFile) -> bool:
    """Whether days are counted from 1904."""
    start = archive.read("xl/workbook.xml")
    return re.search(rb"""<(?:\w+:)?workbookPr\b[^>]*\bdate1904=["'](?:1|true)["']""", start) is not None
