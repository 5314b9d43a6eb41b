"""Statistics of the words of the source sentences themselves."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from dataset_project.augmentation.methods.nlpaug_models import word_statistics
from dataset_project.augmentation.preparation.common_words import resource_table, unwanted
from dataset_project.augmentation.text.tokens import Passage


def tfidf_words(texts: Iterable[str]) -> pa.Table:
    """Resource `tfidf_words`: each open word of ``texts``, lower case; scores are its IDF and its chance to be drawn.

    The chance is nlpaug's, after Xie et al. (2020): the highest TF-IDF that any word has in all texts together, less
    the word's own; what makes up most of the texts is drawn least. The order of ``texts`` does not matter.
    """
    documents = sorted(filter(None, map(_open_words, texts)))
    if not documents:
        return resource_table([])
    statistics = word_statistics(documents)
    return resource_table((word, "", (), figures) for word, figures in statistics.items() if word not in unwanted())


def _open_words(text: str) -> list[str]:
    passage = Passage(text)
    return [passage.tokens[place].lower for place in passage.open_words if len(passage.tokens[place].text) > 1]
