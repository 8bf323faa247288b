"""Row errors as a CSV that a clerk opens in a spreadsheet: page by page out of the database, formulas defused."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from services.intake import repository_feeds as repository
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.web.spreadsheet import BYTE_ORDER_MARK, csv_lines

HEADERS = ("行号", "列", "错误代码", "级别", "原因", "应为", "示例", "原值(脱敏)")
LEVELS = {"error": "错误", "warning": "提示", "review": "待核"}
PAGE_ROWS = 2000


async def export_errors(runtime: Runtime, division: str, feed_id: UUID) -> AsyncIterator[bytes]:
    """The CSV in pieces (UTF-8 with a byte order mark, which spreadsheets need for Chinese)."""
    yield BYTE_ORDER_MARK + csv_lines([HEADERS])
    after = (0, 0)
    while True:
        async with scoped(runtime.pool, division) as connection:
            rows = await repository.row_errors(connection, feed_id, after=after, limit=PAGE_ROWS)
        if not rows:
            return
        yield csv_lines([_cells(row) for row in rows])
        after = (rows[-1]["line"], rows[-1]["error_id"])


def _cells(row: Any) -> Sequence[str]:
    named = ("header", "code", "level", "reason", "expected", "example", "echo")
    texts = [LEVELS[row[name]] if name == "level" else row[name] or "" for name in named]
    return [str(row["line"]), *texts]
