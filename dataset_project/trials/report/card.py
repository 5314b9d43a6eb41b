"""The dataset card: what a reader must know before using the categories, with this run's own figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

import pyarrow as pa

from dataset_project.trials.configuration import REGISTRY_SOURCE, TrialSettings
from dataset_project.trials.schemes.scheme import Scheme

_SAMPLE_WARNING = "Fictional studies, written for this project; not for clinical use."
_OWN_WARNING = "Not for clinical use: categories were not reviewed by a person."
_SAMPLE_LICENCE = "The shipped studies and their categories: MIT, like the project."
_OWN_LICENCE = "Categories and facts: yours. Records: as their source allows (ClinicalTrials.gov has terms of use)."
_DECIDERS = {"rules": "offline rules", "model": "the model", "strong_model": "the strong model"}


@dataclass(frozen=True)
class Results:
    """What the card tells: the published rows (CATEGORIZED_TRIALS) and the report's tables by name."""

    rows: pa.Table
    tables: Mapping[str, pa.Table]

    def listed(self, name: str) -> list[dict[str, Any]]:
        return self.tables[name].to_pylist()


def card(settings: TrialSettings, scheme: Scheme, results: Results) -> str:
    """The card as Markdown."""
    statuses = Counter(results.rows["status"].to_pylist())
    agreements = results.listed("agreement")
    figures = {
        "title": scheme.title,
        "warning": _SAMPLE_WARNING if settings.source is None else _OWN_WARNING,
        "question": scheme.question,
        "scheme": scheme.id,
        "version": scheme.version,
        "categories": len(scheme.categories),
        "trials": f"{results.rows.num_rows:,}",
        "ok": f"{statuses['ok']:,}",
        "failed": f"{statuses['failed']:,}",
        "categoriser": _categoriser(settings),
        "deciders": _deciders(results.rows),
        "source": _source(settings),
        "facts": ", ".join(f"`{fact.name}`" for fact in scheme.facts),
        "reading": _reading(settings),
        "agreement": _agreement(agreements),
        "recall": _recall(results.listed("categories")),
        "cost": _cost(results.listed("usage"), statuses["ok"]),
        "gold_limits": _gold_limits(settings, agreements),
        "confidence": _confidence(settings),
        "licence": _SAMPLE_LICENCE if settings.source is None else _OWN_LICENCE,
    }
    text = files("dataset_project.trials").joinpath("resources", "card.md").read_text(encoding="utf-8")
    return Template(text).substitute(figures)


def _categoriser(settings: TrialSettings) -> str:
    if settings.categoriser == "rules":
        return "offline rules"
    if settings.categoriser == "llm":
        return f"`{settings.model}`"
    votes = "" if settings.votes == 1 else f", {settings.votes} votes"
    return f"a cascade: offline rules, then `{settings.model}`, then `{settings.strong_model}`{votes}"


def _deciders(rows: pa.Table) -> str:
    counts = Counter(rows["categoriser"].to_pylist())
    return ", ".join(f"{_DECIDERS[name]} {counts[name]:,}" for name in _DECIDERS if counts[name]) or "nothing yet"


def _source(settings: TrialSettings) -> str:
    if settings.source is None:
        return "the sample shipped with the project, in the schema of ClinicalTrials.gov v2"
    if settings.source == REGISTRY_SOURCE:
        return f"ClinicalTrials.gov, query `{settings.query}`"
    return "a file of your own"


def _reading(settings: TrialSettings) -> str:
    if settings.categoriser == "rules":
        return "Here they are read by rules over conditions, MeSH headings, titles and criteria, offline."
    return (
        "Eligibility criteria are never cut off: long ones are sent in parts (`parts`) and their facts merged by the "
        "scheme's own rule for each fact."
    )


def _agreement(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "No known categories were given, so no figure of agreement is claimed."
    head = [
        "| against | trials | agreement (Wilson 95 %) | Cohen's κ (95 %) | Brier score |",
        "|---|---:|---|---|---:|",
    ]
    lines = []
    for row in rows:
        share = f"{row['agreement']:.1%} ({row['agreement_low']:.1%} to {row['agreement_high']:.1%})"
        kappa = (
            "" if row["kappa"] is None else f"{row['kappa']:.2f} ({row['kappa_low']:.2f} to {row['kappa_high']:.2f})"
        )
        brier = "" if row["brier"] is None else f"{row['brier']:.3f}"
        lines.append(f"| {row['scope']}, {row['split']} | {row['trials']:,} | {share} | {kappa} | {brier} |")
    return "\n".join([*head, *lines])


def _recall(rows: Sequence[Mapping[str, Any]]) -> str:
    measured = [row for row in rows if row["recall"] is not None]
    if not measured:
        return ""
    head = ["| category | trials | recall (Wilson 95 %) | precision (Wilson 95 %) |", "|---|---:|---|---|"]
    return "\n".join([*head, *(_recall_line(row) for row in rows)])


def _recall_line(row: Mapping[str, Any]) -> str:
    def told(name: str, of: str) -> str:
        value = row[name]
        return "" if value is None else f"{value:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}){of}"

    of_alone = f" of {row['alone']}"
    return f"| {row['title']} | {row['trials']:,} | {told('recall', of_alone)} | {told('precision', '')} |"


def _cost(rows: Sequence[Mapping[str, Any]], trials: int) -> str:
    if not rows:
        return "No model was asked: it cost nothing."
    head = [
        "| model | calls | failed | input tokens (cached) | output tokens | cost | median, 95 % latency |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines = [
        f"| `{row['model']}` | {row['calls']:,} | {row['failed_calls']:,} | {row['input_tokens']:,} "
        f"({row['cached_tokens']:,}) | {row['output_tokens']:,} | ${row['cost_usd']:,.4f} | "
        f"{row['latency_p50_ms'] / 1000:.1f} s, {row['latency_p95_ms'] / 1000:.1f} s |"
        for row in rows
    ]
    total = sum(row["cost_usd"] for row in rows)
    each = f"\n\n${total:,.4f} in all, ${total / trials:,.6f} per categorised trial." if trials else ""
    return "\n".join([*head, *lines]) + each


def _gold_limits(settings: TrialSettings, agreements: Sequence[Mapping[str, Any]]) -> str:
    if not any(row["scope"] == "gold" for row in agreements):
        return "Nothing is known of how often these categories are right."
    if settings.source is None and settings.gold is None:
        return (
            "Gold of the sample was written by those who wrote its studies, who knew the scheme: agreement on it says "
            "that the software works, not how it does on your trials."
        )
    return "Agreement is that with the gold given, and no better than the gold."


def _confidence(settings: TrialSettings) -> str:
    if settings.categoriser == "rules":
        return "the rules' own, roughly calibrated on other trials; see the reliability curve."
    return (
        "the model's own word, or with several votes the share that agrees: see the reliability curve before using it "
        "as a probability."
    )
