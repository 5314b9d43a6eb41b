"""Negating an English clause and un-negating it, at sites whose grammar is plain.

Left alone are questions, imperatives, clauses with words that live off a negation ("any", "anymore") or of an assertion
("already", "too"), and verbs in coordination, whose fellows would keep their form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.methods.wording import words_for
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.morphology import inflected, lemma
from dataset_project.augmentation.text.tokens import Passage, Token
from dataset_project.augmentation.text.tokens import passage as passage_of

_REMEMBERED = 4_096
# Auxiliary → with its negation. The curly apostrophe of a text is kept.
_NEGATED = {"can": "can't", "could": "couldn't", "would": "wouldn't", "should": "shouldn't", "will": "won't",
            "is": "isn't", "are": "aren't", "was": "wasn't", "were": "weren't", "has": "hasn't", "have": "haven't",
            "had": "hadn't"}  # fmt: skip
_PLAIN = {negated: plain for plain, negated in _NEGATED.items()} | {"cannot": "can"}
_MODALS = frozenset({"can", "could", "would", "should", "will"})
_BE = frozenset({"am", "is", "are", "was", "were", "i'm", "we're", "you're", "they're", "he's", "she's", "it's"})
_DO = {"don't": "VBP", "doesn't": "VBZ", "didn't": "VBD", "do": "VBP", "does": "VBZ", "did": "VBD"}
"""Forms of "do" before a verb, and the form that the verb takes without them."""
_SUBJECTS = frozenset({"i", "we", "you", "they", "he", "she", "it"})
_SINGULAR = frozenset({"he", "she", "it"})
_NOT_ALONE = frozenset(
    {"be", "have", "do", "use", "get", "let", "need", "dare", "can", "will", "may", "wish", "keep", "hope"}
)
_ASIDE = frozenset({"mean", "think", "know", "guess", "swear", "suppose", "reckon", "believe"})
"""Verbs of clauses that say nothing by themselves: "but, I mean, nobody did"."""
_LINKS = frozenset({"and", "or", "then", "just", "never"})
_AFTER_BE = ("JJ", "VBG", "VBN", "DT", "PRP$")


@lru_cache(maxsize=_REMEMBERED)
def sites(text: str) -> tuple[Sequence[Edit], ...]:
    """Every way to add or take away one negation, each as its edits."""
    passage = passage_of(text)
    found: list[Sequence[Edit]] = []
    for first, last in _sentences(passage):
        words = [token.lower for token in passage.tokens[first:last]]
        negations = [token for token in passage.tokens[first:last] if token.guard == "negation"]
        if last == len(passage.tokens) or (passage.tokens[last].text[0] != "?" and not _goes_on(passage, last)):
            if len(negations) == 1:
                found += _without(passage, first, last)
            elif not negations and words_for("polar").isdisjoint(words):
                found += _with(passage, first, last)
    return tuple(found)


def _sentences(passage: Passage) -> Iterator[tuple[int, int]]:
    """Stretches of tokens between marks that end a clause: commas end one as well."""
    start = 0
    for place, token in enumerate(passage.tokens):
        if token.kind in ("newline", "emoji", "url") or (token.kind == "mark" and token.text[0] in '.!?…,;:()"“”—–-*'):
            if place > start:
                yield start, place
            start = place + 1
    if start < len(passage.tokens):
        yield start, len(passage.tokens)


def _goes_on(passage: Passage, comma: int) -> bool:
    """Whether another verb of the same subject comes after the comma: "I got up, ate, and went"."""
    ahead = comma + 1
    while ahead < len(passage.tokens) and passage.tokens[ahead].lower in _LINKS:
        ahead += 1
    return (
        passage.tokens[comma].text == ","
        and ahead < len(passage.tokens)
        and passage.tags[ahead] in ("VB", "VBD", "VBP", "VBZ", "VBN")
    )


def _is_subject(passage: Passage, place: int, first: int) -> bool:
    """Whether the token is a pronoun that a verb may follow as its subject, at the beginning of its clause."""
    if place < first or passage.tokens[place].lower not in _SUBJECTS:
        return False
    return place == first or passage.tokens[place - 1].lower in (
        "and",
        "that",
        "when",
        "now",
        "today",
        "days",
        "nights",
        "think",
    )


def _base(passage: Passage, place: int, last: int, tags: tuple[str, ...] = ("VB",)) -> str:
    """The lemma of a lone verb at ``place``; empty for another word, an auxiliary, or a verb in coordination.

    ``tags`` are beginnings of the tags it may have: after an auxiliary, a word that looks like a noun is a verb.
    """
    if place >= last or not passage.tokens[place].text.isalpha() or not passage.tags[place].startswith(tags):
        return ""
    joined = (at for at in range(place + 1, last - 1) if passage.tags[at] == "CC")
    if any(passage.tags[at + 1].startswith(("VB", "NN")) for at in joined):
        return ""
    base = lemma(passage.tokens[place].lower, "v")
    return "" if base in _NOT_ALONE or not inflected(base, "VBD") else base


def _curled(new: str, passage: Passage) -> str:
    return new.replace("'", "’") if "’" in passage.text and "'" not in passage.text else new


def _with(passage: Passage, first: int, last: int) -> Iterator[Sequence[Edit]]:
    tokens, tags = passage.tokens, passage.tags
    # "Before I don't go" means nothing.
    until = next((place for place in range(first, last) if tokens[place].lower == "before"), last)
    for place in range(first, until):
        token, subject = tokens[place], _is_subject(passage, place - 1, first)
        after, after_tag = (tokens[place + 1], tags[place + 1]) if place + 1 < last else (None, "")
        if token.lower in _BE:
            stands = "'" in token.lower or subject or (place > first and tags[place - 1].startswith("NN"))
            if stands and after_tag in _AFTER_BE and after.kind == "word":
                yield (Edit(token.end, token.end, " NOT" if passage.text.isupper() else " not"),)
        elif not subject:
            continue
        elif token.lower in _MODALS:
            if after and _base(passage, place + 1, last, ("VB", "NN")) == after.lower:
                yield (_swapped(passage, token, _NEGATED[token.lower]),)
        elif token.lower in ("have", "has", "had") and after_tag == "VBN" and _base(passage, place + 1, last):
            yield (_swapped(passage, token, _NEGATED[token.lower]),)
        else:
            yield from _with_do(passage, place, last, tokens[place - 1].lower)


def _swapped(passage: Passage, token: Token, new: str) -> Edit:
    return Edit(token.start, token.end, _curled(like(new, token.text), passage))


def _with_do(passage: Passage, place: int, last: int, subject: str) -> Iterator[Sequence[Edit]]:
    """ "I cried" → "I didn't cry", "she eats" → "she doesn't eat"."""
    token, base = passage.tokens[place], _base(passage, place, last)
    if not base or (base in _ASIDE and place + 1 == last):
        return
    tag = passage.tags[place]
    present = "VBZ" if subject in _SINGULAR else "VBP"
    if token.lower == inflected(base, present) and tag in (present, "VB", "NNS", "VBP"):
        auxiliary = "doesn't" if subject in _SINGULAR else "don't"
    elif token.lower == inflected(base, "VBD") and tag in ("VBD", "VBN"):
        auxiliary = "didn't"
    else:
        return
    shouted = passage.text.isupper()
    new = _curled(f"{auxiliary} {base}", passage)
    yield (Edit(token.start, token.end, new.upper() if shouted else new),)


def _without(passage: Passage, first: int, last: int) -> Iterator[Sequence[Edit]]:
    tokens, tags, text = passage.tokens, passage.tags, passage.text
    cue = next(place for place in range(first, last) if tokens[place].guard == "negation")
    others = {token.lower for token in tokens[first:last]} - {tokens[cue].lower}
    if cue == first or cue + 1 >= last or not words_for("polar").isdisjoint(others):
        return
    token, before, after = tokens[cue], tokens[cue - 1], tokens[cue + 1]
    if token.lower == "not" and text[before.end : token.start] == " ":
        if before.lower in _BE | _MODALS and tags[cue + 1] in (*_AFTER_BE, "VB"):
            yield (Edit(before.end, token.end, ""),)
        elif before.lower in _DO and cue - 1 > first:
            yield from _without_do(passage, cue - 1, cue + 1, last)
    elif token.lower in _DO:
        yield from _without_do(passage, cue, cue + 1, last)
    elif (
        token.lower in _PLAIN
        and _stands_after_subject(passage, cue)
        and after.kind == "word"
        and after.lower not in _SUBJECTS
        and tags[cue + 1][:2] in ("VB", "JJ", "DT", "PR")
    ):
        yield (Edit(token.start, token.end, like(_PLAIN[token.lower], token.text)),)


def _without_do(passage: Passage, auxiliary: int, place: int, last: int) -> Iterator[Sequence[Edit]]:
    """ "I don't eat" and "I do not eat" → "I eat"; "he didn't eat" → "he ate"."""
    first, verb = passage.tokens[auxiliary], passage.tokens[place]
    base = _base(passage, place, last, ("VB", "NN"))
    if (
        not base
        or base != verb.lower
        or passage.text[verb.start - 1] != " "
        or not _stands_after_subject(passage, auxiliary)
    ):
        return
    form = inflected(base, _DO[first.lower])
    if form:
        yield (Edit(first.start, verb.end, like(form, first.text)),)


def _stands_after_subject(passage: Passage, place: int) -> bool:
    before = passage.tokens[place - 1]
    return before.lower in _SUBJECTS or (before.kind == "word" and passage.tags[place - 1].startswith("NN"))
