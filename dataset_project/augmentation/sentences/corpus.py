"""The sentences in memory, as every combination of a process shares them. Read-only."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_project.augmentation.quality.similarity import CharNgramTfidf


class Corpus:
    """A SOURCE_SENTENCES table: ``table``, and its ``ids`` and ``texts`` in order."""

    def __init__(self, table: pa.Table):
        self.table = table
        self.ids: list[str] = table["source_id"].to_pylist()
        self.texts: list[str] = table["text"].to_pylist()
        self._remembered: dict[str, Any] = {}

    @cached_property
    def distinct(self) -> frozenset[str]:
        """Every text there is: no variant may be another sentence."""
        return frozenset(self.texts)

    @cached_property
    def tfidf(self) -> CharNgramTfidf:
        """The similarity whose document frequencies are these texts'."""
        from dataset_project.augmentation.quality.similarity import CharNgramTfidf

        return CharNgramTfidf(self.texts)

    def remembered(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once for this corpus: a score whose vectors of the originals every combination
        uses."""
        if name not in self._remembered:
            self._remembered[name] = make()
        return self._remembered[name]
