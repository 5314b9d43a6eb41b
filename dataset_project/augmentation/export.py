"""Accepted variants and their originals as one table, ready for training.

What people do next: one combination, several or all, of the splits they train on, as one Parquet or CSV file. Reading
goes one combination at a time, so that any number of them fits in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from dataset_project.augmentation.combos import CONTROL_KEY

EXPORTED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("post_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("context", pa.string()),
        pa.field("criterion", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("combo_id", pa.string(), nullable=False),
        pa.field("is_original", pa.bool_(), nullable=False),
    ]
)
"""Columns of an export. An original's id is its source's and its combo_id is empty."""
FORMATS = (".parquet", ".csv")


def default_combos(keys: Sequence[str]) -> tuple[str, ...]:
    """The combinations that are exported when none is named: all but the copies."""
    return tuple(key for key in keys if key != CONTROL_KEY)


def training_tables(
    sentences: pa.Table, variants: Iterable[pa.Table], splits: Sequence[str], with_originals: bool
) -> Iterator[pa.Table]:
    """Tables of EXPORTED: the originals first, then the variants of each combination.

    Originals come of every split, so that there is something to evaluate on; variants of ``splits`` only, and only
    label-preserving ones. ``variants`` are tables of AUGMENTED_SENTENCES.
    """
    import pyarrow.compute as pc

    if with_originals:
        columns = {
            name: sentences[name] for name in ("source_id", "post_id", "text", "context", "criterion", "label", "split")
        }
        yield _exported(columns | {"id": sentences["source_id"]}, sentences.num_rows, None)
    for table in variants:
        kept = table.filter(
            pc.and_(pc.is_in(table["split"].cast(pa.string()), pa.array(splits)), table["label_preserving"])
        )
        columns = {name: kept[name] for name in EXPORTED.names if name in kept.schema.names}
        yield _exported(columns | {"id": kept["aug_id"]}, kept.num_rows, kept["combo_id"])


def _exported(columns: dict, rows: int, combo: pa.ChunkedArray | None) -> pa.Table:
    columns["combo_id"] = pa.array([""] * rows, pa.string()) if combo is None else combo
    columns["is_original"] = pa.array([combo is None] * rows, pa.bool_())
    return pa.table([columns[field.name].cast(field.type) for field in EXPORTED], schema=EXPORTED)


def write_export(path: Path, tables: Iterable[pa.Table]) -> tuple[int, int]:
    """Write ``tables`` to ``path`` (.parquet or .csv), whole or not at all; (originals, variants) written.

    Raises ValueError for another suffix.
    """
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if path.suffix not in FORMATS:
        raise ValueError(f"{path.name}: an export is one of {', '.join(FORMATS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    originals = variants = 0
    try:
        opened = pq.ParquetWriter(temporary, EXPORTED, compression="zstd") if path.suffix == ".parquet" else None
        with opened or pc.CSVWriter(temporary, EXPORTED) as writer:
            for table in tables:
                writer.write_table(table)
                mine = sum(table["is_original"].to_pylist())
                originals, variants = originals + mine, variants + table.num_rows - mine
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return originals, variants
