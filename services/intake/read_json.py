"""Rows out of a JSON array of objects: one document, so that one broken element refuses the whole."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow
from services.intake.domain.header_map import HeaderMap
from services.intake.domain.json_elements import ArrayBroken, ArrayCutter, Element
from services.intake.domain.json_row import JSONFault, ObjectRows, parse_value
from services.intake.domain.row_error import RowError
from services.intake.domain.typed_layout import typed_layout
from services.intake.read_rows import FileRefused, Read

EXPECTED = 'UTF-8 的 JSON 数组，例如 [{"列名": "值"}]'


@dataclass(slots=True)
class JsonReader:
    """Objects of one array; the `line` of a row is its place in the array, 1 is the first."""

    layout: FeedLayout
    skipped: Counter[str] = field(default_factory=Counter)
    encoding: str | None = "utf-8"
    _cutter: ArrayCutter = field(default_factory=ArrayCutter)
    _rows: ObjectRows = field(init=False)

    def __post_init__(self) -> None:
        self.layout = typed_layout(self.layout)
        self._rows = ObjectRows(self.layout)

    @property
    def header(self) -> HeaderMap | None:
        return self._rows.header

    def feed(self, piece: bytes) -> Iterator[Read]:
        yield from self._read(self._cutter.feed(piece))

    def finish(self) -> Iterator[Read]:
        yield from self._read(self._cutter.finish())

    def _read(self, elements: Iterator[Element]) -> Iterator[Read]:
        try:
            for element in elements:
                yield self._row(element)
        except ArrayBroken as broken:
            raise FileRefused(broken.code, said(broken), EXPECTED) from None

    def _row(self, element: Element) -> Read:
        if element.content is None:
            error = RowError(element.number, None, "line_too_long", "这一行超过 1 MiB", "每行不超过 1 MiB")
            return BadRow(element.number, None, (error,))
        return self._rows.row(element.number, parsed(element))


def parsed(element: Element) -> object:
    """The value of an element that is not too long; ArrayBroken if it is none."""
    assert element.content is not None
    try:
        return parse_value(element.content)
    except JSONFault as fault:
        reason = f"第 {element.number} 个元素{fault.reason}"
        raise ArrayBroken(fault.code, reason, element.at + (fault.at or 0)) from None


def said(broken: ArrayBroken) -> str:
    """What is wrong and where, for people."""
    return f"{broken.reason} (第 {broken.at} 字节)"
