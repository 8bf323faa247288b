"""Bombs and endless lines through the real limits, each in a process of its own: what they take stays small."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.intake.bad_files import CSV, GZIP, HEADER, LINE, XLSX
from tests.services.intake.build import MEDICAL, medical_row
from tests.services.intake.workbooks import SHEET, bomb, lying, patched, workbook

MOST_MIB = 400
MIB = 2**20


def packed(*parts: tuple[bytes, int]) -> bytes:
    """Gzip in members: each content so many times."""
    return b"".join(gzip.compress(content, 1) * times for content, times in parts)


def book() -> bytes:
    return workbook([list(MEDICAL), list(medical_row(0).values())])


FILES: list[tuple[str, str, Callable[[], bytes], dict[str, Any]]] = [
    ("endless line", CSV, lambda: f"{HEADER}\n".encode() + b"x" * (480 * MIB), {"rows": 1}),
    ("endless header", CSV, lambda: b"x" * (480 * MIB), {"refused": "header_unreadable"}),
    (
        "gzip of 4 GiB",
        GZIP,
        lambda: packed((f"{HEADER}\n".encode(), 1), (b"\n" * MIB, 4096)),
        {"refused": "inflated_too_large"},
    ),
    (
        "gzip of one line",
        GZIP,
        lambda: packed((f"{HEADER}\n".encode(), 1), (b"x" * MIB, 1024), (f"\n{LINE}".encode(), 1)),
        {"rows": 2},
    ),
    ("zip bomb", XLSX, lambda: bomb(book(), 800), {"refused": "inflated_too_large"}),
    ("zip bomb that lies", XLSX, lambda: lying(book(), 800), {"refused": "inflated_too_large"}),
    (
        "one cell of 300 MiB",
        XLSX,
        lambda: patched(
            book(), {SHEET: lambda sheet: sheet.replace(b"<sheetData>", b" " * (300 * MIB) + b"<sheetData>")}
        ),
        {},
    ),
]


@pytest.mark.parametrize(("media_type", "content", "expected"), [f[1:] for f in FILES], ids=[f[0] for f in FILES])
def test_what_a_file_takes_is_bounded(
    media_type: str, content: Callable[[], bytes], expected: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content())
    command = [sys.executable, "-m", "tests.services.intake.read_alone", media_type, str(path)]
    done = subprocess.run(command, capture_output=True, timeout=80, check=True)
    found = json.loads(done.stdout)
    assert max(found.pop("mib")) < MOST_MIB
    assert found == (expected or found)
