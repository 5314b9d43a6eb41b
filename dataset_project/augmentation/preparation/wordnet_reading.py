"""WordNet 3.0 (Fellbaum 1998), opened with NLTK for the time of preparing resources from it."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from dataset_project.augmentation.preparation.carriers import Carriers
from dataset_project.augmentation.preparation.common_words import Row, is_plain

PHRASE = "phrase"
# Part of speech by the synset type in a sense key; 5 is a satellite of an adjective.
_TAGS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
_LEAST_FREQUENT = 20


class Sense(NamedTuple):
    """One meaning of a word: its rank from 1, how often it was tagged in SemCor, its synset's offset, and its field.

    The field is the number of the lexicographers' file: 6 for artefacts, 13 for food, 38 for verbs of motion.
    """

    rank: int
    count: int
    offset: int
    field: int


Index = Mapping[tuple[str, str], list[Sense]]
"""(word, tag) → senses by rank. Words of several parts have underscores."""


def sense_index(carriers: Carriers, known: Collection[str]) -> Index:
    """Words of WordNet, all of whose parts are ``known``, with their senses."""
    found: dict[tuple[str, str], list[Sense]] = defaultdict(list)
    for line in carriers.read("wordnet/index.sense")["wordnet/index.sense"].decode("ascii").splitlines():
        key, offset, rank, count = line.split()
        word, _, rest = key.partition("%")
        if word not in known and not ("_" in word and all(part in known for part in word.split("_"))):
            continue
        field = rest.split(":")[1]
        found[word, _TAGS[rest[0]]].append(Sense(int(rank), int(count), int(offset), int(field)))
    return {word: sorted(senses) for word, senses in found.items()}


@contextmanager
def opened(carriers: Carriers) -> Iterator[Any]:
    """NLTK's reader of the WordNet; it works inside the ``with`` only."""
    import nltk.data
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    names = [name for name in carriers.members if name.startswith("wordnet/")]
    with TemporaryDirectory() as directory:
        root = Path(directory) / "corpora" / "wordnet"
        root.mkdir(parents=True)
        for name, content in carriers.read(*names).items():
            # The carrier has CRLF; offsets count LF.
            (root / name.partition("/")[2]).write_bytes(content.replace(b"\r\n", b"\n"))
        nltk.data.path.insert(0, directory)  # NLTK reads nowhere else
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The multilingual functions")
                reader = WordNetCorpusReader(str(root), None)
            yield reader
        finally:
            nltk.data.path.remove(directory)


def opposites(reader: Any, index: Index, known: Collection[str]) -> dict[tuple[str, str], dict[str, tuple[int, bool]]]:
    """(word, tag) → its opposites, with the word's sense rank and whether each is a direct one; of ``known`` words.

    Indirect ones are synonyms of an opposite and, of a satellite adjective, the opposites of its head: "sad" stands for
    "tearful", so "glad" is an indirect opposite of it.
    """
    found: dict[tuple[str, str], dict[str, tuple[int, bool]]] = {}
    for (word, tag), senses in index.items():
        if word not in known:
            continue
        for rank, _, offset, _ in senses:
            synset = reader.synset_from_pos_and_offset(tag, offset)
            direct = [other for lemma in synset.lemmas() if lemma.name() == word for other in lemma.antonyms()]
            mates = [mate for other in direct for mate in other.synset().lemmas()]
            heads = [lemma for head in synset.similar_tos() for lemma in head.lemmas()] if tag == "a" else []
            far = [other for lemma in heads for other in lemma.antonyms()]
            for others, is_direct in ((direct, True), (mates + far, False)):
                for other in others:
                    if is_plain(other.name()) and other.name() != word:
                        found.setdefault((word, tag), {}).setdefault(other.name(), (rank, is_direct))
    return found


def phrase_rows(index: Index, known: Mapping[str, int]) -> list[Row]:
    """Fixed expressions of common words: first word, tag ``phrase``, what may follow it ("high": "school", "time")."""
    found: dict[str, set[str]] = defaultdict(set)
    for word, _ in index:
        parts = word.split("_")
        if len(parts) > 1 and all(is_plain(part) and known.get(part, 0) >= _LEAST_FREQUENT for part in parts):
            found[parts[0]].add(" ".join(parts[1:]))
    return [(first, PHRASE, sorted(rest), []) for first, rest in found.items()]
