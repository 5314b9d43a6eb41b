"""How this family's pictures name and colour methods."""

from __future__ import annotations

import re

from dataset_project.drawing import BLUE, GREEN, INK, ORANGE, PURPLE, RED

FAMILY_COLOUR = {
    "entity": GREEN,
    "lexical": BLUE,
    "style": PURPLE,
    "word": ORANGE,
    "character": RED,
    "control": INK,
}


def readable(method: str) -> str:
    """A method's id, or several joined by +, as people write it."""
    words = method.replace("_", " ")
    for plain, written in (
        ("wordnet", "WordNet"),
        ("tfidf", "TF-IDF"),
        ("ocr", "OCR"),
        ("aeda", "AEDA"),
        ("minilm", "MiniLM"),
    ):
        words = re.sub(rf"\b{plain}\b", written, words)
    return words
