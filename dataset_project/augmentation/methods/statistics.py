"""Corpus statistics: words that say little become, or are joined by, other words of the corpus (UDA, Xie et al. 2020).

Chances are nlpaug's. A new word is drawn among those that are commonest in the same form (Penn tag), so that the
sentence holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.methods.wording import Site, with_article, words_for
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import guard_of
from dataset_project.augmentation.text.morphology import certain_part_of_speech, lemma
from dataset_project.augmentation.text.tagging import coarse, lexicon
from dataset_project.augmentation.text.tokens import Passage

_TRIES = 8
_MANNER = "manner"
"""The pool of adverbs that fit before a verb."""
_NOUNS, _VERBS = frozenset(("NN", "NNS")), frozenset(("VB", "VBD", "VBP", "VBZ"))
_SUBJECTS = frozenset(("PRP", "NN", "NNS", "NNP"))


class CorpusWords:
    """The resource `tfidf_words` ready for drawing: ``idf`` by word, and words with their chances by Penn tag."""

    def __init__(self, prepared: Prepared):
        table, tags, never = prepared["tfidf_words"], lexicon(), words_for("never") | words_for("unwanted")
        self.idf: dict[str, float] = {}
        pools: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for (word, _), (idf, chance) in zip(table.terms(), table.table["scores"].to_pylist(), strict=True):
            tag = tags.get(word, "")
            part = certain_part_of_speech(word, tag)
            if part and not guard_of("word", word) and not {word, lemma(word, part)} & never:
                self.idf[word] = idf
                pools[tag].append((word, chance))
                if tag == "RB" and word.endswith("ly"):
                    pools[_MANNER].append((word, chance))
        self._pools = {
            tag: ([word for word, _ in pool], list(accumulate(chance for _, chance in pool)))
            for tag, pool in pools.items()
        }

    def draw(self, draws: Draws, pool: str, besides: str) -> str:
        """A word of ``pool`` other than ``besides``; empty where there is none."""
        words, chances = self._pools.get(pool, ((), ()))
        for _ in range(_TRIES if chances and chances[-1] > 0 else 0):
            word = draws.from_cumulative(words, chances)
            if word != besides:
                return word
        return ""


@implements("tfidf_substitute")
def _tfidf_substitute(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """As nlpaug's `TfIdfAug`: the lower a word's TF-IDF in its text, the likelier it goes; the most telling stays."""
    words = CorpusWords(prepared)
    idf = words.idf

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, tags = passage.tokens, passage.tags
        known = [
            place
            for place in passage.open_words
            if tokens[place].lower in idf and certain_part_of_speech(tokens[place].lower, tags[place])
        ]
        # The length of the text divides every TF-IDF alike, so it drops out of the weights.
        scores = [idf[tokens[place].lower] for place in known]
        most = max(scores, default=0.0)
        weights = [most - score for score in scores]
        count = passage.how_many(intensity, len(known))
        chosen = draws.weighted_sample(known, weights, count) if any(weights) else draws.sample(known, count)
        edits: list[Edit] = []
        drawn: set[str] = set()
        for place in chosen:
            token = tokens[place]
            new = words.draw(draws, tags[place], token.lower)
            if new and new not in drawn:  # no word twice, which might stand side by side
                drawn.add(new)
                edits += with_article(passage, Site(place, token.start, token.end, ()), like(new, token.text))
        return edits

    return propose


@implements("tfidf_insert")
def _tfidf_insert(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """An adjective of the corpus before a noun, an adverb of manner before a verb."""
    words = CorpusWords(prepared)

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens = passage.tokens
        gaps = [(place, pool) for place in passage.words if (pool := _what_fits(passage, place))]
        edits: list[Edit] = []
        for place, pool in draws.sample(gaps, passage.how_many(intensity, len(gaps))):
            start = tokens[place].start
            new = words.draw(draws, pool, tokens[place].lower)
            if new:
                new = new.upper() if passage.text.isupper() else new
                edits += with_article(passage, Site(place, start, start, ()), new + " ")
        return edits

    return propose


def _what_fits(passage: Passage, place: int) -> str:
    """The pool whose words may stand before this one; empty where none may."""
    tokens, tags = passage.tokens, passage.tags
    token, tag = tokens[place], tags[place]
    before, before_tag = (tokens[place - 1], tags[place - 1]) if place else (token, "")
    # The cheapest question that most words fail comes first.
    if tag in _NOUNS and before_tag in ("DT", "PRP$") and before.guard in (None, "person"):
        pool = "JJ"
    elif tag in _VERBS and before_tag in _SUBJECTS and before.kind == "word" and before.guard != "negation":
        pool = _MANNER
    else:
        return ""
    if place in passage.sentence_starts or not token.text.isalpha() or not token.text.islower():
        return ""
    if passage.text[before.end : token.start] != " " or not certain_part_of_speech(token.lower, tag):
        return ""
    # "I carefully died", "my stable mood", "didn't merely miss it": how bad it is, and what is denied, must stay.
    denied = token.guard == "symptom" or lemma(token.lower, coarse(tag)) in words_for("never")
    return "" if denied else pool
