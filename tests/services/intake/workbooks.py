"""Workbooks as clerks make them, and as attackers do; all numbers in reserved areas."""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

Sheets = Mapping[str, Sequence[Sequence[Any]]]


class Percent(float):
    """A number shown as per cent."""


class Money(float):
    """A number shown with a currency sign and thousands."""


class Formula(str):
    """A formula with a value: "=1+1|2"."""


def workbook(
    rows: Iterable[Sequence[Any]] = (),
    *,
    sheets: Sheets | None = None,
    hidden: Iterable[str] = (),
    merged: Iterable[tuple[int, int, int, int]] = (),
    then: Callable[[Any, Any], None] | None = None,
    **options: Any,
) -> bytes:
    """A workbook with these rows on its one sheet, or with these sheets."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_urls": False, **options})
    kinds = {
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
        Percent: book.add_format({"num_format": "0%"}),
        Money: book.add_format({"num_format": '"¥"#,##0.00'}),
    }
    for name, content in (sheets or {"Sheet1": list(rows)}).items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(content):
            for j, cell in enumerate(row):
                _write(sheet, i, j, cell, kinds)
        for top, left, bottom, right in merged:
            sheet.merge_range(top, left, bottom, right, content[top][left])
        if name in hidden:
            sheet.hide()
        if then is not None:
            then(book, sheet)
    book.close()
    return out.getvalue()


def _write(sheet: Any, i: int, j: int, cell: Any, kinds: Mapping[type, Any]) -> None:
    if isinstance(cell, Formula):
        text, _, value = cell.partition("|")
        sheet.write_formula(i, j, text, None, int(value) if value.isdigit() else value)
    elif isinstance(cell, date):
        sheet.write_datetime(i, j, cell, kinds[type(cell)])
    elif isinstance(cell, bool):
        sheet.write_boolean(i, j, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(i, j, cell, kinds.get(type(cell)))
    elif cell is not None:
        sheet.write_string(i, j, cell)


def patched(
    book: bytes, changes: Mapping[str, Callable[[bytes], bytes]], extra: Mapping[str, bytes] | None = None
) -> bytes:
    """The workbook with some of its parts changed, and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, lambda content: content)(old.read(name)))
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return out.getvalue()


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return change


SHEET = "xl/worksheets/sheet1.xml"


def bomb(book: bytes, mebibytes: int) -> bytes:
    """The workbook with a part of zeros that unpacks to so much."""
    return patched(book, {}, {"xl/media/image1.png": bytes(mebibytes * 2**20)})


def lying(book: bytes, mebibytes: int) -> bytes:
    """A bomb that says, wherever a zip says it, that the part has a hundred bytes."""
    content = bytearray(bomb(book, mebibytes))
    real = struct.pack("<I", mebibytes * 2**20)
    for match in list(re.finditer(re.escape(real), content)):
        content[match.start() : match.end()] = struct.pack("<I", 100)
    return bytes(content)


def encrypted(book: bytes) -> bytes:
    """The workbook with the flag that its parts are encrypted."""
    content = bytearray(book)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(signature), book):
            content[match.start() + offset] |= 1
    return bytes(content)


def many_entries(book: bytes, count: int) -> bytes:
    return patched(book, {}, {f"xl/media/{i}.png": b"" for i in range(count)})
