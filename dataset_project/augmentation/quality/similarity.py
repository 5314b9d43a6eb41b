"""Similarity by characters: TF-IDF of character n-grams, and normalised Indel similarity.

Scores are rounded to DECIMALS, so that what is stored does not hang on the last bit of a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

DECIMALS = 6
_MOST_BITS = 26


def _encoded(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Code points of all texts end to end, and where each begins; the last entry is the end."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    bounds = np.fromiter(accumulate(map(len, texts), initial=0), np.int64, len(texts) + 1)
    return codes, bounds


def require_pairs(originals: Sequence[str], variants: Sequence[str]) -> None:
    """Raises ValueError unless there are as many variants as originals."""
    if len(originals) != len(variants):
        raise ValueError(f"{len(originals)} originals against {len(variants)} variants: pairs go by position")


class CharNgramTfidf:
    """Cosine of TF-IDF vectors of character 3- to 5-grams, as scikit-learn weights them (smooth idf, raw counts, L2).

    Grams are taken from the raw text: case matters, white space is part of them, nothing is padded, and a text of fewer
    than three characters is one gram. idf is ln((1 + n) / (1 + df)) + 1 over the n distinct ``source_texts``, in which
    a gram that none of them holds has df 0. The result depends neither on the order of the sources nor on what is asked
    together or was asked before.
    """

    def __init__(self, source_texts: Sequence[str]):
        from dataset_project.augmentation.quality import kernel

        distinct = sorted(set(source_texts))
        codes, bounds = _encoded(distinct)
        for bits in range(12, _MOST_BITS + 1):
            keys, frequencies = np.zeros(1 << bits, np.uint64), np.zeros(1 << bits, np.int64)
            if kernel.document_frequencies(codes, bounds, bits, keys, frequencies) >= 0:
                break
        else:
            raise ValueError(f"the sources have more than {1 << (_MOST_BITS - 1)} distinct character grams")
        self._keys, self._bits = keys, bits
        # idf enters both vectors, so products and norms need its square.
        squared = (np.log((1 + len(distinct)) / (1 + np.arange(len(distinct) + 1))) + 1) ** 2
        self._weights, self._unseen = squared[frequencies], float(squared[0])

    def cosines(self, originals: Sequence[str], variants: Sequence[str]) -> np.ndarray:
        """Cosine (0 to 1, float64) of ``originals[i]`` and ``variants[i]``; 1 when both are empty, 0 when one is.

        Raises ValueError when the lengths differ.
        """
        from dataset_project.augmentation.quality import kernel

        require_pairs(originals, variants)
        places: dict[str, int] = {}
        left = np.fromiter((places.setdefault(text, len(places)) for text in originals), np.int64, len(originals))
        codes, bounds = _encoded([*places, *variants])
        # Variants of the same original stand together, so that its vector is made once.
        order = np.argsort(left, kind="stable")
        found = np.empty(left.size)
        found[order] = kernel.cosines(
            codes, bounds, left[order], order + len(places), self._keys, self._weights, self._unseen, self._bits
        )
        return found.round(DECIMALS)


def char_similarity(originals: Sequence[str], variants: Sequence[str]) -> np.ndarray:
    """Normalised Indel similarity (0 to 1, float64) by position: 2 LCS / (both lengths); 1 when both texts are empty.

    Raises ValueError when the lengths differ.
    """
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    require_pairs(originals, variants)
    scores = cpdist(originals, variants, scorer=Indel.normalized_similarity, dtype=np.float64)
    return np.asarray(scores, np.float64).round(DECIMALS)
