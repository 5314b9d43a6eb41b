"""The dataset card: what a reader must know before using the categories, with this run's own figures."""

from __future__ import annotations

import re
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
_SCOPES = {"gold": "known categories", "rules": "offline rules, where a model decided"}
_RECALL_NOTE = (
    "Recall: of the trials that known categories put there alone, those found. Precision: of the trials put there that "
    "have a known category, those it allows."
)
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
        "question": _cell(scheme.question),
        "scheme": scheme.id,
        "version": scheme.version,
        "categories": len(scheme.categories),
        "trials": f"{results.rows.num_rows:,}",
        "ok": f"{statuses['ok']:,}",
        "failed": f"{statuses['failed']:,}",
        "categoriser": _categoriser(settings),
        "deciders": _deciders(results.rows),
        "failures": _failures(results.rows),
        "pictures": _pictures(results),
        "source": _source(settings),
        "facts": ", ".join(f"`{fact.name}`" for fact in scheme.facts),
        "reading": _reading(settings),
        "agreement": _agreement(agreements),
        "recall": _recall(results.listed("categories")),
        "cost": _cost(results.listed("usage"), statuses["ok"], len(_models(results.rows))),
        "gold_limits": _gold_limits(settings, agreements),
        "confidence": _confidence(settings, results.tables["calibration"].num_rows > 0),
        "licence": _SAMPLE_LICENCE if settings.source is None else _OWN_LICENCE,
    }
    text = files("dataset_project.trials").joinpath("resources", "card.md").read_text(encoding="utf-8")
    # Parts that have nothing to say leave no hole.
    return re.sub(r"\n{3,}", "\n\n", Template(text).substitute(figures))


def _categoriser(settings: TrialSettings) -> str:
    if settings.categoriser == "rules":
        return "offline rules"
    if settings.categoriser == "llm":
        return f"`{settings.model}`"
    votes = "" if settings.votes == 1 else f", {settings.votes} votes"
    return f"a cascade: offline rules, then `{settings.model}`, then `{settings.strong_model}`{votes}"


def _deciders(rows: pa.Table) -> str:
    pairs = zip(rows["categoriser"].to_pylist(), rows["status"].to_pylist(), strict=True)
    counts = Counter(name for name, status in pairs if status == "ok")
    return ", ".join(f"{_DECIDERS[name]} {counts[name]:,}" for name in _DECIDERS if counts[name]) or "nothing yet"


def _source(settings: TrialSettings) -> str:
    if settings.source is None:
        return "the sample shipped with the project, in the schema of ClinicalTrials.gov v2"
    if settings.source == REGISTRY_SOURCE:
        return f"ClinicalTrials.gov, query `{_cell(settings.query)}`"
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
        return "No trial here has a known category, so no figure of agreement is claimed."
    head = [
        "| against | trials | agreement (Wilson 95 %) | Cohen's κ (95 %) | Brier score |",
        "|---|---:|---|---|---:|",
    ]
    lines = []
    for row in rows:
        share = f"{row['agreement']:.1%} ({row['agreement_low']:.1%} to {row['agreement_high']:.1%})"
        kappa = "" if row["kappa"] is None else f"{row['kappa']:.2f}"
        if row["kappa_low"] is not None:
            kappa += f" ({row['kappa_low']:.2f} to {row['kappa_high']:.2f})"
        brier = "" if row["brier"] is None else f"{row['brier']:.3f}"
        against = f"{_SCOPES[row['scope']]}, {row['split'].replace('_', ' ')}"
        lines.append(f"| {against} | {row['trials']:,} | {share} | {kappa} | {brier} |")
    return "\n".join([*head, *lines])


def _recall(rows: Sequence[Mapping[str, Any]]) -> str:
    measured = [row for row in rows if row["recall"] is not None]
    if not measured:
        return ""
    head = ["| category | trials | recall (Wilson 95 %) | precision (Wilson 95 %) |", "|---|---:|---|---|"]
    return "\n".join([*head, *(_recall_line(row) for row in rows), "", _RECALL_NOTE])


def _recall_line(row: Mapping[str, Any]) -> str:
    def told(name: str, of: str) -> str:
        value = row[name]
        return "" if value is None else f"{value:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}){of}"

    of_alone = f" of {row['alone']}"
    named = f"`{row['category']}` {_cell(row['title'])}"
    return f"| {named} | {row['trials']:,} | {told('recall', of_alone)} | {told('precision', '')} |"


def _cost(rows: Sequence[Mapping[str, Any]], trials: int, models: int) -> str:
    if not rows:
        return "What it cost is not on record here." if models else "No model was asked: it cost nothing."
    head = [
        "| model | calls | failed | input tokens (cached) | output tokens | cost | median, 95 % latency |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines = [
        f"| `{row['model']}` | {row['calls']:,} | {row['failed_calls']:,} | {row['input_tokens']:,} "
        f"({row['cached_tokens']:,}) | {row['output_tokens']:,} | ${row['cost_usd']:,.4f} | {_latency(row)} |"
        for row in rows
    ]
    total = sum(row["cost_usd"] for row in rows)
    each = f", ${total / trials:,.6f} per categorised trial" if trials else ""
    told = f"${total:,.4f} in all{each}: every call ever made for this scheme, repeated, failed and earlier ones too."
    return "\n".join([*head, *lines, "", told])


def _latency(row: Mapping[str, Any]) -> str:
    if row["latency_p50_ms"] is None:
        return ""
    return f"{row['latency_p50_ms'] / 1000:.1f} s, {row['latency_p95_ms'] / 1000:.1f} s"


def _gold_limits(settings: TrialSettings, agreements: Sequence[Mapping[str, Any]]) -> str:
    if not any(row["scope"] == "gold" for row in agreements):
        between = " Agreement with the offline rules shows where to look, not who is right." if agreements else ""
        return f"Nothing is known of how often these categories are right.{between}"
    if settings.source is None and settings.gold is None:
        return (
            "Gold of the sample was written by those who wrote its studies, who knew the scheme: agreement on it says "
            "that the software works, not how it does on your trials."
        )
    return "Agreement is that with the gold given, and no better than the gold."


def _confidence(settings: TrialSettings, is_measured: bool) -> str:
    see = "see the reliability curve" if is_measured else "without known categories nothing says how well it holds"
    if settings.categoriser == "rules":
        return f"the rules' own, roughly calibrated on other trials; {see}."
    if settings.categoriser == "llm":
        return f"the model's own word, no probability until checked: {see}."
    votes = ", with several votes the share of them that agrees" if settings.votes > 1 else ""
    return f"the own word of what decided, rules or model{votes}; no probability until checked: {see}."


def _failures(rows: pa.Table) -> str:
    pairs = zip(rows["status"].to_pylist(), rows["error"].to_pylist(), strict=True)
    kinds = Counter(error.split(":")[0] for status, error in pairs if status == "failed")
    if not kinds:
        return "Every trial has a category."
    told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    return (
        f"Failed trials have a row without a category, whose `error` says why: {told}. "
        "`dataset-project build trials --force` asks for them again, and for no other."
    )


def _models(rows: pa.Table) -> set[str]:
    return set(rows["model"].to_pylist()) - {""}


def _pictures(results: Results) -> str:
    drawn = {"categories": True, "confusion": "confusion", "reliability": "calibration", "cost_and_throughput": "usage"}
    names = [name for name, table in drawn.items() if table is True or results.tables[table].num_rows]
    return "\n".join(f"![{name.replace('_', ' ')}](pictures/{name}.png)" for name in names)


def _cell(text: str) -> str:
    """``text`` as it may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
