"""Similarity by averaged word vectors (GloVe, Pennington et al. 2014), for texts with the odd misspelling.

Words are the passage's words, folded. A word without a vector is looked up by its parts, cut as GloVe's training text
was (Penn Treebank: can't → ca n't, I've → i 've), a compound at its hyphens. A part without a vector gets one made of
its SHA-256, about as long as a common word's: an unknown word then moves the average instead of vanishing from it, and
the same misspelling always moves it the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np

from dataset_project.augmentation.preparation.tables import TermTable
from dataset_project.augmentation.quality.similarity import require_pairs
from dataset_project.augmentation.text.tokens import passage

DECIMALS = 6
# Root mean square of a component over the 10,000 commonest words of GloVe 6B, 50 dimensions.
TYPICAL_COMPONENT = 0.71
_PARTS = re.compile(r"'?[^'-]+")
_MOST_WORDS, _MOST_TEXTS = 65_536, 16_384


def parts(word: str) -> list[str]:
    """What a folded word without a vector is cut into.

    >>> parts("can't"), parts("i've"), parts("half-asleep"), parts("mum's")
    (['ca', "n't"], ['i', "'ve"], ['half', 'asleep'], ['mum', "'s"])
    """
    stem = word.removesuffix("n't")
    return _PARTS.findall(stem) + ["n't"] * (stem != word)


def hashed_vector(part: str, dimensions: int) -> np.ndarray:
    """A vector for a part that has none: the bytes of SHA-256("<block>:<part>") as even steps in [-1, 1], scaled."""
    blocks = range(-(-dimensions // 32))
    digest = b"".join(hashlib.sha256(f"{block}:{part}".encode("utf-8", "surrogatepass")).digest() for block in blocks)
    even = np.frombuffer(digest, np.uint8)[:dimensions] / 127.5 - 1.0
    return even * (TYPICAL_COMPONENT * np.sqrt(3.0))


class GloveSimilarity:
    """Cosines of averaged word vectors.

    ``table`` is the resource ``glove_vectors``: a term's scores are its vector. Raises ValueError when it is empty.
    """

    def __init__(self, table: TermTable):
        if not len(table):
            raise ValueError("the table of word vectors is empty")
        self._table = table
        self._dimensions = len(table.scores(*table.terms()[0]))
        self._words: OrderedDict[str, np.ndarray] = OrderedDict()
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()

    def cosines(self, originals: Sequence[str], variants: Sequence[str]) -> np.ndarray:
        """Cosine (-1 to 1, float64) by position; 1 when neither text has a word, 0 when one has none.

        Raises ValueError when the lengths differ.
        """
        require_pairs(originals, variants)
        if not originals:
            return np.empty(0)
        left = np.stack([self._remembered(text) for text in originals])
        right = np.stack([self._direction(text) for text in variants])
        found = (left * right).sum(axis=1).clip(-1.0, 1.0).round(DECIMALS)
        found[~left.any(axis=1) & ~right.any(axis=1)] = 1.0
        return found

    def _remembered(self, text: str) -> np.ndarray:
        found = self._texts.get(text)
        if found is None:
            found = self._texts[text] = self._direction(text)
            if len(self._texts) > _MOST_TEXTS:
                self._texts.popitem(last=False)
        return found

    def _direction(self, text: str) -> np.ndarray:
        """The average's unit vector; zeros without words."""
        read = passage(text)
        total = np.zeros(self._dimensions)
        for place in read.words:
            total += self._word(read.tokens[place].lower)
        length = np.sqrt((total * total).sum())
        return total / length if length else total

    def _word(self, word: str) -> np.ndarray:
        """Sum of the vectors of a word's parts; a word that is in the table is its only part."""
        found = self._words.get(word)
        if found is None:
            found = self._words[word] = np.sum(list(self._vectors(word)), axis=0)
            if len(self._words) > _MOST_WORDS:
                self._words.popitem(last=False)
        return found

    def _vectors(self, word: str) -> Iterator[np.ndarray]:
        for part in [word] if (word, "") in self._table else parts(word):
            scores = self._table.scores(part)
            yield np.array(scores, np.float64) if scores else hashed_vector(part, self._dimensions)
