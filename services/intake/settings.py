"""What intake is told from outside, beyond what all services are."""

from pydantic import Field

from shared.settings import Settings


class IntakeSettings(Settings):
    """Bounds of files, and how work on them is cut."""

    feed_limit_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    feed_row_limit: int = Field(default=5_000_000, ge=1)
    feed_lease_seconds: int = Field(default=20, ge=2)
    feed_slice_seconds: float = Field(default=10, ge=0, description="how long one turn on a feed lasts")
    feed_part_bytes: int = Field(default=2 * 1024 * 1024, ge=1, description="of a file between two checkpoints")
    feed_attempts: int = Field(default=5, ge=1, description="failures after which a feed is given up")
