"""What the columns of all schemas are made of: their types, and what they hold unless told otherwise."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Float, Identity, LargeBinary, SmallInteger, String, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import TEXT as _TEXT

MOMENT: Any = DateTime(timezone=True)
DIVISION: Any = String(12, collation="C")
COUNTY: Any = String(6, collation="C")
TEXT: Any = _TEXT()
# A natural key, or a part of one: compared and sorted byte by byte.
RECORD: Any = _TEXT(collation="C")
TEXTS: Any = ARRAY(_TEXT)
SMALL: Any = SmallInteger()
BIG: Any = BigInteger()
BIGS: Any = ARRAY(BigInteger)
NUMBER: Any = Float(53)
BYTES: Any = LargeBinary()
JSON: Any = JSONB()
UUIDS: Any = ARRAY(Uuid)

STAMPED: Any = {"server_default": text("clock_timestamp()")}
ZERO: Any = {"server_default": text("0")}
EMPTY: Any = {"server_default": text("'{}'")}

# What is known now, of a table of known time.
CURRENT = text("superseded_at IS NULL")


def said(comment: str) -> Any:
    """What is said of a column in the database itself."""
    return {"comment": comment}


def row_number(name: str) -> Any:
    """The number of a row in the order of writing, which nobody chooses."""
    return Column(name, BigInteger, Identity(always=True), primary_key=True)
