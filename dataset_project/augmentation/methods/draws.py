"""Random draws for one attempt at one row: cheap to make, and the same on every Python version.

Only `random.Random.random` is used: its sequence for an integer seed is guaranteed, that of `choice` or `sample` is
not. Seeds come from `storage.seeding`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Draws:
    """Draws from the stream ``seed`` (an integer)."""

    __slots__ = ("uniform",)

    def __init__(self, seed: int):
        self.uniform = Random(seed).random
        """The next float in [0, 1)."""

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return int(self.uniform() * bound)

    def chance(self, probability: float) -> bool:
        """True with ``probability``."""
        return self.uniform() < probability

    def choice(self, items: Sequence[Item]) -> Item:
        """One of ``items``; IndexError when there are none."""
        return items[int(self.uniform() * len(items))]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:
        """``count`` different ones of ``items`` (all, when there are fewer), in random order."""
        pool, uniform = list(items), self.uniform
        size = len(pool)
        for position in range(min(count, size)):
            other = position + int(uniform() * (size - position))
            pool[position], pool[other] = pool[other], pool[position]
        return pool[:count]

    def weighted_sample(self, items: Sequence[Item], weights: Sequence[float], count: int) -> list[Item]:
        """``count`` different ones of ``items``, likelier the greater their weight (Efraimidis & Spirakis 2006)."""
        uniform = self.uniform
        keys = [uniform() ** (1.0 / weight) if weight > 0 else -1.0 for weight in weights]
        return [items[place] for place in sorted(range(len(items)), key=lambda at: (-keys[at], at))[:count]]

    def from_cumulative(self, items: Sequence[Item], cumulative: Sequence[float]) -> Item:
        """One of ``items``, by ascending cumulative weights."""
        return items[min(bisect_right(cumulative, self.uniform() * cumulative[-1]), len(items) - 1)]
