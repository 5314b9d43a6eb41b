"""The family's rules, tied to its datasets: which validator judges which dataset, and from which files.

Rules stand in `validation`; shards and asset checks ask them through the `Validator`s made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataset_project.augmentation.combos import CONTROL_KEY, Combo
from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.orchestration.dataset import PartitionFiles, Validator
from dataset_project.storage.published import Files
from dataset_project.storage.validation import Finding

# Resources whose candidates stand in for a word as they are; antonyms and vectors do not.
_SUBSTITUTES = ("wordnet_synonyms", "wordnet_hypernyms", "glove_neighbours", "homophones")


def sentence_validators() -> tuple[Validator, ...]:
    """Rules about `source_sentences`."""
    from dataset_project.augmentation.validation.score_rules import sentences_are_sound

    return (
        Validator(
            name="sentences_sound",
            description="Unique ids, no blank text, no group and no text in two splits.",
            judge=lambda files: sentences_are_sound({"source_sentences": files.data}),
        ),
    )


def resource_validators() -> tuple[Validator, ...]:
    """Rules about `augmentation_resources`."""
    from dataset_project.augmentation.validation.report_rules import resource_is_sound

    return (
        Validator(
            name="resource_sound",
            description="Entries unique; substitutes are neither negations nor quantities.",
            judge=lambda files: resource_is_sound(
                {"augmentation_resources": files.data}, guarded=files.key in _SUBSTITUTES
            ),
        ),
    )


def _tables(files: PartitionFiles) -> Files:
    """A combination's file, the sentences, and the resources it was made from, by name."""
    tables = {"augmented_sentences": files.data, "source_sentences": files.upstream["source_sentences"][0].data}
    return tables | {each.key: each.data for each in files.upstream["augmentation_resources"]}


def variant_validators(settings: AugmentationSettings, plan: Mapping[str, Combo]) -> tuple[Validator, ...]:
    """Rules about `augmented_sentences`."""
    from dataset_project.augmentation.validation import score_rules, variant_rules

    def banded(key: str) -> bool:
        return all(spec.banded for spec in plan[key].methods)

    def floors(partitions: Sequence[PartitionFiles]) -> Finding:
        shares, floors = {}, {}
        for files in partitions:
            planned = score_rules.rows_of(files.upstream["source_sentences"][0].data) * settings.variants_per_sample
            shares[files.key] = score_rules.rows_of(files.data) / planned
            # Floors are the shipped sentences': another table may have no names to swap.
            floors[files.key] = plan[files.key].floor if settings.source is None else 0.0
        return score_rules.floors_met(shares, floors)

    return (
        Validator(
            name="variants_sound",
            description="Unique ids, at most the variants asked for, no text blank, repeated or a source's.",
            judge=lambda files: variant_rules.variants_are_sound(
                _tables(files), settings.variants_per_sample, copies=not banded(files.key)
            ),
        ),
        Validator(
            name="labels_kept",
            description="Labels, groups and splits equal the source's: no variant leaves its split.",
            judge=lambda files: variant_rules.labels_are_the_sources(_tables(files)),
        ),
        Validator(
            name="edits_replay",
            description="The edits, replayed, give the text: what is outside them is untouched byte for byte.",
            judge=lambda files: variant_rules.edits_replay(
                _tables(files), tuple(spec.id for spec in plan[files.key].methods)
            ),
        ),
        Validator(
            name="negation_kept",
            description="Label-preserving combinations keep the number of negations, counted anew.",
            judge=lambda files: variant_rules.negation_is_kept(_tables(files), plan[files.key].label_preserving),
        ),
        Validator(
            name="scores_recomputed",
            description="All variants in the quality band; a sample of scores recomputed by other implementations.",
            judge=lambda files: score_rules.scores_hold(
                _tables(files),
                settings.quality_metric,
                *settings.band,
                banded(files.key),
                settings.scores,
            ),
        ),
        Validator(
            name="acceptance_floor",
            description="Every method fills at least its declared floor of the variants asked for.",
            judge=floors,
            scope="dataset",
            blocking=False,
        ),
    )


def downstream_validators(settings: AugmentationSettings) -> tuple[Validator, ...]:
    """Rules about `downstream_scores`."""
    from dataset_project.augmentation.validation import report_rules

    def paired(partitions: Sequence[PartitionFiles]) -> Finding:
        tables = {"downstream_scores": [files.data for files in partitions]}
        return report_rules.draws_are_paired(tables, CONTROL_KEY, [files.key for files in partitions])

    return (
        Validator(
            name="scores_sound",
            description="One row per training size and draw, scores between 0 and 1.",
            judge=lambda files: report_rules.scores_are_sound(
                {"downstream_scores": files.data}, settings.downstream_sizes, settings.downstream_repeats
            ),
        ),
        Validator(
            name="draws_paired",
            description="All combinations scored on the same draws, the copy control among them.",
            judge=paired,
            scope="dataset",
            # The report makes no claim without the control, and accounts for the other combinations all the same.
            blocking=False,
        ),
    )


def report_validators(plan: Mapping[str, Combo]) -> tuple[Validator, ...]:
    """Rules about `augmentation_report`."""
    from dataset_project.augmentation.validation.report_rules import every_combo_is_accounted_for

    def accounted(files: PartitionFiles) -> Finding:
        tables = {name: files.tables[name] for name in ("combo_statistics", "merge_statistics")}
        published = {each.key: each.data for each in files.upstream["augmented_sentences"]}
        return every_combo_is_accounted_for(tables, tuple(plan), published)

    return (
        Validator(
            name="combos_accounted_for",
            description="A row for every combination, whatever became of it; counts are those of the files (DuckDB).",
            judge=accounted,
        ),
    )
