"""Clean cells, read without ado: most of every file is plain, and `normalise` is only asked about the rest.

Each function answers the normal value, or UNSURE; when it is sure, `normalise` says the same without a note.
"""

import re
from collections.abc import Callable
from datetime import date
from types import MappingProxyType
from typing import Any

from services.intake.domain.feed_layout import Column, ColumnType
from services.intake.domain.normalise import BLANK_MARKS, Normal, normalise
from shared.vocabulary.identity_number import IdentityNumberError, holds_identity_number, parse_identity_number

UNSURE: Any = object()
MOST_REMEMBERED = 5000  # Values of one column; dates, codes and places repeat, and few files have more.

Quick = Callable[[Any], Any]

_NAME = re.compile(r"[\u4e00-\u9fff]{2,20}")
_WORD = re.compile(r"[A-Za-z0-9_-]{2,40}")
_MONEY = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{2}))?")
_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


def quick_reader(column: Column, today: date) -> Quick:
    """The function that reads clean cells of this column."""
    return _BY_TYPE.get(column.type, _remembering)(column, today)


def _remembering(column: Column, today: date) -> Quick:
    """For values that repeat: asks `normalise` once about each text."""
    known: dict[str, Any] = {}

    def read(cell: Any) -> Any:
        if cell.__class__ is not str:
            return UNSURE
        value = known.get(cell, known)
        if value is not known:
            return value
        outcome = normalise(column, cell, today)
        value = outcome.value if isinstance(outcome, Normal) and not outcome.notes else UNSURE
        if value is None and column.required:
            value = UNSURE
        if len(known) < MOST_REMEMBERED:
            known[cell] = value
        return value

    return read


def _text(column: Column, _: date) -> Quick:
    if column.pattern:
        return _patterned(column)
    most = column.max_length

    def read(cell: Any) -> Any:
        if cell.__class__ is not str:
            return UNSURE
        if not cell:
            return UNSURE if column.required else None
        if len(cell) > most or cell in BLANK_MARKS or holds_identity_number(cell):
            return UNSURE
        return cell if _WORD.fullmatch(cell) or _NAME.fullmatch(cell) else UNSURE

    return read


def _patterned(column: Column) -> Quick:
    pattern = re.compile(column.pattern or "")

    def read(cell: Any) -> Any:
        if cell.__class__ is not str or not _WORD.fullmatch(cell) or cell in BLANK_MARKS:
            return UNSURE
        if holds_identity_number(cell):
            return UNSURE
        return cell if pattern.fullmatch(cell) and len(cell) <= column.max_length else UNSURE

    return read


def _money(column: Column, _: date) -> Quick:
    most = column.max_yuan * 100
    factor_known = column.unit == "yuan"

    def read(cell: Any) -> Any:
        if cell.__class__ is not str:
            return UNSURE
        if not cell:
            return UNSURE if column.required else None
        match = _MONEY.fullmatch(cell)
        if match is None or not factor_known:
            return UNSURE
        whole, part = match.groups()
        fen = int(whole) * 100 + int(part or 0)
        return fen if fen <= most else UNSURE

    return read


def _identity_number(column: Column, today: date) -> Quick:
    def read(cell: Any) -> Any:
        if cell.__class__ is not str or not _NUMBER.fullmatch(cell):
            return UNSURE
        try:
            number = parse_identity_number(cell, today)
        except IdentityNumberError:
            return UNSURE
        return UNSURE if number.notes else number

    return read


def _unsure(column: Column, today: date) -> Quick:
    return lambda cell: UNSURE


_BY_TYPE = MappingProxyType(
    {
        ColumnType.TEXT: _text,
        ColumnType.MONEY_YUAN: _money,
        ColumnType.IDENTITY_NUMBER: _identity_number,
        ColumnType.DISABILITY_CERTIFICATE: _unsure,
    }
)
