"""What may be inside a workbook: a zip of XML parts, of bounded size and number, without macros or links outward.

`check_listing` believes what the archive says of itself and costs nothing; `check_contents` unpacks every part and
counts, so that no lie about a size is believed. Both only read.
"""

import copy
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

MOST_ENTRIES = 2_000
MOST_INFLATED_BYTES = 768 * 2**20
PIECE = 2**20

OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DEFINITION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DANGEROUS = {
    "xl/vbaproject.bin": ("macros", "工作簿含有宏 (.xlsm)", "另存为不含宏的 .xlsx"),
    "xl/externallinks/": (
        "external_link",
        "工作簿引用了其他文件 (外部链接)",
        "断开外部链接或粘贴为数值，再另存为 .xlsx",
    ),
    "xl/macrosheets/": ("macros", "工作簿含有宏表", "另存为不含宏的 .xlsx"),
}


class WorkbookRefused(Exception):
    """A workbook that is not read: a stable code, the reason, what is right."""

    def __init__(self, code: str, reason: str, expected: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.expected = code, reason, expected


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may be, packed and unpacked, and what reading it may cost."""

    packed_bytes: int = 64 * 2**20
    inflated_bytes: int = MOST_INFLATED_BYTES
    memory_bytes: int = 1536 * 2**20
    cpu_seconds: int = 120
    answer_seconds: float = 120


def refuse_other(start: bytes) -> None:
    """Refuse what is no zip by its first bytes: old formats, workbooks with a password, anything else."""
    if start.startswith(OLD_FORMAT):
        if _ENCRYPTED in start:
            raise WorkbookRefused("encrypted", "工作簿设有密码", "去掉打开密码后另存为 .xlsx")
        raise WorkbookRefused("old_excel", "是旧版 Excel (.xls) 或 WPS (.et) 文件", "另存为 .xlsx")
    if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise WorkbookRefused("not_a_workbook", "不是 XLSX 工作簿", "另存为 .xlsx")


def check_listing(file: IO[bytes], limits: Limits) -> zipfile.ZipFile:
    """The archive, if what it lists may be a workbook."""
    try:
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from error
    if len(entries) > MOST_ENTRIES:
        raise WorkbookRefused(
            "too_many_entries", f"工作簿中的部件超过 {MOST_ENTRIES} 个", "只保留数据表，另存为 .xlsx"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise WorkbookRefused("encrypted", "工作簿设有密码", "去掉打开密码后另存为 .xlsx")
    names = [entry.filename.lower() for entry in entries]
    for name in names:
        for start, refusal in _DANGEROUS.items():
            if name.startswith(start):
                raise WorkbookRefused(*refusal)
    if "xl/workbook.xml" not in names and "xl/workbook.bin" not in names:
        raise WorkbookRefused("zip", "是 ZIP 压缩包，不是 XLSX 工作簿", "解压后上传其中的文件")
    if "xl/workbook.bin" in names:
        raise WorkbookRefused("binary_workbook", "是二进制工作簿 (.xlsb)", "另存为 .xlsx")
    if sum(entry.file_size for entry in entries) > limits.inflated_bytes:
        raise _too_large(limits)
    return archive


def check_contents(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Unpack every part and throw it away: sizes are what they are, and no part defines anything of its own."""
    left = limits.inflated_bytes
    for entry in archive.infolist():
        left = _check_part(archive, entry, left, limits)


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, limits: Limits) -> int:
    xml, before = entry.filename.lower().endswith((".xml", ".rels")), b""
    if entry.filename.lower() == "[content_types].xml":
        _refuse_macro_type(archive, entry)
    size = 0
    try:
        with archive.open(_unbounded(entry)) as part:
            while piece := part.read(PIECE):
                size, left = size + len(piece), left - len(piece)
                if left < 0:
                    raise _too_large(limits)
                if xml and (_DEFINITION.search(before[-16:] + piece) or b"\x00" in piece[:64]):
                    raise WorkbookRefused(
                        "external_definition", "工作簿含有不允许的外部定义 (DTD)", "重新另存为 .xlsx"
                    )
                before = piece
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from error
    if size != entry.file_size:
        raise WorkbookRefused("lying_size", "工作簿中部件的大小与所写不符", "重新另存为 .xlsx")
    return left


def _unbounded(entry: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The entry as if it had not said how large it is: unpacked to its real end."""
    real = copy.copy(entry)
    real.file_size = 2**62
    return real


def _refuse_macro_type(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:
        if b"macroEnabled" in part.read(PIECE):
            raise WorkbookRefused("macros", "工作簿含有宏 (.xlsm)", "另存为不含宏的 .xlsx")


def _too_large(limits: Limits) -> WorkbookRefused:
    reason = f"工作簿解压后超过 {limits.inflated_bytes // 2**20} MiB"
    return WorkbookRefused("inflated_too_large", reason, "拆成几个文件，或另存为 CSV")
