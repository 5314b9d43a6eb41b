"""Usage from a real ledger: by the model asked for, and priced again from tokens."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, ModelRequest, Settlement, Usage
from dataset_project.llm.runtime import LEDGER
from dataset_project.trials.report.usage import cost_again, ledger_calls, usage_table
from dataset_project.trials.schemas import MODEL_USAGE
from dataset_project_tests.trials.report.made_up import made_up_calls

PREFIX = "trials/therapeutic_area/"
# 2026-01-05 09:00 UTC: list prices of a past date do not change any more.
STARTED = 1_767_603_600.0
SETTINGS = LlmSettings()


def asked(number: int, model: str = "gpt-5-mini", scheme: str = "therapeutic_area") -> ModelRequest:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    return ModelRequest(f"trials/{scheme}/NCT91{number:06d}", model, (("user", f"trial {number}"),), "s", schema)


def call(request: ModelRequest, outcome: str = "ok", named: str | None = None, **changes) -> CallRecord:
    """A call as the runtime books it: under the provider's name for the model, at the price of the one asked for."""
    usage = Usage(3_000, 500, 1_000) if outcome in ("ok", "invalid") else Usage()
    cost = Prices(SETTINGS).cost(request.model, usage, STARTED) if usage != Usage() else 0.0
    told = "" if outcome == "ok" else "told so"
    record = CallRecord(request.key, 1, STARTED, 4_000.0, outcome, named or request.model, usage, cost, error=told)
    return replace(record, **changes)


def book(directory, requests: list[ModelRequest], calls: list[CallRecord]) -> None:
    """Put requests that ended well into a ledger, with their calls."""
    ledger = Ledger(directory / LEDGER)
    ledger.enqueue("run", requests, {request.key: 0.01 for request in requests})
    ledger.claim("run", "worker", len(requests))
    ledger.settle("worker", [Settlement(each.key, "ok", content="{}", model=each.model) for each in requests], calls)
    ledger.close()


@pytest.fixture
def directory(tmp_path):
    """Twelve trials by a small model, which the provider names by a date, with faults; three by a strong one; one of
    another scheme."""
    small = [asked(number) for number in range(12)]
    strong = [asked(number, "gpt-5.1") for number in range(3)]
    other = [asked(1, scheme="kras_g12d_crc")]
    dated = "gpt-5-mini-2025-08-07"
    calls = [call(each, named=dated, started_at=STARTED + at) for at, each in enumerate(small)]
    calls.append(call(small[0], "rate_limited", latency_ms=100.0, started_at=STARTED - 5))
    calls.append(call(small[1], "invalid", named=dated, started_at=STARTED - 4))
    calls.append(call(small[2], "interrupted", latency_ms=0.0, cost_usd=0.25, started_at=STARTED - 3))
    calls += [call(each, named="gpt-5.1-internal-name") for each in strong] + [call(other[0])]
    book(tmp_path, [*small, *strong, *other], calls)
    return tmp_path


def test_usage_is_by_the_model_asked_for_whatever_the_provider_calls_it(directory):
    calls = ledger_calls(directory, PREFIX)
    assert calls.num_rows == 18 and set(calls["asked_model"].to_pylist()) == {"gpt-5-mini", "gpt-5.1"}
    assert calls["started_at"].to_pylist() == sorted(calls["started_at"].to_pylist())
    table = usage_table(calls)
    assert table.schema.equals(MODEL_USAGE)
    small, strong = table.to_pylist()
    assert (small["model"], small["calls"], small["failed_calls"]) == ("gpt-5-mini", 15, 3)
    assert (small["input_tokens"], small["cached_tokens"], small["output_tokens"]) == (39_000, 13_000, 6_500)
    # OpenAI's list in January 2026, USD per million: 0.25 input, 0.025 cached, 2.00 output.
    each = (2_000 * 0.25 + 1_000 * 0.025 + 500 * 2.00) / 1e6
    assert small["cost_usd"] == pytest.approx(13 * each + 0.25)
    # The median of 12 good calls, a bad one of 4 s and a 429 of 0.1 s; nobody saw the interrupted one end.
    assert small["latency_p50_ms"] == 4_000.0
    assert (strong["model"], strong["calls"], strong["failed_calls"]) == ("gpt-5.1", 3, 0)


def test_costs_are_those_of_the_tokens(directory):
    calls = ledger_calls(directory, PREFIX)
    told = {row["model"]: row["cost_usd"] for row in usage_table(calls).to_pylist()}
    assert cost_again(calls, Prices(SETTINGS)) == pytest.approx(told)
    dearer = LlmSettings(input_usd_per_million=100, output_usd_per_million=100)
    again = cost_again(calls, Prices(dearer))
    assert again["gpt-5.1"] == pytest.approx(3 * 3_500 * 100 / 1e6)
    assert again["gpt-5-mini"] == pytest.approx(13 * 3_500 * 100 / 1e6 + 0.25), "what nobody counted stays as booked"


def test_lines_of_a_batch_are_priced_as_such(tmp_path):
    prices = Prices(SETTINGS)
    usage = Usage(3_000, 500, 0)
    live, batch = (prices.cost("gpt-5-mini", usage, STARTED, batch=batch) for batch in (False, True))
    assert batch == pytest.approx(live / 2)
    requests = [asked(1), asked(2)]
    booked = [call(each, usage=usage, cost_usd=cost) for each, cost in zip(requests, (live, batch), strict=True)]
    book(tmp_path, requests, booked)
    assert cost_again(ledger_calls(tmp_path, PREFIX), prices)["gpt-5-mini"] == pytest.approx(live + batch)


def test_a_model_without_a_price_is_an_error_that_says_what_to_set(tmp_path):
    request = asked(1, "house-model")
    book(tmp_path, [request], [call(asked(1), task_key=request.key)])
    with pytest.raises(ValueError, match="DATASET_LLM__INPUT_USD_PER_MILLION"):
        cost_again(ledger_calls(tmp_path, PREFIX), Prices(SETTINGS))


def test_where_no_call_ended_there_is_no_latency():
    calls = made_up_calls(5, 1, {"lost": 1.0})
    (row,) = usage_table(calls).to_pylist()
    assert (row["calls"], row["failed_calls"], row["latency_p50_ms"], row["latency_p95_ms"]) == (5, 5, None, None)


def test_without_a_ledger_or_calls_there_is_nothing_and_none_is_made(tmp_path, directory):
    assert ledger_calls(tmp_path / "elsewhere", PREFIX) is None and not (tmp_path / "elsewhere").exists()
    calls = ledger_calls(directory, "trials/mine/")
    assert calls.num_rows == 0
    assert usage_table(calls).equals(pa.Table.from_batches([], MODEL_USAGE))
