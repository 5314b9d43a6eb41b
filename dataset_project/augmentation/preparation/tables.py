"""Lexical tables as methods use them: a term, optionally with a part of speech, to its candidates and their scores.

All resources have one shape, RESOURCE_COLUMNS: ``term``, ``tag`` ('' where it does not matter), ``candidates`` (text),
``scores`` (float32). What they mean is the resource's own business: see the module that prepares it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

RESOURCE_COLUMNS = ("term", "tag", "candidates", "scores")


class TermTable:
    """One resource: look-ups by (term, tag). Rows are decoded when first asked for, so a big table costs little
    memory."""

    def __init__(self, table: pa.Table):
        self._rows = {
            key: row for row, key in enumerate(zip(table["term"].to_pylist(), table["tag"].to_pylist(), strict=True))
        }
        self._table = table.select(["candidates", "scores"]).combine_chunks()
        self._candidates: dict[tuple[str, str], tuple[str, ...]] = {}

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def terms(self) -> list[tuple[str, str]]:
        """Every (term, tag), in the table's order."""
        return list(self._rows)

    def candidates(self, term: str, tag: str = "") -> tuple[str, ...]:
        """Candidates of a term, best first; empty when it has none."""
        key = (term, tag)
        found = self._candidates.get(key)
        if found is None:
            row = self._rows.get(key)
            found = () if row is None else tuple(self._table["candidates"][row].as_py() or ())
            self._candidates[key] = found
        return found

    def scores(self, term: str, tag: str = "") -> tuple[float, ...]:
        """Scores of a term, in the order of its candidates where it has both; empty when it is not in the table."""
        row = self._rows.get((term, tag))
        return () if row is None else tuple(self._table["scores"][row].as_py() or ())

    @property
    def table(self) -> pa.Table:
        """``candidates`` and ``scores`` of all rows, in the order of `terms`: for whole-table work."""
        return self._table


class Prepared:
    """The resources a combination may use, opened when first asked for."""

    def __init__(self, openers: Mapping[str, Callable[[], TermTable]]):
        self._openers, self._opened = dict(openers), {}

    def __getitem__(self, name: str) -> TermTable:
        """The resource ``name``. Raises KeyError for one that the combination's methods did not declare."""
        if name not in self._opened:
            self._opened[name] = self._openers[name]()
        return self._opened[name]
