"""What the loopback server's models say: values from a JSON schema, vectors of texts. The same for the same prompt."""

from __future__ import annotations

import base64
import json
import random
from array import array
from collections.abc import Callable, Mapping
from hashlib import shake_256
from importlib import import_module
from typing import Any

_WORDS = ("alpha", "beta", "gamma", "trial", "therapy", "dose", "cohort", "placebo", "screening", "baseline")


def named_function(name: str) -> Callable[[Mapping[str, Any]], Any] | None:
    """``module:function``; None for an empty name."""
    if not name:
        return None
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def from_schema(schema: Mapping[str, Any], messages: Any) -> Any:
    """A value that satisfies ``schema``, drawn by the hash of ``messages``."""
    seed = shake_256(json.dumps(messages, sort_keys=True).encode()).digest(8)
    return _value(schema, schema, random.Random(int.from_bytes(seed, "big")), 0)


def _value(schema: Mapping[str, Any], root: Mapping[str, Any], rng: random.Random, depth: int) -> Any:
    if "$ref" in schema:
        return _value(_referred(root, schema["$ref"]), root, rng, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "anyOf" in schema:
        # Deep in a recursive schema the last alternative, by custom the one that ends (null).
        return _value(schema["anyOf"][-1] if depth > 6 else rng.choice(schema["anyOf"]), root, rng, depth)
    kind = schema.get("type", "object")
    kind = rng.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _value(sub, root, rng, depth + 1) for name, sub in schema.get("properties", {}).items()}
    if kind == "array":
        return _items(schema, root, rng, depth)
    if kind == "string":
        return _text(schema, rng)
    if kind in ("integer", "number"):
        return _number(schema, kind, rng)
    return rng.random() < 0.5 if kind == "boolean" else None


def _items(schema: Mapping[str, Any], root: Mapping[str, Any], rng: random.Random, depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    most = max(least, min(schema.get("maxItems", 3), 3)) if depth < 6 else least
    items = [_value(schema["items"], root, rng, depth + 1) for _ in range(rng.randint(least, most))]
    if schema.get("uniqueItems"):
        items = [item for place, item in enumerate(items) if item not in items[:place]]
    return items


def _text(schema: Mapping[str, Any], rng: random.Random) -> str:
    if schema.get("format") == "date":
        return f"20{rng.randint(10, 25)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    text = " ".join(rng.choices(_WORDS, k=rng.randint(1, 4)))
    while len(text) < schema.get("minLength", 0):
        text += " " + rng.choice(_WORDS)
    return text[: schema.get("maxLength", len(text))]


def _number(schema: Mapping[str, Any], kind: str, rng: random.Random) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 101) - 1)
    return rng.randint(int(low), int(high)) if kind == "integer" else round(rng.uniform(low, high), 3)


def _referred(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        found = found[part] if part else found
    return found


def vector(text: str, dimensions: int) -> array:
    """The unit vector of a text: float32, drawn by its hash."""
    drawn = array("I", shake_256(text.encode()).digest(4 * dimensions))
    values = [number / 2**31 - 1 for number in drawn]
    length = sum(value * value for value in values) ** 0.5
    return array("f", [value / length for value in values])


def encoded(values: array, encoding: str) -> str | list[float]:
    return base64.b64encode(values.tobytes()).decode() if encoding == "base64" else list(values)
