"""How often one may report, and try (申报次数限制): published numbers, a day or an hour long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address


class LimitKind(StrEnum):
    """What is counted of whom."""

    PERSON = "person"
    PHONE = "phone"
    ADDRESS = "address"
    CODE_READ = "code_read"
    WRONG_CODE = "wrong_code"
    OWN_RECORD = "own_record"


HOURLY = frozenset({LimitKind.CODE_READ, LimitKind.WRONG_CODE})


@dataclass(frozen=True, slots=True)
class Window:
    """The day or hour in which something is counted."""

    start: datetime
    end: datetime

    def seconds_left(self, now: datetime) -> int:
        return max(1, int((self.end - now).total_seconds()))


def window_of(kind: LimitKind, now: datetime) -> Window:
    """The window that `now`, the local time, lies in."""
    if kind in HOURLY:
        start = now.replace(minute=0, second=0, microsecond=0)
        return Window(start, start + timedelta(hours=1))
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start, start + timedelta(days=1))


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 a network of 64 bits, since one device may have them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
