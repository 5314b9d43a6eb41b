"""Stored scores recomputed by other implementations, and the band they must lie in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from dataset_project.augmentation.preparation.tables import TermTable
from dataset_project.augmentation.schemas import SOURCE_SENTENCES
from dataset_project.augmentation.validation import similarity_again
from dataset_project.augmentation.validation.variant_rules import SENTENCES, VARIANTS
from dataset_project.storage.published import Files, open_tables, paths_of, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding

# Variants per combination whose scores are recomputed: those with the smallest text hash, so always the same ones.
SAMPLED = 300
TOLERANCE = 2e-5
RECOMPUTED = ("char", "tfidf", "embedding")


@validator
def scores_hold(files: Files, metric: str, low: float, high: float, banded: bool, scores: frozenset[str]) -> Finding:
    """All variants lie in the band; every score is there, or null where it was not asked for; a sample recomputed
    agrees."""
    columns = [f"sim_{name}" for name in ("char", "tfidf", "embedding", "minilm")]
    with open_tables(files, VARIANTS) as connection:
        outside = connection.execute(
            f"SELECT count(*) FILTER (NOT sim_{metric} BETWEEN {low} - 1e-6 AND {high} + 1e-6) FROM {VARIANTS}"
        ).fetchall()[0][0]
        nulls = connection.execute(
            f"SELECT count(*), {', '.join(f'count({name})' for name in columns)} FROM {VARIANTS}"
        ).fetchall()[0]
        sample = connection.sql(
            f"SELECT original_text, text, {', '.join(columns)} FROM {VARIANTS} ORDER BY text_sha256 LIMIT {SAMPLED}"
        ).to_arrow_table()
    wanted = {name: nulls[0] if name.removeprefix("sim_") in scores else 0 for name in columns}
    absent = sum(count != wanted[name] for name, count in zip(columns, nulls[1:], strict=True))
    figures: dict[str, float] = {"sampled": sample.num_rows}
    wrong = 0
    for name in sorted(scores & set(RECOMPUTED)):
        difference = _difference(files, name, sample)
        figures[f"largest_difference_{name}"] = round(difference, 7)
        wrong += difference > TOLERANCE
    problems = {"variants outside the band": outside if banded else 0, "scores missing or uncalled for": absent}
    return verdict(problems | {"scores that differ when recomputed": wrong}, f"band {low}–{high} holds", figures)


def _difference(files: Files, metric: str, sample) -> float:
    """Largest difference between stored and recomputed scores of the sample; 0 for an empty one."""
    if not sample.num_rows:
        return 0.0
    sources = pq.read_table(paths_of(files, SENTENCES)[0], columns=["text"])["text"].to_pylist()
    table = TermTable(pq.read_table(paths_of(files, "glove_vectors")[0])) if metric == "embedding" else None
    again = similarity_again.recompute(
        metric, sources, sample["original_text"].to_pylist(), sample["text"].to_pylist(), table
    )
    return float(np.abs(sample[f"sim_{metric}"].to_numpy() - again).max())


@validator
def sentences_are_sound(files: Files) -> Finding:
    """Schema; unique ids; nothing blank; no group and no text (but for case and spacing) in two splits; hashes
    right."""
    if wrong := schema_differences(files, SENTENCES, SOURCE_SENTENCES):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    folded = "lower(trim(regexp_replace(text, '\\s+', ' ', 'g')))"
    with open_tables(files, SENTENCES) as connection:
        rows, ids, blank, hashes = connection.execute(
            f"SELECT count(*), count(*) - count(DISTINCT source_id), count(*) FILTER (trim(text) = ''), "
            f"count(*) FILTER (sha256(text) <> text_sha256) FROM {SENTENCES}"
        ).fetchone()
        groups, texts = (
            connection.execute(
                f"SELECT count(*) FROM (SELECT {each} FROM {SENTENCES} GROUP BY ALL HAVING count(DISTINCT split) > 1)"
            ).fetchone()[0]
            for each in ("post_id", f"{folded} AS folded")
        )
        shares = dict(
            connection.execute(f"SELECT split, count(*) FROM {SENTENCES} GROUP BY ALL ORDER BY ALL").fetchall()
        )
    problems = {"ids repeated": ids, "blank texts": blank, "wrong text hashes": hashes}
    problems |= {"groups in two splits": groups, "texts in two splits": texts}
    return verdict(problems, f"{rows:,} sentences", {"rows": rows, **{f"rows_{name}": n for name, n in shares.items()}})


def rows_of(path: Path) -> int:
    """Rows of a Parquet file."""
    return pq.read_metadata(path).num_rows


def floors_met(shares: Mapping[str, float], floors: Mapping[str, float]) -> Finding:
    """Every combination fills at least its floor of the variants asked for."""
    below = {key: share for key, share in shares.items() if share < floors[key]}
    worst = min(shares, key=lambda key: shares[key] - floors[key], default=None)
    named = ", ".join(f"{key} {share:.1%} < {floors[key]:.0%}" for key, share in sorted(below.items())[:5])
    figures = {"lowest_margin": round(shares[worst] - floors[worst], 4)} if worst else {}
    return Finding(not below, named or f"{len(shares)} combinations reach their floors", figures)
