"""The family's validators as the spine asks them: before publishing, and as asset checks of what was published."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.orchestration.dataset import PartitionFiles, Validator
from dataset_project.storage.published import Files
from dataset_project.storage.validation import Finding


def pool_validators(settings: DocumentSettings) -> tuple[Validator, ...]:
    """Rules about `identity_pools`."""
    from dataset_project.documents.validation.pool_rules import pools_are_sound

    return (
        Validator(
            name="pools_sound",
            description="Ids unique, identifiers as valid as they say, no number of one that is another's.",
            judge=lambda files: pools_are_sound(files.tables, settings.reference_date),
        ),
    )


def document_validators(settings: DocumentSettings) -> tuple[Validator, ...]:
    """Rules about `phi_documents`."""
    from dataset_project.documents.validation import (
        account_rules,
        clean_rules,
        coverage_rules,
        leak_rules,
        place_rules,
        split_rules,
        value_rules,
    )

    def together(partitions: Sequence[PartitionFiles]) -> Files:
        return {name: [files.tables[name] for files in partitions] for name in ("documents", "spans")}

    def predictable(partitions: Sequence[PartitionFiles]) -> Finding:
        return leak_rules.class_is_not_predictable(together(partitions), [files.directory for files in partitions])

    day = settings.reference_date
    return (
        Validator(
            name="spans_found",
            description="Every value found at its place by an independent reader; files, hashes and offsets as stored.",
            judge=lambda files: place_rules.spans_are_found(files.tables, files.directory),
        ),
        Validator(
            name="negatives_clean",
            description="Negatives hold nobody of the pools and no identifier; elsewhere every find is planted.",
            judge=lambda files: clean_rules.negatives_are_clean(_with_pools(files), files.directory),
        ),
        Validator(
            name="values_valid",
            description="Check digits and reserved ranges as declared; codes and types as the table of types says.",
            judge=lambda files: value_rules.values_are_what_they_claim(files.tables, day),
        ),
        Validator(
            name="values_owned",
            description="Every value is that of the person it names, in every document of theirs.",
            judge=lambda files: value_rules.values_are_their_owners(_with_pools(files)),
        ),
        Validator(
            name="planned_generated",
            description="As many documents as planned, per format and class.",
            judge=lambda files: account_rules.planned_equals_generated(_with_pools(files), {}),
        ),
        Validator(
            name="bytes_again",
            description="Documents of the smallest hashes made again: the same bytes.",
            judge=lambda files: account_rules.bytes_again(_with_pools(files), settings.seed, day),
        ),
        Validator(
            name="splits_kept",
            description="No patient and no layout of a template in two splits.",
            judge=lambda partitions: split_rules.patients_and_templates_keep_to_their_split(together(partitions)),
            scope="dataset",
        ),
        Validator(
            name="class_not_predictable",
            description="What a file looks like does not tell its class (boosted trees, logistic regression).",
            judge=predictable,
            scope="dataset",
            blocking=False,
        ),
        Validator(
            name="coverage",
            description="Formats, classes, identifiers and zones occur as the settings let expect.",
            judge=lambda partitions: coverage_rules.coverage(together(partitions), settings),
            scope="dataset",
            blocking=False,
        ),
    )


def _with_pools(files: PartitionFiles) -> Files:
    """The partition's tables, its plan, and the pools it was made of."""
    plan = {"plan": files.same("document_plan").data} if "document_plan" in files.upstream else {}
    return {**files.tables, **plan, **files.upstream["identity_pools"][0].tables}
