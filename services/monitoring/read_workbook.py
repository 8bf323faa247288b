"""Read the first sheet of a small workbook (XLSX) as text: what a clerk fills in by hand.

Only the standard library, within narrow bounds: a parameter sheet is a few kilobytes. Sizes are checked on what is
really unpacked, entities are refused, formulas too, since nobody could say which value was meant.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from services.monitoring.domain.parameter_change import TableUnreadable
from shared.errors import UnsupportedMedia

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
MOST_BYTES = 8 * 2**20
MOST_PARTS = 200
MOST_ROWS, MOST_COLUMNS = 2_000, 50
OLD_FORMAT = b"\xd0\xcf\x11\xe0"

Cell = str | Decimal


def read_workbook(body: bytes) -> list[list[Cell]]:
    """The cells of the first sheet, by rows; a number stays one, since only its column tells whether it is a day."""
    if body.startswith(OLD_FORMAT):
        raise UnsupportedMedia("工作簿是旧的 .xls 格式或设有密码；请去掉密码，另存为 .xlsx 或 CSV")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if len(archive.infolist()) > MOST_PARTS:
                raise TableUnreadable("工作簿中的文件过多；请只保留一张表，另存为 .xlsx")
            return list(_rows(_part(archive, _first_sheet(archive)), _shared_texts(archive)))
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise TableUnreadable("工作簿损坏或不是 .xlsx；请重新另存为 .xlsx 或 CSV") from error


def day_of(serial: Decimal) -> str:
    """The day that a number in a column of days means (days since 1899-12-30); as it is if it means none."""
    if serial != serial.to_integral_value() or not 0 < serial < 100_000:
        return written(serial)
    return (date(1899, 12, 30) + timedelta(days=int(serial))).isoformat()


def written(cell: Cell) -> str:
    return cell if isinstance(cell, str) else format(cell, "f")


def _part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with archive.open(name) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TableUnreadable("工作簿展开后过大；参数表只需几行")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\x00" in content:
        raise TableUnreadable("工作簿含有不允许的外部定义")
    # Read as UTF-8 whatever it declares, so that no other encoding hides a definition from the check above (nor
    # does one with a byte order mark, which has zero bytes).
    return ElementTree.fromstring(content, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314


def _first_sheet(archive: zipfile.ZipFile) -> str:
    book = _part(archive, "xl/workbook.xml")
    settings = book.find(f"{MAIN}workbookPr")
    if settings is not None and settings.get("date1904") in ("1", "true"):
        raise TableUnreadable("工作簿使用 1904 日期系统；请关闭该选项，或另存为 CSV")
    sheet = next(book.iter(f"{MAIN}sheet"), None)
    if sheet is None:
        raise TableUnreadable("工作簿中没有工作表")
    relations = _part(archive, "xl/_rels/workbook.xml.rels")
    target = next((each.get("Target", "") for each in relations if each.get("Id") == sheet.get(RELATION)), "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _shared_texts(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(each) for each in _part(archive, "xl/sharedStrings.xml").iter(f"{MAIN}si")]


def _text(node: ElementTree.Element) -> str:
    """All runs of a text, without what is only its pronunciation."""
    heard = {id(t) for phonetic in node.iter(f"{MAIN}rPh") for t in phonetic.iter(f"{MAIN}t")}
    return "".join(t.text or "" for t in node.iter(f"{MAIN}t") if id(t) not in heard)


def _rows(sheet: ElementTree.Element, texts: list[str]) -> Iterator[list[Cell]]:
    for number, row in enumerate(sheet.iter(f"{MAIN}row"), 1):
        if number > MOST_ROWS:
            raise TableUnreadable(f"表格超过 {MOST_ROWS} 行")
        cells: list[Cell] = []
        for cell in row.iter(f"{MAIN}c"):
            column = _column(cell.get("r", ""), len(cells))
            cells.extend([""] * (column - len(cells)))
            cells.append(_value(cell, texts))
        yield cells


def _column(reference: str, following: int) -> int:
    """The column of "C7", from 0; cells without a reference follow each other."""
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    column = number - 1 if number else following
    if not following <= column < MOST_COLUMNS:
        raise TableUnreadable(f"单元格 {reference[:20]} 的位置有误，或超过 {MOST_COLUMNS} 列")
    return column


def _value(cell: ElementTree.Element, texts: list[str]) -> Cell:
    if cell.find(f"{MAIN}f") is not None:
        raise TableUnreadable(f"单元格 {cell.get('r', '')[:20]} 是公式；请粘贴为数值后再上传")
    kind, value = cell.get("t", "n"), cell.findtext(f"{MAIN}v") or ""
    if kind == "inlineStr":
        return _text(cell)
    if not value:
        return ""
    try:
        if kind == "s":
            return texts[int(value)]
        if kind == "b":
            return "true" if value == "1" else "false"
        return Decimal(value) if kind == "n" else value
    except (InvalidOperation, ValueError, IndexError) as error:
        raise TableUnreadable(f"单元格 {cell.get('r', '')[:20]} 无法读取") from error
