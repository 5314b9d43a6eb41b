"""GloVe 6B vectors (Pennington, Socher & Manning 2014): nearest words, and the vectors themselves for similarity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_project.augmentation.preparation.carriers import Carriers
from dataset_project.augmentation.preparation.common_words import (
    frequencies,
    is_plain,
    is_respelling,
    may_be_produced,
    refused,
    resource_table,
)
from dataset_project.augmentation.preparation.wordnet_reading import Index, opened, opposites, phrase_rows, sense_index
from dataset_project.augmentation.text.tagging import coarse, lexicon

VECTOR_WORDS = 100_000
NEIGHBOUR_WORDS = 30_000
NEIGHBOURS = 15
DECIMALS = 4
"""Figures are rounded, so that another processor's last bits do not show."""
_BLOCK, _POOL, _MUTUAL = 250, 60, 25
_FIRST_SENSES = 1
_VERB_SENSES = 3
# Forms of verbs that look alike: which one is meant, its place in the sentence tells.
_ALIKE = {"VBN": "VBD", "VBP": "VB"}
# What a verb takes, by WordNet's sentence frames: nothing, a thing, a person.
_TAKES = {1: "", 2: "", 8: "thing", 11: "thing", 9: "person", 10: "person", 14: "person", 24: "person"}
_LEAST_FREQUENT = 20
_NEGATING = ("un", "in", "im", "il", "ir", "dis", "non", "mis", "anti", "counter")


def vectors(carriers: Carriers, count: int) -> tuple[list[str], np.ndarray]:
    """The ``count`` commonest words, commonest first, and their vectors: float32 (count, 50)."""
    content = carriers.read("glove_words", "glove_vectors")
    words = pq.read_table(BytesIO(content["glove_words"]))["index"].slice(0, count).to_pylist()
    table = np.load(BytesIO(content["glove_vectors"]), allow_pickle=False)
    return words, np.ascontiguousarray(table[: len(words)])


def glove_vectors(carriers: Carriers) -> pa.Table:
    """Resource `glove_vectors`: the 100,000 commonest words of GloVe; scores are 50 components, candidates empty."""
    words, table = vectors(carriers, VECTOR_WORDS)
    order = np.array(sorted(range(len(words)), key=words.__getitem__))
    flat = np.round(table[order], DECIMALS).reshape(-1)
    offsets = pa.array(np.arange(0, flat.size + 1, table.shape[1], dtype=np.int32))
    return pa.table(
        {
            "term": [words[place] for place in order],
            "tag": [""] * len(words),
            "candidates": pa.ListArray.from_arrays(
                pa.array(np.zeros(len(words) + 1, np.int32)), pa.array([], pa.string())
            ),
            "scores": pa.ListArray.from_arrays(offsets, pa.array(flat)),
        }
    )


def glove_neighbours(carriers: Carriers) -> pa.Table:
    """Resource `glove_neighbours`: each of the 30,000 commonest plain words to its nearest ones; scores are cosines.

    A neighbour has the word's commonest part of speech and form, and counts the word among its own nearest. Nouns and
    verbs share a field of WordNet (food, motion …). Left out are inflections and other spellings of the word, its
    opposites (WordNet; a negating prefix or -less; opposite polarity in textblob's lexicon), verbs that take other
    objects ("ask me", no "say me"), guarded and rude words, names and rare words. Rows tagged ``phrase``: see
    `wordnet`.
    """
    words, unit = _plain_vectors(carriers)
    known = frequencies(carriers)
    index = sense_index(carriers, known)
    with opened(carriers) as reader:
        opposite = _opposites(reader, index, known)
        frames = _frames(reader, index)
    allowed = [known.get(word, 0) >= _LEAST_FREQUENT and may_be_produced(word) for word in words]
    places = np.flatnonzero(allowed)
    pool, cosines = _nearest(unit, places)
    reach = cosines[:, _MUTUAL].copy()  # what a word's own nearest have at least
    kinds = [_Kind.of(word, index, frames) for word in words]
    rows = []
    for at, word in enumerate(words):
        kind, found = kinds[at], []
        against = set[str]().union(*(each.get(lemma, ()) for each in (opposite, refused()) for lemma in kind.lemmas))
        for other, cosine in zip(pool[at].tolist(), cosines[at].tolist(), strict=True):
            name, near = words[other], kinds[other]
            if (
                other != at
                and cosine >= reach[other]
                and kind.may_become(near)
                and not against & (near.lemmas | {name})
                and not negates(word, name)
                and not is_respelling(word, name)
            ):
                found.append((name, cosine))
            if len(found) == NEIGHBOURS:
                break
        rows.append((word, "", [name for name, _ in found], [cosine for _, cosine in found]))
    return resource_table([*rows, *phrase_rows(index, known)])


def _opposites(reader: Any, index: Index, known: Mapping[str, int]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for (word, _), others in opposites(reader, index, known).items():
        found[word] |= others.keys()
    return found


def _frames(reader: Any, index: Index) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Verb → what it takes in its first sense, and in any of its first few: see `_TAKES`."""
    found = {}
    for (word, tag), senses in index.items():
        if tag == "v":
            taken = [_taken(reader, word, sense.offset) for sense in senses[:_VERB_SENSES]]
            found[word] = (taken[0], taken[0].union(*taken))
    return found


def _taken(reader: Any, word: str, offset: int) -> frozenset[str]:
    synset = reader.synset_from_pos_and_offset("v", offset)
    own = (lemma for lemma in synset.lemmas() if lemma.name() == word)
    ids = {*synset.frame_ids(), *(each for lemma in own for each in lemma.frame_ids())}
    return frozenset(_TAKES[each] for each in ids if each in _TAKES)


def _nearest(unit: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the nearest words among ``places`` and their cosines, nearest first: (words, _POOL) each.

    Equal cosines go by vocabulary rank.
    """
    targets = np.ascontiguousarray(unit[places])
    pool = np.empty((len(unit), _POOL), np.int32)
    best = np.empty((len(unit), _POOL), np.float32)
    for start in range(0, len(unit), _BLOCK):
        cosines = np.round(unit[start : start + _BLOCK] @ targets.T, DECIMALS)
        columns = np.sort(np.argpartition(-cosines, _POOL, axis=1)[:, :_POOL], axis=1)
        chosen = np.take_along_axis(cosines, columns, axis=1)
        order = np.argsort(-chosen, axis=1, kind="stable")
        pool[start : start + _BLOCK] = places[np.take_along_axis(columns, order, axis=1)]
        best[start : start + _BLOCK] = np.take_along_axis(chosen, order, axis=1)
    return pool, best


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a word is: its lemmas, its commonest Penn tag, WordNet's fields of its first senses, and its polarity."""

    lemmas: frozenset[str]
    tag: str
    fields: frozenset[int]
    polarity: float
    takes: frozenset[str]
    may_take: frozenset[str]

    @classmethod
    def of(cls, word: str, index: Index, frames: Mapping[str, tuple[frozenset[str], frozenset[str]]]) -> _Kind:
        from lemminflect import getAllLemmas
        from textblob.en import sentiment

        tag, lemmas = lexicon().get(word, ""), frozenset({word}.union(*getAllLemmas(word).values()))
        part = coarse(tag)
        fields = {sense.field for lemma in lemmas for sense in index.get((lemma, part), ())[:_FIRST_SENSES]}
        if not sentiment:
            sentiment.load()
        known = [frames[lemma] for lemma in sorted(lemmas) if part == "v" and lemma in frames]
        takes, may_take = (frozenset[str]().union(*each) for each in zip(*known, strict=True)) if known else ((), ())
        polarity = sentiment.get(word, {}).get(None, (0.0,))[0]
        return cls(lemmas, tag, frozenset(fields), polarity, frozenset(takes), frozenset(may_take))

    def may_become(self, other: _Kind) -> bool:
        part = coarse(self.tag)
        return (
            bool(part)
            and _ALIKE.get(self.tag, self.tag) == _ALIKE.get(other.tag, other.tag)
            and not self.lemmas & other.lemmas
            and (part in "ar" or bool(self.fields & other.fields))
            and (part != "v" or _may_take(self.takes, other.may_take))
            and self.polarity * other.polarity >= 0
        )


def _may_take(takes: frozenset[str], may_take: frozenset[str]) -> bool:
    """Whether a verb may stand where another ``takes`` these: "I met him" is no "I arrived him"."""
    return (
        ("person" not in takes or "person" in may_take)
        and ("" in takes or not takes or bool(may_take & {"thing", "person"}))
        and (takes != {""} or "" in may_take)
    )


def negates(word: str, other: str) -> bool:
    """Whether one of the two looks like the negation of the other: un-, in-, im-, dis- and the like, or -less."""
    shorter, longer = sorted((word, other), key=len)
    if any(longer == prefix + shorter for prefix in _NEGATING):
        return True
    stem = longer.removesuffix("less")
    return stem != longer and len(stem) > 2 and shorter.startswith(stem)


def _plain_vectors(carriers: Carriers) -> tuple[list[str], np.ndarray]:
    words, table = vectors(carriers, 2 * NEIGHBOUR_WORDS)
    kept = [place for place, word in enumerate(words) if is_plain(word) and len(word) > 1][:NEIGHBOUR_WORDS]
    chosen = table[kept]
    return [words[place] for place in kept], chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
