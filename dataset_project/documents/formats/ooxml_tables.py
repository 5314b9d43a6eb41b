"""Tables before they are XML: whether they are even, how wide their columns are. For the DOCX and PPTX writers."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_project.documents.model.blocks import Table

LONGEST, PADDING = 36, 4
"""Characters: what a column is measured by at most, and what is added to it."""


def check_table(block: Table) -> None:
    """Raise ValueError for a table without columns, or with a row that is not as wide as the header."""
    if not block.header:
        raise ValueError(f"a table without columns: {block.name!r}")
    for number, row in enumerate(block.rows):
        if len(row) != len(block.header):
            raise ValueError(f"row {number} of table {block.name!r} has {len(row)} cells, not {len(block.header)}")


def column_widths(rows: Sequence[Sequence[str]], total: int) -> list[int]:
    """Widths that sum to ``total``, by the longest text of each column, within bounds: no column starves another."""
    longest = [min(max(map(len, column)), LONGEST) + PADDING for column in zip(*rows, strict=True)]
    widths = [total * each // sum(longest) for each in longest]
    widths[-1] += total - sum(widths)
    return widths
