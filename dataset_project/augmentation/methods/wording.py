"""Content words in their sentence: which of them may be replaced at all, and what a replacement looks like there.

Precision goes before coverage. A word is replaced only when its part of speech is certain, it stands outside fixed
expressions, and the new word has the form that the place asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose
from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.preparation.tables import TermTable
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import Guard, resource
from dataset_project.augmentation.text.morphology import PAST, article_for, certain_part_of_speech, lemma, plural
from dataset_project.augmentation.text.tokens import Passage
from dataset_project.augmentation.text.tokens import passage as passage_of

Options = Callable[[str, str, str], Sequence[str]]
"""(lower-case word, part of speech, Penn tag) to what it may become, in the form that the tag asks for."""

PHRASE = "phrase"
_REMEMBERED = 4_096
_AUXILIARIES = frozenset({"havent", "hasnt", "hadnt", "isnt", "arent", "wasnt", "werent"})
"""Auxiliaries without their apostrophe, which no dictionary has."""
_BEFORE, _AFTER = frozenset(" \n\t(\"“'‘"), frozenset(' \n\t)"”.,;:!?…') | {""}


class Site(NamedTuple):
    """A word that may become any of ``options``, which are in its case; ``place`` is its token's."""

    place: int
    start: int
    end: int
    options: tuple[str, ...]


@cache
def words_for(purpose: str) -> frozenset[str]:
    """A word list of ``resources/lexical.yaml``."""
    return frozenset(resource("lexical.yaml")[purpose])


def replacing(table: TermTable, options: Options, guards: Collection[Guard] = ()) -> Propose:
    """A method that replaces content words.

    ``table`` has the fixed expressions that must stay whole; words under one of ``guards`` may change, too.
    """

    @lru_cache(maxsize=65_536)
    def known(lower: str, part: str, tag: str) -> tuple[str, ...]:
        return tuple(options(lower, part, tag))

    @lru_cache(maxsize=_REMEMBERED)
    def sites(text: str) -> tuple[Site, ...]:
        return tuple(_sites(passage_of(text), table, known, guards))

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = sites(passage.text)
        edits: list[Edit] = []
        for site in draws.sample(found, passage.how_many(intensity, len(found))):
            edits += with_article(passage, site, draws.choice(site.options))
        return edits

    return propose


def with_article(passage: Passage, site: Site, new: str) -> list[Edit]:
    """The edit that puts ``new`` at ``site``, and the one that makes an article before it fit."""
    edits = [Edit(site.start, site.end, new)]
    before = passage.tokens[site.place - 1] if site.place else None
    if before and before.lower in ("a", "an") and passage.text[before.end : site.start] == " ":
        article = article_for(new)
        if article != before.lower:
            shouted = len(before.text) > 1 and before.text.isupper()
            edits.append(Edit(before.start, before.end, article.upper() if shouted else like(article, before.text)))
    return edits


def _sites(passage: Passage, table: TermTable, known: Options, guards: Collection[Guard]) -> Iterator[Site]:
    for place, part, tag in content_words(passage, table, guards):
        token = passage.tokens[place]
        found = known(token.lower, part, tag)
        if part == "n" and tag == "NN":
            found = _of_its_number(passage, place, found)
        beside = {_lower(passage, place - 1), _lower(passage, place + 1)}
        found = [new for new in found if new not in beside]  # no "the hallway hallway"
        if found:
            yield Site(place, token.start, token.end, tuple(like(new, token.text) for new in found))


def _of_its_number(passage: Passage, place: int, found: Sequence[str]) -> Sequence[str]:
    """Of nouns for a singular one, those that may stand there: "a" asks for one that is counted, and where no
    determiner is, only one that is not counted may stand."""
    first = _first_of_compound(passage, place)
    if {_lower(passage, first - 1), _lower(passage, first - 2)} & words_for("counting"):
        return [new for new in found if is_counted(new)]
    return found if _has_determiner(passage, first) else [new for new in found if _may_be_bare(new)]


def is_counted(noun: str) -> bool:
    """Whether there may be one of it: "a couch", and no "a meat"."""
    return bool(plural(noun)) and noun not in words_for("uncounted")


def _may_be_bare(noun: str) -> bool:
    """Whether one of it needs no determiner: "without milk", "after lunch", and no "without bottle"."""
    return not is_counted(noun) or noun in words_for("bare")


def content_words(
    passage: Passage, table: TermTable | None = None, guards: Collection[Guard] = ()
) -> Iterator[tuple[int, str, str]]:
    """(place, part of speech, Penn tag) of the words that others of their kind may stand for."""
    tokens, text, starts = passage.tokens, passage.text, passage.sentence_starts
    held = _in_phrases(passage, table) if table else frozenset()
    never = words_for("never")
    for place in passage.words if guards else passage.open_words:
        token = tokens[place]
        if place in held or not (token.is_open or (token.guard in guards and token.text.isalpha())):
            continue
        part = certain_part_of_speech(token.lower, passage.tags[place])
        if not part or token.lower in never or lemma(token.lower, part) in never:
            continue
        is_name = token.text[0].isupper() and place not in starts and not text.isupper()
        apart = not token.start or text[token.start - 1] in _BEFORE
        if not is_name and apart and text[token.end : token.end + 1] in _AFTER and _STANDS[part](passage, place):
            yield place, part, _seen_tag(passage, place)


def _seen_tag(passage: Passage, place: int) -> str:
    """The tag, but for past tenses what stands before the verb decides: an auxiliary, or a subject and no auxiliary."""
    tag = passage.tags[place]
    if tag not in ("VBD", "VBN"):
        return tag
    before = [_lower(passage, at) for at in range(max(0, place - 3), place)]
    auxiliaries = [lemma(lower.removesuffix("n't"), "v") for lower in before if lower not in _AUXILIARIES]
    if any(lower in _AUXILIARIES or lower.endswith(("'ve", "'d", "'s", "'m", "'re")) for lower in before) or any(
        each in ("have", "be", "get") for each in auxiliaries
    ):
        return "VBN"
    return "VBD" if _tag(passage, place - 1).startswith(("PRP", "NN")) else PAST


def _in_phrases(passage: Passage, table: TermTable) -> frozenset[int]:
    """Places of the words inside fixed expressions."""
    tokens, held = passage.tokens, set()
    for place in passage.words:
        for rest in table.candidates(tokens[place].lower, PHRASE):
            words = rest.split(" ")
            following = [token.lower for token in tokens[place + 1 : place + 1 + len(words)]]
            if following == words or following == [*words[:-1], words[-1] + "s"]:
                held.update(range(place, place + 1 + len(words)))
    return frozenset(held)


def _lower(passage: Passage, place: int) -> str:
    return passage.tokens[place].lower if 0 <= place < len(passage.tokens) else ""


def _tag(passage: Passage, place: int) -> str:
    """Penn tag of the token at ``place``; a full stop beyond the text."""
    return passage.tags[place] if 0 <= place < len(passage.tokens) else "."


def _noun_stands(passage: Passage, place: int) -> bool:
    """The last of a compound; one that is counted and singular with its determiner: "by phone" is an idiom."""
    if _tag(passage, place + 1).startswith(("NN", "CD")):
        return False
    first = _first_of_compound(passage, place)
    before = first - 1
    if _is_contraction(_lower(passage, before)) or (
        _tag(passage, before).startswith(("NN", "VBG")) and not _determines(passage, before)
    ):
        return False
    if passage.tags[place] == "NNS":
        return first < place or not _is_verb(passage, place)
    if _has_determiner(passage, first):
        return True
    lower, before = passage.tokens[place].lower, _tag(passage, place - 1)
    if before == "TO":  # what is not the name of a place may be a verb: "to love"
        return first == place and lower in words_for("bare")
    is_object = before == "IN" or certain_part_of_speech(_lower(passage, place - 1), before) == "v"
    return is_object and first == place and not lower.endswith("ing") and _may_be_bare(lower)


def _first_of_compound(passage: Passage, place: int) -> int:
    """The place of the noun itself, or of the noun before that makes a compound with it: "the bathroom floor"."""
    before = place - 1
    if before < 0 or passage.tags[before] != "NN" or passage.tokens[before].kind != "word":
        return place
    is_noun = passage.tokens[before].text.isalpha() and certain_part_of_speech(_lower(passage, before), "NN") == "n"
    return before if is_noun and _has_determiner(passage, before) else place


def _has_determiner(passage: Passage, place: int) -> bool:
    """Whether a determiner or a genitive stands before the noun, perhaps with an adjective between."""
    return _determines(passage, place - 1) or (_tag(passage, place - 1) == "JJ" and _determines(passage, place - 2))


def _determines(passage: Passage, place: int) -> bool:
    lower = _lower(passage, place)
    return lower in words_for("determiners") or (lower.endswith("'s") and not _is_contraction(lower))


def _is_contraction(lower: str) -> bool:
    """Whether 's is "is" or "has": "it's winter"; else it is a genitive, "my mother's house"."""
    return lower.endswith("s'") or (lower.endswith("'s") and lower.removesuffix("'s") in words_for("never_owners"))


def _is_verb(passage: Passage, place: int) -> bool:
    """Whether what looks like a plural is a verb: "he files", "the mood that crashes", "someone else tunes it"."""
    before = _tag(passage, place - 1)
    return (
        before in ("PRP", "WP", "WDT")
        or _lower(passage, place - 1) in ("that", "who", "which", "else")
        or _lower(passage, place + 1) in words_for("objects")
    )


def _verb_stands(passage: Passage, place: int) -> bool:
    """Without a particle or preposition that belongs to it, and not as a noun or adjective."""
    before = _tag(passage, place - 1)
    if _lower(passage, place - 1) in words_for("determiners") or (
        before in ("JJ", "IN") and _tag(passage, place) != "VBG"
    ):
        return False
    after = _lower(passage, place + 1)
    if after in words_for("particles") or (
        _tag(passage, place + 1) in ("IN", "RP") and after not in words_for("clause_openers")
    ):
        return False
    for ahead in range(place + 2, min(place + 5, len(passage.tokens))):
        if passage.tokens[ahead].kind != "word":
            break
        if _lower(passage, ahead) in words_for("far_particles"):
            return False
    return True


def _adjective_stands(passage: Passage, place: int) -> bool:
    """Before its noun, or at the end of what is said."""
    after = _tag(passage, place + 1)
    if after.startswith("NN"):
        return True
    ends = after in (".", ",", ":", "CC") or _lower(passage, place + 1) in words_for("clause_openers") | {"that"}
    return ends and _tag(passage, place - 1).startswith(("VB", "RB", "CC", ","))


def _adverb_stands(passage: Passage, place: int) -> bool:
    """ "Just" is "simply" before adjectives and most verb forms; before a past tense it may be "a moment ago"."""
    after = _tag(passage, place + 1)
    if _lower(passage, place) != "just":
        return after not in ("JJR", "RBR")
    if _lower(passage, place + 1) == "fine":
        return False
    return after in ("JJ", "VB", "VBP", "VBZ", "VBG", "MD") or _lower(passage, place + 1).endswith("n't")


_STANDS = {"n": _noun_stands, "v": _verb_stands, "a": _adjective_stands, "r": _adverb_stands}
