"""Contractions written out, and words contracted: which reading a form has, from what stands beside it.

What stays ambiguous is left alone, and so are verbs before their subject ("isn't it", "why don't I"): written out, the
"not" would stand in the wrong place. Forms and lists: ``resources/contractions.yaml``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tokens import Passage

_LEANING = frozenset(("am", "are", "is", "have", "has", "had", "would", "will", "not"))


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    declared = resource("contractions.yaml")
    return {name: frozenset(value) if isinstance(value, list) else value for name, value in declared.items()}


def written_out(source: Passage, place: int) -> str | None:
    """What the contraction at ``place`` stands for, in lower case but for "I"; None when it is none or unclear."""
    lists, token = _lists(), source.tokens[place]
    whole = lists["expand"].get(token.lower)
    if whole:
        return None if whole.endswith("not") and _is_inverted(source, place) else whole
    host, apostrophe, ending = token.lower.partition("'")
    if not apostrophe:
        return None
    verb = None
    if ending == "ve" and host in lists["have"]:
        verb = "have"
    elif ending == "ll" and host in lists["will"]:
        verb = "will"
    elif ending == "d" and host in lists["would_hosts"]:
        verb = _would_or_had(source, place)
    elif ending == "s" and host in lists["is"]:
        verb = _is_or_has(source, place, host)
    if verb is None:
        return None
    return f"{'I' if host == 'i' else host} {verb}"


def _next(source: Passage, place: int) -> int | None:
    """The place of the word or number one space behind ``place``."""
    tokens = source.tokens
    if place + 1 == len(tokens) or tokens[place + 1].kind not in ("word", "number"):
        return None
    return place + 1 if source.text[tokens[place].end : tokens[place + 1].start] == " " else None


def _is_inverted(source: Passage, place: int) -> bool:
    following = _next(source, place)
    lower = source.tokens[following].lower if following is not None else ""
    if lower.split("'")[0] in _lists()["subjects"]:
        return True
    before = source.tokens[place - 1].lower if place else ""
    if before in _lists()["asking"] - {"who", "which", "what"}:
        return True
    starts = place in source.sentence_starts or before in ("and", "but", "so", ",")
    return starts and lower in _lists()["determiners"] and _asks(source, place)


def _asks(source: Passage, place: int) -> bool:
    """Whether the sentence of ``place`` ends in a question mark."""
    marks = (token.text[0] for token in source.tokens[place:] if token.kind == "mark" and token.text[0] in ".!?…")
    return next(marks, "") == "?"


def _main_word(source: Passage, place: int) -> int | None:
    """The next word that is no adverb."""
    following, adverbs = _next(source, place), _lists()["adverbs"]
    while following is not None and source.tokens[following].lower in adverbs:
        following = _next(source, following)
    return following


def _would_or_had(source: Passage, place: int) -> str | None:
    lists, main = _lists(), _main_word(source, place)
    if main is None:
        return None
    lower, tag = source.tokens[main].lower, source.tags[main]
    if lower in lists["unclear"] or lower.split("'")[0] in _lists()["subjects"]:
        return None
    if lower in lists["had"]:
        return "had"
    if lower in lists["would"]:
        return "would"
    if tag in ("VBD", "VBN") or (lower.endswith("ed") and not lower.endswith("eed")):
        return "had"
    return "would" if tag in ("VB", "VBP") else None


def _is_or_has(source: Passage, place: int, host: str) -> str | None:
    lists, main = _lists(), _main_word(source, place)
    following = _next(source, place)
    if main is None or following is None:
        return None
    lower, tag = source.tokens[main].lower, source.tags[main]
    if host in _lists()["asking"] | {"here"} and lower.split("'")[0] in _lists()["subjects"] | {"me"}:
        return None
    if host == "there" and (source.tokens[following].guard in ("number", "quantity") or tag == "NNS"):
        return None
    if host == "there" and main + 1 < len(source.tags) and source.tags[main + 1] == "NNS":
        return None
    if lower in lists["has"]:
        return "has"
    if lower in lists["states"]:
        return "is"
    return None if tag in ("VBD", "VBN", "VB", "VBP") or lower.endswith("ed") else "is"


def contracted(source: Passage, place: int) -> tuple[int, str] | None:
    """The last place of the words from ``place`` on that contract, and the contraction; None when they do not."""
    lists, tokens = _lists(), source.tokens
    lower = tokens[place].lower
    if lower == "cannot":
        return place, "can't"
    # Nearly every word ends here: nothing else is looked at, and no text is tagged, for want of a verb that may lean.
    verb = tokens[place + 1].lower if place + 1 < len(tokens) else ""
    second = _next(source, place) if verb in _LEANING else None
    if second is None:
        return None
    ending = _ending(source, place, second)
    if ending:
        return second, ("I" if lower == "i" else lower) + ending
    joined = lists["not"].get(lower) if verb == "not" else None
    if joined is None or tokens[second].text == "NOT" != tokens[place].text.upper():
        return None
    following = _next(source, second)
    inverted = place in source.sentence_starts and _asks(source, place)
    only = following is not None and tokens[following].lower in ("only", "so", "just", "even", "because")
    return None if inverted or only else (second, joined)


def _ending(source: Passage, place: int, second: int) -> str | None:
    """'m, 're, 's, 've, 'd or 'll where the verb at ``second`` may lean on the pronoun at ``place``."""
    lists, tokens, tags = _lists(), source.tokens, source.tags
    host, verb, main = tokens[place].lower, tokens[second].lower, _main_word(source, second)
    if tokens[second].text.isupper() or _next(source, second) is None or main is None:
        return None
    tag = tags[main]
    if verb in ("am", "are", "is"):
        allowed = host in lists.get(verb, ()) if verb != "is" else host in lists["is"]
        return (
            {"am": "'m", "are": "'re", "is": "'s"}[verb]
            if allowed and not _stranded(source, place, second, main)
            else None
        )
    participle = tag == "VBN" or tokens[main].lower in lists["had"] - {"left", "better"}
    if _stranded(source, place, second, main) or tokens[main].lower == "left":
        return None
    if verb == "have" and host in lists["have"] - {"who"} and participle:
        return "'ve"
    if verb == "has" and host in ("he", "she", "it", "that") and participle:
        return "'s"
    if verb == "had" and host in ("i", "you", "he", "she", "we", "they") and participle:
        return "'d"
    base = tag in ("VB", "VBP") or tokens[main].lower in lists["would"]
    if verb == "would" and host in ("i", "you", "he", "she", "we", "they") and base:
        return "'d"
    return "'ll" if verb == "will" and host in lists["will"] - {"who", "that", "there"} and base else None


def _stranded(source: Passage, place: int, second: int, main: int) -> bool:
    """Whether the verb at ``second`` may be stressed, as before a gap: "how tired I am of it", "the man I am now"."""
    lists, tokens, tags = _lists(), source.tokens, source.tags
    after = main + 1 < len(tokens) and tokens[main + 1].kind in ("word", "number")
    # An adverb or preposition that nothing follows cannot be told from the end of the clause.
    if tags[main] in ("RB", "RBR", "IN", "RP") and not after:
        return True
    if tokens[main].lower in lists["closing"]:
        return True
    if place and tokens[place - 1].lower in lists["governing"]:
        return True
    start = place
    while start and tokens[start - 1].kind in ("word", "number"):
        start -= 1
    behind = {token.lower for token in tokens[start:place]}
    if tokens[place].lower in lists["is"] & _lists()["asking"]:
        # "what is wrong" leans; "I know what is" and "what is he" do not.
        return tokens[main].lower.split("'")[0] in _lists()["subjects"]
    if behind & lists["stranding"] or (
        place and tokens[place - 1].kind == "word" and tags[place - 1][:2] in ("NN", "JJ")
    ):
        return tags[main] != "VBG" and tokens[second + 1].lower != "not"
    return False
