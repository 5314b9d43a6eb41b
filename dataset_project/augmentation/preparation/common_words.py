"""What counts as a common word, which words are never produced, and how a resource becomes a table."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import pyarrow as pa

from dataset_project.augmentation.preparation.carriers import Carriers
from dataset_project.augmentation.schemas import AUGMENTATION_RESOURCES
from dataset_project.augmentation.text.lexicons import guard_of, resource

Row = tuple[str, str, Sequence[str], Sequence[float]]
"""Term, tag, candidates and scores."""


def frequencies(carriers: Carriers) -> dict[str, int]:
    """Lower-case word → occurrences in a million sentences of news (Leipzig Corpora Collection); no names."""
    lines = gzip.decompress(carriers.read("frequencies")["frequencies"]).decode("utf-8").splitlines()
    return {word: int(count) for word, _, count in (line.partition("\t") for line in lines)}


def is_plain(word: str) -> bool:
    """Whether ``word`` is one lower-case word of ASCII letters."""
    return word.isalpha() and word.isascii() and word.islower()


def may_be_produced(word: str) -> bool:
    """Whether a method may put ``word`` into a text: it is neither guarded nor rude."""
    return word not in unwanted() and guard_of("word", word) is None


@lru_cache(maxsize=1)
def unwanted() -> frozenset[str]:
    """Vulgar words and slurs, and words that are fragments or abbreviations."""
    return frozenset(resource("lexical.yaml")["unwanted"])


@lru_cache(maxsize=1)
def dull() -> frozenset[str]:
    """Terms too general to stand for a word."""
    return frozenset(resource("lexical.yaml")["dull"])


@lru_cache(maxsize=1)
def admitted() -> Mapping[tuple[str, str], frozenset[str]]:
    """(word, n, v, a or r) → synonyms of it that readers found right, whatever the rules for them say."""
    parts = resource("lexical.yaml")["admitted"].items()
    return {(word, part): frozenset(others) for part, words in parts for word, others in words.items()}


@lru_cache(maxsize=1)
def refused() -> Mapping[str, frozenset[str]]:
    """Word → candidates that readers found wrong for it."""
    return {word: frozenset(others) for word, others in resource("lexical.yaml")["refused"].items()}


def is_respelling(word: str, other: str) -> bool:
    """Whether the two look like spellings or endings of one word: grey and gray, afterward and afterwards."""
    from rapidfuzz.distance import OSA

    shorter, longer = sorted((word, other), key=len)
    if (
        len(shorter) >= 4
        and longer.startswith(shorter)
        and longer[len(shorter) :] in ("s", "es", "d", "ed", "ing", "ly")
    ):
        return True
    return len(shorter) >= 4 and word[0] == other[0] and OSA.distance(word, other, score_cutoff=1) <= 1


def resource_table(rows: Iterable[Row]) -> pa.Table:
    """A table of AUGMENTATION_RESOURCES, sorted by (term, tag), which are unique."""
    ordered = sorted(rows, key=lambda row: (row[0], row[1]))
    columns = list(zip(*ordered, strict=True)) or [(), (), (), ()]
    return pa.table(dict(zip(AUGMENTATION_RESOURCES.names, map(list, columns), strict=True)), AUGMENTATION_RESOURCES)
