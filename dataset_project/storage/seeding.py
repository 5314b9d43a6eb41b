"""Random streams keyed by names.

Everything random in the project starts here. A stream is named by what it is for, (master seed, dataset, item,
purpose), and never by position, worker, clock or process, so one partition computed alone draws what it would draw
among ten thousand. Distributions do not belong here: a family draws them from the generator it is given.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def _digest(master_seed: int, names: tuple[str | int, ...]) -> bytes:
    for name in names:
        if not isinstance(name, (str, int)) or isinstance(name, bool):
            raise TypeError(f"a stream is named by strings and integers, not by {type(name).__name__}: {name!r}")
    # JSON keeps ("a", "b") apart from ("ab",) and 1 apart from "1".
    return hashlib.sha256(json.dumps([int(master_seed), *names], separators=(",", ":")).encode()).digest()


def seed_for(master_seed: int, *names: str | int) -> int:
    """The 63-bit seed of the stream ``names``: fits a signed 64-bit column.

    >>> seed_for(42, "patients", 7) == seed_for(42, "patients", 7)
    True
    >>> seed_for(42, "a", "b") == seed_for(42, "ab")
    False
    """
    return int.from_bytes(_digest(master_seed, names)[:8], "big") >> 1


def stream(master_seed: int, *names: str | int) -> np.random.Generator:
    """A PCG64 generator for the stream ``names``, seeded with 128 bits of their SHA-256.

    PCG64's bit stream is fixed by NumPy's compatibility policy; its distribution methods may change between NumPy
    releases, which is why byte identity is promised per lock file.
    """
    import numpy as np

    return np.random.Generator(np.random.PCG64(int.from_bytes(_digest(master_seed, names)[:16], "big")))
