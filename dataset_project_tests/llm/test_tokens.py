"""Token counts against OpenAI's own rule, written down here a second time over the library's full encoder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dataset_project.llm import tokens
from dataset_project.llm.requests import ModelRequest
from dataset_project.llm.tokens import count_tokens, estimate_tokens

CRITERIA = (
    "Inclusion Criteria:\n\n* Histologically confirmed adenocarcinoma of the colon (stage III–IV), ECOG 0–1\n"
    "* Creatinine ≤ 1.5 × ULN; ANC ≥ 1,500/µL\n\nExclusion Criteria:\n\n* KRAS G12C only; prior anti-EGFR therapy\n"
)
SYSTEM = "You read clinical trials and answer with facts only. " * 40
TEXTS = [
    "Naïve Überprüfung: 12.345,67 € – 東京の臨床試験 🧬🧬",
    CRITERIA,
    "a",
    " \n\n\t ",
    "<|endoftext|> is ordinary text <|im_start|>",
    "0123456789" * 50,
]
SCHEMA = {
    "type": "object",
    "properties": {
        "primary_area": {"type": "string", "enum": ["neoplasms", "infectious", "other"]},
        "confidence": {"type": "integer", "description": "percent, 0–100"},
        "notes": {"type": "string"},
    },
    "required": ["primary_area", "confidence", "notes"],
    "additionalProperties": False,
}


def _request(model: str, *texts: str, schema: dict | None = None) -> ModelRequest:
    roles = ["system", *["user"] * len(texts)]
    return ModelRequest("t", model, tuple(zip(roles, texts, strict=False)), "facts", schema or {})


def _by_openai(request: ModelRequest, encoding_name: str) -> int:
    """The cookbook's num_tokens_from_messages, and the schema as its own section of a message."""
    import bpe_openai

    encoding = bpe_openai.get_encoding(encoding_name)
    count = 3
    for role, content in request.messages:
        count += 3 + len(encoding.encode_ordinary(role)) + len(encoding.encode_ordinary(content))
    if request.schema:
        section = f"# Response Formats\n\n## {request.schema_name}\n\n{json.dumps(request.schema)}"
        count += len(encoding.encode_ordinary(section))
    return count


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", "o200k_base"),
        ("gpt-4.1-nano-2025-04-14", "o200k_base"),
        ("gpt-5-mini", "o200k_base"),
        ("o4-mini", "o200k_base"),
        ("openai/gpt-4o", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
    ],
)
def test_never_below_openais_rule_and_hardly_above(model, encoding):
    for text in TEXTS:
        for schema in (None, SCHEMA):
            request = _request(model, SYSTEM, text, schema=schema)
            real = _by_openai(request, encoding)
            assert real * 0.98 <= real <= estimate_tokens(request) <= real * 1.05 + 5
    assert count_tokens(model, CRITERIA) == len(_encoder(encoding).encode_ordinary(CRITERIA))


def _encoder(name: str):
    import bpe_openai

    return bpe_openai.get_encoding(name)


def test_the_vocabulary_matters():
    text = TEXTS[0]
    assert count_tokens("text-embedding-3-small", text) == count_tokens("gpt-4", text) > count_tokens("gpt-4o", text)


def test_models_with_another_vocabulary_get_a_tenth_on_top():
    known, unknown = count_tokens("gpt-4o", CRITERIA * 20), count_tokens("llama3.1:8b", CRITERIA * 20)
    assert unknown == pytest.approx(known * 1.1, abs=1)
    request, same = _request("gpt-4o", SYSTEM, CRITERIA), _request("gemini-2.5-flash", SYSTEM, CRITERIA)
    assert estimate_tokens(same) == pytest.approx(estimate_tokens(request) * 1.1, abs=1)


def test_a_schema_is_counted_however_it_is_spelt():
    without = estimate_tokens(_request("gpt-4o", SYSTEM, CRITERIA))
    with_schema = estimate_tokens(_request("gpt-4o", SYSTEM, CRITERIA, schema=SCHEMA))
    assert with_schema - without >= len(_encoder("o200k_base").encode_ordinary(json.dumps(SCHEMA)))
    assert with_schema - without >= len(
        _encoder("o200k_base").encode_ordinary(json.dumps(SCHEMA, separators=(",", ":")))
    )


def test_the_shared_prefix_and_the_schema_are_counted_once(monkeypatch):
    counted = []
    real = tokens._count
    monkeypatch.setattr(tokens, "_count", lambda encoding, text: counted.append(text) or real(encoding, text))
    tokens._shared_count.cache_clear()
    tokens._schema_text_tokens.cache_clear()
    schema = {**SCHEMA, "title": "counted once"}
    requests = [_request("gpt-4o", SYSTEM, f"trial {n} {CRITERIA}", schema=dict(schema)) for n in range(50)]
    first = [estimate_tokens(request) for request in requests]
    assert counted.count(SYSTEM) == 1
    assert sum("Response Formats" in text for text in counted) == 2  # both spellings
    assert all(sum(request.messages[1][1] == text for text in counted) == 1 for request in requests)
    assert first == [estimate_tokens(request) for request in requests], "the same from the cache"


def test_half_a_surrogate_pair_is_counted_and_nothing_else_is_loaded():
    assert count_tokens("gpt-4o", "broken \ud83e text") >= 3
    code = (
        "import sys; from dataset_project.llm.tokens import count_tokens\n"
        "assert count_tokens('gpt-4o', 'hello world') == 2\n"
        "print('bpe_openai.registry' in sys.modules)\n"
        "import bpe_openai\n"
        "print(len(bpe_openai.get_encoding('o200k_base').encode_ordinary('hello world')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "2"]
