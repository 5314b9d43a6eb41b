"""The card in every branch, read as somebody would who knows nothing of the run."""

from __future__ import annotations

import re

import pyarrow.parquet as pq
import pytest

from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.report.card import card
from dataset_project_tests.trials.report.made_up import (
    AREAS,
    CONDITIONS,
    TIERS,
    changed,
    failed_row,
    made_up_calls,
    made_up_trials,
    results_of,
    ruled,
)

TRIALS = made_up_trials(40)
ROWS = ruled(TRIALS)
GOLD = {trial.nct_id: (CONDITIONS[trial.conditions[0]],) for trial in TRIALS}
RULES = TrialSettings()
ASKING = TrialSettings(source="mine.csv", categoriser="llm", model="small")
CASCADE = TrialSettings(source="mine.csv", categoriser="cascade", model="small", strong_model="strong", votes=3)
REGISTRY = TrialSettings(source="clinicaltrials.gov", query="asthma | COPD")
FIFTY = made_up_calls(50, 3, {"lost": 0.1})
OWN_GOLD = TrialSettings(source="mine.csv", gold="gold.csv")


def by_models(rows):
    """Most rows by rules, some by the first model, one by the strong one, one failed."""
    for at in range(5):
        rows = changed(rows, at, categoriser="model", model="small", prompt_hash="a", parts=1, votes=1)
    rows = changed(rows, 5, categoriser="strong_model", model="strong", prompt_hash="b", parts=1, votes=3)
    return failed_row(rows, 6, "refused: not this")


BRANCHES = {
    "sample_by_rules": lambda: card(RULES, AREAS, results_of(ROWS, GOLD)),
    "own_source_without_gold": lambda: card(TrialSettings(source="mine.csv"), AREAS, results_of(ROWS)),
    "own_gold": lambda: card(OWN_GOLD, AREAS, results_of(ROWS, GOLD)),
    "registry": lambda: card(REGISTRY, AREAS, results_of(ROWS)),
    "tiers": lambda: card(TrialSettings(scheme=TIERS.id), TIERS, results_of(ruled(TRIALS, TIERS), scheme=TIERS)),
    "llm": lambda: card(
        ASKING, AREAS, results_of(by_models(ROWS), rules=GOLD, calls=made_up_calls(50, 3, {"lost": 0.1}))
    ),
    "llm_all_lost": lambda: card(ASKING, AREAS, results_of(by_models(ROWS), calls=made_up_calls(5, 3, {"lost": 1.0}))),
    "llm_without_ledger": lambda: card(ASKING, AREAS, results_of(by_models(ROWS))),
    "cascade": lambda: card(CASCADE, AREAS, results_of(by_models(ROWS), GOLD, rules=GOLD, calls=made_up_calls(9, 1))),
    "cascade_that_asked_nothing": lambda: card(CASCADE, AREAS, results_of(ROWS, GOLD)),
    "nothing_categorised": lambda: card(ASKING, AREAS, results_of(failed_row(ROWS.slice(0, 1), 0))),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_nothing_is_left_open_in_any_branch_and_tables_are_tables(name):
    text = BRANCHES[name]()
    assert not re.search(r"\$[a-z{]", text) and not re.search(r"\bNone\b|\bnan\b|\{\}|\[\]", text)
    assert "\n\n\n" not in text
    lines = text.split("\n")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().split("\n")}
        assert len(widths) == 1, block
    for link in re.findall(r"\]\((.*?)\)", text):
        assert link.startswith("pictures/")
    assert max(map(len, lines)) < 420


def test_the_samples_card_warns_and_says_what_its_agreement_is_worth():
    text = BRANCHES["sample_by_rules"]()
    assert "Fictional studies" in text and "MIT, like the project" in text
    assert "| trials | 40: 40 categorised, 0 failed |" in text and "| categorised by | offline rules |" in text
    assert re.search(
        r"\| known categories, all \| 40 \| 100\.0% \(\d\d\.\d% to 100\.0%\) \| 1\.00 \| 0\.\d{3} \|", text
    )
    assert "| `skin` Skin | 5 | 100% (57% to 100%) of 5 | 100% (57% to 100%) |" in text
    assert "written by those who wrote its studies" in text and "No model was asked: it cost nothing." in text
    assert "pictures/confusion.png" in text and "pictures/cost_and_throughput.png" not in text


def test_without_gold_no_agreement_is_claimed_and_no_curve_is_referred_to():
    for name in ("own_source_without_gold", "registry", "tiers"):
        text = BRANCHES[name]()
        assert "no figure of agreement is claimed" in text and "Nothing is known of how often" in text
        assert "reliability" not in text and "ecall" not in text, name


def test_an_own_source_is_neither_called_fictional_nor_given_a_licence():
    for name in ("own_source_without_gold", "registry", "llm"):
        text = BRANCHES[name]()
        assert "Fictional" not in text and "MIT" not in text and "not reviewed by a person" in text
    assert "| source | a file of your own |" in BRANCHES["own_gold"]()
    assert "no better than the gold" in BRANCHES["own_gold"]()
    assert r"| source | ClinicalTrials.gov, query `asthma \| COPD` |" in BRANCHES["registry"]()


def test_a_models_card_tells_cost_failures_and_that_rules_are_no_gold():
    text = BRANCHES["llm"]()
    assert "| categorised by | `small` |" in text and "sent in parts" in text
    assert re.search(
        r"\| `gpt-5-mini` \| 50 \| \d+ \| [\d,]+ \([\d,]+\) \| [\d,]+ \| \$0\.\d{4} \| \d\.\d s, \d\.\d s \|", text
    )
    assert re.search(r"\$0\.\d{4} in all, \$0\.\d{6} per categorised trial", text)
    assert "40: 39 categorised, 1 failed" in text and "says why: refused 1." in text
    assert "| offline rules, where a model decided, all | 6 |" in text and "who is right" in text
    assert "own word, no probability until checked: without known categories" in text
    assert "not on record" in BRANCHES["llm_without_ledger"]()
    assert "it cost nothing" not in BRANCHES["llm_without_ledger"]()
    assert "per categorised trial" not in BRANCHES["nothing_categorised"]()


def test_a_cascades_card_tells_who_decided_and_how_often():
    text = BRANCHES["cascade"]()
    assert "a cascade: offline rules, then `small`, then `strong`, 3 votes" in text
    assert "| decided by | offline rules 33, the model 5, the strong model 1 |" in text
    for split in ("all", "decided by model", "decided by rules", "decided by strong model"):
        assert f"| known categories, {split} |" in text
    assert "with several votes the share of them that agrees" in text
    assert "No model was asked: it cost nothing." in BRANCHES["cascade_that_asked_nothing"]()


def test_its_code_loads_the_data_as_it_says_with_failed_trials_among_them(tmp_path, monkeypatch):
    import duckdb

    from dataset_project.trials.records.intake import RecordsRead
    from dataset_project.trials.records.table import records_table

    text = BRANCHES["llm"]()
    rows = by_models(ROWS)
    for number, part in enumerate((rows.slice(0, 20), rows.slice(20))):
        place = tmp_path / "categorized_trials" / f"partition=bucket_{number:02d}" / "data.parquet"
        place.parent.mkdir(parents=True)
        pq.write_table(part, place)
    place = tmp_path / "trial_records" / "partition=all" / "records.parquet"
    place.parent.mkdir(parents=True)
    pq.write_table(records_table(RecordsRead(tuple(TRIALS), ())), place)
    monkeypatch.chdir(tmp_path)
    known: dict = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S).group(1), known)
    assert len(known["trials"]) == 40 and set(known["trials"]["partition"]) == {"bucket_00", "bucket_01"}
    assert len(known["facts"]) == 39 and "primary_area" in known["facts"].columns
    found = duckdb.sql(re.search(r"```sql\n(.*?)```", text, re.S).group(1)).fetchall()
    assert len(found) == 39 and found == sorted(found, key=lambda row: row[0])
