"""The family's door: trial_records → categorized_trials [bucket] → categorization_report.

Partitions, configuration and what each dataset computes; how it is computed stands in the folders beside this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.progress import Progress
from dataset_project.llm.requests import RunStopped
from dataset_project.llm.runtime import Runtime, open_runtime
from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Unavailable, Upstream
from dataset_project.orchestration.work import PartitionInputs, PartitionWork, ShardWork
from dataset_project.trials import checks, schemas
from dataset_project.trials.categorisers.driver import categorise, first_requests
from dataset_project.trials.categorisers.ready import has_rules, ready_categoriser, rules_hash, what_decides
from dataset_project.trials.categorisers.steps import Categoriser, item_prefix
from dataset_project.trials.categorisers.table import categorised_table
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.gold import gold_hash, read_gold
from dataset_project.trials.records.schemas import TRIAL_RECORDS, TRIAL_REJECTS
from dataset_project.trials.records.source import read_source, source_hash
from dataset_project.trials.records.table import RecordsRead, records_table, rejects_table
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import BUCKET_KEYS, Trial, trials_from_rows

FAMILY = "trials"
POOL = "llm"
_ROWS_PER_GROUP = 5_000


@dataclass(frozen=True)
class _Family:
    """What every function of the family needs: its settings, the runtime's, where the runtime lives."""

    settings: TrialSettings
    llm: LlmSettings
    directory: Path
    processes: int

    @cached_property
    def scheme(self) -> Scheme:
        return load_scheme(self.settings.scheme)

    @property
    def asks_models(self) -> bool:
        return self.settings.categoriser != "rules"

    @cached_property
    def categoriser(self) -> Categoriser:
        return ready_categoriser(self.scheme, self.settings)


def trial_datasets(
    settings: TrialSettings, llm: LlmSettings, directory: Path, master_seed: int, processes: int
) -> list[PartitionedDataset]:
    """The family's datasets, upstream first. ``directory``: where the LLM runtime keeps its ledger.

    Raises InvalidScheme for a scheme file that makes no sense, ValueError for a scheme without offline rules where the
    categoriser needs them.
    """
    family = _Family(settings, llm, directory, processes)
    scheme = family.scheme
    if settings.categoriser != "llm" and not has_rules(scheme):
        raise ValueError(
            f"DATASET_TRIALS__SCHEME: scheme {scheme.id} has no offline rules; set DATASET_TRIALS__CATEGORISER=llm"
        )
    common = {"family": FAMILY, "master_seed": master_seed}
    records = PartitionedDataset(
        name="trial_records",
        description="The trials to categorise, as read, and what was rejected with the reason.",
        code_version="1",
        compute=partial(_records, settings),
        schemas={"records": TRIAL_RECORDS, "rejects": TRIAL_REJECTS},
        configuration={"columns": dict(sorted(settings.columns.items())), "max_trials": settings.max_trials},
        resources={"source": source_hash(settings.source, api_url=settings.api_url, query=settings.query)},
        validators=checks.record_validators(),
        **common,
    )
    categorised = PartitionedDataset(
        name="categorized_trials",
        description=f"{scheme.title}: one row per trial, its category computed from extracted facts.",
        code_version="1",
        compute=partial(_categorised, family),
        schemas={"data": schemas.categorized_trials(scheme.arrow_type())},
        partition_keys=BUCKET_KEYS,
        configuration=what_decides(settings, scheme),
        resources={} if settings.categoriser == "llm" else {"rules": rules_hash()},
        upstreams=(Upstream(records, "all"),),
        validators=checks.category_validators(scheme),
        tolerated_failures=settings.tolerated_failures if family.asks_models else 0.0,
        session=partial(_session, family) if family.asks_models else None,
        pool=POOL if family.asks_models else None,
        estimate=partial(_estimate, family) if family.asks_models else None,
        **common,
    )
    report = PartitionedDataset(
        name="categorization_report",
        description="Counts, agreement with known categories with intervals, calibration, cost, pictures and the card.",
        code_version="1",
        compute=partial(_report, family),
        schemas={
            "categories": schemas.CATEGORY_COUNTS,
            "agreement": schemas.AGREEMENT,
            "confusion": schemas.CONFUSION,
            "calibration": schemas.CALIBRATION,
            "usage": schemas.MODEL_USAGE,
        },
        configuration={"agreement_floor": settings.agreement_floor},
        # Answers of models are compared with what the offline rules say.
        resources={"gold": gold_hash(settings)} | ({"rules": rules_hash()} if has_rules(scheme) else {}),
        upstreams=(Upstream(records, "all"), Upstream(categorised, "all")),
        validators=checks.report_validators(settings, scheme, (llm, directory) if family.asks_models else None),
        **common,
    )
    return [records, categorised, report]


def _read(settings: TrialSettings, on_progress: Callable[[int, int | None], None] | None = None) -> RecordsRead:
    return read_source(
        settings.source,
        columns=settings.columns,
        api_url=settings.api_url,
        query=settings.query,
        page_size=settings.page_size,
        max_trials=settings.max_trials,
        on_progress=on_progress,
    )


def _records(settings: TrialSettings, work: PartitionWork) -> Outcome:
    def tell(done: int, total: int | None) -> None:
        work.log.info("%s studies read of %s", f"{done:,}", "?" if total is None else f"{total:,}")

    read = _read(settings, tell)
    records = records_table(read)
    with work.writer("records") as writer:
        for start in range(0, max(records.num_rows, 1), _ROWS_PER_GROUP):
            writer.write(records.slice(start, _ROWS_PER_GROUP))
    work.write(rejects_table(read), "rejects")
    reasons: dict[str, int] = {}
    for reject in read.rejects:
        reasons[f"rejected_{reject.reason}"] = reasons.get(f"rejected_{reject.reason}", 0) + 1
    return Outcome(
        items_planned=len(read.trials) + len(read.rejects),
        items_ok=len(read.trials),
        items_rejected=len(read.rejects),
        reason=f"{len(read.rejects):,} records rejected, see the rejects table" if read.rejects else "",
        facts=dict(sorted(reasons.items())),
    )


def _trials(inputs: PartitionInputs) -> list[Trial]:
    """The trials of a bucket, by id; of all trials no more than one row group is in memory at a time."""
    import pyarrow.compute as pc

    return [
        trial
        for table in inputs.row_groups("trial_records", "all", table="records")
        for trial in trials_from_rows(table.filter(pc.equal(table["bucket"], inputs.key)).to_pylist())
    ]


@dataclass(frozen=True)
class _Session:
    runtime: Runtime
    report: Any


@contextmanager
def _session(family: _Family, shard: ShardWork) -> Iterator[_Session]:
    """One runtime for all buckets of a shard. Everything is asked at once, so that one bucket's last answers are not
    waited for with nothing else under way."""
    try:
        with open_runtime(family.llm, family.directory, shard.group) as runtime:
            for inputs in shard.partitions:
                runtime.submit(first_requests(family.categoriser, _trials(inputs)), label=inputs.key)
            yield _Session(runtime, shard.report)
    except RunStopped as stop:
        if stop.kind == "invalid_key" and family.llm.api_key is None:
            raise Unavailable(str(stop)) from None
        raise


def _categorised(family: _Family, work: PartitionWork) -> Outcome:
    trials = _trials(work)
    session: _Session | None = work.session

    def tell(progress: Progress) -> None:
        session.report(progress.figures(family.llm))

    rows = categorise(
        family.categoriser,
        trials,
        session.runtime if session else None,
        label=work.key,
        on_progress=tell,
    )
    work.write(categorised_table(rows, family.scheme))
    failed = [row for row in rows if row.status == "failed"]
    asked = [key for row in rows for key in row.asked]
    return Outcome(
        items_planned=len(trials),
        items_ok=len(rows) - len(failed),
        items_failed=len(failed),
        reason=f"{failed[0].nct_id}: {failed[0].error}" if failed else "",
        facts={f"by_{name}": count for name, count in sorted(Counter(row.categoriser for row in rows).items())},
        cost_usd=session.runtime.cost(asked) if session else 0.0,
        cache_hits=session.runtime.answered_before(asked) if session else 0,
    )


def _estimate(family: _Family, partitions: Sequence[PartitionInputs]) -> Sequence[tuple[str, str]]:
    from dataset_project.trials.categorisers.forecast import forecast

    made = all(state.is_done for inputs in partitions for state in inputs.states("trial_records"))
    if made:
        trials = [trial for inputs in partitions for trial in _trials(inputs)]
    else:
        # Reading the source asks no model, and a plan made before the first build is the one that matters most.
        keys = {inputs.key for inputs in partitions}
        trials = [trial for trial in _read(family.settings).trials if trial.bucket in keys]
    return forecast(family.categoriser, trials, family.settings, family.llm, family.directory, family.processes)


def _report(family: _Family, work: PartitionWork) -> Outcome:
    from dataset_project.trials.report import agreement, card, judging, pictures, usage

    settings, scheme = family.settings, family.scheme
    rows = pa.concat_tables(work.read("categorized_trials", key) for key in work.keys("categorized_trials"))
    by_gold = judging.judged(rows, read_gold(settings, scheme))
    against = {"gold": by_gold}
    if family.asks_models and has_rules(scheme):
        against["rules"] = judging.by_models(judging.judged(rows, _ruled(family, work)))
    agreeing = agreement.agreement_table(against, work.master_seed)
    categories = agreement.category_table(scheme, _categories(rows), by_gold)
    confusion = agreement.confusion_table(scheme, by_gold)
    calibration = agreement.calibration_table(by_gold)
    calls = usage.ledger_calls(family.directory, item_prefix(scheme)) if family.asks_models else None
    used = schemas.MODEL_USAGE.empty_table() if calls is None else usage.usage_table(calls)
    tables = {
        "agreement": agreeing,
        "categories": categories,
        "confusion": confusion,
        "calibration": calibration,
        "usage": used,
    }
    for name, table in tables.items():
        work.write(table, name)
    for name, content in pictures.drawn(scheme, tables, calls):
        work.path(f"pictures/{name}.png").write_bytes(content)
    text = card.card(settings, scheme, card.Results(rows, tables))
    work.path("README.md").write_text(text, encoding="utf-8")
    told = agreeing.to_pylist()
    facts = {"trials": rows.num_rows, "failed": rows.num_rows - len(_categories(rows))}
    if told and told[0]["scope"] == "gold":
        names = ("agreement", "agreement_low", "agreement_high", "kappa", "brier")
        facts |= {name: round(told[0][name], 4) for name in names if told[0][name] is not None}
    return Outcome(items_planned=rows.num_rows, items_ok=rows.num_rows, facts=facts)


def _categories(rows: pa.Table) -> list[str]:
    return [category for category in rows["category"].to_pylist() if category is not None]


def _ruled(family: _Family, work: PartitionWork) -> dict[str, tuple[str, ...]]:
    """What the offline rules say of every trial."""
    offline = ready_categoriser(family.scheme, family.settings.model_copy(update={"categoriser": "rules"}))
    return {
        row.nct_id: (row.category,)
        for table in work.row_groups("trial_records", "all", table="records")
        for row in categorise(offline, trials_from_rows(table.to_pylist()), None)
    }
