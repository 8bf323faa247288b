"""What may be attached: told by its content, freed of where it was taken, never active."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.attachment import AttachmentUnfit, clean
from tests.services.intake.photos import (
    GPS,
    LOSSLESS,
    LOSSY,
    box,
    chunk,
    heic,
    jpeg,
    object_stream,
    pdf,
    png,
    riff,
    webp,
    webp_of,
)


def nested_frames(depth: int) -> bytes:
    """A frame within a frame within a frame."""
    inner = chunk(b"VP8 ", LOSSY)
    sizes = [len(inner) + 16 + 24 * level for level in range(depth)]
    heads = [b"ANMF" + struct.pack("<I", size) + b"\x00" * 16 for size in reversed(sizes)]
    return b"".join([*heads, inner])


EXTENDED = chunk(b"VP8X", b"\x00" * 10)
HARMLESS = b"<< /Type /Catalog /OpenAction [1 0 R /XYZ null null 0] >>"


@pytest.mark.parametrize(
    ("content", "media_type", "metadata"),
    [
        (jpeg(), "image/jpeg", "none"),
        (jpeg(exif=GPS), "image/jpeg", "stripped"),
        (jpeg(after=GPS), "image/jpeg", "stripped"),
        (png(), "image/png", "none"),
        (png(text=GPS), "image/png", "stripped"),
        (png() + GPS, "image/png", "stripped"),
        (webp(), "image/webp", "none"),
        (webp(exif=GPS), "image/webp", "stripped"),
        (webp_of(b"VP8 ", LOSSY), "image/webp", "none"),
        (webp_of(b"VP8L", LOSSLESS), "image/webp", "none"),
        (webp() + GPS, "image/webp", "stripped"),
        (riff(EXTENDED, chunk(b"ANMF", b"\x00" * 16 + chunk(b"VP8 ", LOSSY))), "image/webp", "none"),
        (heic(), "image/heic", "kept"),
        (heic(b"mif1", (b"mif1", b"heic")), "image/heic", "kept"),
        (heic(last=box(b"mdat", b"picture!", long=True)), "image/heic", "kept"),
        (heic(last=box(b"mdat", b"picture!", size=0)), "image/heic", "kept"),
        (heic(last=box(b"free", b"") + box(b"mdat", b"")), "image/heic", "kept"),
        (pdf(HARMLESS), "application/pdf", "none"),
        (pdf(HARMLESS, object_stream(b"1 0 << /Type /Page >>")), "application/pdf", "none"),
    ],
)
def test_a_photo_or_paper_is_kept_without_what_nobody_asked_for(
    content: bytes, media_type: str, metadata: str
) -> None:
    kept = clean(content)
    assert (kept.media_type, kept.metadata) == (media_type, metadata)
    assert GPS not in kept.content
    assert clean(kept.content).content == kept.content


def test_a_stripped_photo_is_the_photo_without_its_metadata() -> None:
    assert clean(jpeg(exif=GPS)).content == jpeg()
    assert clean(png(text=GPS)).content == png()
    assert clean(webp(exif=GPS)).content == webp()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "attachment_type"),
        (b"MZ\x90\x00", "attachment_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "attachment_type"),
        (b"GIF89a", "attachment_type"),
        (jpeg()[:-8], "attachment_broken"),
        (png()[:-20], "attachment_broken"),
        (webp()[:-1], "attachment_broken"),
        (webp()[:-30], "attachment_broken"),
        (webp()[:20], "attachment_broken"),
        (riff(chunk(b"VP8 ", LOSSY), size=4), "attachment_broken"),
        (riff(chunk(b"VP8 ", LOSSY), size=20), "attachment_broken"),
        (riff(chunk(b"VP8 ", LOSSY), size=0xFFFFFFFF), "attachment_broken"),
        (riff(), "attachment_broken"),
        (riff(EXTENDED), "attachment_broken"),
        (riff(EXTENDED[:-2], chunk(b"VP8 ", LOSSY)), "attachment_broken"),
        (riff(chunk(b"ALPH", b"0"), chunk(b"VP8 ", LOSSY)), "attachment_broken"),
        (riff(EXTENDED, chunk(b"ANMF", b"\x00" * 16)), "attachment_broken"),
        (riff(EXTENDED, chunk(b"ANMF", b"\x00" * 16 + chunk(b"VP8 ", LOSSY)[:-2])), "attachment_broken"),
        (riff(EXTENDED, nested_frames(5_000)), "attachment_broken"),
        (webp_of(b"VP8 ", b"picture!"), "attachment_broken"),
        (webp_of(b"VP8 ", LOSSY[:-2]), "attachment_broken"),
        (webp_of(b"VP8 ", b"\x11" + LOSSY[1:]), "attachment_broken"),
        (webp_of(b"VP8 ", LOSSY.replace(b"\x01\x00\x01\x00", b"\x00\x00\x01\x00")), "attachment_broken"),
        (webp_of(b"VP8L", b"picture!"), "attachment_broken"),
        (webp_of(b"VP8L", LOSSLESS[:5]), "attachment_broken"),
        (webp_of(b"JUNK", LOSSY), "attachment_broken"),
        (heic()[:-1], "attachment_broken"),
        (heic()[:-16], "attachment_broken"),
        (heic()[:16], "attachment_broken"),
        (heic()[:40], "attachment_broken"),
        (heic() + b"more", "attachment_broken"),
        (heic(last=box(b"free", b"no picture")), "attachment_broken"),
        (heic(last=box(b"mdat", b"picture!", size=4)), "attachment_broken"),
        (heic(last=box(b"mdat", b"picture!", size=17)), "attachment_broken"),
        (heic(last=box(b"mdat", b"picture!", size=2**63, long=True)), "attachment_broken"),
        (heic(last=box(b"mdat", b"picture!", size=12, long=True)), "attachment_broken"),
        (heic(handler=b"mdir"), "attachment_broken"),
        (heic(also=(b"mif1", b"he")), "attachment_broken"),
        (heic()[:24] + box(b"mdat", b"picture!"), "attachment_broken"),
        (heic()[:24] + box(b"meta", b"\x00" * 4 + box(b"hdlr", b"", size=99)), "attachment_broken"),
        (heic(b"avif", (b"mif1", b"avif")), "attachment_type"),
        (heic(b"mif1", (b"mif1", b"avif")), "attachment_type"),
        (heic(b"isom", (b"mp42",)), "attachment_type"),
        (pdf(HARMLESS)[:-7], "attachment_broken"),
        (pdf(b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"), "pdf_active"),
        (pdf(b"<< /S /J#61vaScript >>"), "pdf_active"),
        (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "pdf_active"),
        (pdf(b"<< /Names << /EmbeddedFiles 2 0 R >> >>"), "pdf_active"),
        (pdf(HARMLESS, object_stream(b"<< /S /JavaScript /JS 3 0 R >>")), "pdf_active"),
        (pdf(b"<< /Encrypt 5 0 R >>"), "pdf_encrypted"),
        (pdf(b"<< /Type /ObjStm >>\nstream\nnot deflated\nendstream"), "pdf_unreadable"),
        (pdf(object_stream(b"\x00" * (40 * 1024 * 1024))), "pdf_unreadable"),
    ],
    ids=str,
)
def test_what_could_act_or_cannot_be_looked_into_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(AttachmentUnfit) as refused:
        clean(content)
    assert refused.value.code == code


@given(st.sampled_from([jpeg(exif=GPS), png(text=GPS), webp(exif=GPS), heic(), pdf(HARMLESS)]), st.data())
def test_a_damaged_file_is_refused_or_cleaned_and_never_an_accident(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    other = data.draw(st.binary(max_size=8))
    damaged = content[:at] + other + content[at + data.draw(st.integers(0, 8)) :]
    try:
        kept = clean(damaged)
    except AttachmentUnfit:
        return
    assert len(kept.content) <= len(damaged)


def test_a_bomb_costs_no_more_than_its_bound() -> None:
    bomb = zlib.compress(b"\x00" * (64 * 1024 * 1024))
    with pytest.raises(AttachmentUnfit):
        clean(pdf(b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + bomb + b"\nendstream"))
