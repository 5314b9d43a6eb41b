"""What calls cost, from the list prices shipped with `genai-prices`. Nothing here asks the network.

A call costs what was charged when it was made: prices that changed since are taken by their start dates, so that a
recomputed cost stays the same. Answers of the Batch API cost the provider's list price for batches; where none is
listed, half the price at OpenAI and Gemini, which document that for all their models, and the full price elsewhere.
Prices from the settings are never discounted. Counting tokens belongs to `tokens`, what a whole run will cost to
`estimate`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.requests import ModelRequest, Usage
from dataset_project.llm.tokens import estimate_tokens

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

# Sums of many costs stay exact to this many digits: a thousandth of the cheapest token (1e-8 USD) and more.
_DIGITS = 10
_MILLION = Decimal(1_000_000)
# OpenAI "Batch API" and Gemini "Batch API": 50 % of the standard price; ids of `genai-prices`.
_HALF_IN_BATCHES = frozenset({"openai", "google"})
_IN_BATCHES = {"processing": "batch"}


@dataclass(frozen=True)
class _Card:
    """Prices in USD per million tokens, at one time. A price is a number, or tiers by the length of the whole input
    (``genai_prices.types.TieredPrices``); None: not known. ``request``: USD per call."""

    input: Any
    cached: Any
    output: Any
    request: Decimal = Decimal(0)

    def cost(self, usage: Usage) -> float:
        # A provider that reports more cached tokens than input would otherwise turn a cost negative.
        cached = min(usage.cached_tokens, usage.input_tokens)
        total = (
            _at(self.input, usage.input_tokens) * (usage.input_tokens - cached)
            + _at(self.cached, usage.input_tokens) * cached
            + (_at(self.output, usage.input_tokens) * usage.output_tokens if usage.output_tokens else 0)
        )
        return round(float(total / _MILLION + self.request), _DIGITS)


@dataclass(frozen=True)
class _PriceList:
    """One model's prices. ``at(seconds since the epoch)`` is the card of that time, ``batch_at`` of calls in batches
    (None: at the same price)."""

    source: str
    at: Callable[[float], _Card]
    has_output: bool
    is_constant: bool
    batch_at: Callable[[float], _Card] | None = None


class Prices:
    """Prices of models at the configured endpoint.

    In this order: the settings' own prices (cached input then costs as much as any); nothing, for a server on this
    machine; the list prices of the endpoint's provider; those of the model's maker, or of the dearest provider that
    offers the model, for an endpoint without a list (`source` says which).
    """

    def __init__(self, settings: LlmSettings):
        self._settings = settings
        self._lists: dict[str, _PriceList | None] = {}

    def cost(self, model: str, usage: Usage, at: float | None = None, batch: bool = False) -> float:
        """USD of one call, to 1e-10. ``at``: when it was made, seconds since the epoch; None: now. ``batch``: it was a
        line of a batch; worth the provider's discount, if any.

        Raises ValueError, naming the settings to set, for a model whose price is not known.
        """
        prices = self._known(model)
        if usage.output_tokens and not prices.has_output:
            raise ValueError(self._unknown(model, "DATASET_LLM__OUTPUT_USD_PER_MILLION"))
        if batch and prices.batch_at is not None:
            return prices.batch_at(time.time() if at is None else at).cost(usage)
        return prices.at(0.0 if prices.is_constant else time.time() if at is None else at).cost(usage)

    def worst_case(self, request: ModelRequest) -> float:
        """USD of one call for ``request`` that fills its cap, nothing cached, at the dearest hour of the next day;
        at the price of batches where the settings ask for them.

        Repairs and a raised cap come on top: they are calls of their own. Raises ValueError as `cost` does.
        """
        usage = Usage(input_tokens=estimate_tokens(request), output_tokens=request.max_output_tokens)
        return self.worst_cost(request.model, usage, batch=self._settings.mode == "batch")

    def worst_cost(self, model: str, usage: Usage, batch: bool = False) -> float:
        """USD of a call made at the dearest hour of the next day (some providers are cheaper by night)."""
        if self._known(model).is_constant:
            return self.cost(model, usage, batch=batch)
        now = time.time()
        return max(self.cost(model, usage, now + 3600 * hour, batch) for hour in range(25))

    def is_known(self, model: str) -> bool:
        """Whether calls of ``model`` can be priced: input, and output unless its list has none (embeddings)."""
        prices = self._list_of(model)
        return prices is not None and (prices.has_output or not self._has_own)

    def source(self, model: str) -> str:
        """Whose prices are used, for people. Raises ValueError as `cost` does."""
        return self._known(model).source

    @property
    def _has_own(self) -> bool:
        own = (self._settings.input_usd_per_million, self._settings.output_usd_per_million)
        return any(price is not None for price in own)

    def _known(self, model: str) -> _PriceList:
        prices = self._list_of(model)
        if prices is None:
            raise ValueError(
                self._unknown(model, "DATASET_LLM__INPUT_USD_PER_MILLION and DATASET_LLM__OUTPUT_USD_PER_MILLION")
            )
        return prices

    def _list_of(self, model: str) -> _PriceList | None:
        if model not in self._lists:
            self._lists[model] = self._find(model)
        return self._lists[model]

    def _find(self, model: str) -> _PriceList | None:
        own_input, own_output = self._settings.input_usd_per_million, self._settings.output_usd_per_million
        if self._settings.is_local and not self._has_own:
            return _constant("a server on this machine: free", Decimal(0), Decimal(0))
        if self._has_own and self._settings.is_local:
            own_input, own_output = own_input or 0.0, own_output or 0.0
        if own_input is not None and own_output is not None:
            return _constant("the settings' own prices", _decimal(own_input), _decimal(own_output))
        listed = self._listed(model)
        if not self._has_own:
            return listed
        if listed is None:
            return None if own_input is None else _constant("the settings' own price", _decimal(own_input), None)
        return _with_own(listed, own_input, own_output)

    def _listed(self, model: str) -> _PriceList | None:
        from genai_prices.data import providers

        # What Gemini's endpoint calls its models by.
        name = model.removeprefix("models/")
        host = urlsplit(self._settings.base_url).hostname
        at_endpoint = _provider_of(self._settings.base_url, providers)
        if at_endpoint is not None:
            info = at_endpoint.find_model(name, all_providers=providers)
            if info is not None:
                return _as_list(info, f"list price of {at_endpoint.id} for {info.id}", at_endpoint.id)
        found = _elsewhere(name, providers)
        if found is None:
            return None
        provider, info = found
        return _as_list(info, f"list price of {provider.id} for {info.id} (none is listed for {host})")

    def _unknown(self, model: str, names: str) -> str:
        host = urlsplit(self._settings.base_url).hostname
        return (
            f"no list price is known for the model {model} at {host}: set {names} (USD per million tokens; 0 for a "
            "server of your own), or correct the model's name"
        )


def _provider_of(url: str, providers: list[Provider]) -> Provider | None:
    return next((provider for provider in providers if re.match(provider.api_pattern, url)), None)


def _elsewhere(model: str, providers: list[Provider]) -> tuple[Provider, ModelInfo] | None:
    """The model's maker, else the dearest provider that offers it: a budget must hold whoever serves the model."""
    for provider in providers:
        if provider.model_match is not None and provider.model_match.is_match(model.lower()):
            info = provider.find_model(model)
            if info is not None and _is_priced(info):
                return provider, info
    offers = []
    for provider in providers:
        info = provider.find_model(model)
        if info is not None and _is_priced(info):
            card = _card(info.get_prices(datetime.now(UTC)))
            offers.append(
                (_at(card.input, 0) + (_at(card.output, 0) if card.output is not None else 0), provider, info)
            )
    return max(offers, key=lambda offer: (offer[0], offer[1].id))[1:] if offers else None


def _is_priced(info: ModelInfo) -> bool:
    return bool(info.prices) and _card(info.get_prices(datetime.now(UTC))).input is not None


def _as_list(info: ModelInfo, source: str, provider: str = "") -> _PriceList | None:
    """None for a model that is listed without a price per input token (those paid by the image, the minute …).

    ``provider``: whose endpoint it is; "": not known, so none whose batches are known to be cheaper.
    """
    if not _is_priced(info):
        return None
    # Prices at different times are few objects, compiled once each; the list keeps them alive, so ids are theirs.
    cards: dict[int, _Card] = {}

    def at(seconds: float) -> _Card:
        price = info.get_prices(datetime.fromtimestamp(seconds, UTC))
        card = cards.get(id(price))
        if card is None:
            card = cards[id(price)] = _card(price)
        return card

    now = at(time.time())
    is_constant = not isinstance(info.prices, list) or len(info.prices) == 1
    batch_at = _batch_prices(info, at, provider) if provider else None
    return _PriceList(source, (lambda _: now) if is_constant else at, now.output is not None, is_constant, batch_at)


def _batch_prices(info: ModelInfo, at: Callable[[float], _Card], provider: str) -> Callable[[float], _Card] | None:
    variants = [each for each in info.price_variants or () if each.when == _IN_BATCHES]
    if not variants and provider not in _HALF_IN_BATCHES:
        return None

    @lru_cache(64)
    def of_hour(hour: int) -> _Card:
        moment = datetime.fromtimestamp(hour * 3600, UTC)
        if any(each.constraint is None or each.constraint.active(moment) for each in variants):
            return _card(info.get_prices(moment, _IN_BATCHES))
        return _halved(at(hour * 3600.0)) if provider in _HALF_IN_BATCHES else at(hour * 3600.0)

    return lambda seconds: of_hour(int(seconds // 3600))


def _halved(card: _Card) -> _Card:
    def half(price: Any) -> Any:
        if price is None or isinstance(price, Decimal):
            return price and price / 2
        tiers = [replace(tier, price=tier.price / 2) for tier in price.tiers]
        return replace(price, base=price.base / 2, tiers=tiers)

    return _Card(half(card.input), half(card.cached), half(card.output), card.request)


def _card(price: Any) -> _Card:
    listed = vars(price)
    base = listed.get("input_mtok")
    cached = listed.get("cache_read_mtok")
    request = listed.get("requests_kcount") or Decimal(0)
    return _Card(base, base if cached is None else cached, listed.get("output_mtok"), _at(request, 0) / 1000)


def _at(price: Any, input_tokens: int) -> Decimal:
    """The price that holds for a call of this input length: past a tier's start, it holds for all of its tokens."""
    if isinstance(price, Decimal):
        return price
    applicable = price.base
    for tier in price.tiers:
        if input_tokens > tier.start:
            applicable = tier.price
    return applicable


def _constant(source: str, input_price: Decimal, output_price: Decimal | None) -> _PriceList:
    card = _Card(input_price, input_price, output_price)
    return _PriceList(source, lambda _: card, output_price is not None, True)


def _with_own(listed: _PriceList, own_input: float | None, own_output: float | None) -> _PriceList:
    """The list with one of its prices replaced by the settings'."""

    def mixed(prices: Callable[[float], _Card]) -> Callable[[float], _Card]:
        def at(seconds: float) -> _Card:
            card = prices(seconds)
            base = card.input if own_input is None else _decimal(own_input)
            cached = card.cached if own_input is None else _decimal(own_input)
            return _Card(base, cached, card.output if own_output is None else _decimal(own_output), card.request)

        return at

    source = f"the settings' own price; the other: {listed.source}"
    batch_at = None if listed.batch_at is None else mixed(listed.batch_at)
    has_output = listed.has_output or own_output is not None
    return _PriceList(source, mixed(listed.at), has_output, listed.is_constant, batch_at)


def _decimal(price: float) -> Decimal:
    return Decimal(str(price))
