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


# A key frame of one point: its tag with the length of the first partition, the start code, width and height.
LOSSY = struct.pack("<I", 8 << 5 | 1 << 4)[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", 1, 1) + b"picture!"
LOSSLESS = b"\x2f\x00\x00\x00\x00\x07\x10\x11"


def webp(*, exif: bytes | None = None) -> bytes:
    """An extended photo; with `exif`, where it was taken."""
    flags = 0x08 if exif is not None else 0
    chunks = [chunk(b"VP8X", bytes([flags]) + b"\x00" * 9), chunk(b"VP8 ", LOSSY)]
    if exif is not None:
        chunks.append(chunk(b"EXIF", exif))
    return riff(*chunks)


def webp_of(kind: bytes, data: bytes) -> bytes:
    """A photo of one chunk."""
    return riff(chunk(kind, data))


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    """A container of chunks; `size`: what it says of itself, if that is not so."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def heic(
    brand: bytes = b"heic",
    also: tuple[bytes, ...] = (b"mif1", b"heic"),
    *,
    handler: bytes = b"pict",
    last: bytes = b"",
) -> bytes:
    """A list of one picture, and its bytes in a box of their own, or in what comes `last`."""
    listed = [
        box(b"hdlr", b"\x00" * 8 + handler + b"\x00" * 13),
        box(b"pitm", b"\x00" * 4 + b"\x00\x01"),
        box(b"iinf", b"\x00" * 6),
        box(b"iloc", b"\x00" * 8),
    ]
    parts = [box(b"ftyp", brand + b"\x00" * 4 + b"".join(also)), box(b"meta", b"\x00" * 4 + b"".join(listed))]
    return b"".join([*parts, last or box(b"mdat", b"picture!")])


def box(kind: bytes, data: bytes, *, size: int | None = None, long: bool = False) -> bytes:
    """A box; `size`: what it says of itself, if that is not so; `long`: with a length of eight bytes."""
    said = len(data) + (16 if long else 8) if size is None else size
    header = struct.pack(">I4sQ", 1, kind, said) if long else struct.pack(">I4s", said, kind)
    return header + data


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


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)
