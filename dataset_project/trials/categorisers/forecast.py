"""The dry run: what categorising the trials that are left would ask, cost and take. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.estimate import estimate
from dataset_project.llm.on_record import answers_on_record, spent_on_record
from dataset_project.llm.requests import ModelRequest
from dataset_project.trials.categorisers.driver import first_requests
from dataset_project.trials.categorisers.steps import Categoriser, item_prefix
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.trial import Trial

# Of a structured answer with a sentence or two of notes; reasoning at low effort about doubles it.
EXPECTED_ANSWER_TOKENS = 250
EXPECTED_REASONING_TOKENS = 400
# Seconds of one call: a median small model with a short structured answer, on the careful side.
EXPECTED_LATENCY_S = 8.0


def forecast(
    categoriser: Categoriser,
    trials: Sequence[Trial],
    settings: TrialSettings,
    llm: LlmSettings,
    directory: Path,
    processes: int,
) -> list[tuple[str, str]]:
    """(label, text) pairs for people. Raises ValueError for a model whose price is not known."""
    requests = first_requests(categoriser, trials)
    answered = answers_on_record(directory, [request.key for request in requests])
    left = [request for request in requests if request.key not in answered]
    expected = EXPECTED_ANSWER_TOKENS + (EXPECTED_REASONING_TOKENS if settings.reasoning_effort else 0)
    spent = spent_on_record(directory)

    def told(of: Sequence[ModelRequest]):
        return estimate(of, llm, expected, EXPECTED_LATENCY_S, processes=processes, spent_usd=spent)

    trial_count = len({request.item for request in left})
    lines = [
        ("trials", f"{len(trials):,}, of which {trial_count:,} need a model"),
        ("answered before", f"{len(answered):,} requests, which cost nothing"),
        *told(left).lines(),
    ]
    if settings.categoriser == "cascade" and left:
        going_on = {request.item for request in left}
        prefix = item_prefix(categoriser.scheme)
        strong = categoriser.strong_requests([each for each in trials if f"{prefix}{each.nct_id}" in going_on])
        most = told([*left, *strong])
        lines.append(
            (
                "if every trial went on",
                f"to {settings.strong_model}, {settings.votes} votes each: {most.requests:,} requests, "
                f"${most.cost_usd:,.2f}, {most.minutes:,.1f} min",
            )
        )
    return lines
