"""The project's own files, as the tests of the house walk through them."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("services", "shared", "demo_county")
# Made by running the project, never part of it.
_MADE = {"__pycache__", "out", "node_modules"}


def project_files(*tops: str, ends: str = "") -> Iterator[Path]:
    """All files below the folders `tops` (all folders when none is named) whose names end with `ends`."""
    for top in [ROOT / name for name in tops] or [ROOT]:
        for path in sorted(top.rglob(f"*{ends}")):
            inside = path.relative_to(ROOT).parts
            if path.is_file() and not any(part in _MADE or _is_hidden(part) for part in inside):
                yield path


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part not in {".ci", ".gitignore"}


@cache
def text_files() -> Sequence[tuple[str, str]]:
    """The name and the content of each file that is text; read once."""
    return tuple(
        (str(path.relative_to(ROOT)), text) for path in project_files() if (text := _text_of(path)) is not None
    )


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
