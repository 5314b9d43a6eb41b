"""What batches cost, before and after: the providers' discount, and the dry run in batch mode."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.estimate import estimate
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import Usage
from dataset_project_tests.llm.batch_cases import asked

GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai"
MILLION = 1_000_000
BEFORE_LISTED = datetime(2026, 1, 15, tzinfo=UTC).timestamp()
LISTED = datetime(2026, 11, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("at", [BEFORE_LISTED, LISTED])
@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("https://api.openai.com/v1", "gpt-5-mini"),
        ("https://api.openai.com/v1", "gpt-4o-mini"),
        (GEMINI, "gemini-2.5-flash"),
        (GEMINI, "models/gemini-2.5-pro"),
    ],
)
def test_batches_cost_half_at_openai_and_gemini(url, model, at):
    prices = Prices(LlmSettings(base_url=url))
    for usage in (Usage(MILLION, MILLION), Usage(1000, 100), Usage(0, MILLION)):
        assert prices.cost(model, usage, at, batch=True) == pytest.approx(prices.cost(model, usage, at) / 2)
    usage = Usage(MILLION, 0, MILLION // 2)
    assert (
        prices.cost(model, usage, at) / 2 <= prices.cost(model, usage, at, batch=True) < prices.cost(model, usage, at)
    )


def test_who_documents_no_discount_gets_the_full_price_and_own_prices_are_what_they_say():
    usage = Usage(MILLION, MILLION)
    elsewhere = Prices(LlmSettings(base_url="https://models.example.org/v1"))
    assert (
        elsewhere.cost("gpt-5-mini", usage, LISTED, batch=True) == elsewhere.cost("gpt-5-mini", usage, LISTED) == 2.25
    )
    own = Prices(LlmSettings(input_usd_per_million=1, output_usd_per_million=3))
    assert own.cost("gpt-5-mini", usage, LISTED, batch=True) == 4.0
    own_input = Prices(LlmSettings(input_usd_per_million=1))
    assert own_input.cost("gpt-5-mini", usage, LISTED, batch=True) == 2.0, "one own, the other the list's for batches"
    assert own_input.cost("gpt-5-mini", usage, LISTED) == 3.0


def test_in_batch_mode_the_worst_case_and_the_dry_run_are_at_the_price_of_batches():
    requests = asked(100, model="gpt-5-mini")
    live, batch = LlmSettings(), LlmSettings(mode="batch")
    assert Prices(batch).worst_case(requests[0]) == pytest.approx(Prices(live).worst_case(requests[0]) / 2)
    now, later = (estimate(requests, each, 50) for each in (live, batch))
    assert later.cost_usd == pytest.approx(now.cost_usd / 2) and later.worst_cost_usd == pytest.approx(
        now.worst_cost_usd / 2
    )
    assert (later.minutes, later.binds) == (24 * 60, "batch")
    assert dict(later.lines())["time"] == "about 24 h 00 min, set by the Batch API, at most: it is often sooner"
    assert estimate([], batch, 50).binds == "nothing"
