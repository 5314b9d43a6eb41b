"""Resources made from WordNet 3.0: synonyms, hypernyms and antonyms of single common words.

A word's meaning in its sentence is not known, so only what holds for its common meanings is kept: early senses of both
words, the same sentence frames of verbs, and words of alike contexts (GloVe). What is left is short and reads well.
Rows tagged ``phrase`` hold beginnings of fixed expressions ("high" → "school"), which no method may take apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dataset_project.augmentation.preparation.carriers import Carriers
from dataset_project.augmentation.preparation.common_words import (
    Row,
    admitted,
    dull,
    frequencies,
    is_plain,
    is_respelling,
    may_be_produced,
    refused,
    resource_table,
    unwanted,
)
from dataset_project.augmentation.preparation.glove import vectors
from dataset_project.augmentation.preparation.wordnet_reading import (
    Index,
    Sense,
    opened,
    opposites,
    phrase_rows,
    sense_index,
)
from dataset_project.augmentation.text.morphology import inflected
from dataset_project.augmentation.text.tagging import lexicon

NAMES = ("wordnet_synonyms", "wordnet_hypernyms", "wordnet_antonyms")
_MOST_SENSES = 3
_LEAST_SHARE = 0.15
"""Of a word's tagged occurrences that a sense must have."""
_LEAST_FREQUENT, _RARER = 25, 50
"""A candidate's occurrences, and how many times rarer than the word it may be."""
_OWN_RANK = 2
_VERBAL = 0.15
"""How often a verb's past tense must stand beside its base form, which may be a noun's as well."""
_MAIN_SHARE, _CLOSE_MAIN, _CLOSE_OTHER = 0.4, 0.45, 0.62
"""A synonym's least cosine: where both words have their main sense, and otherwise."""
_BASE = {"n": ("NN",), "v": ("VB", "VBP"), "a": ("JJ",), "r": ("RB",)}
_CLOSE_PARENTS = {"n": (0.4, 0.5, 0.55), "v": (0.5,)}
"""Least cosine of a hypernym, by how far up it is: a far one says too little, or another meaning was meant."""
_CONCRETE = (5, 6, 13)
"""Fields whose far hypernyms still name things: animals, artefacts, food."""
_LEAST_DEPTH = 4
_CLOSE_OPPOSITE = 0.35
_VECTOR_WORDS = 100_000


@dataclass(frozen=True)
class _Words:
    """What is known of words: senses, frequencies and GloVe vectors."""

    index: Index
    known: Mapping[str, int]
    rows: Mapping[str, int]
    unit: np.ndarray

    def cosine(self, word: str, other: str) -> float:
        first, second = self.rows.get(word), self.rows.get(other)
        return -1.0 if first is None or second is None else float(self.unit[first] @ self.unit[second])

    def common(self, other: str, word: str) -> bool:
        """Whether ``other`` is a common word beside ``word``."""
        return self.known.get(other, 0) >= max(_LEAST_FREQUENT, self.known.get(word, 0) / _RARER)

    def fits(self, word: str, other: str) -> bool:
        return (
            other != word
            and is_plain(other)
            and len(other) > 2
            and may_be_produced(other)
            and other not in refused().get(word, ())
            and self.common(other, word)
            and not is_respelling(word, other)
        )

    def is_mainly(self, word: str, tag: str) -> bool:
        """Whether ``word`` is commonest as this part of speech: "yellow" is an adjective, whatever else it can be."""
        found = lexicon().get(word, "")
        if found in _BASE[tag]:
            return True
        past = inflected(word, "VBD") if tag == "v" else ""
        return bool(past) and self.known.get(past, 0) >= _VERBAL * self.known.get(word, 0)

    def own_rank(self, other: str, tag: str, offset: int) -> int:
        return next((sense.rank for sense in self.index.get((other, tag), ()) if sense.offset == offset), 99)


def wordnet_tables(carriers: Carriers, names: Collection[str] = NAMES) -> dict[str, pa.Table]:
    """The resources `wordnet_synonyms`, `wordnet_hypernyms` and `wordnet_antonyms`, or those in ``names``.

    Scores: of synonyms and hypernyms the word's sense rank, from 1; of antonyms 1 for direct ones, 2 for those of a
    similar adjective.
    """
    known = frequencies(carriers)
    index = sense_index(carriers, known)
    spelled, table = vectors(carriers, _VECTOR_WORDS)
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    words = _Words(index, known, {word: row for row, word in enumerate(spelled)}, unit)
    phrases = phrase_rows(index, known)
    with opened(carriers) as reader:
        made: dict[str, Callable[[], Iterator[Row]]] = {
            "wordnet_synonyms": lambda: _rows(words, reader, _synonyms, "nvar"),
            "wordnet_hypernyms": lambda: _rows(words, reader, _hypernyms, "nv"),
            "wordnet_antonyms": lambda: _antonyms(words, opposites(reader, index, known)),
        }
        return {name: resource_table([*made[name](), *phrases]) for name in names}


Find = Callable[[_Words, Any, str, str, Sense], list[str]]


def _rows(words: _Words, reader: Any, find: Find, tags: str) -> Iterator[Row]:
    for (word, tag), senses in words.index.items():
        if tag not in tags or not is_plain(word) or word not in words.known:
            continue
        total = sum(sense.count for sense in senses) + len(senses)
        found: dict[str, float] = {}
        for sense in senses[:_MOST_SENSES]:
            if (sense.count + 1) / total >= _LEAST_SHARE:
                for other in find(words, reader, word, tag, sense):
                    found.setdefault(other, float(sense.rank))
        if found:
            yield word, tag, list(found), list(found.values())


def _synonyms(words: _Words, reader: Any, word: str, tag: str, sense: Sense) -> list[str]:
    synset = reader.synset_from_pos_and_offset(tag, sense.offset)
    senses = words.index[word, tag]
    main = sense.rank == 1 and sense.count + 1 >= _MAIN_SHARE * (sum(each.count for each in senses) + len(senses))
    frames = {lemma.name(): _frames(lemma) for lemma in synset.lemmas()}
    found = []
    for other, others_frames in frames.items():
        rank = words.own_rank(other, tag, sense.offset)
        if other in admitted().get((word, tag), ()) or (
            rank <= _OWN_RANK
            and words.fits(word, other)
            and words.is_mainly(other, tag)
            and (tag != "v" or others_frames >= frames.get(word, frozenset()))
            and words.cosine(word, other) >= (_CLOSE_MAIN if main and rank == 1 else _CLOSE_OTHER)
        ):
            count = next(each.count for each in words.index[other, tag] if each.offset == sense.offset)
            found.append((-count, other))
    near = _similar(words, synset, word) if tag == "a" and sense.rank <= _OWN_RANK else []
    return [other for _, other in sorted(found)] + near


def _frames(*lemmas: Any) -> frozenset[int]:
    """Sentence frames of verbs: whether they take an object, a clause, an infinitive."""
    return frozenset(frame for lemma in lemmas for frame in (*lemma.frame_ids(), *lemma.synset().frame_ids()))


def _similar(words: _Words, synset: Any, word: str) -> list[str]:
    """Adjectives of the same cluster: WordNet gathers those that say nearly the same around a head."""
    found = []
    for other_synset in synset.similar_tos():
        for lemma in other_synset.lemmas():
            other = lemma.name()
            rank, cosine = words.own_rank(other, "a", other_synset.offset()), words.cosine(word, other)
            if other in admitted().get((word, "a"), ()) or (
                rank == 1 and words.fits(word, other) and words.is_mainly(other, "a") and cosine >= _CLOSE_OTHER
            ):
                found.append((-cosine, other))
    return [other for _, other in sorted(found)]


def _hypernyms(words: _Words, reader: Any, word: str, tag: str, sense: Sense) -> list[str]:
    """The nearest general terms in use: of the first level up, of at most three, that has any."""
    senses = words.index[word, tag]
    if sense.rank > 1 or sense.count + 1 < _MAIN_SHARE * (sum(each.count for each in senses) + len(senses)):
        return []
    synset = reader.synset_from_pos_and_offset(tag, sense.offset)
    own = _frames(*(lemma for lemma in synset.lemmas() if lemma.name() == word))
    level = [synset]
    for least in _CLOSE_PARENTS[tag][: None if sense.field in _CONCRETE else 1]:
        # NLTK keeps relations in sets, whose order changes between processes.
        parents = {parent.offset(): parent for child in level for parent in child.hypernyms()}
        level = [parents[offset] for offset in sorted(parents)]
        found = []
        for lemma in (
            lemma for parent in level if tag == "v" or parent.min_depth() >= _LEAST_DEPTH for lemma in parent.lemmas()
        ):
            other = lemma.name()
            if (
                words.own_rank(other, tag, lemma.synset().offset()) <= _OWN_RANK
                and words.fits(word, other)
                and words.is_mainly(other, tag)
                and other not in dull()
                and other not in found
                and (tag != "v" or _frames(lemma) >= own)
                and words.cosine(word, other) >= least
            ):
                found.append(other)
        if found:
            return found
    return []


def _antonyms(words: _Words, found: Mapping[tuple[str, str], Mapping[str, tuple[int, bool]]]) -> Iterator[Row]:
    for (word, tag), others in found.items():
        kept = sorted(
            (0 if direct else 1, rank, other)
            for other, (rank, direct) in others.items()
            if rank <= _OWN_RANK
            and words.known.get(other, 0) >= _LEAST_FREQUENT
            and other not in unwanted()
            and other not in refused().get(word, ())
            and words.is_mainly(other, tag)
            and words.cosine(word, other) >= _CLOSE_OPPOSITE
        )
        if kept:
            yield word, tag, [other for *_, other in kept], [1.0 + far for far, *_ in kept]
