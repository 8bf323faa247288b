"""Chance: a seeded source of everything that is not decided."""

import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance(random.Random):
    """The same text as seed gives the same draws on every machine."""

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def count(self, mean: float) -> int:
        """How often something happens that happens `mean` times on average (Poisson, small means)."""
        if mean <= 0:
            return 0
        limit, product, n = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            n += 1
        return n

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self.random() * n)

    def one_of(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def index(self, shares: Sequence[float]) -> int:
        """The position drawn by `shares`, which sum to about one."""
        rest = self.random() * sum(shares)
        for position, share in enumerate(shares):
            rest -= share
            if rest < 0:
                return position
        return len(shares) - 1

    def amount(self, mean: float, median_share: float) -> float:
        """A lognormal amount with that mean; `median_share` is median over mean."""
        spread = math.sqrt(-2 * math.log(median_share))
        return mean * median_share * math.exp(self.gauss(0.0, spread))


def age_band(age: int) -> int:
    """The position in tables by age: under 7, 7-39, 40-59, 60-69, 70 and over."""
    if age < 40:
        return 0 if age < 7 else 1
    if age < 60:
        return 2
    return 3 if age < 70 else 4
