"""What intake is told from outside, beyond what all services are."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from shared.outbound import Outbound
from shared.settings import ListedHost, Settings, at_commas


class IntakeSettings(Settings):
    """Bounds of files and reports, and how work on them is cut.

    `files` holds attachments (default: the folder `files` of the data folder). The limits are published by
    GET /intake/v1/reporting-rules; a person's first report of a day is never refused by any of them.
    """

    feed_limit_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    feed_row_limit: int = Field(default=5_000_000, ge=1)
    feed_inflated_limit_bytes: int = Field(default=2 * 1024**3, ge=1024, description="of a packed text, unpacked")
    workbook_limit_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    workbook_inflated_limit_bytes: int = Field(default=768 * 1024 * 1024, ge=1024)
    workbook_memory_bytes: int = Field(default=1536 * 1024 * 1024, description="of the process that reads one")
    workbook_seconds: int = Field(default=120, ge=1, description="of work, and of waiting for the next answer")
    feed_lease_seconds: int = Field(default=20, ge=2)
    feed_slice_seconds: float = Field(
        default=10, ge=0, description="how long a turn on a feed lasts if others wait; 0: one piece"
    )
    feed_part_bytes: int = Field(default=2 * 1024 * 1024, ge=1, description="of a file between two checkpoints")
    feed_attempts: int = Field(default=5, ge=1, description="failures after which a feed is given up")

    files: Path | None = None
    attachment_limit_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    attachments_per_report: int = Field(default=9, ge=0, le=50)

    limit_person: int = Field(default=5, ge=2, description="reports of one person a day")
    limit_phone: int = Field(default=10, ge=1, description="further reports by one phone a day")
    limit_address: int = Field(default=200, ge=1, description="further reports from one network address a day")
    limit_code_read: int = Field(default=60, ge=1, description="uses of one receipt code an hour")
    limit_wrong_code: int = Field(default=20, ge=1, description="wrong receipt codes from one address an hour")
    limit_own_record: int = Field(default=5, ge=1, description="looks at one's own record by one code a day")

    appeal_working_days: int = Field(default=10, ge=1, le=60)
    holidays: Annotated[frozenset[date], NoDecode] = frozenset()
    extra_working_days: Annotated[frozenset[date], NoDecode] = frozenset()
    help_phone: str = "12317"

    connector_allowed_hosts: Annotated[list[ListedHost], NoDecode] = Field(
        default_factory=list, description="hosts (with a port, if not 443) of interfaces that connectors may ask"
    )
    connector_page_seconds: float = Field(default=60, gt=0, description="for one page, whole")
    connector_page_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    connector_pages: int = Field(default=100_000, ge=1)
    drop_folder: Path | None = Field(default=None, description="where departments without an interface lay files")
    drop_settled_seconds: float = Field(default=5, ge=0, description="unchanged for so long, a file is whole")

    @property
    def connectors(self) -> Outbound:
        """Where connectors may ask."""
        return Outbound(self.connector_allowed_hosts, self.outbound_private_networks, self.demo)

    @property
    def files_folder(self) -> Path:
        """Where attachments lie."""
        return self.files or self.data / "files"

    @field_validator("holidays", "extra_working_days", "connector_allowed_hosts", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return at_commas(value)
