"""A small sound scheme that tests bend out of shape, and facts drawn from a scheme's JSON schema."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SMALL = """
id: small
version: "1"
title: Small
question: Is it a tumour?
instructions: Read the title.
facts:
  - {name: why, kind: text, description: The words that decide., merge: first}
  - {name: tumour, kind: boolean, description: A tumour., merge: any}
  - name: site
    kind: enum
    description: Where.
    values: {gut: The gut., skin: The skin., none_given: Not said.}
    merge: strongest
    order: [gut, skin, none_given]
  - {name: tags, kind: enum_list, description: More., values: {rare: Rare., young: Children.}, merge: union}
categories:
  - {id: "1", title: One, description: Gut tumours.}
  - {id: "1.5", title: Other, description: Other tumours.}
  - {id: none, title: None, description: No tumour.}
priority: ["1"]
rules:
  - when: {fact: tumour, equals: false}
    category: none
    reason: "no tumour: {why}"
  - when: {all: [{fact: site, any_of: [gut]}, {not: {fact: tags, contains: rare}}]}
    category: "1"
    reason: "tumour of {site}, tags {tags}, tumour {tumour}"
  - category: "1.5"
    reason: another tumour
consistency:
  - when: {fact: site, equals: gut}
    require: {any: [{fact: tumour, equals: true}, {fact: tags, contains: young}]}
    message: a site without a tumour
"""


def facts_of(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Everything that the JSON schema of a scheme allows."""
    return st.fixed_dictionaries({name: _values_of(node) for name, node in schema["properties"].items()})


def _values_of(node: dict[str, Any]) -> st.SearchStrategy:
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if node["type"] == "boolean":
        return st.booleans()
    if node["type"] == "integer":
        return st.integers(node["minimum"], node["maximum"])
    if node["type"] == "array":
        return st.lists(_values_of(node["items"]), max_size=6)
    return st.text(max_size=40)
