"""Rules of OpenAI's structured outputs for a strict schema (guide "Structured Outputs", supported schemas)."""

from __future__ import annotations

from typing import Any

_KEYWORDS = {
    "object": {"type", "properties", "required", "additionalProperties", "description"},
    "array": {"type", "items", "minItems", "maxItems", "description"},
    "string": {"type", "enum", "description"},
    "integer": {"type", "enum", "minimum", "maximum", "description"},
    "boolean": {"type", "description"},
}


def violations(schema: dict[str, Any]) -> list[str]:
    """Every rule that the schema breaks."""
    found: list[str] = [] if schema.get("type") == "object" else ["the root must be an object"]
    enums = properties = characters = 0
    stack = [("$", schema, 1)]
    while stack:
        path, node, depth = stack.pop()
        kind = node.get("type")
        if kind not in _KEYWORDS:
            found.append(f"{path}: type {kind!r}")
            continue
        found += [f"{path}: keyword {name}" for name in sorted(set(node) - _KEYWORDS[kind])]
        if depth > 10:
            found.append(f"{path}: nested deeper than 10")
        if kind == "object":
            if node.get("additionalProperties") is not False:
                found.append(f"{path}: additionalProperties must be false")
            if list(node.get("required", ())) != list(node["properties"]):
                found.append(f"{path}: every property must be required")
            properties += len(node["properties"])
            characters += sum(map(len, node["properties"]))
            stack += [(f"{path}.{name}", each, depth + 1) for name, each in node["properties"].items()]
        elif kind == "array":
            stack.append((f"{path}[]", node["items"], depth + 1))
        enums += len(node.get("enum", ()))
        characters += sum(len(str(value)) for value in node.get("enum", ()))
        if len(set(node.get("enum", ()))) < len(node.get("enum", ())):
            found.append(f"{path}: a value stands twice")
    if properties > 5000 or enums > 1000 or characters > 120_000:
        found.append("too large")
    return found
