"""Identifiers that sort by the time they were made (UUID version 7, RFC 9562)."""

import os
import time
import uuid
from datetime import datetime


def new_id(now: datetime | None = None) -> uuid.UUID:
    """Make an identifier; `now` (aware) sets its time part, milliseconds."""
    milliseconds = int(now.timestamp() * 1000) if now is not None else time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)
