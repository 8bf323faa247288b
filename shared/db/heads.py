"""The newest migration of each schema, read from the names of the files (which sort)."""

from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
SCHEMAS = ("directory", "intake", "monitoring", "alerts")


@cache
def head_of(schema: str) -> str:
    """The revision this program needs; revisions are named as their files, NNNN_what."""
    return max(path.stem for path in (MIGRATIONS / schema / "versions").glob("[0-9]*.py"))
