"""What a typed cell of a workbook says in a column: a text to be normalised like any other, or why it says nothing.

A value is never guessed: a number where an identity number belongs has lost digits, an error is no blank.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from services.intake.domain.feed_layout import Column, ColumnType
from services.intake.domain.feed_row import Cell
from services.intake.domain.normalise import EXCEL_EPOCH, EXCEL_SERIALS, Refusal

DAYS_1904 = 1462
EXACT = 10**15  # Excel keeps fifteen digits.
_NUMBERED = (ColumnType.IDENTITY_NUMBER, ColumnType.DISABILITY_CERTIFICATE)
_FIRST_SURE_DAY = "1900-03-01"  # Excel has a 29th of February 1900; readers disagree about the days before.

MERGED = Refusal("merged_cell", "是合并单元格，不知道这一行的值", "取消合并，每行分别填写")
_BAD: Mapping[str, Refusal] = MappingProxyType(
    {
        "excel_error": Refusal("excel_error", "是 Excel 公式错误 (如 #REF!)，不是值", "改正公式或直接填写结果"),
        "formula_without_value": Refusal(
            "formula_without_value", "是公式，但文件中没有计算结果", "用 Excel 或 WPS 打开并保存，或粘贴为数值"
        ),
    }
)


def cell_of(column: Column, value: Any, *, uses_1904: bool) -> Cell | Refusal:
    """The cell as the row checker takes it; dates before March 1900 and lost digits are refused here."""
    if value.__class__ is str:
        text: str = value
        return text
    if isinstance(value, bool):
        return value if column.type is ColumnType.BOOLEAN else str(value).upper()
    if isinstance(value, dict):
        return _told(column, value)
    if value is None:
        return None
    return _number(column, value, uses_1904)


def shown(value: Any) -> str:
    """The cell as a text for people: in headers, and in a file handed back."""
    if isinstance(value, dict):
        [(kind, said)] = value.items()
        return {"percent": lambda: f"{plain(said * 100)}%", "bad": lambda: _SHOWN[said]}.get(
            kind, lambda: str(said)
        )()
    if isinstance(value, bool):
        return "是" if value else "否"
    return value if isinstance(value, str) else "" if value is None else plain(value)


_SHOWN = MappingProxyType({"excel_error": "#REF!", "formula_without_value": ""})


def plain(number: float) -> str:
    """The number as Excel means it: fifteen digits, no exponent, no .0."""
    if -EXACT < number < EXACT and number == int(number):
        return str(int(number))
    text = format(number, ".15g")
    return text if "e" not in text else format(Decimal(text), "f")


def _told(column: Column, value: Mapping[str, Any]) -> Cell | Refusal:
    [(kind, said)] = value.items()
    if kind == "bad":
        return _BAD[said]
    if kind == "percent":
        return f"{plain(said * 100)}%"
    if kind == "day" and said < _FIRST_SURE_DAY:
        return Refusal("no_such_date", "1900年3月1日以前的日期单元格无法确定是哪一天", "以文本填写日期", "1900-01-05")
    if kind == "day" and column.type in _NUMBERED:
        return _lost(column)
    return str(said)


def _number(column: Column, value: float, uses_1904: bool) -> Cell | Refusal:
    if column.type in _NUMBERED:
        return _lost(column)
    if column.type is ColumnType.DATE:
        return _serial(value, uses_1904)
    if column.type is ColumnType.TEXT and abs(value) >= EXACT:
        return _lost(column)
    return plain(value)


def _serial(value: float, uses_1904: bool) -> Cell | Refusal:
    """A day's number in a cell that is not formatted as a day; eight and six digits may be a written date."""
    days = value + DAYS_1904 if uses_1904 else value
    if value == int(value):
        return plain(days if int(value) < EXCEL_SERIALS.stop else value)
    if EXCEL_SERIALS.start <= days < EXCEL_SERIALS.stop:
        moment = EXCEL_EPOCH + timedelta(int(days))
        minutes = round((days - int(days)) * 1440)
        return f"{date.isoformat(moment)} {minutes // 60 % 24:02d}:{minutes % 60:02d}"
    return plain(value)


def _lost(column: Column) -> Refusal:
    reason = f"{column.header}是数字格式，Excel 只保留15位，末尾数字已丢失"
    return Refusal("precision_lost", reason, "先把整列设置为“文本”格式，再重新填写", column.example)
