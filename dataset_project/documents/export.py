"""What the command line exports: annotations in the usual forms, and folders of files for products that want those.

    from dataset_project.documents.export import Batches, write_annotations, write_purview

`Batches` says how to read published tables and files; see `exports.batches`. How each form is written stands in
`exports`.
"""

from __future__ import annotations

from dataset_project.documents.exports.batches import Batches, local_batches
from dataset_project.documents.exports.folder import (
    FORMS,
    LEAST_RATIO,
    MOST_RATIO,
    POSITIVE_CLASSES,
    Written,
    write_annotations,
    write_purview,
)
from dataset_project.documents.schemas import CLASSES, SPLITS

DATASET = "phi_documents"
"""The dataset whose partitions are exported: tables ``documents`` and ``spans``, files by their paths in the former."""

__all__ = [
    "CLASSES",
    "DATASET",
    "FORMS",
    "LEAST_RATIO",
    "MOST_RATIO",
    "POSITIVE_CLASSES",
    "SPLITS",
    "Batches",
    "Written",
    "local_batches",
    "write_annotations",
    "write_purview",
]
