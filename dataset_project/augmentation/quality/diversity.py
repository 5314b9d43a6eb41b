"""How varied a set of texts is: distinct n-grams, self-BLEU, near-duplicates across sources, quantiles of scores.

Every figure is exact for its texts and does not depend on their order; None means that there was nothing to measure.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_WORD_OR_MARK = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_ORDERS = (1, 2, 3, 4)
_EPSILON = 0.1
QUANTILES = (5, 25, 50, 75, 95)


def words(text: str) -> list[str]:
    """The text's words, folded; marks and emoji are none."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Distinct word n-grams / word n-grams over all texts (distinct-n, Li et al. 2016), 6 decimals."""
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        found = words(text)
        grams = list(zip(*(found[at:] for at in range(n)), strict=False))
        seen.update(grams)
        total += len(grams)
    return round(len(seen) / total, 6) if total else None


def _sample(texts: Sequence[str], size: int) -> list[str]:
    """The ``size`` texts with the smallest SHA-256: the same whatever their order."""
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())[:size]


def self_bleu(texts: Sequence[str], sample: int = 200) -> float | None:
    """Self-BLEU (Zhu et al. 2018), 6 decimals: mean BLEU-4 of each sampled text against all others of the sample.

    BLEU as in Papineni et al. (2002), brevity penalty by the closest reference length, smoothing method 1 of Chen &
    Cherry (2014): an order without a match counts as 0.1 matches. Tokens are folded words and marks. None for fewer
    than two texts.
    """
    chosen = [_WORD_OR_MARK.findall(text.casefold()) for text in _sample(texts, sample)]
    if len(chosen) < 2:
        return None
    grams = [Counter(_all_grams(tokens)) for tokens in chosen]
    best = _two_highest(grams)
    lengths = Counter(map(len, chosen))
    scores = []
    for text, (tokens, counts) in enumerate(zip(chosen, grams, strict=True)):
        matches = dict.fromkeys(_ORDERS, 0)
        for gram, count in counts.items():
            highest, holder, second = best[gram]
            matches[len(gram)] += min(count, second if holder == text else highest)
        scores.append(_bleu(matches, len(tokens), _closest(lengths, len(tokens))))
    return round(math.fsum(scores) / len(scores), 6)


def _all_grams(tokens: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for order in _ORDERS:
        yield from zip(*(tokens[at:] for at in range(order)), strict=False)


def _two_highest(grams: Sequence[Counter]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """By n-gram: the highest count in a text, which text holds it, the highest count in any other text."""
    best: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for text, counts in enumerate(grams):
        for gram, count in counts.items():
            highest, holder, second = best.get(gram, (0, -1, 0))
            if count > highest:
                best[gram] = (count, text, highest)
            elif count > second:
                best[gram] = (highest, holder, count)
    return best


def _closest(lengths: Counter, length: int) -> int:
    """The length nearest to ``length`` among the other texts; the shorter of two equally near."""
    others = (other for other, count in lengths.items() if count > (other == length))
    return min(others, key=lambda other: (abs(other - length), other))


def _bleu(matches: dict[int, int], length: int, reference: int) -> float:
    if not matches[1]:
        return 0.0
    logs = [math.log((matches[order] or _EPSILON) / max(1, length - order + 1)) for order in _ORDERS]
    penalty = min(0.0, 1.0 - reference / length)
    return math.exp(penalty + math.fsum(logs) / len(_ORDERS))


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Word 3-shingles; a text of one or two words is one shingle, a text without words one of its folded characters."""
    found = words(text) or ["", " ".join(text.casefold().split())]
    return frozenset(zip(found, found[1:], found[2:], strict=False)) or frozenset([tuple(found)])


def near_duplicate_rate(texts: Sequence[str], source_ids: Sequence[str], threshold: float = 0.9) -> float | None:
    """Share of texts with a near-duplicate among the texts of another source, 6 decimals.

    Near means a Jaccard similarity of word 3-shingles of at least ``threshold``, which texts that are equal after
    folding always have. Exact: texts as near as that share one of their rarest shingles (prefix filter, Chaudhuri et
    al. 2006), so only those are compared. Raises ValueError when the lengths differ or the threshold is not in (0, 1].
    """
    if len(texts) != len(source_ids) or not 0 < threshold <= 1:
        raise ValueError(f"{len(texts)} texts, {len(source_ids)} source ids, threshold {threshold}")
    if not texts:
        return None
    sources: dict[frozenset, set[str]] = defaultdict(set)
    keys = [_shingles(text) for text in texts]
    for key, source in zip(keys, source_ids, strict=True):
        sources[key].add(source)
    near = _near_other_source(sources, threshold)
    hits = sum((key, source) in near for key, source in zip(keys, source_ids, strict=True))
    return round(hits / len(texts), 6)


def _near_other_source(sources: dict[frozenset, set[str]], threshold: float) -> set[tuple[frozenset, str]]:
    """Which (shingles, source) have near shingles of another source."""
    commonness = Counter(shingle for key in sources for shingle in key)
    # Asked in order of size, a key only meets smaller ones, which may be found by fewer of their shingles (Xiao et al.
    # 2008): 2t/(1 + t) instead of t of a key must be shared with one that is at least as large.
    asked, kept = threshold, 2 * threshold / (1 + threshold)
    holders: dict[tuple[str, ...], dict[str, list[frozenset]]] = defaultdict(lambda: defaultdict(list))
    near = {(key, source) for key, all_sources in sources.items() if len(all_sources) > 1 for source in all_sources}
    for key in sorted(sources, key=len):
        rarest = sorted(key, key=lambda shingle: (commonness[shingle], shingle))
        for source in sources[key]:
            for shingle in rarest[: _prefix(len(key), asked)]:
                for holder, others in holders[shingle].items() if shingle in holders else ():
                    if holder != source:
                        near.update(_new_pairs((key, source), holder, others, near, threshold))
        for source in sources[key]:
            for shingle in rarest[: _prefix(len(key), kept)]:
                holders[shingle][source].append(key)
    return near


def _new_pairs(
    one: tuple[frozenset, str], holder: str, others: list[frozenset], near: set[tuple[frozenset, str]], threshold: float
) -> list[tuple[frozenset, str]]:
    found = []
    for other in others:
        known = (found or one in near) and (other, holder) in near
        if not known and _jaccard(one[0], other) >= threshold:
            found += [one, (other, holder)]
    return found


def _prefix(size: int, share: float) -> int:
    """How many of ``size`` items, in any one order, hold an item of every subset of at least ``share`` of them."""
    # Rounding must never make it shorter: 0.7 * 10 is a little more than 7 in binary.
    return size - math.ceil(share * size - 1e-9) + 1


def _jaccard(one: frozenset, other: frozenset) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def quantiles(values: Sequence[float] | np.ndarray) -> dict[int, float | None]:
    """The 5, 25, 50, 75 and 95 % quantiles (linear interpolation), 4 decimals."""
    found = np.asarray(values, np.float64)
    if not found.size:
        return dict.fromkeys(QUANTILES)
    return {each: round(float(np.quantile(found, each / 100)), 4) for each in QUANTILES}
