"""The one adapter to nlpaug 1.1.11: its character maps, spelling dictionary and TF-IDF statistics as plain, ordered
tables.

Only nlpaug's models are used, never `augment`: that flattens line breaks, breaks contractions and links, draws from
global state, ignores ``n`` for lists, replaces ``aug_p=0`` by 0.3, crashes on missing text and on a one-word crop, and
keeps one TF-IDF model for all paths. Which words are changed, with which random numbers, is ours. A test draws from
nlpaug itself and from these tables and compares.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path


@cache
def keyboard(special: bool = False, numeric: bool = False) -> dict[str, tuple[str, ...]]:
    """Neighbouring keys of each character on a QWERTY keyboard, the same case (nlpaug `KeyboardAug`)."""
    import nlpaug.augmenter.char as nac

    model = nac.KeyboardAug(include_special_char=special, include_numeric=numeric, include_upper_case=False).model.model
    lower = {
        key: tuple(sorted({each for each in values if each != key})) for key, values in model.items() if key.islower()
    }
    upper = {key.upper(): tuple(value.upper() for value in values) for key, values in lower.items()}
    return {**lower, **upper}


@cache
def ocr() -> dict[str, tuple[str, ...]]:
    """Characters that optical character recognition confuses (nlpaug `OcrAug`), both ways."""
    import nlpaug.augmenter.char as nac

    return {key: tuple(sorted(values)) for key, values in sorted(nac.OcrAug().model.model.items()) if values}


@cache
def letters(upper: bool = False, numeric: bool = False, special: str = "") -> tuple[str, ...]:
    """Characters that random insertion and substitution draw from (nlpaug `RandomCharAug`)."""
    import nlpaug.augmenter.char as nac

    augmenter = nac.RandomCharAug(include_upper_case=upper, include_numeric=numeric, spec_char=special)
    return tuple(augmenter.model)


@lru_cache(maxsize=1)
def misspellings(distance: int = 2) -> dict[str, tuple[str, ...]]:
    """Known misspellings of each word (nlpaug `SpellingAug`), sorted: nlpaug's own order varies between processes.

    Its list also holds other words, foreign ones and scraps of markup. Kept are plain words at most ``distance`` edits
    away (Damerau-Levenshtein) that are no correct spelling of anything.
    """
    from nlpaug.model.word_dict import Spelling
    from nlpaug.util import LibraryUtil
    from rapidfuzz.distance import OSA

    # The model itself: `SpellingAug` gives every caller the one that the first of the process asked for.
    path = Path(LibraryUtil.get_res_dir(), "word", "spelling", "spelling_en.txt")
    dictionary = Spelling(str(path), include_reverse=False).dict
    correct = {word.lower() for word in dictionary}
    found = {}
    for word in sorted(dictionary):
        kept = {
            each.lower()
            for each in dictionary[word]
            if each.isalpha() and each.isascii() and len(each) > 1 and each.lower() not in correct
        }
        close = sorted(each for each in kept if OSA.distance(word.lower(), each, score_cutoff=distance) <= distance)
        if word.isalpha() and close:
            found[word] = tuple(close)
    return found


def word_statistics(documents: list[list[str]]) -> dict[str, tuple[float, float]]:
    """Word → (IDF, probability of being drawn) over tokenised documents (nlpaug `TfIdf`, after Xie et al. 2020).

    Words that are rare in all documents together, and say little there, are drawn most; the commonest never. Documents
    and their words are taken in the order given.
    """
    import nlpaug.model.word_stats as nmws

    model = nmws.TfIdf()
    model.train(documents)
    return {word: (model.w2idf[word], model.w2tfidf[word]) for word in model.w2tfidf}
