"""Categorised trials as a table."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dataset_project.trials.categorisers.steps import Categorised
from dataset_project.trials.schemas import categorized_trials
from dataset_project.trials.schemes.scheme import Scheme


def categorised_table(rows: Sequence[Categorised], scheme: Scheme) -> pa.Table:
    """CATEGORIZED_TRIALS of ``scheme``, in the order of ``rows``."""
    return pa.Table.from_pylist(
        [
            {
                "nct_id": row.nct_id,
                "scheme": scheme.id,
                "scheme_version": scheme.version,
                "facts": row.facts,
                "category": row.category,
                "category_reason": row.reason,
                "confidence": row.confidence,
                "categoriser": row.categoriser,
                "model": row.model,
                "prompt_hash": row.prompt_hash,
                "input_hash": row.input_hash,
                "parts": row.parts,
                # Criteria beyond the limit are sent in parts, and rules read everything.
                "truncated": False,
                "votes": row.votes,
                "status": row.status,
                "error": row.error,
            }
            for row in rows
        ],
        schema=categorized_trials(scheme.arrow_type()),
    )
