"""The compiled part of the character TF-IDF: grams by hash, document frequencies and cosines of pairs.

Import this module only inside functions: it imports numba. Texts are code points laid end to end (``codes``): text i is
``codes[bounds[i]:bounds[i + 1]]``. A gram is the 64-bit polynomial hash of its code points: among a million distinct
grams the odds of any collision are about 3 in 10**8. Arithmetic is plain IEEE, and each pair is summed in the order of
its own two texts, so a cosine depends neither on its neighbours nor on what was computed before.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SHORTEST, LONGEST = 3, 5
_BASE = np.uint64(0xD6E8FEB86659FD93)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth 6.4)
# A bare integer would turn uint64 arithmetic into floats. _ZERO also marks a free slot, so no gram may have it.
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@njit(cache=True)
def _grams(codes, first, last, out):
    """Hashes of all grams of ``codes[first:last]``, in order, into ``out``; how many. A short text is one gram."""
    shortest = min(SHORTEST, last - first)
    found = 0
    if shortest == 0:
        return found
    for start in range(first, last - shortest + 1):
        hashed = _ZERO
        for place in range(start, min(start + LONGEST, last)):
            hashed = hashed * _BASE + np.uint64(codes[place]) + _ONE
            if place - start + 1 >= shortest:
                out[found] = hashed if hashed != _ZERO else _ONE
                found += 1
    return found


@njit(cache=True)
def _most_grams(bounds):
    longest = 0
    for text in range(bounds.size - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    return (LONGEST - SHORTEST + 1) * longest + 1


@njit(cache=True)
def _bits_for(grams):
    bits = 4
    while (1 << bits) < 2 * grams:
        bits += 1
    return bits


@njit(cache=True)
def _slot(keys, bits, key):
    """Where ``key`` stands in the first 2**bits slots of ``keys``, or the free slot where it would."""
    mask = (_ONE << np.uint64(bits)) - _ONE
    slot = (key * _SPREAD) >> np.uint64(64 - bits)
    while keys[slot] != key and keys[slot] != _ZERO:
        slot = (slot + _ONE) & mask
    return slot


@njit(cache=True)
def document_frequencies(codes, bounds, bits, keys, frequencies):
    """Counts into ``keys``/``frequencies`` (2**bits slots, zero) how many texts hold each gram; -1 if crowded."""
    grams = np.empty(_most_grams(bounds), np.uint64)
    last_text = np.full(keys.size, -1, np.int64)
    distinct = 0
    for text in range(bounds.size - 1):
        for gram in range(_grams(codes, bounds[text], bounds[text + 1], grams)):
            slot = _slot(keys, bits, grams[gram])
            if keys[slot] == _ZERO:
                keys[slot] = grams[gram]
                distinct += 1
                if 2 * distinct > keys.size:
                    return -1
            if last_text[slot] != text:
                last_text[slot] = text
                frequencies[slot] += 1
    return distinct


@njit(cache=True)
def _add(grams, found, keys, weights, unseen, bits, near, near_bits, near_weight, counts):
    """Counts ``grams`` in the small table ``near`` and replaces each by its slot; (squared norm, slots newly taken).

    The squared norm grows by ((c + 1)**2 - c**2) weights a gram.
    """
    norm, taken = 0.0, 0
    for gram in range(found):
        key = grams[gram]
        slot = _slot(near, near_bits, key)
        if near[slot] == _ZERO:
            near[slot] = key
            far = _slot(keys, bits, key)
            near_weight[slot] = weights[far] if keys[far] == key else unseen
            taken += 1
        norm += (2 * counts[slot] + 1) * near_weight[slot]
        counts[slot] += 1
        grams[gram] = slot
    return norm, taken


@njit(cache=True)
def cosines(codes, bounds, left, right, keys, weights, unseen, bits):
    """Cosine of texts ``left[i]`` and ``right[i]``; fastest when equal ``left`` stand together.

    ``keys``/``weights``: squared idf by gram, 2**bits slots; ``unseen``: squared idf of a gram that is not there. A
    pair works in a small table that keeps the left text's grams for the next pair; only what is new is looked up in the
    big table.
    """
    most = _most_grams(bounds)
    grams = np.empty(most, np.uint64)
    size = 1 << _bits_for(2 * most)
    near, near_weight = np.zeros(size, np.uint64), np.empty(size)
    counts, left_counts = np.zeros(size, np.int32), np.zeros(size, np.int32)
    out = np.empty(left.size)
    at, near_bits, room, left_norm = -1, 0, 0, 0.0
    for pair in range(left.size):
        first, last = bounds[right[pair]], bounds[right[pair] + 1]
        needed = (LONGEST - SHORTEST + 1) * (last - first) + 1
        if left[pair] != at or needed > room:
            at = left[pair]
            found = _grams(codes, bounds[at], bounds[at + 1], grams)
            near_bits = _bits_for(found + needed)
            near[: 1 << near_bits] = _ZERO
            left_counts[: 1 << near_bits] = 0
            left_norm, taken = _add(
                grams, found, keys, weights, unseen, bits, near, near_bits, near_weight, left_counts
            )
            room = (1 << near_bits) // 2 - taken
        found = _grams(codes, first, last, grams)
        norm, taken = _add(grams, found, keys, weights, unseen, bits, near, near_bits, near_weight, counts)
        room -= taken
        dot = 0.0
        for gram in range(found):
            slot = grams[gram]
            dot += left_counts[slot] * near_weight[slot]
            counts[slot] = 0
        if left_norm == 0.0 or norm == 0.0:
            out[pair] = 1.0 if left_norm == norm else 0.0
        else:
            out[pair] = min(1.0, dot / (np.sqrt(left_norm) * np.sqrt(norm)))
    return out
