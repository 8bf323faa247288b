"""What a file is by its first bytes, whatever its name says."""

import codecs

_SIGNATURES = (
    (b"PK\x03\x04", "xlsx_or_zip", "是 XLSX 或 ZIP 文件；请在表格软件中另存为 CSV (UTF-8 逗号分隔)"),
    (b"PK\x05\x06", "xlsx_or_zip", "是空的 ZIP 文件；请上传 CSV 或 NDJSON"),
    (b"\xd0\xcf\x11\xe0", "old_excel", "是旧版 Excel (.xls) 或 WPS (.et) 文件；请另存为 CSV (UTF-8 逗号分隔)"),
    (b"\x1f\x8b", "gzip", "是 gzip 压缩文件；请解压后上传"),
    (b"%PDF", "pdf", "是 PDF 文件；请上传 CSV 或 NDJSON"),
    (codecs.BOM_UTF16_LE, "utf_16", "是 UTF-16 编码；请另存为 UTF-8 或 GB18030 编码的 CSV"),
    (codecs.BOM_UTF16_BE, "utf_16", "是 UTF-16 编码；请另存为 UTF-8 或 GB18030 编码的 CSV"),
)
_HTML = (b"<!doctype", b"<html", b"<?xml", b"<table")


def foreign_format(start: bytes) -> tuple[str, str] | None:
    """The stable code and reason if these first bytes are no text table; None if they may be one."""
    for signature, code, reason in _SIGNATURES:
        if start.startswith(signature):
            return code, reason
    if start.lstrip()[:9].lower().startswith(_HTML):
        return "html", "是网页 (HTML/XML) 文件；请上传 CSV 或 NDJSON"
    sample = start[:4096]
    if len(sample) >= 8 and sample.count(0) > len(sample) // 4:
        return "utf_16", "像是没有标记的 UTF-16 编码；请另存为 UTF-8 或 GB18030 编码的 CSV"
    return None
