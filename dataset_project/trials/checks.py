"""The family's validators as the spine asks them: before publishing, and as asset checks of what was published."""

from __future__ import annotations

from pathlib import Path

from dataset_project.llm.configuration import LlmSettings
from dataset_project.orchestration.dataset import PartitionFiles, Validator
from dataset_project.storage.validation import Finding
from dataset_project.trials.categorisers.steps import item_prefix
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.scheme import Scheme


def record_validators() -> tuple[Validator, ...]:
    """Rules about `trial_records`."""
    from dataset_project.trials.validation.category_rules import records_are_sound

    return (
        Validator(
            name="records_sound",
            description="Ids unique and well formed, buckets and input hashes recomputed, a reason for every reject.",
            judge=lambda files: records_are_sound(files.tables),
        ),
    )


def category_validators(scheme: Scheme) -> tuple[Validator, ...]:
    """Rules about `categorized_trials`."""
    from dataset_project.trials.validation.category_rules import categories_follow_from_facts, every_trial_has_one_row

    def accounted(files: PartitionFiles) -> Finding:
        records = files.upstream["trial_records"][0].tables["records"]
        return every_trial_has_one_row({"data": files.data, "records": records}, files.key)

    return (
        Validator(
            name="one_row_per_trial",
            description="Every trial of the bucket exactly once, with the record it was made from (DuckDB).",
            judge=accounted,
        ),
        Validator(
            name="categories_recomputed",
            description="Facts closed and consistent; categories and reasons recomputed from the stored facts.",
            judge=lambda files: categories_follow_from_facts({"data": files.data}, scheme),
        ),
    )


def report_validators(
    settings: TrialSettings, scheme: Scheme, runtime: tuple[LlmSettings, Path] | None
) -> tuple[Validator, ...]:
    """Rules about `categorization_report`. ``runtime``: settings and directory of the LLM runtime; None where no model
    is asked."""
    from dataset_project.trials.gold import read_gold
    from dataset_project.trials.validation import report_rules

    def counted(files: PartitionFiles) -> Finding:
        buckets = [each.data for each in files.upstream["categorized_trials"]]
        return report_rules.report_counts_what_is_published(files.tables, buckets, read_gold(settings, scheme))

    def priced(files: PartitionFiles) -> Finding:
        from dataset_project.llm.prices import Prices
        from dataset_project.trials.report.usage import ledger_calls

        llm, directory = runtime
        calls = ledger_calls(directory, item_prefix(scheme))
        return report_rules.usage_costs_what_its_tokens_cost(files.tables, calls, Prices(llm))

    costs = Validator(
        name="cost_recomputed",
        description="Cost per model priced again from the tokens of the ledger's calls, at the time of each.",
        judge=priced,
        blocking=False,
    )
    return (
        Validator(
            name="counts_recomputed",
            description="Counts, rates, intervals and agreement computed again from the published buckets (DuckDB).",
            judge=counted,
        ),
        Validator(
            name="agreement_floor",
            description="The lower end of the interval of agreement with gold reaches its floor.",
            judge=lambda files: report_rules.agreement_reaches_its_floor(files.tables, settings.agreement_floor),
            blocking=False,
        ),
        *((costs,) if runtime else ()),
    )
