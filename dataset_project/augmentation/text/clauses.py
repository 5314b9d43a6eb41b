"""Subordinate clauses that may stand at either end of their sentence: "When I wake up, I cry." and "I cry when I wake up."

Phrases with since, after and before do too: "I have been low since Easter."

Only the clear cases: one subordinator, one subject and verb on either side, nothing that would change what a pronoun, a negation
or an adverb belongs to. Better none than a wrong one.
"""

from __future__ import annotations

from typing import NamedTuple

from dataset_project.augmentation.text.sentences import Sentence
from dataset_project.augmentation.text.tokens import Passage

_SUBORDINATORS = frozenset("when because if after before since while although once whenever bc".split())
_SUBJECTS = frozenset("i you he she we they it nobody everyone everybody someone somebody people".split())
_DETERMINERS = frozenset("the my your his her our their a an".split())
_THIRD_PERSON = frozenset(
    "he she it they him her them his hers its their theirs himself herself itself themselves this that these those one ones".split()
)
# Verbs that take a clause of their own: what follows them would be read into it.
_EMBEDDING = frozenset(
    """know knew knows think thinks thought say says said tell tells told ask asks asked wonder wonders wondered remember remembers
    remembered forget forgot see saw hear heard guess suppose believe wish wished hope hoped feel felt mean meant realise realised
    realize realized decide decided notice noticed imagine care swear promise promised wondering thinking saying
    telling hoping wishing knowing asking pretend mind minds learned learnt found find""".split()
)
_LEANING_VERBS = frozenset(
    """want wants wanted hate hated love loved like liked stop stopped start started begin began begun keep keeps kept quit try tried
    going""".split()
)
_PREPOSITIONS = frozenset("since after before".split())
_FINITE = ("VBD", "VBZ", "VBP", "MD")
_REASONS = frozenset("because bc although since".split())
_LINKING = frozenset(
    "and but or so then who which that what how where why whether than as not-only except until till unless though yet".split()
)
# Before a subordinator these belong to it ("even when"), or make the clause theirs ("the day when", "worse than when").
_ATTACHED = frozenset(
    """even just only right ever especially except not never long soon shortly immediately as like than about of is was are were it's that's
    be been this that it what from for at by to since until day days night nights time times moment morning week month year years point
    place one kind way hours minutes weeks months know sure wonder see ask matter mind worse better best worst late early always
    sometimes mostly usually often partly mainly maybe probably simply""".split()
)
_NEGATED_REASONS = frozenset("because bc since if while".split())
_AUXILIARIES = frozenset(
    "am is are was were be been do does did have has had can could will would should must may might to cannot".split()
)
_AFTER_COMMA = frozenset("because bc although if while".split())
_JOINING = frozenset("and but so".split())
_POINTING = frozenset("this that these those".split())
_LONGEST = 16


class Clauses(NamedTuple):
    """The subordinate clause and the main clause of a sentence, as places of tokens; ``fronted`` when the former comes first."""

    subordinate: range
    main: range
    fronted: bool


def movable(source: Passage, sentence: Sentence) -> list[Clauses]:
    """Clauses of ``sentence`` that may change places, from left to right; statements only, nothing quoted or in brackets."""
    tokens = source.tokens
    last = sentence.last if sentence.mark is None else sentence.mark - 1
    inside = [tokens[place] for place in range(sentence.first, last + 1)]
    if sentence.mark is not None and tokens[sentence.mark].text != ".":
        return []
    if any(token.kind not in ("word", "number") and token.text not in (",", ";") for token in inside):
        return []
    found = (_clauses(source, unit) for unit in _units(source, sentence.first, last))
    return [clauses for clauses in found if clauses and _fits(source, clauses)]


def _units(source: Passage, first: int, last: int) -> list[range]:
    """A sentence's parts between ", and", ", but", ", so", semicolons, and commas that join whole clauses."""
    tokens, units, start = source.tokens, [], first
    for place in range(first, last):
        spliced = tokens[start].lower not in _SUBORDINATORS and tokens[place + 1].lower.split("'")[0] in _SUBJECTS
        if tokens[place].text == ";" or (
            tokens[place].text == "," and (spliced or tokens[place + 1].lower in _JOINING)
        ):
            units.append(range(start, place))
            start = place + 1 + (tokens[place + 1].lower in _JOINING)
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
        whole = not commas or (commas == [word - 1] and tokens[word].lower in _AFTER_COMMA)
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
    return lower in _PREPOSITIONS or (
        lower in _SUBORDINATORS and following.lower.split("'")[0] in _SUBJECTS | _DETERMINERS
    )


def _is_phrase(source: Passage, subordinator: str, places: range) -> bool:
    """Whether a few words without subject or finite verb follow since, after or before."""
    tokens, tags = source.tokens, source.tags
    return (
        subordinator in _PREPOSITIONS
        and 1 <= len(places) <= 5
        and not any(
            tags[place] in _FINITE
            or tokens[place].lower.split("'")[0] in _SUBJECTS
            or tokens[place].lower in _LINKING | _AUXILIARIES
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
    subordinate, main = clauses.subordinate[1:], clauses.main
    if not (2 <= len(main) <= _LONGEST and 1 <= len(subordinate) <= _LONGEST):
        return False
    subordinator = tokens[clauses.subordinate[0]].lower
    words = [tokens[place].lower for place in main]
    behind = [tokens[place].lower for place in subordinate]
    if not clauses.fronted and (words[-1] in _ATTACHED or tokens[main[-1]].guard == "quantity"):
        return False
    # "because I can't" says what cannot only after the other clause.
    if (
        behind[-1] in _AUXILIARIES
        or behind[-1].endswith("n't")
        or words[-1] in _AUXILIARIES
        or words[-1].endswith("n't")
    ):
        return False
    phrase = _is_phrase(source, subordinator, subordinate)
    if not (_is_clause(source, main) and (phrase or _is_clause(source, subordinate))):
        return False
    if _LINKING & {word.split("'")[0] for word in words} or _EMBEDDING & set(words):
        return False
    # "I want to leave when it ends": when does what? A reason leaves no such doubt.
    if (phrase or subordinator not in _REASONS) and (_LEANING_VERBS & set(words) or _has_infinitive(source, main)):
        return False
    # "and" in the clause that moves away from the comma would reach into the other one.
    if not clauses.fronted and _LINKING & {word.split("'")[0] for word in behind}:
        return False
    if not phrase and subordinator in _NEGATED_REASONS and any(tokens[place].guard == "negation" for place in main):
        return False
    if subordinator == "since" and words[0] in ("it's", "it", "there"):
        return False
    return not (_refers_across(source, main, subordinate) or _refers_across(source, subordinate, main))


def _is_clause(source: Passage, places: range) -> bool:
    """Whether a subject begins it and exactly one more or less plain verb follows; no second subject."""
    tokens, tags = source.tokens, source.tags
    first = tokens[places[0]].lower
    host, apostrophe, ending = first.partition("'")
    subjects = [place for place in places if tokens[place].lower.split("'")[0] in ("i", "he", "she", "we", "they")]
    if len(subjects) > 1 or (subjects and subjects[0] != places[0] and host not in _DETERMINERS):
        return False
    if host in _SUBJECTS and apostrophe:
        return len(places) > 1
    if host in _SUBJECTS and not apostrophe:
        return len(places) > 1 and tags[places[1]] not in ("IN", "TO", "CC", "DT")
    elif first in _DETERMINERS and len(places) > 2 and not (subjects and subjects[0] in places):
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
        tokens[place].lower.split("'")[0] in _THIRD_PERSON
        and not (
            tokens[place].lower in _POINTING and place + 1 in pronouns and tags[place + 1].startswith(("NN", "JJ"))
        )
        for place in pronouns
    )
    return refers and any(tags[place].startswith("NN") and tokens[place].lower not in ("i", "i'm") for place in nouns)
