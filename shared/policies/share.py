"""A share (比例) is kept in basis points: 1 is 10,000."""

import re
from decimal import Decimal

BASIS = 10_000

_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)


def share_in_basis(given: object) -> int | None:
    """The basis points of a share written as text or as a number; None if it is none, or finer than that."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    text = str(given)
    return int(Decimal(text) * BASIS) if _SHARE.fullmatch(text) else None
