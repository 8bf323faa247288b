"""Which reader reads a file (选择读取方式)."""

from services.intake.domain.feed_layout import FeedLayout
from services.intake.read_csv import CsvReader
from services.intake.read_json import JsonReader
from services.intake.read_ndjson import NdjsonReader
from services.intake.read_rows import RowReader


def reader_for(media_type: str, layout: FeedLayout) -> RowReader:
    """The reader of a media type that `receive_feed` let in."""
    if media_type == "application/json":
        return JsonReader(layout)
    return CsvReader(layout) if media_type == "text/csv" else NdjsonReader(layout)
