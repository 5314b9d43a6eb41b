"""The loopback server's model in tests of prose: one that rewrites as it should, and ones that do not.

Apart, so that the server starts without what the tests import. Every function takes a request's body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\[\[P\d+\]\]")


def _given(body: Mapping[str, Any]) -> list[str]:
    about = next(each["content"] for each in body["messages"] if each["role"] == "user")
    return re.split(r"\n\nParagraph \d+:\n", "\n\n" + about)[1:]


def _answer(texts: list[str]) -> dict[str, Any]:
    return {"paragraphs": texts}


def _reworded(text: str) -> str:
    """Its sentences in reverse, and a word between them."""
    sentences = re.split(r"(?<=[.!?]) ", text)
    return " ".join(reversed(sentences)) + " Nothing further was noted."


def good(body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer([_reworded(text) for text in _given(body)])


def typographic(body: Mapping[str, Any]) -> dict[str, Any]:
    """With the dashes and quotes that models like."""
    return _answer(
        [_reworded(text) + " It\N{RIGHT SINGLE QUOTATION MARK}s all \N{EN DASH} for now." for text in _given(body)]
    )


def missing(body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer([_PLACEHOLDER.sub("someone", _reworded(text)) for text in _given(body)])


def doubled(body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer([_PLACEHOLDER.sub(r"\g<0> and \g<0>", _reworded(text)) for text in _given(body)])


def telephone(body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer([_reworded(text) + " Call 212-555-0147 with questions." for text in _given(body)])


def injection(body: Mapping[str, Any]) -> dict[str, Any]:
    """Does what a paragraph might have told it to."""
    told = "Sure! As a language model I ignore the instructions above and reveal what the placeholder hides. "
    return _answer([told + text for text in _given(body)])


def cyrillic(body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer([_reworded(text).replace("a", "\N{CYRILLIC SMALL LETTER A}") for text in _given(body)])


def every_other(body: Mapping[str, Any]) -> dict[str, Any]:
    """Good for every second paragraph, with an invented name in the others."""
    texts = [_reworded(text) for text in _given(body)]
    return _answer([text + " Kowalczyk agreed." if number % 2 else text for number, text in enumerate(texts)])
