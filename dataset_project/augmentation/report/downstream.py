"""The downstream comparison: does training on a combination's variants beat training on plain copies?

The task is to predict a sentence's criterion from its text. Where labels are 0 and 1, only sentences labelled 1 take
part: one labelled 0 touches its criterion without showing it, and teaches another task. With other labels all do.

What makes the comparison fair: the same draws of training sentences for every combination; variants of drawn sentences
only; originals of val and test to score on; and a classifier whose result hardly depends on how often each row occurs
(see `_REGULARISATION`), so that a gain comes from what variants say, not from how many there are. It reads words of two
characters and more, in lower case: a method of punctuation alone, such as AEDA, equals copies exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.augmentation.combos import CONTROL_KEY as CONTROL
from dataset_project.augmentation.schemas import DOWNSTREAM_COMPARISON, DOWNSTREAM_SCORES
from dataset_project.storage.seeding import stream

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

STREAM = "downstream"
SOURCE_COLUMNS = ("source_id", "post_id", "text", "criterion", "label", "split")
VARIANT_COLUMNS = ("source_id", "variant", "text", "split")
_PRESENT, _LABELS = "1", {"0", "1"}
_DECIMALS = 6
# Seen on the shipped sample: unweighted, two copies of every row raise macro F1 by 0.07 at C = 1 and 0.03 at C = 10, by
# weaker regularisation alone. Balanced classes at C = 10 score best of all and move by 0.002.
_REGULARISATION = 10.0
# At scikit-learn's default tolerance scores are off by up to 0.016, more than most methods gain. Newton's method gets
# to the optimum in about ten iterations.
_ITERATIONS, _TOLERANCE = 200, 1e-6
_CONFIDENCE = 0.95


def task_rows(sources: pa.Table) -> pa.Table:
    """The sentences of the task, sorted by id: those labelled 1 where labels are 0 and 1, otherwise all."""
    rows = sources.select(list(SOURCE_COLUMNS)).sort_by("source_id")
    labels = set(pc.unique(rows["label"]).to_pylist())
    return rows.filter(pc.equal(rows["label"], _PRESENT)) if _PRESENT in labels <= _LABELS else rows


@dataclass(frozen=True)
class _Draw:
    size: int
    repeat: int
    places: np.ndarray
    """Positions of the drawn sentences among the training sentences, ascending."""


class Downstream:
    """The comparison on one set of sources, ready to score combinations one after another.

    Sources are tokenised, and the scores without variants computed, once. ``sources`` has SOURCE_COLUMNS, its rows in
    any order. A size that the training split does not reach is left out, as is every size when there are fewer than two
    criteria to tell apart or nothing to score on: tables of scores are then empty.
    """

    def __init__(self, sources: pa.Table, *, master_seed: int, train_sizes: Sequence[int], repeats: int):
        from sklearn.feature_extraction.text import CountVectorizer

        rows = task_rows(sources)
        ids, groups, texts, split = (_texts(rows[name]) for name in ("source_id", "post_id", "text", "split"))
        names, criteria = np.unique(_texts(rows["criterion"]).astype(str), return_inverse=True)
        training = split == "train"
        self._place = {source_id: place for place, source_id in enumerate(ids[training])}
        self._criteria, self._truth = criteria[training], criteria[~training]
        possible = len(self._truth) > 0 and len(names) > 1
        self._draws = _draws(groups[training], master_seed, train_sizes, repeats) if possible else []
        self._terms_of = CountVectorizer(ngram_range=(1, 2), lowercase=True).build_analyzer()
        self._vocabulary: dict[str, int] = {}
        self._training = self._counts(texts[training], self._vocabulary)
        self._held_out = self._counts(texts[~training], self._vocabulary)

    def score(self, combo_id: str, variants: pa.Table) -> pa.Table:
        """DOWNSTREAM_SCORES of a combination, one row per size and repeat.

        ``variants`` has VARIANT_COLUMNS, its rows in any order; only those of the training split are used.
        """
        place, texts = self._variants(variants)
        rows = []
        for draw, own, baseline in zip(self._draws, self._trials(place, texts), self._baselines, strict=True):
            train_rows = len(draw.places) + int(np.isin(place, draw.places).sum())
            rows.append((combo_id, draw.size, draw.repeat, train_rows, *own, *baseline))
        named = [dict(zip(DOWNSTREAM_SCORES.names, row, strict=True)) for row in rows]
        return pa.Table.from_pylist(named, schema=DOWNSTREAM_SCORES)

    @cached_property
    def _baselines(self) -> list[tuple[float, float]]:
        return self._trials(np.empty(0, np.int64), [])

    def _trials(self, place: np.ndarray, texts: Sequence[str]) -> list[tuple[float, float]]:
        """Accuracy and macro F1 of each draw with those of ``texts`` whose sentence (``place``) it took."""
        from scipy.sparse import vstack
        from threadpoolctl import threadpool_limits

        vocabulary = dict(self._vocabulary)
        added = self._counts(texts, vocabulary)
        training, held_out = (_widened(counts, len(vocabulary)) for counts in (self._training, self._held_out))
        found = []
        # In what order BLAS adds up must not depend on the number of cores.
        with threadpool_limits(limits=1):
            for draw in self._draws:
                theirs = np.flatnonzero(np.isin(place, draw.places))
                counts = vstack([training[draw.places], added[theirs]], format="csr")
                criteria = self._criteria[np.concatenate([draw.places, place[theirs]])]
                accuracy, macro_f1 = _trial(counts, criteria, held_out, self._truth)
                found.append((round(accuracy, _DECIMALS), round(macro_f1, _DECIMALS)))
        return found

    def _variants(self, variants: pa.Table) -> tuple[np.ndarray, list[str]]:
        """Training variants of sentences that any draw takes: the sentence's place, and the text."""
        table = variants.select(list(VARIANT_COLUMNS)).filter(pc.equal(variants["split"], "train"))
        table = table.sort_by([("source_id", "ascending"), ("variant", "ascending")])
        place = np.array([self._place.get(source_id, -1) for source_id in table["source_id"].to_pylist()], np.int64)
        drawn = np.concatenate([np.empty(0, np.int64), *(draw.places for draw in self._draws)])
        wanted = np.flatnonzero(np.isin(place, drawn))
        return place[wanted], table["text"].take(pa.array(wanted)).to_pylist()

    def _counts(self, texts: Sequence[str], vocabulary: dict[str, int]) -> csr_matrix:
        """How often each word and word pair occurs in each text. New ones are added to ``vocabulary``."""
        from scipy.sparse import csr_matrix

        terms, ends = [], [0]
        for text in texts:
            terms.extend(vocabulary.setdefault(term, len(vocabulary)) for term in self._terms_of(text))
            ends.append(len(terms))
        parts = (np.ones(len(terms)), np.array(terms, np.int32), np.array(ends, np.int32))
        counts = csr_matrix(parts, (len(texts), len(vocabulary)))
        counts.sum_duplicates()
        return counts


def score_combo(
    sources: pa.Table,
    variants: pa.Table,
    *,
    combo_id: str,
    master_seed: int,
    train_sizes: Sequence[int],
    repeats: int,
) -> pa.Table:
    """DOWNSTREAM_SCORES of one combination. For several on the same sources keep a `Downstream`."""
    task = Downstream(sources, master_seed=master_seed, train_sizes=train_sizes, repeats=repeats)
    return task.score(combo_id, variants)


def compare(scores: Mapping[str, pa.Table], control: str = CONTROL) -> pa.Table:
    """DOWNSTREAM_COMPARISON: each combination's paired differences to the copy control, in the order given.

    ``scores``: combination → its DOWNSTREAM_SCORES. The interval is the paired t interval over repeats. It says how far
    the draw of training sentences moves the mean, not how another held-out set would. ValueError when the control's
    scores are absent, when a combination was not scored on the control's draws, and when there is only one repeat.
    """
    if control not in scores:
        raise ValueError(f"the downstream comparison needs the copy control {control!r}: no gain is claimed without it")
    copies = _by_draw(scores[control])
    sizes = sorted({size for size, _ in copies})
    rows = []
    for combo_id, table in scores.items():
        own = _by_draw(table)
        if _draws_of(own) != _draws_of(copies):
            raise ValueError(f"{combo_id} was not scored on the same draws as the copy control: score both again")
        rows += [_compared(combo_id, size, own, copies) for size in sizes]
    return pa.Table.from_pylist(rows, schema=DOWNSTREAM_COMPARISON)


def baselines(scores: pa.Table) -> dict[int, float]:
    """Train size → mean macro F1 without any variants, from the DOWNSTREAM_SCORES of any combination."""
    rows = _by_draw(scores)
    sizes = sorted({size for size, _ in rows})
    return {
        size: float(np.mean([row["baseline_macro_f1"] for (of, _), row in rows.items() if of == size]))
        for size in sizes
    }


def _by_draw(scores: pa.Table) -> dict[tuple[int, int], dict[str, float]]:
    rows = {(row["train_size"], row["repeat"]): row for row in scores.to_pylist()}
    return dict(sorted(rows.items()))


def _draws_of(rows: Mapping[tuple[int, int], Mapping[str, float]]) -> list[tuple]:
    # Scores without variants are a fingerprint of the draws: equal names alone would not tell another seed's.
    return [(draw, row["baseline_accuracy"], row["baseline_macro_f1"]) for draw, row in rows.items()]


def _compared(combo_id: str, size: int, own: Mapping, copies: Mapping) -> dict[str, object]:
    from scipy.stats import t

    draws = [draw for draw in copies if draw[0] == size]
    if len(draws) < 2:
        raise ValueError(f"{len(draws)} repeat of {size} training sentences: an interval needs at least 2")
    mean = {
        name: (
            float(np.mean([own[draw][name] for draw in draws])),
            float(np.mean([copies[draw][name] for draw in draws])),
        )
        for name in ("accuracy", "macro_f1")
    }
    gains = np.array([own[draw]["macro_f1"] - copies[draw]["macro_f1"] for draw in draws])
    reach = t.ppf((1 + _CONFIDENCE) / 2, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    figures = {
        "accuracy": mean["accuracy"][0],
        "macro_f1": mean["macro_f1"][0],
        "copy_accuracy": mean["accuracy"][1],
        "copy_macro_f1": mean["macro_f1"][1],
        "gain_macro_f1": gains.mean(),
        "gain_low": gains.mean() - reach,
        "gain_high": gains.mean() + reach,
    }
    rounded = {name: round(float(value), _DECIMALS) for name, value in figures.items()}
    return {"combo_id": combo_id, "train_size": size, "repeats": len(draws), **rounded}


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.to_pylist(), dtype=object)


def _draws(groups: np.ndarray, master_seed: int, sizes: Sequence[int], repeats: int) -> list[_Draw]:
    """Whole groups in an order of their own per repeat, until a size is reached. Smaller sizes begin larger ones."""
    names, group = np.unique(groups.astype(str), return_inverse=True)
    found = []
    for repeat in range(repeats):
        order = stream(master_seed, STREAM, repeat).permutation(len(names))
        reached = np.cumsum(np.bincount(group, minlength=len(names))[order])
        for size in sizes:
            if len(groups) >= size:
                taken = order[: int(np.searchsorted(reached, size)) + 1]
                found.append(_Draw(size, repeat, np.flatnonzero(np.isin(group, taken))))
    return sorted(found, key=lambda draw: (draw.size, draw.repeat))


def _widened(counts: csr_matrix, width: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    return csr_matrix((counts.data, counts.indices, counts.indptr), (counts.shape[0], width))


def _trial(known: csr_matrix, criteria: np.ndarray, held_out: csr_matrix, truth: np.ndarray) -> tuple[float, float]:
    """Accuracy and macro F1 on held-out sentences, of word and word-pair TF-IDF with logistic regression.

    ``known`` and ``held_out`` are counts over the same columns. Terms, document frequencies and weights come from
    ``known`` alone. Macro F1 averages over the criteria of ``truth``.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    seen = np.unique(known.indices)
    weigh = TfidfTransformer(sublinear_tf=True)
    features, asked = weigh.fit_transform(known[:, seen]), weigh.transform(held_out[:, seen])
    if len(np.unique(criteria)) > 1:
        model = LogisticRegression(
            C=_REGULARISATION, max_iter=_ITERATIONS, class_weight="balanced", solver="newton-cg", tol=_TOLERANCE
        )
        answers = model.fit(features, criteria).predict(asked)
    else:
        answers = np.full(len(truth), criteria[0])
    macro_f1 = f1_score(truth, answers, labels=np.unique(truth), average="macro", zero_division=0)
    return float(np.mean(answers == truth)), float(macro_f1)
