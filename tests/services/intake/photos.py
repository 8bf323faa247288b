"""Photos and papers made in memory, with what cameras and programs hide in them."""

import struct
import zlib

GPS = b"GPS 30.123456N 114.654321E"


def png(*, text: bytes | None = None) -> bytes:
    """A picture of one point; with `text`, a comment chunk."""
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))]
    if text is not None:
        chunks += [_chunk(b"tEXt", b"Comment\x00" + text), _chunk(b"eXIf", b"MM\x00*" + text)]
    chunks += [_chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg(*, exif: bytes | None = None, after: bytes = b"") -> bytes:
    """The markers of a photo; with `exif`, where it was taken; `after`: what hangs on behind the picture."""
    parts = [b"\xff\xd8", _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")]
    if exif is not None:
        parts += [_segment(0xE1, b"Exif\x00\x00" + exif), _segment(0xFE, exif)]
    parts += [
        _segment(0xDB, b"\x00" + b"\x01" * 64),
        _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
        b"\x12\xff\x00\x34",
    ]
    return b"".join([*parts, b"\xff\xd9", after])


def webp(*, exif: bytes | None = None) -> bytes:
    flags = 0x08 if exif is not None else 0
    chunks = [_riff(b"VP8X", bytes([flags]) + b"\x00" * 9), _riff(b"VP8 ", b"picture!")]
    if exif is not None:
        chunks.append(_riff(b"EXIF", exif))
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heic() -> bytes:
    return struct.pack(">I", 24) + b"ftypheic" + b"\x00\x00\x00\x00" + b"mif1heic" + b"boxes"


def pdf(*objects: bytes) -> bytes:
    """A paper with these objects in it."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, one) for n, one in enumerate(objects, start=1))
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def object_stream(text: bytes) -> bytes:
    """Objects hidden in a compressed stream."""
    packed = zlib.compress(text)
    return b"<< /Type /ObjStm /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)
