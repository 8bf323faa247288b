"""What a sender may say of a file besides its content (报送选项)."""

from dataclasses import dataclass
from enum import StrEnum


class Unknown(StrEnum):
    """What becomes of a file with columns that its layout does not know; they are listed in any case."""

    IGNORE = "ignore"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What of unknown columns, and which sheet of a workbook (empty: the one that has our header).

    `version_before` is not the sender's to say: the version by which this very file was read before, if it was.
    """

    unknown: Unknown = Unknown.IGNORE
    sheet: str = ""
    version_before: int | None = None


PLAIN = FileOptions()
