"""Rows in which a clerk changes parameters: name, value, from, document number; read and checked one by one."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.monitoring.domain.policy_overlay import Change
from shared.errors import BadRequest, FieldError, UnsupportedMedia
from shared.policies.parameter import Parameter

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "参数", "参数名"),
    "value": ("value", "取值", "值"),
    "from": ("from", "生效日期", "自"),
    "document_no": ("document_no", "文号", "依据文号"),
}
EXAMPLES = {"name": "monitoring_line", "value": "9500.00", "from": "2027-01-01", "document_no": "阜农领〔2026〕3号"}
MOST_ROWS = 500
LAST_DAY = date(2099, 12, 31)
LONGEST_DOCUMENT_NO = 100
LISTED = ("LIST", "TEXTS", "MEDICAL_RULES")

Row = Mapping[str, Any]


class TableUnreadable(BadRequest):
    """The table as a whole is none: its encoding, its columns, its length."""

    code, title = "table_unreadable", "表格无法读取"


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row: the change it asks for, or what is wrong with it; rows are counted from 1."""

    row: int
    change: Change | None
    errors: tuple[FieldError, ...]


def read_table(body: bytes) -> list[Row]:
    """The rows of a CSV sheet in UTF-8 or GB18030, columns by Chinese or English name, in any order."""
    reader = csv.DictReader(io.StringIO(_decoded(body)), strict=True)
    try:
        headers = [header.strip() for header in reader.fieldnames or ()]
        wanted = {name: _column(names, headers) for name, names in COLUMNS.items()}
        rows = [
            {name: (row.get(header) or "").strip() for name, header in wanted.items()} for row in _stripped(reader)
        ]
    except csv.Error as error:
        raise TableUnreadable(f"第 {reader.line_num} 行附近引号或分隔不完整") from error
    return [row for row in rows if any(row.values())]


def wanted_columns(headers: Sequence[str]) -> dict[str, int]:
    """Where each field is among the headers of a sheet; TableUnreadable unless each is there once."""
    headers = [header.strip() for header in headers]
    return {name: headers.index(_column(names, headers)) for name, names in COLUMNS.items()}


def _stripped(reader: "csv.DictReader[str]") -> Sequence[dict[str, str]]:
    return [{(name or "").strip(): value for name, value in row.items() if isinstance(value, str)} for row in reader]


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise TableUnreadable("表格中有空字符；请另存为 CSV（UTF-8）")
        return text
    raise UnsupportedMedia("表格应为 UTF-8 或 GB18030 编码的 CSV")


def _column(names: Sequence[str], headers: Sequence[str]) -> str:
    found = [header for header in headers if header in names]
    if len(found) != 1:
        raise TableUnreadable(
            f"第一行须有且只有一列“{names[1]}”（{names[0]}）；现有：{'、'.join(headers)[:200] or '无'}"
        )
    return found[0]


def check_rows(rows: Sequence[Row], parameters: Mapping[str, Parameter], *, today: date) -> list[CheckedRow]:
    """Check every row like a value of the package; one bad row hides no other."""
    checked = [_check(number, row, parameters, today) for number, row in enumerate(rows, 1)]
    seen: dict[tuple[str, date], int] = {}
    for index, each in enumerate(checked):
        if each.change is None:
            continue
        first = seen.setdefault((each.change.name, each.change.since), each.row)
        if first != each.row:
            error = _error(each.row, "from", "repeated", f"与第{first}行同一参数同一天", "每个参数每天一个值")
            checked[index] = CheckedRow(each.row, None, (error,))
    return checked


def _check(number: int, row: Row, parameters: Mapping[str, Parameter], today: date) -> CheckedRow:
    errors = [
        FieldError(f"第{number}行", "unknown_field", f"不认识的列 {str(name)[:40]}", "、".join(COLUMNS), "name")
        for name in row.keys() - COLUMNS.keys()
    ]
    parameter = _parameter(number, row, parameters, errors)
    given = None if parameter is None else _value(number, row, parameter, errors)
    since = _since(number, row, parameter, today, errors)
    document_no = str(row.get("document_no") or "").strip()
    if not document_no or len(document_no) > LONGEST_DOCUMENT_NO or not document_no.isprintable():
        right = f"依据文件的文号，1 至 {LONGEST_DOCUMENT_NO} 字"
        errors.append(_error(number, "document_no", "document_no", "没有文号或文号过长", right))
    if errors or parameter is None or given is None or since is None:
        return CheckedRow(number, None, tuple(errors))
    return CheckedRow(number, Change(parameter.name, given, since, document_no), ())


def _parameter(
    number: int, row: Row, parameters: Mapping[str, Parameter], errors: list[FieldError]
) -> Parameter | None:
    name = row.get("name")
    found = parameters.get(name.strip()) if isinstance(name, str) else None
    if found is None:
        close = "、".join(_close(str(name), parameters)) or "、".join(sorted(parameters)[:8])
        what = f"没有名为 {str(name)[:60]} 的参数"
        errors.append(_error(number, "name", "parameter_unknown", what, f"政策包中的参数名，例如 {close}"))
    return found


def _close(name: str, parameters: Mapping[str, Parameter]) -> list[str]:
    """Names that share a word with what was written, or whose Chinese name holds it."""
    words = set(name.lower().split("_"))
    return [
        each.name
        for each in parameters.values()
        if words & set(each.name.split("_")) or (name and name in each.label_zh)
    ][:8]


def _value(number: int, row: Row, parameter: Parameter, errors: list[FieldError]) -> str | None:
    given = row.get("value")
    try:
        if isinstance(given, str) and parameter.unit.name in LISTED:
            given = _listed(given)
        parameter.read(given)
        return json.dumps(given, ensure_ascii=False, sort_keys=True)
    except ValueError as error:
        example = parameter.unit.example.strip('"')
        what = f"{parameter.label_zh}的取值 {str(given)[:60]} 不符合要求"
        errors.append(_error(number, "value", "parameter_refused", what, str(error), example))
        return None


def _listed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("应是 JSON 写成的列表") from None


def _since(number: int, row: Row, parameter: Parameter | None, today: date, errors: list[FieldError]) -> date | None:
    given = row.get("from")
    try:
        since = date.fromisoformat(given) if isinstance(given, str) and len(given) == 10 else None
    except ValueError:
        since = None
    if since is None:
        errors.append(_error(number, "from", "day", f"{str(given)[:30]} 不是日期", "年-月-日的真实日期"))
        return None
    if since > LAST_DAY:
        errors.append(_error(number, "from", "day_far", f"生效日期 {since} 太远", f"不晚于 {LAST_DAY}"))
        return None
    if since < today:
        right = f"{today} 或以后；已经过去的日子按当时的政策，不再改动"
        errors.append(_error(number, "from", "day_past", f"生效日期 {since} 已经过去", right))
        return None
    return since


def _error(number: int, column: str, code: str, message: str, right: str, example: str | None = None) -> FieldError:
    return FieldError(f"第{number}行/{column}", code, message, right, example or EXAMPLES[column])
