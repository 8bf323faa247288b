"""The manifest: what was generated, and what a reader of each file should find."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

MANIFEST_FILE = "manifest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileCount:
    """Data rows of a file; how many a reader refuses; how many accepted ones name nobody on the roster."""

    rows: int
    rejected: int = 0
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """Seed, size and day decide every byte of the folder. `needs_help` counts households of the truth."""

    format_version: int
    seed: int
    households: int
    residents: int
    until: date
    county: str
    reporting_year: int
    months: tuple[str, ...]
    needs_help: int
    files: dict[str, FileCount]

    def write(self, folder: Path) -> None:
        """Write manifest.json."""
        record = {**asdict(self), "until": self.until.isoformat()}
        text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        (folder / MANIFEST_FILE).write_text(text, "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generated folder."""
    record = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    record["until"] = date.fromisoformat(record["until"])
    record["months"] = tuple(record["months"])
    record["files"] = {name: FileCount(**count) for name, count in record["files"].items()}
    return Manifest(**record)
