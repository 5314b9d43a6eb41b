"""What must hold for the look of documents: it does not tell whether they hold PHI.

Two trivial classifiers try, from `appearance` alone, under cross-validation; what chance allows is added to what is
near it. What stands in the documents is for detectors to read, and no concern of this rule.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_project.documents.validation.appearance import CATEGORIES, NUMBERS, appearance
from dataset_project.documents.validation.published_rows import Row, schema_problem, table_at
from dataset_project.storage.published import Files, paths_of, validator
from dataset_project.storage.seeding import seed_for
from dataset_project.storage.validation import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_CHANCE = 0.05
"""Area under the curve beyond 0.5 that is of no use: 55 of 100 pairs of a positive and a negative ranked right."""
DEVIATIONS = 3.5
"""Standard deviations of an area by chance that are allowed on top: passed by one in 4,300, and some 20 are taken."""
ENOUGH = 50
"""Documents of either class, in all or of a format, below which an area says little: chance alone reaches 0.70."""
MOST = 6_000
"""Documents looked at, those of smallest hash: the interval is then 0.02, and reading more takes minutes."""
_FOLDS = 5
_COLUMNS = ["doc_id", "path", "parent_doc_id", "class", *(each for each in CATEGORIES if each != "layout"), "layout_id"]


@validator
def class_is_not_predictable(files: Files, directories: Sequence[Path]) -> Finding:
    """Positive or negative cannot be told from name, size, format, template, layout and make-up of a file: of all
    documents, and of those of each format that has enough.

    ``files``: documents and spans of all batches; ``directories``: those batches' own, in the same order. Passes,
    saying so, with fewer than ENOUGH documents of either class.
    """
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    seen, unreadable = _look(files, directories)
    if unreadable:
        return Finding(False, f"files that cannot be opened: {unreadable}", {"problems": 1})
    looks, truth = [look for look, _ in seen], np.array([is_phi for _, is_phi in seen], dtype=bool)
    figures: dict[str, Any] = {"positives": int(truth.sum()), "negatives": int((~truth).sum())}
    if _few(truth):
        few = f"{figures['positives']} positives and {figures['negatives']} negatives are too few to tell"
        return Finding(True, f"{few}; {ENOUGH} of each are enough", figures)
    leaks = []
    for group in ("all", *sorted({look["format"] for look in looks})):
        rows = np.array([group in ("all", look["format"]) for look in looks])
        some, of_some = [look for look, row in zip(looks, rows, strict=True) if row], truth[rows]
        if _few(of_some):
            continue
        area = _best_area(some, of_some, (*CATEGORIES, *NUMBERS))
        limit = _limit(of_some)
        figures |= {f"area_{group}": round(area, 4), f"limit_{group}": round(limit, 4)}
        if area > limit:
            told = f"{group} {area:.3f}, limit {limit:.3f}, of {len(some):,} documents"
            leaks.append(f"{told} ({_most_telling(some, of_some)})")
    if leaks:
        return Finding(False, f"the class can be told without reading: {'; '.join(leaks)}", figures)
    said = f"area {figures['area_all']:.3f}, limit {figures['limit_all']:.3f}, of {len(seen):,} documents"
    return Finding(True, f"{said}; {sum(name.startswith('area_') for name in figures) - 1} formats as little", figures)


def _few(truth: NDArray[np.bool_]) -> bool:
    return min(int(truth.sum()), int((~truth).sum())) < ENOUGH


def _limit(truth: NDArray[np.bool_]) -> float:
    """The area that is still near chance. Its deviation under chance is that of the statistic of Mann and Whitney."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    return 0.5 + NEAR_CHANCE + DEVIATIONS * math.sqrt((positives + negatives + 1) / (12 * positives * negatives))


def _most_telling(looks: Sequence[dict[str, Any]], truth: NDArray[np.bool_]) -> str:
    """The features that tell most by themselves."""
    areas = sorted(((_best_area(looks, truth, (name,)), name) for name in (*CATEGORIES, *NUMBERS)), reverse=True)
    return "alone: " + ", ".join(f"{name} {area:.3f}" for area, name in areas[:3])


def _look(files: Files, directories: Sequence[Path]) -> tuple[list[tuple[dict[str, Any], bool]], str]:
    """(look, whether positive) of positives and negatives, by hash of their ids; what could not be read, or empty."""
    chosen: list[tuple[int, Path, Row, int]] = []
    for path, directory in zip(paths_of(files, "documents"), directories, strict=True):
        rows = table_at(path, _COLUMNS).to_pylist()
        parts = Counter(row["parent_doc_id"] for row in rows)
        chosen += [
            (seed_for(0, "document_leak", row["doc_id"]), directory, row, parts[row["doc_id"]])
            for row in rows
            if row["parent_doc_id"] is None and row["class"] in ("phi", "negative")
        ]
    chosen.sort(key=lambda each: (each[0], each[2]["doc_id"]))
    seen = []
    for _, directory, row, parts in chosen[:MOST]:
        try:
            content = (directory / str(row["path"])).read_bytes()
            seen.append((appearance(row, content, parts), row["class"] == "phi"))
        except Exception as error:
            return [], f"{row['doc_id']} {type(error).__name__}: {error}"
    return seen, ""


def _best_area(looks: Sequence[dict[str, Any]], truth: NDArray[np.bool_], names: Sequence[str]) -> float:
    return max(_area(looks, truth, names, each) for each in (_trees, _regression))


def _area(looks: Sequence[dict[str, Any]], truth: NDArray[np.bool_], names: Sequence[str], classifier: Any) -> float:
    """The area under the curve, each document ranked by a classifier that was fitted to the others' folds."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    categories = [name for name in names if name in CATEGORIES]
    columns = []
    for name in names:
        values = [look[name] for look in looks]
        if name in CATEGORIES:
            _, codes = np.unique(values, return_inverse=True)
            columns.append(codes.astype(float))
        else:
            columns.append(np.array(values, dtype=float))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    # One thread: the same area whatever the machine.
    with threadpool_limits(1):
        scores = cross_val_predict(
            classifier(names, categories), np.column_stack(columns), truth, cv=folds, method="predict_proba"
        )
    return float(roc_auc_score(truth, scores[:, 1]))


def _trees(names: Sequence[str], categories: Sequence[str]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        categorical_features=[names.index(name) for name in categories] or None,
        max_iter=60,
        learning_rate=0.08,
        max_leaf_nodes=15,
        random_state=0,
    )


def _regression(names: Sequence[str], categories: Sequence[str]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    of_categories = [names.index(name) for name in categories]
    of_numbers = [number for number in range(len(names)) if number not in of_categories]
    prepared = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), of_categories),
        # Sizes differ by orders of magnitude between formats.
        (make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), of_numbers),
    )
    return make_pipeline(prepared, LogisticRegression(max_iter=500))
