"""Corpus statistics: words that say little become, or are joined by, other words of the corpus (Xie et al. 2020, UDA)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import guard_of
from dataset_project.augmentation.text.tokens import Passage

_TRIES = 8


class CorpusWords:
    """The resource `tfidf_words` ready for drawing: ``idf`` by word, and words by their probability."""

    def __init__(self, prepared: Prepared):
        table = prepared["tfidf_words"]
        figures = table.table["scores"].to_pylist()
        known = [
            (word, idf, probability)
            for (word, _), (idf, probability) in zip(table.terms(), figures, strict=True)
            if guard_of("word", word) is None
        ]
        self.idf = {word: idf for word, idf, _ in known}
        self._words = [word for word, *_ in known]
        self._cumulative = list(accumulate(probability for *_, probability in known))

    def draw(self, draws: Draws, besides: str) -> str:
        """A word other than ``besides``; empty in a corpus without another."""
        for _ in range(_TRIES if self._cumulative and self._cumulative[-1] > 0 else 0):
            word = draws.from_cumulative(self._words, self._cumulative)
            if word != besides:
                return word
        return ""


@implements("tfidf_substitute")
def _tfidf_substitute(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """As nlpaug's `TfIdfAug`: the lower a word's TF-IDF in this text, the likelier it goes; the most telling word stays."""
    words = CorpusWords(prepared)
    idf = words.idf

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens = passage.tokens
        known = [place for place in passage.open_words if tokens[place].lower in idf]
        # The length of the text divides every TF-IDF alike, so it drops out of the weights.
        scores = [idf[tokens[place].lower] for place in known]
        most = max(scores, default=0.0)
        weights = [most - score for score in scores]
        count = passage.how_many(intensity, len(known))
        chosen = draws.weighted_sample(known, weights, count) if any(weights) else draws.sample(known, count)
        edits = []
        for place in chosen:
            token = tokens[place]
            new = words.draw(draws, token.lower)
            if new:
                edits.append(Edit(token.start, token.end, like(new, token.text)))
        return edits

    return propose


@implements("tfidf_insert")
def _tfidf_insert(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """A word of the corpus before a word of the text, wherever a space or the text's beginning is before that."""
    words = CorpusWords(prepared)

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, text, starts = passage.tokens, passage.text, passage.sentence_starts
        gaps = [place for place in passage.open_words if place not in starts and text[tokens[place].start - 1] == " "]
        edits = []
        for place in draws.sample(gaps, passage.how_many(intensity, len(gaps))):
            token = tokens[place]
            new = words.draw(draws, token.lower)
            if new:
                new = new.upper() if len(token.text) > 1 and text.isupper() else new
                edits.append(Edit(token.start, token.start, new + " "))
        return edits

    return propose
