"""How sure a share is (置信区间): the interval in which the true share lies, nineteen times out of twenty."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with the interval of Wilson (1927) at 95 %, in per cent; of nothing there is no share."""

    hits: int
    of: int

    @property
    def percent(self) -> float | None:
        return round(100 * self.hits / self.of, 1) if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lowest and highest; within 0 and 100 also for very few."""
        if not self.of:
            return None
        p, z2 = self.hits / self.of, _Z * _Z
        middle = (p + z2 / (2 * self.of)) / (1 + z2 / self.of)
        half = _Z / (1 + z2 / self.of) * sqrt(p * (1 - p) / self.of + z2 / (4 * self.of * self.of))
        return round(100 * max(middle - half, 0.0), 1), round(100 * min(middle + half, 1.0), 1)
