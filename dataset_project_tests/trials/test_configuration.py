"""What the family's settings refuse, each with one line that says what to do."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dataset_project.settings import InvalidSettings, load_settings
from dataset_project.trials.configuration import TrialSettings

REGISTRY = "clinicaltrials.gov"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"source": REGISTRY}, "needs a query"),
        ({"query": "asthma"}, "a file is taken whole"),
        ({"source": "mine.csv", "query": "asthma"}, "a file is taken whole"),
        ({"max_trials": 50}, "max_trials needs source=clinicaltrials.gov: a file is taken whole"),
        ({"source": "mine.csv", "max_trials": 50}, "a file is taken whole"),
        ({"votes": 0}, "greater than or equal to 1"),
        ({"confident": 1.1}, "less than or equal to 1"),
        ({"tolerated_failures": 1}, "less than 1"),
        ({"categoriser": "gpt"}, "'rules', 'llm' or 'cascade'"),
        ({"modell": "x"}, "Extra inputs are not permitted"),
        ({"source": ""}, "at least 1 character"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, said):
    with pytest.raises(ValidationError, match=said):
        TrialSettings(**values)


def test_the_registry_takes_a_query_and_a_limit():
    settings = TrialSettings(source=REGISTRY, query="asthma", max_trials=50)
    assert (settings.query, settings.max_trials) == ("asthma", 50)


def test_variables_of_the_environment_reach_the_family(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SOURCE": "mine.csv", "COLUMNS": '{"nct_id":"study"}', "REASONING_EFFORT": "null", "VOTES": "3",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DATASET_TRIALS__{name}", value)
    settings = load_settings().trials
    assert (settings.source, settings.columns, settings.reasoning_effort, settings.votes) == (
        "mine.csv", {"nct_id": "study"}, None, 3,
    )  # fmt: skip
    monkeypatch.setenv("DATASET_TRIALS__MAX_TRIALS", "10")
    with pytest.raises(InvalidSettings, match="DATASET_TRIALS: max_trials needs source"):
        load_settings()
