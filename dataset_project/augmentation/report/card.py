"""The dataset card: what a reader must know before training on the variants, with this dataset's own figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

import pyarrow as pa

from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.augmentation.report.downstream import CONTROL, task_rows
from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.augmentation.schemas import SPLITS
from dataset_project.augmentation.text.lexicons import resource_text
from dataset_project.drawing import shortened

_LISTED = 5
_DATASET = "augmented_sentences"
_CHANCE = 0.025
# The shipped sample and a table of the user's own differ in what may be said of them.
_SAMPLE = {
    "warning": "Fictional sentences, not for clinical use.",
    "origin": "They were written for this project in the schema of ReDSM5: forum sentences of fictional people, each "
    "annotated with the DSM-5 depression criterion it is about and whether that is present (1) or not (0). No sentence "
    "is taken from ReDSM5, from a forum or from a person.",
    "use": "The people are fictional and the annotations their writers' own: good for trying methods and code, no "
    "ground for a claim about patients, screening or diagnosis.",
    "licence": "The shipped sentences and their variants: MIT, like the project.",
}
_OWN = {
    "warning": "Made from a table of your own: variants may be used as its sentences may be, and no further.",
    "origin": "They are the rows of the table that the settings name (`source`). Variants are close to their "
    "sentences: what is confidential in a sentence is so in its variants.",
    "use": "Nothing here was validated clinically: no ground for screening or diagnosis.",
    "licence": "Sentences and variants: as the table they come from.",
}


def card(
    settings: AugmentationSettings,
    sources: pa.Table,
    outcomes: Sequence[ComboOutcome],
    comparison: pa.Table | None = None,
    baselines: Mapping[int, float] | None = None,
) -> str:
    """The card as Markdown.

    ``sources``: SOURCE_SENTENCES. ``comparison``: DOWNSTREAM_COMPARISON, or None where none was made. ``baselines``:
    train size → macro F1 without variants (`downstream.baselines`).
    """
    splits = sources["split"].to_pylist()
    ok = [outcome for outcome in outcomes if outcome.status == "ok"]
    best = max((one for one in ok if not one.is_control), key=_yield_order, default=None)
    changing = sum(not outcome.label_preserving for outcome in outcomes)
    figures = {
        "sentences": f"{sources.num_rows:,}",
        "groups": f"{len(set(sources['post_id'].to_pylist())):,}",
        **{split: f"{splits.count(split):,}" for split in SPLITS},
        "criteria": len(set(sources["criterion"].to_pylist())),
        "labels": ", ".join(sorted(set(sources["label"].to_pylist()))),
        "combos": f"{len(outcomes):,}",
        "most_methods": _counted(max((len(outcome.methods) for outcome in outcomes), default=0), "method"),
        "ok": f"{len(ok):,}",
        "rows": f"{sum(outcome.count('accepted') for outcome in ok):,}",
        "per_sentence": settings.variants_per_sample,
        "metric": settings.quality_metric,
        "low": f"{settings.band[0]:g}",
        "high": f"{settings.band[1]:g}",
        "attempts": settings.attempts,
        "seed": settings.seed,
        "dataset": _DATASET,
        "example": best.dataset_path if best and best.dataset_path else f"{_DATASET}/partition={CONTROL}",
        "yields": _yields([outcome for outcome in outcomes if outcome.facts and not outcome.is_control]),
        "others": _others([outcome for outcome in outcomes if outcome.status != "ok"]),
        "label_changing": "Methods that flip labels on purpose (antonym, negate) are left out."
        if not changing
        else f"Combinations that flip labels on purpose (`label_preserving` false): {changing:,}.",
        "downstream": _downstream(task_rows(sources), comparison, baselines or {}),
    }
    words = _SAMPLE if settings.source is None else _OWN
    return Template(resource_text("card.md")).substitute({**figures, **words})


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _yield_order(outcome: ComboOutcome) -> tuple[float, str]:
    return outcome.filled or 0.0, outcome.combo_id


def _yields(ran: Sequence[ComboOutcome]) -> str:
    """The combinations that yielded most and least; all, when they are few."""
    if not ran:
        return "No combination but the control ran."
    ranked = sorted(ran, key=lambda outcome: (-(outcome.filled or 0.0), outcome.combo_id))
    rows = [_yield_row(outcome) for outcome in ranked]
    if len(rows) > 2 * _LISTED:
        rows = [*rows[:_LISTED], f"| … {len(rows) - 2 * _LISTED:,} more … | | | | |", *rows[-_LISTED:]]
    head = ["| combination | variants | filled | attempts accepted | median similarity |", "|---|---:|---:|---:|---:|"]
    return "\n".join(head + rows)


def _yield_row(outcome: ComboOutcome) -> str:
    median = outcome.figure("similarity_q50")
    cells = (
        f"`{outcome.combo_id}`",
        f"{outcome.count('accepted'):,}",
        f"{outcome.filled or 0.0:.0%}",
        f"{outcome.acceptance_rate or 0.0:.0%}",
        "" if median is None else f"{median:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _others(others: Sequence[ComboOutcome]) -> str:
    if not others:
        return "Every combination has variants."
    named = [
        f"- `{outcome.combo_id}` {outcome.status}" + (f": {shortened(outcome.reason, 160)}" if outcome.reason else "")
        for outcome in others[: 2 * _LISTED]
    ]
    more = [f"- … and {len(others) - len(named):,} more, see `combo_statistics`"] if len(others) > len(named) else []
    return "\n".join(["Without variants:", "", *named, *more])


def _downstream(task: pa.Table, comparison: pa.Table | None, baselines: Mapping[int, float]) -> str:
    rows = [] if comparison is None else [row for row in comparison.to_pylist() if row["combo_id"] != CONTROL]
    if not rows:
        return (
            "No comparison was made, so no gain is claimed: it needs the copy control, enough training sentences for a "
            "size and held-out ones to score on."
        )
    held_out = sum(split != "train" for split in task["split"].to_pylist())
    intro = (
        "The criterion is predicted from the text: TF-IDF of words and word pairs, logistic regression with balanced "
        "classes, trained on drawn sentences and their variants, scored by macro F1 (in points) on "
        f"{held_out:,} held-out originals. Every combination had the same {rows[0]['repeats']} draws of whole groups "
        f"as `{CONTROL}`. Above and below count combinations whose whole 95 % interval (paired t) lies there; about "
        f"{_CHANCE:.1%} would on each side by chance alone, and the highest of many means is partly luck. Intervals "
        "cover the draw of training sentences, and draws overlap, but no other held-out set: they are too narrow "
        "rather than too wide. The classifier sees neither punctuation nor case nor emoji, so that methods of these "
        "cannot gain; and what finds few variants trains on little more than no augmentation."
    )
    head = [
        "| training sentences | no augmentation | copies | above copies | below copies | highest mean gain |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    sizes = sorted({row["train_size"] for row in rows})
    of_size = {size: [row for row in rows if row["train_size"] == size] for size in sizes}
    return "\n".join([intro, "", *head, *(_size_row(size, of_size[size], baselines.get(size)) for size in sizes)])


def _size_row(size: int, rows: Sequence[Mapping[str, float]], baseline: float | None) -> str:
    best = max(rows, key=lambda row: (row["gain_macro_f1"], row["combo_id"]))
    gain, low, high = (f"{100 * best[name]:+.1f}" for name in ("gain_macro_f1", "gain_low", "gain_high"))
    cells = (
        f"{size:,}",
        "" if baseline is None else f"{100 * baseline:.1f}",
        f"{100 * rows[0]['copy_macro_f1']:.1f}",
        f"{sum(row['gain_low'] > 0 for row in rows)} of {len(rows)}",
        f"{sum(row['gain_high'] < 0 for row in rows)} of {len(rows)}",
        f"{gain} ({low} to {high}), `{best['combo_id']}`",
    )
    return f"| {' | '.join(cells)} |"
