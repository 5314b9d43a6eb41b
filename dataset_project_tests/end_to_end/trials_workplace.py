"""A workplace of the trials family: its sample, or a CSV of its own, and a model that answers on loopback."""

from __future__ import annotations

import csv
from pathlib import Path

from dataset_project.trials.trial import Trial
from dataset_project_tests.end_to_end.workplace import Workplace

SECRET = "sk-test-1f2e3d4c5b6a79880"
ANSWERS = "dataset_project_tests.trials.answers:therapeutic_area"
_WORDS = ("asthma", "eczema", "stroke", "migraine", "gout", "cystitis", "psoriasis", "anaemia")


def trials_workplace(directory: Path, checkout: bool = False, **environment: str) -> Workplace:
    common = {"DATASET_FAMILIES": '["trials"]', "DATASET_EXECUTOR": "in_process"}
    return Workplace(directory, checkout, **(common | environment))


def asking(url: str, **settings: str) -> dict[str, str]:
    """The environment that makes a server on loopback the model. ``settings``: of the runtime, by lower-case name."""
    chosen = {"base_url": url, "requests_per_minute": "null", "tokens_per_minute": "null", "lease_s": "3"} | settings
    return {
        "DATASET_TRIALS__CATEGORISER": "llm",
        "OPENAI_API_KEY": SECRET,
        **{f"DATASET_LLM__{name.upper()}": value for name, value in chosen.items()},
    }


def made_up_trials(count: int, first: int = 1) -> list[Trial]:
    """Trials with little text, each different, with ids that no registry gives."""
    return [
        Trial(
            f"NCT91{number:06d}",
            brief_title=f"Study {number} of {_WORDS[number % len(_WORDS)]}",
            conditions=(_WORDS[number % len(_WORDS)],),
            eligibility_criteria=f"Inclusion Criteria:\n\n* Adults with {_WORDS[number % len(_WORDS)]}, site {number}",
        )
        for number in range(first, first + count)
    ]


def write_trials(path: Path, trials: list[Trial]) -> None:
    """A CSV with the reader's default column names."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["nct_id", "brief_title", "conditions", "eligibility_criteria"])
        writer.writerows(
            [each.nct_id, each.brief_title, "|".join(each.conditions), each.eligibility_criteria] for each in trials
        )
