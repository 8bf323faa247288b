"""The tables of schema `intake`, a module for each subject: the only definition of its structure.

Row-level security (see the migration): `feed` and `self_report` by division, `feed_row_error` through its feed; the
raw chunks, the staged rows and the records of earlier feeds are for the worker alone.
"""

from services.intake import (
    tables_appeals,
    tables_feeds,
    tables_log,
    tables_messages,
    tables_register,
    tables_reports,
    tables_rows,
    tables_sources,
)

__all__ = [
    "tables_appeals",
    "tables_feeds",
    "tables_log",
    "tables_messages",
    "tables_register",
    "tables_reports",
    "tables_rows",
    "tables_sources",
]
