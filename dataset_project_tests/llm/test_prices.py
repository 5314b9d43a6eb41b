"""Prices: the shipped list, the endpoint's provider, the settings' own prices, and prices that changed."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import ModelRequest, Usage
from dataset_project.llm.tokens import estimate_tokens

GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai"
PROXY = "https://models.example.org/v1"
LOCAL = "http://127.0.0.1:8000/v1"
MILLION = 1_000_000
# Published by their makers: USD per million tokens of input, cached input, output.
PUBLISHED = {"gpt-4o-mini": (0.15, 0.075, 0.6), "gpt-4.1-nano": (0.1, 0.025, 0.4), "gpt-5-mini": (0.25, 0.025, 2.0)}


def _seconds(*day: int) -> float:
    return datetime(*day, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_prices_with_the_cached_share_at_its_own(model):
    prices = Prices(LlmSettings())
    base, cached, output = PUBLISHED[model]
    assert prices.cost(model, Usage(MILLION)) == base
    assert prices.cost(model, Usage(MILLION, 0, MILLION)) == cached
    assert prices.cost(model, Usage(0, MILLION)) == output
    assert prices.cost(model, Usage(3000, 500, 2000)) == round((1000 * base + 2000 * cached + 500 * output) / 1e6, 10)
    assert prices.source(model) == f"list price of openai for {model}"


def test_every_listed_model_costs_what_the_library_says_it_does():
    """Against genai-prices' own calculation, for all models priced by text tokens, tiers and dated prices included."""
    from genai_prices import types
    from genai_prices.data import providers

    seen = tiered = dated = 0
    for provider in providers:
        url = _url_of(provider.api_pattern)
        if url is None:
            continue
        prices = Prices(LlmSettings(base_url=url))
        for info in provider.models:
            if provider.find_model(info.id) is not info or not info.prices:
                continue
            for moment in (_seconds(2025, 1, 15), _seconds(2026, 9, 1), _seconds(2027, 6, 1)):
                at = datetime.fromtimestamp(moment, UTC)
                listed = vars(info.get_prices(at))
                if listed.get("input_mtok") is None or listed.get("output_mtok") is None:
                    continue
                for usage in (Usage(1200, 340, 700), Usage(600_000, 5_000, 1_000)):
                    given = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
                    asked = types.Usage(**given, cache_read_tokens=usage.cached_tokens)
                    expected = info.calc_price(asked, provider, genai_request_timestamp=at).total_price
                    assert prices.cost(info.id, usage, moment) == pytest.approx(float(expected), abs=1e-10), info.id
                    seen += 1
                    tiered += any(isinstance(price, types.TieredPrices) for price in listed.values())
                    dated += isinstance(info.prices, list)
    assert seen > 3000 and tiered > 100 and dated > 100


def _url_of(pattern: str) -> str | None:
    """An address the provider's pattern takes, for the patterns that are one."""
    url = pattern.replace("\\.", ".").split("(")[0]
    return url if url.startswith("https://") and url[8:] and not set(url) & set("[]*+?|^") else None


def test_a_call_costs_what_was_charged_when_it_was_made():
    prices = Prices(LlmSettings())
    before, after = (prices.cost("o3", Usage(MILLION), _seconds(2025, 6, day)) for day in (9, 10))
    assert (before, after) == (10.0, 2.0)
    assert prices.cost("o3", Usage(MILLION), _seconds(2025, 6, 9)) == before, "asked again, in any order"


def test_the_worst_case_holds_at_the_dearest_hour(monkeypatch):
    prices = Prices(LlmSettings(base_url="https://api.deepseek.com"))
    request = ModelRequest("t", "deepseek-chat", (("user", "hello"),), "s", {}, 1000)
    hours = [
        prices.cost("deepseek-chat", Usage(estimate_tokens(request), 1000), _seconds(2026, 1, 5) + 3600 * hour)
        for hour in range(24)
    ]
    assert min(hours) < max(hours), "this model is cheaper by night"
    for hour in (0, 7, 13, 20):
        now = _seconds(2026, 1, 5) + 3600 * hour
        monkeypatch.setattr("dataset_project.llm.prices.time", SimpleNamespace(time=lambda now=now: now))
        assert prices.worst_case(request) == max(hours)


def test_the_worst_case_is_one_full_answer_with_nothing_cached():
    request = ModelRequest("t", "gpt-4o-mini", (("system", "Answer."), ("user", "x " * 300)), "s", {}, 2000)
    expected = (estimate_tokens(request) * 0.15 + 2000 * 0.6) / 1e6
    assert Prices(LlmSettings()).worst_case(request) == pytest.approx(expected, abs=1e-10)


def test_another_endpoint_takes_the_makers_prices_and_says_so():
    prices = Prices(LlmSettings(base_url=PROXY))
    assert prices.cost("gpt-4o-mini", Usage(MILLION)) == 0.15
    assert (
        prices.source("gpt-4o-mini") == "list price of openai for gpt-4o-mini (none is listed for models.example.org)"
    )
    assert prices.cost("text-embedding-3-small", Usage(MILLION)) == 0.02
    gemini = Prices(LlmSettings(base_url=GEMINI))
    assert gemini.source("gemini-2.5-flash") == "list price of google for gemini-2.5-flash"
    assert gemini.cost("models/gemini-2.5-flash", Usage(MILLION)) == gemini.cost("gemini-2.5-flash", Usage(MILLION))


def test_without_a_maker_the_dearest_offer_counts():
    from genai_prices.data import providers

    model = "meta-llama/llama-3.3-70b-instruct"
    offers = []
    for provider in providers:
        info = provider.find_model(model)
        if info is not None:
            card = vars(info.get_prices(datetime.now(UTC)))
            offers.append(Decimal(card["input_mtok"]) + Decimal(card["output_mtok"]))
    assert len(offers) > 2 and min(offers) < max(offers)
    assert Prices(LlmSettings(base_url=PROXY)).cost(model, Usage(MILLION, MILLION)) == round(float(max(offers)), 10)


def test_the_settings_own_prices_win():
    settings = LlmSettings(input_usd_per_million=3, output_usd_per_million=7)
    prices = Prices(settings)
    for model in ("gpt-4o-mini", "house-model"):
        assert prices.cost(model, Usage(MILLION, MILLION, 400_000)) == 10.0
        assert prices.is_known(model)
        assert prices.source(model) == "the settings' own prices"
    only_output = Prices(LlmSettings(output_usd_per_million=7))
    assert only_output.cost("gpt-4o-mini", Usage(MILLION, MILLION, MILLION)) == 7.075
    assert "own price; the other: list price of openai" in only_output.source("gpt-4o-mini")
    free = Prices(LlmSettings(input_usd_per_million=0, output_usd_per_million=0))
    assert free.cost("gpt-4o-mini", Usage(MILLION, MILLION)) == 0


def test_a_server_on_this_machine_is_free_unless_it_has_prices():
    assert Prices(LlmSettings(base_url=LOCAL)).cost("gpt-4o", Usage(MILLION, MILLION)) == 0
    assert Prices(LlmSettings(base_url=LOCAL)).is_known("anything")
    priced = Prices(LlmSettings(base_url=LOCAL, input_usd_per_million=0.5))
    assert priced.cost("anything", Usage(MILLION, MILLION)) == 0.5


@pytest.mark.parametrize("model", ["house-model", "gpt-4o-mini-ultra-clone"])
def test_an_unknown_model_names_the_settings(model):
    prices = Prices(LlmSettings())
    assert not prices.is_known(model)
    request = ModelRequest("t", model, (("user", "x"),), "s", {})
    for ask in (lambda: prices.cost(model, Usage(1)), lambda: prices.worst_case(request), lambda: prices.source(model)):
        with pytest.raises(ValueError, match=model) as raised:
            ask()
        for setting in ("DATASET_LLM__INPUT_USD_PER_MILLION", "DATASET_LLM__OUTPUT_USD_PER_MILLION"):
            assert setting in str(raised.value)


def test_one_own_price_of_an_unknown_model_is_enough_for_embeddings_only():
    prices = Prices(LlmSettings(input_usd_per_million=0.1))
    assert prices.cost("house-embedder", Usage(MILLION)) == 0.1
    assert not prices.is_known("house-embedder")
    with pytest.raises(ValueError, match="DATASET_LLM__OUTPUT_USD_PER_MILLION"):
        prices.cost("house-embedder", Usage(1, 1))
    assert not Prices(LlmSettings(output_usd_per_million=1)).is_known("house-model")


def test_sums_stay_exact_and_odd_counts_do_not_turn_a_cost_negative():
    prices = Prices(LlmSettings())
    each = prices.cost("gpt-4.1-nano", Usage(1))
    assert each == 1e-7
    assert math.fsum([each] * 1_000_000) == pytest.approx(0.1, abs=1e-10)
    assert prices.cost("gpt-4o-mini", Usage(10, 0, 500)) == prices.cost("gpt-4o-mini", Usage(10, 0, 10)) > 0


def test_neither_the_network_nor_the_library_before_a_price_is_asked(monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("prices went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Prices(LlmSettings()).cost("gpt-4o", Usage(1000, 10)) > 0
    code = (
        "import sys; from dataset_project.llm import prices, tokens, estimate, cache, embeddings\n"
        "prices.Prices(prices.LlmSettings())\n"
        "print(*sorted({'genai_prices', 'bpe_openai', 'openai', 'aiohttp', 'httpx2', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
