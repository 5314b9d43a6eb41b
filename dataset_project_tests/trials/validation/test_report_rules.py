"""Rules about the report, on real files: every altered figure is found, and costs are those of a real ledger."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.prices import Prices
from dataset_project.trials.report.card import Results
from dataset_project.trials.report.usage import ledger_calls, usage_table
from dataset_project.trials.schemas import AGREEMENT, CATEGORY_COUNTS
from dataset_project.trials.validation.report_rules import (
    agreement_reaches_its_floor,
    report_counts_what_is_published,
    usage_costs_what_its_tokens_cost,
)
from dataset_project_tests.trials.report.made_up import (
    AREAS,
    CONDITIONS,
    TIERS,
    changed,
    failed_row,
    made_up_calls,
    made_up_trials,
    no_rows,
    results_of,
    ruled,
)
from dataset_project_tests.trials.report.test_usage import PREFIX, STARTED, asked, book, call

TRIALS = made_up_trials(64)


def _rows() -> pa.Table:
    """Categories of rules, a failed trial among them, and confidences that fall into several tenths."""
    rows = failed_row(ruled(TRIALS), 3)
    for at in range(10, 40):
        rows = changed(rows, at, confidence=at / 40)
    return rows


def _gold() -> dict[str, tuple[str, ...]]:
    """Of most trials: the right category, now and then with another one, now and then only another one."""
    gold = {}
    for number, trial in enumerate(TRIALS[:50]):
        right = CONDITIONS[trial.conditions[0]]
        gold[trial.nct_id] = ("other",) if number % 7 == 0 else (right, "other") if number % 5 == 0 else (right,)
    # Ends well without ever being among the trials.
    return gold | {"NCT99999999": ("skin",)}


ROWS, GOLD = _rows(), _gold()
RESULTS = results_of(ROWS, GOLD)


def _write(directory: Path, tables) -> dict[str, Path]:
    for name, table in tables.items():
        pq.write_table(table, directory / f"{name}.parquet")
    return {name: directory / f"{name}.parquet" for name in tables}


def _counted(directory: Path, results: Results, gold=GOLD, rows: pa.Table | None = None, scheme=AREAS):
    rows = results.rows if rows is None else rows
    buckets = []
    for number, part in enumerate((rows.slice(0, 20), rows.slice(20), no_rows(scheme))):
        buckets.append(directory / f"bucket_{number}.parquet")
        pq.write_table(part, buckets[-1])
    return report_counts_what_is_published(_write(directory, results.tables), buckets, gold)


def _with(table: str, at: int, **values) -> Results:
    return Results(ROWS, {**RESULTS.tables, table: changed(RESULTS.tables[table], at, **values)})


def test_a_report_of_what_is_published_passes(tmp_path):
    finding = _counted(tmp_path, RESULTS)
    assert finding.passed, finding.summary
    assert finding.figures["compared"] == 49 and finding.figures["agreeing"] == 41, "eight times gold says other"


@pytest.mark.parametrize(
    ("rows", "gold", "scheme"),
    [
        (ROWS, {}, AREAS),
        (ROWS, {"NCT99999999": ("skin",)}, AREAS),
        (failed_row(ROWS.slice(0, 1), 0), GOLD, AREAS),
        (no_rows(), {}, AREAS),
        (ruled(TRIALS, TIERS), {trial.nct_id: ("4",) for trial in TRIALS}, TIERS),
        (changed(ROWS, 0, confidence=None), GOLD, AREAS),
    ],
    ids=["no gold", "gold of other trials", "all failed", "no trials", "one class", "a confidence unknown"],
)
def test_reports_of_unusual_data_pass(tmp_path, rows, gold, scheme):
    finding = _counted(tmp_path, results_of(rows, gold, scheme), gold, scheme=scheme)
    assert finding.passed, finding.summary


def _at(table: str, **wanted) -> int:
    return next(
        at
        for at, row in enumerate(RESULTS.tables[table].to_pylist())
        if all(row[name] == value for name, value in wanted.items())
    )


SKIN = _at("categories", category="skin")
ALTERED = {
    "trials of a category": (lambda: _with("categories", SKIN, trials=99), "categories miscounted"),
    "gold of a category": (lambda: _with("categories", SKIN, gold_trials=99), "categories miscounted"),
    "found of a category": (lambda: _with("categories", SKIN, found=1), "categories miscounted"),
    "share": (lambda: _with("categories", SKIN, share=0.5), "rates that do not follow"),
    "recall": (lambda: _with("categories", SKIN, recall=0.5), "rates that do not follow"),
    "recall of nothing": (
        lambda: _with("categories", _at("categories", alone=0), recall=1.0),
        "rates that do not follow",
    ),
    "interval of recall": (lambda: _with("categories", SKIN, recall_low=0.9), "rates that do not follow"),
    "precision": (lambda: _with("categories", SKIN, precision=None), "rates that do not follow"),
    "trials compared": (lambda: _with("agreement", 0, trials=48), "agreement miscounted"),
    "agreeing": (lambda: _with("agreement", 0, agreeing=49), "agreement miscounted"),
    "agreement": (lambda: _with("agreement", 0, agreement=0.99), "agreement miscounted"),
    "its interval": (lambda: _with("agreement", 0, agreement_low=0.85), "agreement miscounted"),
    "agreement of a part": (lambda: _with("agreement", 1, agreement=0.99), "agreement miscounted"),
    "brier": (lambda: _with("agreement", 0, brier=0.01), "agreement miscounted"),
    "no brier": (lambda: _with("agreement", 0, brier=None), "agreement miscounted"),
    "kappa": (lambda: _with("agreement", 0, kappa=1.5), "figures outside their range"),
    "calibration error": (lambda: _with("agreement", 0, calibration_error=-1.0), "figures outside their range"),
    "confusion": (lambda: _with("confusion", 0, trials=99), "confusion miscounted"),
    "confused pair": (lambda: _with("confusion", 0, category="injury"), "confusion miscounted"),
    "calibration": (lambda: _with("calibration", 2, trials=99), "calibration miscounted"),
    "confidence of a tenth": (lambda: _with("calibration", 2, confidence=0.99), "calibration miscounted"),
    "agreement of a tenth": (lambda: _with("calibration", 2, agreement=0.123), "calibration miscounted"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_figure_is_found(tmp_path, what):
    results, said = ALTERED[what]
    finding = _counted(tmp_path, results())
    assert not finding.passed and said in finding.summary, finding.summary


@pytest.mark.parametrize(
    "missing",
    [
        {"agreement": AGREEMENT.empty_table()},
        {"categories": RESULTS.tables["categories"].slice(1)},
        {"categories": CATEGORY_COUNTS.empty_table()},
        {"confusion": RESULTS.tables["confusion"].slice(1)},
        {"calibration": RESULTS.tables["calibration"].slice(1)},
    ],
)
def test_a_missing_row_of_a_table_is_found(tmp_path, missing):
    assert not _counted(tmp_path, Results(ROWS, {**RESULTS.tables, **missing})).passed


def test_a_report_of_other_buckets_or_other_gold_is_found(tmp_path):
    finding = _counted(tmp_path, RESULTS, rows=changed(ROWS, 0, category="injury"))
    assert not finding.passed and "categories miscounted: 2" in finding.summary
    fewer = _counted(tmp_path, RESULTS, rows=ROWS.slice(1))
    assert not fewer.passed and "agreement miscounted" in fewer.summary
    other = _counted(tmp_path, RESULTS, gold=GOLD | {TRIALS[0].nct_id: ("skin",)})
    assert not other.passed


def test_another_schema_is_a_finding(tmp_path):
    tables = {**RESULTS.tables, "agreement": RESULTS.tables["agreement"].drop_columns(["kappa"])}
    finding = _counted(tmp_path, Results(ROWS, tables))
    assert not finding.passed and finding.summary.startswith("schema: ")


def test_the_floor_is_held_against_the_lower_end(tmp_path):
    files = _write(tmp_path, {"agreement": RESULTS.tables["agreement"]})
    low = RESULTS.listed("agreement")[0]["agreement_low"]
    assert agreement_reaches_its_floor(files, low - 1e-6).passed
    below = agreement_reaches_its_floor(files, low + 1e-6)
    assert not below.passed and "floor" in below.summary and below.figures["trials"] == 49
    assert RESULTS.listed("agreement")[0]["agreement"] > low + 1e-6, "the estimate alone would have passed"
    nothing = _write(tmp_path, {"agreement": AGREEMENT.empty_table()})
    assert agreement_reaches_its_floor(nothing, 0.99) == agreement_reaches_its_floor(nothing, 0.0)
    assert agreement_reaches_its_floor(nothing, 0.99).summary == "no gold to compare with"


PRICES = Prices(LlmSettings())


@pytest.fixture
def directory(tmp_path):
    """A ledger of nine calls by two models, one named otherwise by the provider, one interrupted."""
    requests = [asked(number) for number in range(5)] + [asked(number, "gpt-5.1") for number in range(3)]
    calls = [call(each, named=f"{each.model}-2025-11-13", started_at=STARTED + at) for at, each in enumerate(requests)]
    calls.append(call(requests[0], "interrupted", cost_usd=0.25))
    book(tmp_path / "llm", requests, calls)
    return tmp_path / "llm"


def _priced(directory: Path, usage: pa.Table, calls: pa.Table | None, prices: Prices = PRICES):
    return usage_costs_what_its_tokens_cost(_write(directory, {"usage": usage}), calls, prices)


def test_costs_that_follow_from_tokens_pass(tmp_path, directory):
    calls = ledger_calls(directory, PREFIX)
    finding = _priced(tmp_path, usage_table(calls), calls)
    assert finding.passed, finding.summary
    assert "9 calls" in finding.summary and finding.figures["cost_usd"] == finding.figures["recomputed_usd"] > 0.25


def test_an_altered_cost_is_found(tmp_path, directory):
    calls = ledger_calls(directory, PREFIX)
    usage = usage_table(calls)
    for at in (0, 1):
        told = usage["cost_usd"][at].as_py()
        finding = _priced(tmp_path, changed(usage, at, cost_usd=told + 0.001), calls)
        assert not finding.passed and "models whose cost differs from that of their tokens: 1" in finding.summary
    finding = _priced(tmp_path, changed(usage, 0, model="gpt-5-nano"), calls)
    assert not finding.passed, "calls of a model that was never asked"


def test_calls_that_are_not_in_the_ledger_are_found(tmp_path, directory):
    calls = ledger_calls(directory, PREFIX)
    usage = usage_table(calls)
    finding = _priced(tmp_path, changed(usage, 0, calls=usage["calls"][0].as_py() + 2), calls)
    assert not finding.passed and "calls not in the ledger: 2" in finding.summary


def test_a_call_booked_at_another_price_is_found(tmp_path):
    request = asked(1)
    book(tmp_path / "llm", [request], [call(request, cost_usd=0.5)])
    calls = ledger_calls(tmp_path / "llm", PREFIX)
    assert not _priced(tmp_path, usage_table(calls), calls).passed


def test_a_ledger_that_went_on_since_is_no_fault(tmp_path, directory):
    usage = usage_table(ledger_calls(directory, PREFIX))
    later = [asked(number) for number in range(20, 24)]
    book(directory, later, [call(each, started_at=STARTED + 3_600) for each in later])
    calls = ledger_calls(directory, PREFIX)
    assert calls.num_rows == 13
    finding = _priced(tmp_path, usage, calls)
    assert finding.passed, finding.summary


def test_without_a_ledger_there_is_nothing_to_compare_with(tmp_path):
    finding = _priced(tmp_path, usage_table(made_up_calls(5, 1)), None)
    assert finding.passed and finding.summary == "no ledger here to compare with"


def test_a_model_without_a_price_fails_and_says_what_to_set(tmp_path):
    calls = made_up_calls(5, 1, model="house-model")
    finding = _priced(tmp_path, usage_table(calls), calls)
    assert not finding.passed and "DATASET_LLM__INPUT_USD_PER_MILLION" in finding.summary
