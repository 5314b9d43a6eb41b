"""The stored similarities, computed a second time by other means: for asset checks, which do not trust their maker.

TF-IDF by scikit-learn, the character score by a bit-parallel longest common subsequence, word vectors by plain NumPy.
It shares with `quality` only the definition of a passage's words. Call it with any subset of the pairs; ``sources`` are
always all of them, for the document frequencies.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dataset_project.augmentation.text.tokens import passage

if TYPE_CHECKING:
    from dataset_project.augmentation.preparation.tables import TermTable


def recompute(
    metric: str,
    sources: Sequence[str],
    originals: Sequence[str],
    variants: Sequence[str],
    table: TermTable | None = None,
) -> np.ndarray:
    """Similarity (float64) of ``originals[i]`` and ``variants[i]`` by ``metric``: char, tfidf or embedding.

    ``sources`` are needed for tfidf, the ``glove_vectors`` as ``table`` for embedding. Raises ValueError for another
    metric, a missing table or unequal lengths.
    """
    if len(originals) != len(variants):
        raise ValueError(f"{len(originals)} originals, {len(variants)} variants")
    if metric not in ("char", "tfidf", "embedding"):
        raise ValueError(f"no second implementation of the metric {metric!r}: char, tfidf and embedding have one")
    if metric == "tfidf":
        return _tfidf(sources, originals, variants)
    if metric == "char":
        return np.array([_indel(*pair) for pair in zip(originals, variants, strict=True)], np.float64)
    if table is None:
        raise ValueError("the metric embedding needs the table of word vectors")
    return _embedding(table, originals, variants)


def _grams(text: str) -> list[str]:
    if len(text) < 3:
        return [text] if text else []
    return [text[at : at + size] for size in (3, 4, 5) for at in range(len(text) - size + 1)]


@lru_cache(maxsize=1)
def _document_frequencies(sources: tuple[str, ...]) -> Counter[str]:
    """In how many different sources each gram occurs; remembered: every combination is judged by the same ones."""
    return Counter(gram for text in sorted(set(sources)) for gram in sorted(set(_grams(text))))


def _tfidf(sources: Sequence[str], originals: Sequence[str], variants: Sequence[str]) -> np.ndarray:
    if not any(originals) and not any(variants):
        return np.ones(len(originals))
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    rows = {text: row for row, text in enumerate(dict.fromkeys((*originals, *variants)))}
    # scikit-learn's own character analyser squeezes runs of white space and drops texts shorter than three characters.
    vectorizer = CountVectorizer(analyzer=_grams, dtype=np.float64)
    counts = vectorizer.fit_transform(rows)
    known = _document_frequencies(tuple(sources))
    frequency = np.array([known[gram] for gram in vectorizer.get_feature_names_out()])
    counts.data *= (np.log((1 + len(set(sources))) / (1 + frequency)) + 1)[counts.indices]
    unit = normalize(counts, norm="l2", copy=False)
    left, right = (unit[[rows[text] for text in texts]] for texts in (originals, variants))
    both_empty = (left.getnnz(axis=1) == 0) & (right.getnnz(axis=1) == 0)
    return np.where(both_empty, 1.0, np.asarray(left.multiply(right).sum(axis=1)).ravel())


def _indel(one: str, other: str) -> float:
    """2 LCS / (both lengths); the LCS by bits in a Python integer (Hyyrö 2004): zeros of ``row`` mark its growth."""
    if not one or not other:
        return float(one == other)
    places: dict[str, int] = {}
    for at, char in enumerate(one):
        places[char] = places.get(char, 0) | 1 << at
    full = (1 << len(one)) - 1
    row = full
    for char in other:
        matched = row & places.get(char, 0)
        row = (row + matched | row - matched) & full
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def _embedding(table: TermTable, originals: Sequence[str], variants: Sequence[str]) -> np.ndarray:
    terms = {term: row for row, (term, tag) in enumerate(table.terms()) if not tag}
    vectors = table.table["scores"].combine_chunks().flatten().to_numpy().reshape(len(table), -1)

    def mean(text: str) -> np.ndarray:
        read = passage(text)
        words = [read.tokens[place].lower for place in read.words]
        pieces = [piece for word in words for piece in ([word] if word in terms else _pieces(word))]
        if not pieces:
            return np.zeros(vectors.shape[1])
        known = [vectors[terms[piece]] if piece in terms else _unknown(piece, vectors.shape[1]) for piece in pieces]
        return np.mean(known, axis=0, dtype=np.float64)

    return np.array([_cosine(mean(one), mean(other)) for one, other in zip(originals, variants, strict=True)])


def _pieces(word: str) -> list[str]:
    """Parts of a word that has no vector: a final n't is one, the rest is cut at hyphens and before apostrophes."""
    rest, last = (word[:-3], ["n't"]) if word.endswith("n't") else (word, [])
    return [piece for piece in rest.replace("'", "-'").split("-") if piece.strip("'")] + last


def _unknown(piece: str, dimensions: int) -> np.ndarray:
    values: list[int] = []
    while len(values) < dimensions:
        block = len(values) // 32
        values += hashlib.sha256(f"{block}:{piece}".encode("utf-8", "surrogatepass")).digest()
    return 0.71 * 3**0.5 * (np.array(values[:dimensions]) / 255 * 2 - 1)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if not all(lengths):
        return float(not any(lengths))
    return float(one @ other) / (lengths[0] * lengths[1])
