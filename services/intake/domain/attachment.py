"""Photos and PDFs of a report: told by their content, freed of what nobody asked for, refused if they could act."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from services.intake.domain.broken_file import FileBroken
from services.intake.domain.heic import check_heic, is_heic
from services.intake.domain.webp import is_webp, without_metadata

Metadata = Literal["none", "stripped", "kept"]

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
}
_PNG_TEXTS = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
# Names by which a PDF runs a script or a program, carries files along, or sends something somewhere.
_ACTIVE = re.compile(
    rb"/(JavaScript|JS|Launch|EmbeddedFiles?|SubmitForm|ImportData|RichMedia|XFA|GoToE)"
    rb"(?![A-Za-z])"
)
_HEX_SIGN = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n")
_MOST_INFLATED = 32 * 1024 * 1024


class AttachmentUnfit(ValueError):
    """Why a file cannot be taken: a stable code, and what is right."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file as it is kept: its type, its bytes, and what became of the photo's metadata (EXIF, GPS)."""

    media_type: str
    content: bytes
    metadata: Metadata


def clean(content: bytes) -> Cleaned:
    """The file as it may be kept; AttachmentUnfit otherwise. What it calls itself does not count."""
    try:
        return _clean(content)
    except (FileBroken, struct.error, IndexError, zlib.error):
        raise AttachmentUnfit("attachment_broken", "文件不完整或已损坏，请重新拍照或扫描") from None


def _clean(content: bytes) -> Cleaned:
    if content.startswith(b"\xff\xd8\xff"):
        return _cleaned("image/jpeg", content, b"".join(_jpeg_parts(content)))
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _cleaned("image/png", content, content[:8] + b"".join(_png_chunks(content)))
    if is_webp(content):
        return _cleaned("image/webp", content, without_metadata(content))
    if is_heic(content):
        check_heic(content)
        # Its metadata is woven into the picture's own boxes: kept, and said so.
        return Cleaned("image/heic", content, "kept")
    if content.startswith(b"%PDF-"):
        _check_pdf(content)
        return Cleaned("application/pdf", content, "none")
    raise AttachmentUnfit("attachment_type", "只接受 JPEG、PNG、WebP、HEIC 照片和 PDF 文件")


def _cleaned(media_type: str, before: bytes, after: bytes) -> Cleaned:
    return Cleaned(media_type, after, "none" if after == before else "stripped")


def _jpeg_parts(content: bytes) -> Iterator[bytes]:
    """All segments but those of applications (Exif, XMP, IPTC) and comments; what follows the picture goes too."""
    yield content[:2]
    at = 2
    while True:
        if content[at] != 0xFF:
            raise AttachmentUnfit("attachment_broken", "照片文件已损坏，请重新拍照")
        marker = content[at + 1]
        if marker == 0xFF:  # A fill byte.
            at += 1
            continue
        if marker == 0xD9:
            yield content[at : at + 2]
            return
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        end = at + 2 + length
        if marker == 0xDA:
            end = _end_of_scan(content, end)
        if marker not in _JPEG_DROPPED:
            yield content[at:end]
        at = end


# APP1 and APP3 to APP13, APP15, and the comment; JFIF, the colour profile and Adobe's colour mark stay.
_JPEG_DROPPED = frozenset({0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE})


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the entropy-coded data ends: at a marker that is neither stuffing nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise AttachmentUnfit("attachment_broken", "照片文件不完整，请重新上传")
        following = content[at + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7 and following != 0xFF:
            return at
        at += 2 if following != 0xFF else 1


def _png_chunks(content: bytes) -> Iterator[bytes]:
    """All chunks up to the end mark but those that hold texts, times and Exif."""
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        end = at + 12 + length
        if end > len(content):
            raise AttachmentUnfit("attachment_broken", "图片文件不完整，请重新上传")
        if kind not in _PNG_TEXTS:
            yield content[at:end]
        at = end


def _check_pdf(content: bytes) -> None:
    """Refuse what could act: scripts, actions on opening, files inside; and what cannot be looked into."""
    if b"%%EOF" not in content[-2048:]:
        raise AttachmentUnfit("attachment_broken", "PDF 文件不完整，请重新扫描")
    for text in _texts_of_pdf(content):
        plain = _HEX_SIGN.sub(lambda sign: bytes([int(sign[1], 16)]), text)
        if re.search(rb"/Encrypt(?![A-Za-z])", plain):
            raise AttachmentUnfit("pdf_encrypted", "PDF 已加密，无法检查；请上传未加密的文件或照片")
        if _ACTIVE.search(plain):
            raise AttachmentUnfit("pdf_active", "PDF 中含有脚本、链接动作或内嵌文件；请打印成新的 PDF 或上传照片")


def _texts_of_pdf(content: bytes) -> Iterator[bytes]:
    """The file outside its streams, and what its object streams hold, since names may hide in them."""
    left, outside, at = _MOST_INFLATED, [], 0
    for start in _STREAM.finditer(content):
        if start.start() < at:
            continue
        end = content.find(b"endstream", start.end())
        end = len(content) if end < 0 else end
        header = content[max(at, start.start() - 2048) : start.start()]
        outside.append(content[at : start.start()])
        if b"ObjStm" in _HEX_SIGN.sub(lambda sign: bytes([int(sign[1], 16)]), header):
            inflated = _inflated(content[start.end() : end], left)
            left -= len(inflated)
            yield inflated
        at = end
    yield b"".join([*outside, content[at:]])


def _inflated(data: bytes, most: int) -> bytes:
    """An object stream's text; one in another coding, or larger than a page of scans needs, cannot be checked."""
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(data, max(most, 1))
    except zlib.error:
        raise AttachmentUnfit("pdf_unreadable", "PDF 的压缩方式无法检查；请打印成新的 PDF 或上传照片") from None
    if reader.unconsumed_tail:
        raise AttachmentUnfit("pdf_unreadable", "PDF 内容过大，无法检查；请上传照片")
    return text
