"""A first look at any file while it streams in: packed or not, what it is in truth, how large it really is.

What is no table is refused while its sender waits, and stores nothing; nothing here believes a name or a header.
"""

from typing import IO

from services.intake.domain.decode_bytes import GZIP, BytesRefused, Gunzip
from services.intake.domain.file_format import foreign_format
from services.intake.file_limits import FileLimits
from services.intake.first_look import FirstLook, NoLook, look_of
from shared.errors import BadRequest, FangpinError, FieldError, TooLarge, Unprocessable, UnsupportedMedia
from shared.web.spreadsheet import XLSX
from shared.workbook.archive import WorkbookRefused, check_listing, refuse_other

PACKED = "application/gzip"
_BLANK = b"\xef\xbb\xbf \t\r\n"


class FeedFormatUnsupported(UnsupportedMedia):
    code, title = "feed_format_unsupported", "不支持的文件格式"


class FeedIsEmpty(BadRequest):
    code, title = "feed_empty", "文件为空"


class FeedPackedWrongly(BadRequest):
    code, title = "feed_packed_wrongly", "压缩文件有误"


class FeedTooLarge(TooLarge):
    code, title = "feed_too_large", "文件过大"


class WorkbookUnreadable(Unprocessable):
    code, title = "workbook_unreadable", "工作簿无法读取"


class FileLook:
    """Sees each piece of a file once; `media_type` is what it proved to be."""

    def __init__(self, media_type: str, limits: FileLimits) -> None:
        self.media_type = media_type
        self._limits, self._unpack, self._size = limits, Gunzip(limits.text_bytes), 0
        self._packed = self._begun = False
        self._inner: FirstLook = NoLook()

    @property
    def rows(self) -> int:
        """How many rows it has, as far as that shows before it is read."""
        return self._inner.rows

    def take(self, piece: bytes) -> None:
        if not self._size:
            self._packed = piece.startswith(GZIP)
            if self.media_type == PACKED and not self._packed:
                raise _refusal(FeedPackedWrongly, "not_gzip", "不是 gzip 压缩文件", "gzip")
        self._size += len(piece)
        if self.media_type == XLSX and self._size > self._limits.workbook.packed_bytes:
            limit = f"{self._limits.workbook.packed_bytes // 2**20} MiB"
            raise _refusal(FeedTooLarge, "workbook_too_large", f"工作簿超过 {limit}", "拆成几个文件，或另存为 CSV")
        try:
            for plain in self._unpack.feed(piece) if self._packed else (piece,):
                self._plain(plain)
        except BytesRefused as refused:
            raise _of_bytes(refused) from refused

    def finish(self, file: IO[bytes]) -> None:
        """All of it has come, and can be read in `file`: a workbook must list what a workbook holds."""
        try:
            if self._packed:
                list(self._unpack.finish())
        except BytesRefused as refused:
            raise _of_bytes(refused) from refused
        if not self._begun:
            self._plain(b"")
        self._inner.finish()
        if self.media_type == XLSX:
            self._check_listing(file)

    def _check_listing(self, file: IO[bytes]) -> None:
        try:
            check_listing(file, self._limits.workbook).close()
        except WorkbookRefused as refused:
            raise _of_workbook(refused) from refused

    def _plain(self, piece: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._begin(piece)
        self._inner.take(piece)

    def _begin(self, start: bytes) -> None:
        if self.media_type == PACKED:
            self.media_type = _within(start)
        if self.media_type == XLSX:
            self._begin_workbook(start)
            return
        if self.media_type == "text/csv" and not start.strip(_BLANK):
            raise FeedIsEmpty("文件中没有内容；前几行应有一行是列名")
        found = foreign_format(start)
        if found is not None and not (found[0] == "utf_16" and self.media_type != "application/x-ndjson"):
            raise _refusal(FeedFormatUnsupported, found[0], found[1], "CSV、XLSX、JSON 或 NDJSON")
        self._inner = look_of(self.media_type)

    def _begin_workbook(self, start: bytes) -> None:
        if self._packed:
            raise _refusal(FeedFormatUnsupported, "gzip", "XLSX 本身已经压缩，请直接上传", XLSX)
        if not start:
            raise FeedIsEmpty("文件中没有内容")
        try:
            refuse_other(start)
        except WorkbookRefused as refused:
            raise _of_workbook(refused) from refused


def _within(start: bytes) -> str:
    """What is inside a packed file of which nothing was said."""
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"[": "application/json", b"{": "application/x-ndjson"}.get(first, "text/csv")


def _of_bytes(refused: BytesRefused) -> FangpinError:
    kind = FeedTooLarge if refused.code == "inflated_too_large" else FeedPackedWrongly
    return _refusal(kind, refused.code, refused.reason, refused.expected)


def _of_workbook(refused: WorkbookRefused) -> FangpinError:
    kind: type[FangpinError] = WorkbookUnreadable
    if refused.code in {"old_excel", "macros", "zip", "not_a_workbook", "binary_workbook"}:
        kind = FeedFormatUnsupported
    elif refused.code in {"inflated_too_large", "too_many_entries"}:
        kind = FeedTooLarge
    return _refusal(kind, refused.code, refused.reason, refused.expected)


def _refusal(kind: type[FangpinError], code: str, reason: str, expected: str | None) -> FangpinError:
    text = reason if reason.startswith(("文件", "工作簿", "gzip", "解压", "XLSX")) else f"文件{reason}"
    return kind(
        text if expected is None else f"{text}；应为: {expected}", errors=[FieldError("body", code, reason, expected)]
    )
