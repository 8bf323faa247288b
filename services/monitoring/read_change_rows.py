"""Read the rows of a request that changes parameters: a JSON list, or a CSV sheet."""

from services.monitoring.domain.parameter_change import Row, TableUnreadable, read_table
from shared.errors import UnsupportedMedia
from shared.web.strict_json import parse_strict


def read_rows(body: bytes, content_type: str) -> list[Row]:
    """The rows as sent; what is wrong with a single row is said later, of all rows at once."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        return read_table(body)
    if kind != "application/json":
        raise UnsupportedMedia(f"请求体类型为“{kind[:60] or '未注明'}”；应为 application/json 或 text/csv")
    rows = parse_strict(body)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise TableUnreadable("请求体应为列表，每项是一行：name、value、from、document_no")
    return rows
