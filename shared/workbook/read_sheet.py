"""Read the first visible sheet of a small workbook whole: what a clerk fills in by hand, or a system exports.

A cell is a text, a number, or why it says nothing: an error is no blank, and a number that lost digits no number.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from shared.workbook.archive import Limits, WorkbookRefused
from shared.workbook.open_workbook import open_workbook

SMALL = Limits(
    packed_bytes=32 * 2**20, inflated_bytes=128 * 2**20, memory_bytes=2**30, cpu_seconds=30, answer_seconds=30
)
EXACT = 10**15  # Excel keeps fifteen digits.
_FIRST_SURE_DAY = "1900-03-01"  # Excel has a 29th of February 1900; readers disagree about the days before.


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that says nothing sure: a stable code, the reason, what is right."""

    code: str
    reason: str
    expected: str


Cell = str | Decimal | BadCell

_BAD: Mapping[str, BadCell] = MappingProxyType(
    {
        "excel_error": BadCell("excel_error", "是 Excel 公式错误 (如 #REF!)，不是值", "改正公式或直接填写结果"),
        "formula_without_value": BadCell(
            "formula_without_value", "是公式，但文件中没有计算结果", "用 Excel 或 WPS 打开并保存，或粘贴为数值"
        ),
        "percent": BadCell("percent_cell", "是百分比格式，不知道指几", "改为文本或数值格式，重新填写"),
        "precision_lost": BadCell(
            "precision_lost", "是数字格式，Excel 只保留15位，末尾数字已丢失", "先把整列设置为“文本”格式，再重新填写"
        ),
        "no_such_date": BadCell("no_such_date", "早于1900年3月的日期单元格无法确定是哪一天", "以文本填写日期"),
    }
)


async def read_sheet(content: bytes, most_rows: int, limits: Limits = SMALL) -> list[list[Cell]]:
    """The rows of the first visible sheet from its top on, blank ones too: a row's place is its number less one."""
    if len(content) > limits.packed_bytes:
        raise WorkbookRefused("workbook_too_large", "工作簿过大", "拆成几个文件，或另存为 CSV")
    # In memory, not on a disk: a list of persons lies nowhere but where it is asked for.
    file = os.memfd_create("workbook")
    try:
        await asyncio.to_thread(os.write, file, content)
        return [row async for row in _rows(file, most_rows, limits)]
    finally:
        os.close(file)


async def _rows(file: int, most_rows: int, limits: Limits) -> AsyncIterator[list[Cell]]:
    async with open_workbook(file, limits) as book:
        await book.begin()
        name = next((sheet.name for sheet in book.sheets if sheet.visible), None)
        if name is None:
            raise WorkbookRefused("sheet_missing", "工作簿中没有工作表", "至少一张可见的工作表")
        last = 0
        async for frame in book.read(name):
            said = json.loads(frame)
            if isinstance(said, dict):
                _refuse_1904(said)
                continue
            for number, row in said:
                if number > most_rows:
                    raise WorkbookRefused("too_many_rows", f"工作表超过 {most_rows} 行", "分成几个文件")
                for _ in range(number - last - 1):
                    yield []
                last = number
                yield [_cell(each) for each in row]


def _refuse_1904(said: Mapping[str, Any]) -> None:
    """A day's number would mean another day."""
    if said.get("uses_1904"):
        raise WorkbookRefused("uses_1904", "工作簿使用 1904 日期系统", "关闭该选项，或另存为 CSV")


def written(cell: Cell) -> str:
    """A number as Excel means it: no exponent, no .0; what says nothing is blank here."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell if isinstance(cell, str) else ""


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _told(value)
    return _number(value)


def _told(value: Mapping[str, Any]) -> Cell:
    [(kind, said)] = value.items()
    if kind == "bad":
        return _BAD[said]
    if kind == "percent":
        return _BAD["percent"]
    if kind == "day" and said < _FIRST_SURE_DAY:
        return _BAD["no_such_date"]
    return str(said)


def _number(value: float) -> Cell:
    if abs(value) >= EXACT:
        return _BAD["precision_lost"]
    return Decimal(int(value)) if value == int(value) else Decimal(format(value, ".15g"))
