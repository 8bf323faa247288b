"""Files as departments save them: a CSV sheet that knows its line numbers, and NDJSON."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

UTF8_BOM, UTF8, GB18030 = "utf-8-sig", "utf-8", "gb18030"


class Sheet:
    """A CSV file with a header; lines count from 1 and the header is line 1 (no cell holds a line break)."""

    def __init__(self, path: Path, columns: Sequence[str], encoding: str, delimiter: str = ",") -> None:
        self.name = path.name
        self.columns = tuple(columns)
        self.line = 1
        self._file = path.open("w", encoding=encoding, newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter, lineterminator="\r\n")
        self._writer.writerow(self.columns)

    @property
    def rows(self) -> int:
        return self.line - 1

    def write(self, row: Sequence[str]) -> int:
        """Write one row and say on which line it stands."""
        self._writer.writerow(row)
        self.line += 1
        return self.line

    def position(self, column: str) -> int:
        return self.columns.index(column)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def json_line(record: dict[str, Any]) -> str:
    """One NDJSON line, keys in the given order."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def yuan(fen: int) -> str:
    """Integer fen as a decimal yuan string."""
    return f"{fen // 100}.{fen % 100:02d}"
