"""Forms of English words: lemmas, inflected forms, number and articles. lemminflect knows the forms; textblob's lexicon
says which of them are in use. Every function remembers its answers.
"""

from __future__ import annotations

from functools import lru_cache

from dataset_project.augmentation.text.tagging import coarse, lexicon

_UNIVERSAL = {"n": "NOUN", "v": "VERB", "a": "ADJ", "r": "ADV"}
PAST = "VBDN"
"""Tag of a past tense that may be a participle: "walked" where nothing near it tells."""
_BASE_TAGS = ("NN", "JJ", "RB", "VB", "VBP")
# Sounds, not letters, decide between "a" and "an": "a unit" and "an uninvited guest", "an hour".
_LIKE_YOU = ("uni", "use", "usu", "uti", "ura", "eu", "ewe", "one", "once")
_NOT_LIKE_YOU = ("unin", "unim", "unid")
_SILENT_H = ("hour", "honest", "honor", "honour", "heir")
_MOST_REMEMBERED = 65_536


@lru_cache(maxsize=_MOST_REMEMBERED)
def certain_part_of_speech(lower: str, tag: str) -> str:
    """n, v, a or r when a word's tag in its sentence agrees with its commonest one; else empty."""
    found = coarse(tag)
    return found if found and coarse(lexicon().get(lower, "")) == found else ""


@lru_cache(maxsize=_MOST_REMEMBERED)
def lemma(lower: str, part: str) -> str:
    """Dictionary form of a word used as ``part`` (n, v, a, r); the word itself when none is known."""
    from lemminflect import getLemma

    found = getLemma(lower, _UNIVERSAL[part], lemmatize_oov=False)
    return found[0] if found else lower


@lru_cache(maxsize=_MOST_REMEMBERED)
def inflected(word: str, tag: str) -> str:
    """The form of a lemma that a Penn ``tag`` asks for; empty when none is known to be in use.

    PAST asks for a form that is past tense and participle alike.
    """
    if tag in _BASE_TAGS:
        return word
    if tag == PAST:
        form = inflected(word, "VBD")
        return form if form == inflected(word, "VBN") else ""
    from lemminflect import getInflection

    known, part = lexicon(), coarse(tag)
    return next((form for form in getInflection(word, tag) if coarse(known.get(form, "")) == part), "")


@lru_cache(maxsize=_MOST_REMEMBERED)
def plural(noun: str) -> str:
    """The plural of a noun that is counted; empty for one that is not."""
    from lemminflect import getInflection

    found = getInflection(noun, "NNS")
    return next((form for form in found if form != noun and lexicon().get(form) == "NNS"), "")


def article_for(word: str) -> str:
    """``a`` or ``an``, by how the beginning of ``word`` sounds."""
    lower = word.lower()
    if lower.startswith(_SILENT_H):
        return "an"
    if lower.startswith(_LIKE_YOU) and not lower.startswith(_NOT_LIKE_YOU):
        return "a"
    return "an" if lower[:1] in "aeiou" else "a"
