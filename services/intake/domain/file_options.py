"""What a sender may say of a file besides its content (报送选项)."""

from dataclasses import dataclass
from enum import StrEnum


class Unknown(StrEnum):
    """What becomes of a file with columns that its layout does not know; they are listed in any case."""

    IGNORE = "ignore"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What of unknown columns, and which sheet of a workbook (empty: the one that has our header)."""

    unknown: Unknown = Unknown.IGNORE
    sheet: str = ""


PLAIN = FileOptions()
