"""What a file is refused for as a whole by its header: nothing is read whose columns are not plain."""

from collections.abc import Sequence
from typing import Any, NoReturn

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.domain.header_map import HeaderMap
from services.intake.domain.header_search import (
    MOST_ROWS_ABOVE,
    FoundHeader,
    mojibake,
    template_version,
    unknown_headers,
)
from services.intake.domain.row_error import echo
from services.intake.read_rows import FileRefused

MOST_COLUMNS = 500
_TRADITIONAL = ("姓名", "證", "戶", "醫", "費", "日期", "編號", "身份", "金額")


def check_columns(texts: Sequence[str]) -> None:
    if len(texts) > MOST_COLUMNS:
        raise FileRefused("too_many_columns", f"表头超过 {MOST_COLUMNS} 列")


def check_version(layout: FeedLayout, above: Sequence[Sequence[str]], options: FileOptions) -> dict[str, Any]:
    """A template that says for which version it was made must be of the one in force; what is to be told of it.

    A file that was read before was right in its time: read again, its columns are found by their headers.
    """
    said = template_version(above)
    if said is None or said == (layout.name, layout.version):
        return {}
    if said[0] != layout.name or options.version_before is None or said[1] > options.version_before:
        reason = f"模板是 {said[0]} 第 {said[1]} 版，现行版式是 {layout.name} 第 {layout.version} 版"
        raise FileRefused("template_outdated", reason, f"/intake/v1/layouts/{layout.name}/template.xlsx")
    return {"template_version": said[1]}


def check_header(header: HeaderMap, options: FileOptions) -> None:
    """A column comes once; one that is not known is refused only if the sender wants so."""
    if header.repeated:
        raise FileRefused("header_repeated", f"表头重复: {'、'.join(header.repeated)}", "每个列名只出现一次")
    unknown = unknown_headers(header)
    if unknown and options.unknown is Unknown.REJECT:
        raise FileRefused("header_unknown", f"不认识的列: {_listed(unknown)}", "删去这些列，或以 unknown=ignore 报送")


def refuse_without_header(
    layout: FeedLayout, closest: FoundHeader | None, rows: Sequence[Sequence[str]], raw: bytes = b""
) -> NoReturn:
    """None of the first rows is the header: say what is nearest to one, or what the file seems to be."""
    if closest is None:
        raise FileRefused("header_missing", "文件中没有表头", f"前 {MOST_ROWS_ABOVE} 行中有一行是列名")
    check_columns(closest.texts)
    if closest.known == 0:
        _refuse_encoding(layout, rows, raw)
    header = closest.mapped
    if header.repeated:
        raise FileRefused("header_repeated", f"表头重复: {'、'.join(header.repeated)}", "每个列名只出现一次")
    unknown = f"；不认识的列: {_listed(header.unknown)}" if header.unknown else ""
    reason = f"缺少必需的列: {'、'.join(header.missing)}{unknown}"
    raise FileRefused("header_incomplete", reason, f"表头在前 {MOST_ROWS_ABOVE} 行，列名与版式相同")


def _refuse_encoding(layout: FeedLayout, rows: Sequence[Sequence[str]], raw: bytes) -> None:
    if mojibake(layout, rows):
        hint = "回到原系统或原文件重新导出，选择 UTF-8"
        raise FileRefused("mojibake", "表头是乱码：文件此前被用错误的编码打开后另存", hint)
    if raw and not raw.isascii() and _is_big5(raw):
        raise FileRefused("big5", "文件是 Big5 (繁体) 编码", "另存为 UTF-8 或 GB18030 编码的 CSV")


def _is_big5(raw: bytes) -> bool:
    try:
        text = raw.decode("big5")
    except UnicodeDecodeError:
        return False
    return any(word in text for word in _TRADITIONAL)


def _listed(headers: Sequence[str]) -> str:
    return "、".join(echo(header) for header in headers[:10])
