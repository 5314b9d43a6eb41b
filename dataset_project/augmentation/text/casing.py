"""Capitals: of what is replaced, of a sentence's first word when it moves, and of the pronoun I."""

from __future__ import annotations

from functools import lru_cache

from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tagging import lexicon
from dataset_project.augmentation.text.tokens import Passage

_REGULAR = ("ing", "ed", "ly", "less", "ness")


def with_capital(text: str) -> str:
    """``text`` with a capital first; only that letter changes."""
    return text[:1].upper() + text[1:]


def writes_small_i(passage: Passage) -> bool:
    """Whether the writer types the pronoun as ``i``, or no capitals at all."""
    for place in passage.words:
        token = passage.tokens[place]
        if token.lower.split("'")[0] in ("i", "im", "ive"):
            return token.text[0] == "i"
    return not any(char.isupper() for char in passage.text)


def is_shouted(passage: Passage, first: int, last: int) -> bool:
    """Whether tokens ``first`` … ``last`` stand in capitals as speech, not as an abbreviation: two words at least."""
    capitals = [passage.tokens[place] for place in range(max(0, first - 1), min(last + 2, len(passage.tokens)))]
    return passage.text[passage.tokens[first].start : passage.tokens[last].end].isupper() and (
        sum(token.kind == "word" and token.text.isupper() and token.text != "I" for token in capitals) > 1
    )


def in_case_of(new: str, passage: Passage, first: int, last: int) -> str:
    """``new``, written in lower case but for "I", in the case of the tokens ``first`` … ``last`` that it replaces."""
    if is_shouted(passage, first, last):
        return new.upper()
    token = passage.tokens[first]
    if writes_small_i(passage):
        new = " ".join("i" + word[1:] if word == "I" or word.startswith("I'") else word for word in new.split(" "))
    acronym = token.text.isupper() and len(token.text) > 1
    if first in passage.sentence_starts if acronym else token.text[:1].isupper() and token.lower != "i":
        return with_capital(new)
    return with_capital(new) if token.text == "I" and first in passage.sentence_starts else new


@lru_cache(maxsize=1)
def _titles() -> frozenset[str]:
    """Words with a capital anywhere, places of one word among them."""
    places = resource("places.yaml")
    kinds = (*places["cities"].values(), places["states"], *places["countries"].values())
    return frozenset(
        (*resource("names.yaml")["capitalised"], *(name for kind in kinds for name in kind if " " not in name))
    )


@lru_cache(maxsize=8_192)
def without_capital(word: str) -> str | None:
    """A sentence's first word as it stands inside one: "The" → "the", "I'm" and "GP" as they are.

    None when it may be a name and a common word alike, so that nobody can tell ("Rose", "Will"), or is not known.
    """
    host = word.replace("’", "'").split("'")[0]
    if not word[:1].isupper() or host == "I" or (len(host) > 1 and host.isupper()) or host in _titles():
        return word
    small = word[:1].lower() + word[1:]
    if len(host) > 1 and not host[1:].islower() and "-" not in host:
        return None
    part = host.lower().split("-")[0]
    known = lexicon()
    if host in resource("names.yaml")["unsure"] or known.get(host) == "NNP" or known.get(part) == "NNP":
        return None
    return small if part in known or known.get(host, "NNP") != "NNP" or part.endswith(_REGULAR) else None
