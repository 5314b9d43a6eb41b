"""The sentences as a table: read, split and hashed, ready to be augmented."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from dataset_project.augmentation.schemas import SOURCE_SENTENCES
from dataset_project.augmentation.sentences.reading import Columns, read_sentences
from dataset_project.augmentation.sentences.splitting import splits_by_group


def sentences_table(path: str | None, columns: Columns, seed: int) -> pa.Table:
    """SOURCE_SENTENCES of the file at ``path`` (None: the shipped sample), sorted by id.

    Raises InvalidSource for a table that cannot be used.
    """
    rows = read_sentences(path, columns)
    splits = None if columns.split else splits_by_group(rows, seed)
    return pa.Table.from_pylist(
        [
            {
                "source_id": row["id"],
                "post_id": row["group"],
                "text": row["text"],
                "context": row["context"],
                "criterion": row["criterion"],
                "label": row["label"],
                "split": row["split"] if splits is None else splits[row["group"]],
                "text_sha256": hashlib.sha256(row["text"].encode("utf-8")).hexdigest(),
            }
            for row in rows
        ],
        schema=SOURCE_SENTENCES,
    )
