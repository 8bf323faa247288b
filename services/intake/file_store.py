"""Sealed files outside the database: written whole or not at all, durable before their row is.

A process killed between file and row leaves a file without a row, which the sweep takes away; never a row without a
file.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

_UNDER_WAY = ".part"


def write(folder: Path, name: UUID, sealed: bytes) -> None:
    """Keep a file; it is on disk when this returns."""
    path = path_of(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{name}{_UNDER_WAY}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    for each in (path.parent, folder):
        _sync(each)


def read(folder: Path, name: UUID) -> bytes:
    return path_of(folder, name).read_bytes()


def remove(folder: Path, name: UUID) -> None:
    """Take a file away, if it is there."""
    path_of(folder, name).unlink(missing_ok=True)


def older_than(folder: Path, moment: datetime) -> Iterator[tuple[UUID | None, Path]]:
    """Files last written before a moment: the name of each, None for one that was never finished."""
    for path in sorted(folder.glob("*/*")):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < moment.timestamp():
                yield _name_of(path), path


def path_of(folder: Path, name: UUID) -> Path:
    """Spread over 256 folders by the random end of the name."""
    return folder / name.hex[-2:] / str(name)


def _name_of(path: Path) -> UUID | None:
    try:
        return UUID(path.name)
    except ValueError:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
