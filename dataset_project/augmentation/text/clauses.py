"""Subordinate clauses that may stand at either end: "When I wake up, I cry.", "I cry when I wake up."

Phrases with since, after and before may too: "I have been low since Easter." Only the clear cases: one subordinator,
one subject and verb on either side, nothing that would change what a pronoun, a negation or an adverb belongs to.
Better none than a wrong one. Word lists: ``resources/clauses.yaml``.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.sentences import Sentence
from dataset_project.augmentation.text.tokens import Passage

_FINITE = ("VBD", "VBZ", "VBP", "MD")
_LONGEST = 16


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(resource("clauses.yaml")[name])


class Clauses(NamedTuple):
    """The subordinate and the main clause of a sentence, as places of tokens; ``fronted`` when the former is first."""

    subordinate: range
    main: range
    fronted: bool


def movable(source: Passage, sentence: Sentence) -> list[Clauses]:
    """Clauses that may change places, from left to right: of statements only, nothing quoted or in brackets."""
    tokens = source.tokens
    last = sentence.last if sentence.mark is None else sentence.mark - 1
    inside = [tokens[place] for place in range(sentence.first, last + 1)]
    if sentence.mark is not None and tokens[sentence.mark].text != ".":
        return []
    if any(token.kind not in ("word", "number") and token.text not in (",", ";") for token in inside):
        return []
    units = _units(source, sentence.first, last)
    found = (
        (_clauses(source, unit), unit.start > sentence.first and tokens[unit.start - 1].text == ",") for unit in units
    )
    # Moved right behind a comma alone, "because …" would belong to what stands before that comma.
    return [each for each, spliced in found if each and _fits(source, each) and (each.fronted or not spliced)]


def _units(source: Passage, first: int, last: int) -> list[range]:
    """A sentence's parts between ", and", ", but", ", so", semicolons, and commas that join whole clauses."""
    tokens, units, start = source.tokens, [], first
    for place in range(first, last):
        spliced = tokens[start].lower not in _words("subordinators") and tokens[place + 1].lower.split("'")[
            0
        ] in _words("subjects")
        if tokens[place].text == ";" or (
            tokens[place].text == "," and (spliced or tokens[place + 1].lower in _words("joining"))
        ):
            units.append(range(start, place))
            start = place + 1 + (tokens[place + 1].lower in _words("joining"))
    return [*units, range(start, last + 1)]


def _clauses(source: Passage, unit: range) -> Clauses | None:
    tokens = source.tokens
    opening = [place for place in unit[:-1] if _opens(source, place)]
    if len(opening) != 1 or not _is_evenly_spaced(source, unit):
        return None
    word, end = opening[0], unit[-1] + 1
    commas = [place for place in unit if tokens[place].text == ","]
    if word > unit[0]:
        main_end = word - (commas == [word - 1])
        whole = not commas or (commas == [word - 1] and tokens[word].lower in _words("after_comma"))
        return Clauses(range(word, end), range(unit[0], main_end), False) if whole and main_end > unit[0] else None
    if len(commas) == 1:
        return Clauses(range(word, commas[0]), range(commas[0] + 1, end), True)
    # Without a comma the main clause begins at the one other subject: "When I preach I lose the thread".
    subjects = [place for place in unit[2:-1] if tokens[place].lower.split("'")[0] in ("i", "he", "she", "we", "they")]
    if commas or len(subjects) != 1 or source.tags[subjects[0] - 1] in ("IN", "DT", "VBP", "VBD", "VBZ", "CC"):
        return None
    return Clauses(range(word, subjects[0]), range(subjects[0], end), True)


def _opens(source: Passage, place: int) -> bool:
    """Whether a clause begins at ``place``, or a phrase with a preposition that is also a subordinator."""
    tokens = source.tokens
    lower, following = tokens[place].lower, tokens[place + 1]
    if lower == "even" and following.lower == "though" and place + 2 < len(tokens):
        following = tokens[place + 2]
    return lower in _words("prepositions") or (
        lower in _words("subordinators") and following.lower.split("'")[0] in _words("subjects") | _words("determiners")
    )


def _is_phrase(source: Passage, subordinator: str, places: range) -> bool:
    """Whether a few words without subject or finite verb follow since, after or before."""
    tokens, tags = source.tokens, source.tags
    return (
        subordinator in _words("prepositions")
        and 1 <= len(places) <= 5
        and not any(
            tags[place] in _FINITE
            or tokens[place].lower.split("'")[0] in _words("subjects")
            or tokens[place].lower in _words("linking") | _words("auxiliaries")
            for place in places
        )
        and tags[places[-1]] not in ("IN", "TO", "DT", "PRP$", "RB")
    )


def _is_evenly_spaced(source: Passage, places: range) -> bool:
    tokens, text = source.tokens, source.text
    gaps = (text[tokens[place].end : tokens[place + 1].start] for place in places[:-1])
    return all(gap == ("" if tokens[at + 1].text == "," else " ") for at, gap in zip(places, gaps, strict=False))


def _fits(source: Passage, clauses: Clauses) -> bool:
    tokens = source.tokens
    subordinator, main = tokens[clauses.subordinate[0]].lower, clauses.main
    subordinate = clauses.subordinate[2 if subordinator == "even" else 1 :]
    if not (2 <= len(main) <= _LONGEST and 1 <= len(subordinate) <= _LONGEST):
        return False
    words = [tokens[place].lower for place in main]
    behind = [tokens[place].lower for place in subordinate]
    if not clauses.fronted and (words[-1] in _words("attached") or tokens[main[-1]].guard == "quantity"):
        return False
    # "because I can't" says what cannot only after the other clause.
    if (
        behind[-1] in _words("auxiliaries")
        or behind[-1].endswith("n't")
        or words[-1] in _words("auxiliaries")
        or words[-1].endswith("n't")
    ):
        return False
    phrase = _is_phrase(source, subordinator, subordinate)
    if not (_is_clause(source, main) and (phrase or _is_clause(source, subordinate))):
        return False
    if _words("linking") & {word.split("'")[0] for word in words} or _words("embedding") & set(words):
        return False
    # "I want to leave when it ends": when does what? A reason leaves no such doubt.
    if (phrase or subordinator not in _words("reasons")) and (
        _words("leaning_verbs") & set(words) or _has_infinitive(source, main)
    ):
        return False
    # "and" in the clause that moves away from the comma would reach into the other one.
    if not clauses.fronted and _words("linking") & {word.split("'")[0] for word in behind}:
        return False
    if (
        not phrase
        and subordinator in _words("negated_reasons")
        and any(tokens[place].guard == "negation" for place in main)
    ):
        return False
    if subordinator == "since" and words[0] in ("it's", "it", "there"):
        return False
    return not (_refers_across(source, main, subordinate) or _refers_across(source, subordinate, main))


def _is_clause(source: Passage, places: range) -> bool:
    """Whether a subject begins it and exactly one more or less plain verb follows; no second subject."""
    tokens, tags = source.tokens, source.tags
    first = tokens[places[0]].lower
    host, apostrophe, _ = first.partition("'")
    subjects = [place for place in places if tokens[place].lower.split("'")[0] in ("i", "he", "she", "we", "they")]
    if len(subjects) > 1 or (subjects and subjects[0] != places[0] and host not in _words("determiners")):
        return False
    if host in _words("subjects") and apostrophe:
        return len(places) > 1
    if host in _words("subjects") and not apostrophe:
        return len(places) > 1 and tags[places[1]] not in ("IN", "TO", "CC", "DT")
    elif first in _words("determiners") and len(places) > 2 and not (subjects and subjects[0] in places):
        rest = places[2:]
    else:
        return False
    near = rest[:5]
    return any(tags[place].startswith(("VB", "MD")) or tokens[place].lower.endswith("n't") for place in near)


def _has_infinitive(source: Passage, places: range) -> bool:
    tokens = source.tokens
    return any(tokens[place].lower == "to" and source.tags[place + 1].startswith("VB") for place in places[:-1])


def _refers_across(source: Passage, pronouns: range, nouns: range) -> bool:
    """Whether a pronoun of one clause may stand for a noun of the other."""
    tokens, tags = source.tokens, source.tags
    refers = any(
        tokens[place].lower.split("'")[0] in _words("third_person")
        and not (
            tokens[place].lower in _words("pointing")
            and place + 1 in pronouns
            and tags[place + 1].startswith(("NN", "JJ"))
        )
        for place in pronouns
    )
    return refers and any(tags[place].startswith("NN") and tokens[place].lower not in ("i", "i'm") for place in nouns)
