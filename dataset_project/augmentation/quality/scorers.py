"""The similarity scores by name, each made ready for one corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from dataset_project.augmentation.preparation.carriers import Carriers, MissingPart
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.sentences.corpus import Corpus

Score = Callable[[Sequence[str], Sequence[str]], np.ndarray]
"""Originals and variants, position by position, to similarities."""


def scorers(names: Iterable[str], corpus: Corpus, prepared: Prepared, carriers: Carriers) -> dict[str, Score]:
    """Each named score (char, tfidf, embedding, minilm) as a function of originals and variants, by position.

    Raises MissingPart for a score whose library or model is absent.
    """
    from dataset_project.augmentation.quality.similarity import char_similarity

    made: dict[str, Score] = {}
    for name in sorted(names):
        if name == "char":
            made[name] = char_similarity
        elif name == "tfidf":
            made[name] = corpus.tfidf.cosines
        elif name == "embedding":
            made[name] = corpus.remembered("embedding", lambda: _embedding(prepared)).cosines
        elif name == "minilm":
            made[name] = corpus.remembered("minilm", lambda: _minilm(corpus, prepared, carriers)).cosines
        else:
            raise ValueError(f"no score {name!r}")
    return made


def _embedding(prepared: Prepared):
    from dataset_project.augmentation.quality.embedding import GloveSimilarity

    return GloveSimilarity(prepared["glove_vectors"])


def _minilm(corpus: Corpus, prepared: Prepared, carriers: Carriers):
    table = prepared["minilm_originals"]
    known = {text: np.array(table.scores(text), np.float32) for text in corpus.texts if (text, "") in table}
    return minilm(carriers, known)


def minilm(carriers: Carriers, known: dict[str, np.ndarray] | None = None):
    """The MiniLM encoder with ``known`` vectors of some texts. Raises MissingPart when model or library is absent."""
    try:
        from dataset_project.augmentation.quality.minilm import MiniLmSimilarity

        parts = carriers.read("minilm_model", "minilm_tokenizer")
        return MiniLmSimilarity(parts["minilm_model"], parts["minilm_tokenizer"], known)
    except ImportError as error:
        raise MissingPart(
            f"the minilm score needs a library: {error}; pip install 'dataset_project[encoder]'"
        ) from None
