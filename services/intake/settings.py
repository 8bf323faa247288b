"""What intake is told from outside, beyond what all services are."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from shared.settings import Settings


class IntakeSettings(Settings):
    """Bounds of files, and how work on them is cut."""

    feed_limit_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    feed_row_limit: int = Field(default=5_000_000, ge=1)
    feed_inflated_limit_bytes: int = Field(default=2 * 1024**3, ge=1024, description="of a packed text, unpacked")
    workbook_limit_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    workbook_inflated_limit_bytes: int = Field(default=768 * 1024 * 1024, ge=1024)
    workbook_memory_bytes: int = Field(default=1536 * 1024 * 1024, description="of the process that reads one")
    workbook_seconds: int = Field(default=120, ge=1, description="of work, and of waiting for the next answer")
    feed_lease_seconds: int = Field(default=20, ge=2)
    feed_slice_seconds: float = Field(default=10, ge=0, description="how long one turn on a feed lasts")
    feed_attempts: int = Field(default=5, ge=1, description="failures after which a feed is given up")

    connector_allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="hosts of departments' interfaces that connectors may ask"
    )
    connector_page_seconds: float = Field(default=60, gt=0, description="for one page, whole")
    connector_page_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    connector_pages: int = Field(default=100_000, ge=1)
    drop_folder: Path | None = Field(default=None, description="where departments without an interface lay files")
    drop_settled_seconds: float = Field(default=5, ge=0, description="unchanged for so long, a file is whole")

    @field_validator("connector_allowed_hosts", mode="before")
    @classmethod
    def _hosts_separated_by_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
