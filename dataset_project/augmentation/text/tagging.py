"""Part-of-speech tags of a passage: textblob's lexicon and rules (after Brill 1992), no model file, about 10 µs a
sentence."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataset_project.augmentation.text.tokens import Passage


@lru_cache(maxsize=1)
def _tagger():
    from textblob.en import parser

    parser.find_tags(["a"])  # the lexicon is read on first use
    return parser


def tags_of(passage: Passage) -> tuple[str, ...]:
    """Penn Treebank tag of each token. Raises ImportError when textblob is not installed."""
    words = [token.text.replace("’", "'") for token in passage.tokens]
    return tuple(tag for _, tag in _tagger().find_tags(words)) if words else ()


def lexicon() -> dict[str, str]:
    """Commonest tag of each word form the tagger knows."""
    return _tagger().lexicon


def coarse(tag: str) -> str:
    """WordNet's part of speech of a Penn tag: n, v, a or r; empty for function words and proper nouns."""
    if tag in ("NN", "NNS"):
        return "n"
    if tag.startswith("VB"):
        return "v"
    if tag.startswith("JJ"):
        return "a"
    return "r" if tag in ("RB", "RBR", "RBS") else ""
