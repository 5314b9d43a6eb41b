"""Settings of the runtime, shared by every family that calls models. Keys are no settings: only the name of the
environment variable that holds one is."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

OPENAI_URL = "https://api.openai.com/v1"


class LlmSettings(BaseModel):
    """Settings of the LLM runtime (environment: ``DATASET_LLM__<NAME>``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(OPENAI_URL, description="an OpenAI-compatible endpoint: OpenAI, Gemini, vLLM, Ollama …")
    api_key_variable: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    directory: str | None = Field(
        None, min_length=1, description="ledger, cache, limiter; unset: llm/ in the data directory"
    )
    mode: Literal["live", "batch"] = Field(
        "live", description="live: minutes; batch: the provider's Batch API, half the price, up to 24 h"
    )
    batch_poll_s: float = Field(
        30, gt=0, le=3600, description="how often a batch is looked at, seconds; up to ten times less while it waits"
    )
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        500, description="provider's limit on a model, for all processes together; null: none"
    )
    tokens_per_minute: Annotated[int, Field(ge=100, le=10_000_000_000)] | None = Field(
        200_000, description="provider's limit, likewise"
    )
    max_in_flight: int = Field(128, ge=1, le=4096, description="most requests in flight per process")
    timeout_s: float = Field(120, gt=0, le=3600, description="deadline of one call, seconds")
    max_attempts: int = Field(8, ge=1, le=50, description="attempts of one request at the transport: 429, 5xx, resets")
    budget_usd: float = Field(10.0, ge=0, description="most that the ledger may ever spend; raise it to go on")
    lease_s: float = Field(300, ge=1, description="a task whose process died is taken over after this many seconds")
    input_usd_per_million: float | None = Field(
        None, ge=0, description="price of input tokens, for models without a list price (0: a server of your own)"
    )
    output_usd_per_million: float | None = Field(None, ge=0, description="price of output tokens, likewise")

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http or https URL such as https://api.openai.com/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("must hold no credentials and no query: the key belongs in the environment")
        return url.rstrip("/")

    @field_validator("api_key_variable")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name.startswith("sk_"):
            raise ValueError("must be the name of an environment variable, not a key")
        return name

    @property
    def api_key(self) -> str | None:
        """The key, read now and stored nowhere; None where the variable is unset or blank."""
        return os.environ.get(self.api_key_variable, "").strip() or None

    @property
    def is_local(self) -> bool:
        """A server on this machine, which needs no key."""
        return urlsplit(self.base_url).hostname in ("localhost", "127.0.0.1", "::1")
