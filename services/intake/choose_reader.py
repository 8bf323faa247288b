"""Which reader reads a file (选择读取方式)."""

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import PLAIN, FileOptions
from services.intake.read_csv import CsvReader
from services.intake.read_json import JsonReader
from services.intake.read_ndjson import NdjsonReader
from services.intake.read_rows import RowReader
from services.intake.read_workbook import WorkbookReader
from shared.web.spreadsheet import XLSX


def reader_for(media_type: str, layout: FeedLayout, options: FileOptions = PLAIN) -> RowReader:
    """The reader of a media type that `receive_feed` let in."""
    match media_type:
        case "text/csv":
            return CsvReader(layout, options)
        case "application/json":
            return JsonReader(layout)
        case str() if media_type == XLSX:
            return WorkbookReader(layout, options)
        case _:
            return NdjsonReader(layout)
