"""How many tokens a text or a request has, counted here with the models' own vocabularies. Never a trimmed text, never
the network.

The rule, for chat: 3 tokens per message plus its role and content, 3 that prime the answer (OpenAI cookbook, "How to
count tokens with tiktoken"), and the answer's JSON schema as the section ``# Response Formats`` that the model reads
(OpenAI harmony format, "Structured output"). Providers report what they really counted; limits and budgets are
reconciled with that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from dataset_project.llm.requests import ModelRequest

_PER_MESSAGE = 3
_FOR_ANSWER = 3
_FALLBACK = "o200k_base"
# What OpenAI's models read by; the first prefix that fits decides.
_ENCODINGS = (
    ("gpt-4o", "o200k_base"),
    ("gpt-4.", "o200k_base"),
    ("gpt-4", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-35", "cl100k_base"),
    ("text-embedding-3", "cl100k_base"),
    ("text-embedding-ada", "cl100k_base"),
    ("gpt-", "o200k_base"),
    ("chatgpt-", "o200k_base"),
    ("o1", "o200k_base"),
    ("o3", "o200k_base"),
    ("o4", "o200k_base"),
    ("voyage-3", "voyage3_base"),
)
# Other vocabularies are mostly smaller and need more tokens for the same text: better too many reserved than too few.
_UNKNOWN_VOCABULARY = 1.1
# System prompts, schemas and a chunked document's head: few, long and shared by thousands of requests.
_SHARED_TEXTS = 512
_SHARED_FROM = 200


def count_tokens(model: str, text: str) -> int:
    """Tokens of ``text`` as ``model`` reads it, without any framing."""
    encoding, margin = _encoding_of(model)
    return math.ceil(_count(encoding, text) * margin)


def estimate_tokens(request: ModelRequest) -> int:
    """Input tokens of ``request``: its messages, their framing and its schema.

    Equal to OpenAI's rule or above it; with a tenth on top for models whose vocabulary is not at hand.
    """
    encoding, margin = _encoding_of(request.model)
    tokens = _FOR_ANSWER + _schema_tokens(encoding, request.schema_name, request.schema)
    last = len(request.messages) - 1
    for position, (role, content) in enumerate(request.messages):
        # All but the last message are what requests share; keeping the last ones would keep every document.
        count = _shared_count if position != last and len(content) >= _SHARED_FROM else _count
        tokens += _PER_MESSAGE + _shared_count(encoding, role) + count(encoding, content)
    return math.ceil(tokens * margin)


def _schema_tokens(encoding: str, name: str, schema: Mapping[str, Any]) -> int:
    if not schema:
        return 0
    # A schema's text is its identity: equal schemas of many requests are one entry.
    return _schema_text_tokens(encoding, name, json.dumps(schema, separators=(",", ":"), ensure_ascii=False))


@lru_cache(_SHARED_TEXTS)
def _schema_text_tokens(encoding: str, name: str, schema: str) -> int:
    # How the provider spells the JSON is not documented: the longer of the shortest and the longest usual way.
    spaced = json.dumps(json.loads(schema))
    return max(_count(encoding, f"# Response Formats\n\n## {name}\n\n{text}\n") for text in (schema, spaced))


@lru_cache(_SHARED_TEXTS)
def _shared_count(encoding: str, text: str) -> int:
    return _count(encoding, text)


def _count(encoding: str, text: str) -> int:
    try:
        return _counter(encoding)(text)
    except UnicodeEncodeError:  # half of a surrogate pair: it reaches the provider as one replacement character
        return _counter(encoding)(text.encode("utf-8", "replace").decode("utf-8"))


@cache
def _encoding_of(model: str) -> tuple[str, float]:
    """The encoding's name and the factor on its counts. ``openai/gpt-4o`` and ``ft:gpt-4o:…`` are gpt-4o."""
    name = model.lower().removeprefix("ft:").rsplit("/", 1)[-1]
    for prefix, encoding in _ENCODINGS:
        if name.startswith(prefix):
            return encoding, 1.0
    return _FALLBACK, _UNKNOWN_VOCABULARY


@cache
def _counter(encoding: str) -> Callable[[str], int]:
    return _bindings().tokenizer_for_encoding(encoding).count


@cache
def _bindings() -> Any:
    """The compiled tokenisers of `bpe-openai`.

    Loaded on their own: the package around them reads every vocabulary a second time as Python dictionaries, which
    costs each process 100 MB and half a second for functions that are not used here.
    """
    from importlib.util import find_spec, module_from_spec, spec_from_file_location
    from pathlib import Path

    package = find_spec("bpe_openai")
    for folder in package.submodule_search_locations if package is not None else ():
        for path in sorted(Path(folder).glob("_bindings*.so")):
            spec = spec_from_file_location("bpe_openai._bindings", path)
            if spec is not None and spec.loader is not None:
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    from bpe_openai import _bindings as module  # another layout of the package, or another system

    return module
