"""Arrow-style bitmaps over samples: one bit per sample, least significant bit first, 64 samples per machine word.

Window rules ("any of the next 12 samples", "no gap in the last 72") become shifts and ORs of whole words, which is what
makes labelling cheap. Only bit arithmetic belongs here; what a bit means is decided in ``labels`` and ``windows``.

A bitmap is a ``<u8`` array with at least one zero word behind its last sample, so a shift reads zeros past the end.
Patients are laid end to end in one bitmap: a shift may read the neighbour's samples, and it is the caller who never
asks about a sample whose window leaves its patient.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

WORD = 64


def pack(truth: np.ndarray) -> np.ndarray:
    """Bitmap of a boolean array of any shape, flattened in C order."""
    packed = np.packbits(truth.reshape(-1), bitorder="little")
    words = np.zeros(truth.size // WORD + 2, dtype="<u8")
    words.view(np.uint8)[: packed.size] = packed
    return words


def unpack(bits: np.ndarray, count: int) -> np.ndarray:
    """The first ``count`` bits as a boolean array."""
    return np.unpackbits(bits.view(np.uint8), count=count, bitorder="little").view(bool)


def later(bits: np.ndarray, samples: int) -> np.ndarray:
    """Bitmap whose bit t is the given bit t + ``samples`` (``samples`` >= 0); zero past the end."""
    words, shift = divmod(samples, WORD)
    source = bits[words:]
    moved = np.zeros_like(bits)
    moved[: source.size] = source >> np.uint64(shift) if shift else source
    if shift and source.size > 1:
        moved[: source.size - 1] |= source[1:] << np.uint64(WORD - shift)
    return moved


def earlier(bits: np.ndarray, samples: int) -> np.ndarray:
    """Bitmap whose bit t is the given bit t - ``samples`` (``samples`` >= 0); zero before the beginning.

    Bits moved past the last word are lost.
    """
    words, shift = divmod(samples, WORD)
    source = bits[: bits.size - words]
    moved = np.zeros_like(bits)
    moved[words:] = source << np.uint64(shift) if shift else source
    if shift and source.size > 1:
        moved[words + 1 :] |= source[:-1] >> np.uint64(WORD - shift)
    return moved


def any_of(bits: np.ndarray, samples: int) -> np.ndarray:
    """Bitmap whose bit t says whether any of the bits t ... t + ``samples`` - 1 is set (``samples`` >= 1)."""
    covered, result = 1, bits
    while covered < samples:
        # OR is idempotent, so the last step may overlap what is already covered.
        step = min(covered, samples - covered)
        result = result | later(result, step)
        covered += step
    return result


def to_arrow(bits: np.ndarray, count: int) -> pa.BooleanArray:
    """The first ``count`` bits as an Arrow boolean array, without a copy."""
    return pa.BooleanArray.from_buffers(pa.bool_(), count, [None, pa.py_buffer(bits)])
