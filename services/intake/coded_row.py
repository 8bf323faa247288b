"""A row that waits for the end of its file, since it carries only its department's own code (本部门编码)."""

import json
from typing import Any
from uuid import UUID

from services.intake.domain.feed_row import RawRow
from services.intake.domain.normalise import Refusal
from services.intake.repository_crosswalk import CodedRow, cells_place
from shared.security.keys import Keyring


def seal_row(keys: Keyring, feed_id: UUID, row: RawRow) -> CodedRow:
    """The row with its cells sealed: nobody has looked yet at what they hold."""
    text = json.dumps([_plain(cell) for cell in row.cells], ensure_ascii=False)
    return CodedRow(row.line, keys.seal(text, *cells_place(feed_id, row.line)))


def open_row(keys: Keyring, feed_id: UUID, row: CodedRow) -> RawRow:
    """The row as it was read."""
    cells = json.loads(keys.open(row.sealed, *cells_place(feed_id, row.line)))
    return RawRow(row.line, [Refusal(*cell) if isinstance(cell, list) else cell for cell in cells])


def _plain(cell: Any) -> Any:
    """A refused cell by what was wrong with it."""
    return [cell.code, cell.reason, cell.expected, cell.example] if isinstance(cell, Refusal) else cell
