"""Random columns for numbered people: every draw is keyed by (seed, kind, field, number).

A person's field is a function of these four alone, so a larger pool begins with the smaller one's people and any slice
can be drawn apart. The stream is counter-based: the SplitMix64 finaliser (Steele, Lea and Flood 2014, "Fast splittable
pseudorandom number generators") of key + number × golden gamma, all in wrapping 64-bit arithmetic. What is drawn from
the columns (names, numbers with check digits) belongs to the sibling modules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.storage.seeding import seed_for

Numbers = npt.NDArray[np.int64]
Characters = npt.NDArray[np.uint8]
"""(rows, width) ASCII codes: text of one width, a row per person."""

GAMMA = np.uint64(0x9E3779B97F4A7C15)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mixed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The SplitMix64 finaliser, elementwise."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


class Draws:
    """Fields of the people ``first`` … ``first + count - 1`` of one kind ("patients", "providers" …)."""

    def __init__(self, seed: int, kind: str, count: int, first: int = 0) -> None:
        if count < 0 or first < 0:
            raise ValueError(f"a pool has at least 0 {kind}, from number 0 on; not {count} from {first}")
        self.seed, self.kind, self.count, self.first = seed, kind, count, first
        self.numbers: Numbers = np.arange(first, first + count, dtype=np.int64)
        self._counters = (self.numbers.astype(np.uint64) + np.uint64(1)) * GAMMA

    def key(self, field: str) -> np.uint64:
        """The key of a field's stream."""
        return np.uint64(seed_for(self.seed, "documents", "identities", self.kind, field))

    def words(self, field: str) -> npt.NDArray[np.uint64]:
        """64 random bits a row."""
        return mixed(self._counters + self.key(field))

    def uniform(self, field: str) -> npt.NDArray[np.float64]:
        """Uniform in [0, 1), 53 bits."""
        return (self.words(field) >> np.uint64(11)) * 2.0**-53

    def below(self, field: str, limit: int | Numbers) -> Numbers:
        """Integers in [0, limit); ``limit`` one number or one a row, at least 1."""
        return (self.uniform(field) * limit).astype(np.int64)

    def happens(self, field: str, share: float) -> npt.NDArray[np.bool_]:
        """True in ``share`` of the rows."""
        return self.uniform(field) < share

    def choice(self, field: str, options: Sequence[str]) -> pa.StringArray:
        """One of ``options`` a row, all equally likely."""
        return take(options, self.below(field, len(options)))

    def weighted(self, field: str, weights: Sequence[float]) -> Numbers:
        """Index of an option a row, as likely as its weight (which need not sum to 1)."""
        bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.minimum(np.searchsorted(bounds, self.uniform(field) * bounds[-1], side="right"), len(weights) - 1)

    def distinct(self, field: str, left: int, right: int) -> Numbers:
        """A different integer in [0, left × right) for every number: alternating Feistel rounds on Z_left × Z_right.

        Each round adds a hash of one half to the other, which is invertible, so no two numbers share a value. Raises
        ValueError when the pool is larger than the range.
        """
        if self.first + self.count > left * right:
            raise ValueError(f"{self.kind}: {field} has {left * right:,} values, not enough for this pool")
        key = self.key(field)
        a, b = self.numbers // right, self.numbers % right
        for turn in range(3):
            # A Python integer: scalars of NumPy warn when they wrap, arrays do not.
            salt = np.uint64((int(key) + turn * int(GAMMA)) % 2**64)
            a = (a + (mixed(b.astype(np.uint64) * GAMMA + salt) % np.uint64(left)).astype(np.int64)) % left
            b = (b + (mixed(a.astype(np.uint64) * GAMMA + ~salt) % np.uint64(right)).astype(np.int64)) % right
        return a * right + b

    def pattern(self, field: str, pattern: str) -> Characters:
        """Text by a pattern: ``#`` a digit, ``a`` a capital letter, other signs stand for themselves."""
        rest = self.words(field)
        columns = np.empty((self.count, len(pattern)), dtype=np.uint8)
        for place, sign in enumerate(pattern):
            if sign == "#":
                columns[:, place] = (rest % np.uint64(10)).astype(np.uint8) + ord("0")
                rest = rest // np.uint64(10)
            elif sign == "a":
                columns[:, place] = (rest % np.uint64(26)).astype(np.uint8) + ord("A")
                rest = rest // np.uint64(26)
            else:
                columns[:, place] = ord(sign)
        return columns

    def pattern_of(self, field: str, patterns: Sequence[str], which: Numbers) -> pa.StringArray:
        """Text by ``patterns[which[row]]``."""
        pieces, order = [], []
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(which == number)
            if len(rows):
                pieces.append(text(self._rows(rows).pattern(field, pattern)))
                order.append(rows)
        return put_back(pieces, order)

    def _rows(self, rows: Numbers) -> Draws:
        part = Draws.__new__(Draws)
        part.seed, part.kind, part.count, part.first = self.seed, self.kind, len(rows), self.first
        part.numbers, part._counters = self.numbers[rows], self._counters[rows]
        return part


def put_back(pieces: Sequence[pa.Array], order: Sequence[Numbers]) -> pa.Array:
    """Pieces computed for groups of rows, as one column in the order of the rows."""
    if not pieces:
        return pa.array([], pa.string())
    return pa.concat_arrays(pieces).take(pa.array(np.argsort(np.concatenate(order), kind="stable")))


def take(options: Sequence[str] | pa.Array, which: Numbers) -> pa.StringArray:
    """``options[which]`` as a column."""
    values = options if isinstance(options, pa.Array) else pa.array(options, pa.string())
    return values.take(pa.array(which))


def digits(values: Numbers, width: int) -> Characters:
    """Decimal digits with leading zeros; the lowest ``width`` of them."""
    columns = np.empty((len(values), width), dtype=np.uint8)
    rest = values
    for place in range(width - 1, -1, -1):
        columns[:, place] = rest % 10 + ord("0")
        rest = rest // 10
    return columns


def signs(values: Numbers, alphabet: str, width: int) -> Characters:
    """Like `digits` in the base of ``alphabet`` (ASCII)."""
    codes = np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)
    columns = np.empty((len(values), width), dtype=np.uint8)
    rest = values
    for place in range(width - 1, -1, -1):
        columns[:, place] = codes[rest % len(alphabet)]
        rest = rest // len(alphabet)
    return columns


def text(columns: Characters) -> pa.StringArray:
    """Rows of ASCII codes as strings, without a Python object a row."""
    rows, width = columns.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(columns)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))


def joined(*parts: pa.Array | str) -> pa.StringArray:
    """Columns and constants, joined row by row."""
    return pc.binary_join_element_wise(*[pa.scalar(part) if isinstance(part, str) else part for part in parts], "")
