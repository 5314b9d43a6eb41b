"""The family's door: source_sentences → augmentation_resources [resource] → augmented_sentences, downstream_scores
[combination] → augmentation_report.

Partitions, configuration and what each dataset computes; how it is computed stands in the folders beside this module.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from dataset_project.augmentation import checks, preparation, schemas
from dataset_project.augmentation.combos import Combo, Mode, by_key, plan_combos
from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.augmentation.engine import Limits, generate
from dataset_project.augmentation.methods.registry import load_registry, make
from dataset_project.augmentation.preparation.carriers import MissingPart
from dataset_project.augmentation.preparation.make import carrier_pins, carriers_in, make_resource
from dataset_project.augmentation.preparation.tables import Prepared, TermTable
from dataset_project.augmentation.quality.scorers import scorers
from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.augmentation.sentences.corpus import Corpus
from dataset_project.augmentation.sentences.reading import Columns, source_hash
from dataset_project.augmentation.sentences.table import sentences_table
from dataset_project.augmentation.text.lexicons import word_lists_hash
from dataset_project.augmentation.variants import figures, unfilled_items, variants_table
from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Unavailable, Upstream
from dataset_project.orchestration.planning import PlannedPartition
from dataset_project.orchestration.work import PartitionWork
from dataset_project.storage.fingerprints import canonical_hash

FAMILY = "augmentation"
MODE_BY_SIZE: dict[str, Mode] = {"demo": "singletons", "standard": "singletons", "full": "pairs"}
DEMO_METHODS = ("wordnet_synonym", "embedding_substitute", "paraphrase_lexicon", "aeda", "word_delete", "keyboard")

Shared = TypeVar("Shared")


def augmentation_datasets(settings: AugmentationSettings, size: str) -> list[PartitionedDataset]:
    """The family's datasets, upstream first.

    Raises InvalidRegistry, TooManyCombos or ValueError for a registry, mode or method that makes no sense.
    """
    combos = plan_combos(
        load_registry(settings.registry),
        settings.mode or MODE_BY_SIZE[size],
        methods=settings.methods or (DEMO_METHODS if size == "demo" else ()),
        max_methods=settings.max_methods,
        include_label_changing=settings.include_label_changing,
        cap=settings.max_combos,
    )
    plan = by_key(combos)
    of_scores = tuple(name for score in sorted(settings.scores) for name in preparation.OF_SCORES.get(score, ()))
    resources_of = {key: tuple(sorted({*combo.resources, *of_scores})) for key, combo in plan.items()}
    common = {"family": FAMILY, "master_seed": settings.seed}
    by_combo = common | {"partition_keys": tuple(plan)}
    sentences = PartitionedDataset(
        name="source_sentences",
        description="The labelled sentences that are augmented, each with the split of its group.",
        code_version="1",
        compute=partial(_sentences, settings),
        schemas={"data": schemas.SOURCE_SENTENCES},
        configuration={"columns": _columns(settings).wanted()},
        resources={"source": source_hash(settings.source)},
        validators=checks.sentence_validators(),
        **common,
    )
    resources = PartitionedDataset(
        name="augmentation_resources",
        description="Lexical tables made once from pinned data: WordNet, GloVe, CMUdict, the corpus's own words.",
        code_version="1",
        compute=partial(_resource, settings),
        schemas={"data": schemas.AUGMENTATION_RESOURCES},
        partition_keys=(*preparation.RESOURCES, *of_scores),
        key_configuration=lambda key: {"carriers": carrier_pins(key)},
        resources={"word_lists": word_lists_hash()},
        upstreams=(Upstream(sentences, lambda key: sentences.keys if key in preparation.FROM_SENTENCES else ()),),
        validators=checks.resource_validators(),
        cost=lambda key: 10.0 if key.startswith(("wordnet", "glove")) else 1.0,
        **common,
    )
    augmented = PartitionedDataset(
        name="augmented_sentences",
        description="One dataset per combination of methods: accepted variants with every edit, score and label.",
        code_version="1",
        compute=partial(_variants, settings, plan),
        schemas={"data": schemas.AUGMENTED_SENTENCES},
        configuration={
            "variants_per_sample": settings.variants_per_sample,
            "attempts": settings.attempts,
            "quality_metric": settings.quality_metric,
            "band": list(settings.band),
            "scores": sorted(settings.scores),
        },
        key_configuration=lambda key: {"methods": plan[key].identity},
        resources={"word_lists": word_lists_hash()},
        upstreams=(Upstream(sentences, "all"), Upstream(resources, lambda key: resources_of[key])),
        validators=checks.variant_validators(settings, plan),
        cost=lambda key: plan[key].cost,
        **by_combo,
    )
    downstream = PartitionedDataset(
        name="downstream_scores",
        description="What a TF-IDF and logistic regression classifier gains from each combination, over paired draws.",
        code_version="1",
        compute=partial(_downstream, settings),
        schemas={"data": schemas.DOWNSTREAM_SCORES},
        configuration={"sizes": list(settings.downstream_sizes), "repeats": settings.downstream_repeats},
        upstreams=(Upstream(sentences, "all"), Upstream(augmented)),
        validators=checks.downstream_validators(settings),
        **by_combo,
    )
    report = PartitionedDataset(
        name="augmentation_report",
        description="Every combination accounted for, gains against plain copies, pictures and the dataset card.",
        code_version="1",
        compute=partial(_report, settings, plan),
        schemas={
            "combo_statistics": schemas.COMBO_STATISTICS,
            "merge_statistics": schemas.MERGE_STATISTICS,
            "downstream_comparison": schemas.DOWNSTREAM_COMPARISON,
        },
        configuration={"band": list(settings.band), "metric": settings.quality_metric},
        upstreams=(
            Upstream(sentences, "all"),
            Upstream(augmented, "all", required=False),
            Upstream(downstream, "all", required=False),
        ),
        validators=checks.report_validators(plan),
        **common,
    )
    return [sentences, resources, augmented, downstream, report]


def _columns(settings: AugmentationSettings) -> Columns:
    return Columns(
        id=settings.id_column,
        text=settings.text_column,
        criterion=settings.criterion_column,
        label=settings.label_column,
        group=settings.group_column,
        evidence=settings.evidence_column,
        split=settings.split_column,
    )


def _sentences(settings: AugmentationSettings, work: PartitionWork) -> Outcome:
    table = sentences_table(settings.source, _columns(settings), work.master_seed)
    work.write(table)
    return Outcome(items_planned=table.num_rows, items_ok=table.num_rows)


def _resource(settings: AugmentationSettings, work: PartitionWork) -> Outcome:
    texts = work.read("source_sentences", "all")["text"].to_pylist() if work.keys("source_sentences") else []
    try:
        table = make_resource(work.key, carriers_in(settings.carriers), texts)
    except MissingPart as error:
        raise Unavailable(str(error)) from None
    work.write(table)
    return Outcome(items_planned=table.num_rows, items_ok=table.num_rows)


# Read-only inputs that the combinations of one process share, by what they are and their content.
_shared: dict[tuple[str, str], tuple[str, Any]] = {}


def _share(work: PartitionWork, dataset: str, key: str, make_it: Callable[[pa.Table], Shared]) -> Shared:
    content = work.content(dataset, key)
    found = _shared.get((dataset, key))
    if found is None or found[0] != content:
        found = _shared[dataset, key] = (content, make_it(work.read(dataset, key)))
    return found[1]


def _variants(settings: AugmentationSettings, plan: dict[str, Combo], work: PartitionWork) -> Outcome:
    # Arrow's own allocator keeps what it was given; with the system's a shard stays an eighth smaller.
    pa.set_memory_pool(pa.system_memory_pool())
    combo = plan[work.key]
    corpus = _share(work, "source_sentences", "all", Corpus)
    resources = work.keys("augmentation_resources")
    prepared = Prepared({name: partial(_share, work, "augmentation_resources", name, TermTable) for name in resources})
    try:
        methods = [make(spec, prepared) for spec in combo.methods]
        scores = scorers(settings.scores, corpus, prepared, carriers_in(settings.carriers))
    except MissingPart as error:
        raise Unavailable(str(error)) from None
    limits = Limits(settings.variants_per_sample, settings.attempts, *settings.band)
    generated = generate(corpus, combo, methods, scores[settings.quality_metric], limits, work.master_seed)
    table = variants_table(corpus, combo, generated, scores, settings.quality_metric)
    facts = figures(corpus, generated, table, settings.quality_metric, settings.variants_per_sample)
    work.write(table)
    facts["combo_hash"] = _combo_hash(combo, work)
    meta = {
        "combo_id": combo.key,
        "k": combo.k,
        "methods": combo.identity,
        "label_preserving": combo.label_preserving,
        "settings": dict(work.dataset.configuration),
        "seed": work.master_seed,
        "source_sha256": work.content("source_sentences", "all"),
        "resources": {name: work.content("augmentation_resources", name) for name in resources},
        "fingerprint": work.fingerprint,
        "columns": table.schema.names,
        "figures": facts | {"label_distribution": json.loads(str(facts["label_distribution"]))},
    }
    work.path("meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    nothing, refused = unfilled_items(generated)
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(generated.unfilled.items()))
    return Outcome(
        items_planned=int(facts["planned"]),
        items_ok=table.num_rows,
        items_empty=nothing,
        items_rejected=refused,
        reason="" if table.num_rows else f"no variant was accepted: {reasons}",
        facts=facts,
    )


def _combo_hash(combo: Combo, work: PartitionWork) -> str:
    """One hash of methods, parameters, order, libraries and the content of resources."""
    resources = {name: work.content("augmentation_resources", name) for name in combo.resources}
    return canonical_hash({"methods": combo.identity, "resources": resources})


def _downstream(settings: AugmentationSettings, work: PartitionWork) -> Outcome:
    from dataset_project.augmentation.report.downstream import VARIANT_COLUMNS, Downstream

    corpus = _share(work, "source_sentences", "all", Corpus)
    task = corpus.remembered(
        f"downstream {work.master_seed} {settings.downstream_sizes} {settings.downstream_repeats}",
        lambda: Downstream(
            corpus.table,
            master_seed=work.master_seed,
            train_sizes=settings.downstream_sizes,
            repeats=settings.downstream_repeats,
        ),
    )
    table = task.score(work.key, work.read("augmented_sentences", columns=list(VARIANT_COLUMNS)))
    work.write(table)
    # Too few sentences for any training size is no failure: there is nothing to compare.
    return Outcome(items_planned=table.num_rows, items_ok=table.num_rows, reason="" if table.num_rows else "too small")


def _report(settings: AugmentationSettings, plan: dict[str, Combo], work: PartitionWork) -> Outcome:
    from dataset_project.augmentation.report import card, downstream, summary

    outcomes = [_outcome(plan[state.key], state, work) for state in work.states("augmented_sentences")]
    scores = {
        state.key: work.read("downstream_scores", state.key)
        for state in work.states("downstream_scores")
        if state.is_done and state.record is not None and state.record.files
    }
    # No gain is ever claimed without the control it is measured against.
    control = scores.get(downstream.CONTROL)
    comparison = downstream.compare(scores) if control is not None else schemas.DOWNSTREAM_COMPARISON.empty_table()
    baselines = downstream.baselines(control) if control is not None else {}
    work.write(summary.combo_table(outcomes), "combo_statistics")
    merged = summary.merge_table(outcomes)
    work.write(merged, "merge_statistics")
    work.write(comparison, "downstream_comparison")
    for name, content in _pictures(settings, outcomes, comparison, baselines):
        work.path(f"pictures/{name}.png").write_bytes(content)
    text = card.card(settings, work.read("source_sentences", "all"), outcomes, comparison, baselines)
    work.path("README.md").write_text(text, encoding="utf-8")
    return Outcome(items_planned=len(outcomes), items_ok=len(outcomes), facts=_merged(merged))


def _merged(table: pa.Table) -> dict[str, int | float]:
    """The merge statistics as facts, so that the UI plots them."""
    facts = {name: value for name, value in table.to_pylist()[0].items() if value is not None}
    facts["accepted_rows"] = facts.pop("rows")  # `rows` is the record's own
    return facts


def _outcome(combo: Combo, state: PlannedPartition, work: PartitionWork) -> ComboOutcome:
    record = state.record if state.is_done else None
    return ComboOutcome(
        combo_id=combo.key,
        combo_hash=str(record.facts["combo_hash"]) if record else "",
        methods=tuple(spec.id for spec in combo.methods),
        families=tuple(spec.family for spec in combo.methods),
        label_preserving=combo.label_preserving,
        status=state.status,
        reason=state.reason,
        dataset_path=work.relative_directory("augmented_sentences", combo.key) if record else "",
        facts=record.facts if record else {},
        input_hash=record.input_hashes["source_sentences"] if record else "",
        resource_hash=record.input_hashes["augmentation_resources"] if record else "",
        dataset_sha256=record.sha256 if record else "",
    )


def _pictures(
    settings: AugmentationSettings, outcomes: list[ComboOutcome], comparison: pa.Table, baselines: dict[int, float]
) -> Iterator[tuple[str, bytes]]:
    from dataset_project.augmentation.report import pictures

    if all(outcome.is_control for outcome in outcomes):
        return  # nothing to compare with one another
    yield "yield_by_method", pictures.yield_by_method_png(outcomes)
    if any(outcome.count("accepted") for outcome in outcomes):
        low, high = settings.band
        yield "similarity_by_method", pictures.similarity_by_method_png(outcomes, low, high, settings.quality_metric)
    if any(len(outcome.methods) == 2 for outcome in outcomes):
        yield "pair_yield", pictures.pair_yield_png(outcomes)
    if comparison.num_rows:
        yield "downstream", pictures.downstream_png(comparison, baselines)
