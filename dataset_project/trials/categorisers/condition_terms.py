"""The shipped terms of therapeutic areas, compiled, and how terms are found in free text.

Words are folded to one spelling, and of overlapping terms the longest counts. What follows from the terms found belongs
to `therapeutic_rules`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_WORD = re.compile(r"[a-z0-9]+")
_POSSESSIVE = re.compile(r"['’`]s\b")
_GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa", "ß": "beta"})
# Words that are something else without their last letter.
_NO_PLURALS = frozenset({"aids"})
# A pattern with fewer letters would match half the language.
_LEAST_LETTERS = 3


class InvalidTerms(ValueError):
    """A list of terms that cannot be used: which term, and what is wrong with it."""


@dataclass(frozen=True)
class Match(Generic[Value]):
    """A term found in a text: its words from ``start`` to before ``end``, the term as listed, and its value."""

    start: int
    end: int
    text: str
    term: str
    value: Value


def words(text: str) -> list[str]:
    """The text's words, lower case, without accents, punctuation and possessive endings; spelling is left alone."""
    lower = text.lower()
    if not lower.isascii():
        lower = unicodedata.normalize("NFKD", lower.translate(_GREEK))
        lower = "".join(letter for letter in lower if not unicodedata.combining(letter))
    return _WORD.findall(_POSSESSIVE.sub("", lower))


@lru_cache(maxsize=65_536)
def folded(word: str) -> str:
    """A word in the one spelling that terms and texts are compared in: American (anemia, esophagus, tumor), singular.
    Both sides go through it, so that a wrong guess ("caries" → "cary") does no harm."""
    spelled = _american(word)
    if len(spelled) < 4 or spelled in _NO_PLURALS or not spelled.endswith("s") or spelled.endswith(("ss", "us", "is")):
        return spelled
    if spelled.endswith("ies"):
        return spelled[:-3] + "y"
    return spelled[:-2] if spelled.endswith(("sses", "uses")) else spelled[:-1]


def canonical(term: str) -> str:
    """A listed term as it is compared: two terms with the same canonical form are one. Raises InvalidTerms."""
    return " ".join(_pattern(term))


def _american(word: str) -> str:
    spelled = word.replace("ae", "e").replace("oe", "e").replace("sulph", "sulf").replace("isation", "ization")
    return spelled.replace("our", "or") if len(spelled) > 4 else spelled


def _pattern(term: str) -> list[str]:
    """The words of a listed term: each folded, or a stem with its *."""
    pattern: list[str] = []
    for part in term.split():
        if "*" not in part:
            pattern += map(folded, words(part))
            continue
        stem = words(part)
        if part.count("*") != 1 or not (part.startswith("*") or part.endswith("*")) or len(stem) != 1:
            raise InvalidTerms(f"{term!r}: a * stands before or after the letters of one word")
        spelled = _american(stem[0])
        if len(spelled) < _LEAST_LETTERS:
            raise InvalidTerms(f"{term!r}: {part} needs at least {_LEAST_LETTERS} letters")
        pattern.append(f"*{spelled}" if part.startswith("*") else f"{spelled}*")
    if not pattern:
        raise InvalidTerms(f"{term!r} has no word")
    return pattern


class TermIndex(Generic[Value]):
    """Terms with a value each, found in texts in time linear in the text. Built once, never changed after.

    Raises InvalidTerms for a term without words, a * in the wrong place, or two terms that read the same.
    """

    def __init__(self, terms: Mapping[str, Value]):
        self._stems: dict[str, str] = {}
        self._endings: dict[str, str] = {}
        self._root: dict = {}
        self._known: dict[str, tuple[str, ...]] = {}
        listed: dict[str, str] = {}
        for term, value in terms.items():
            pattern = _pattern(term)
            reading = " ".join(pattern)
            if reading in listed:
                raise InvalidTerms(f"{term!r} and {listed[reading]!r} read the same")
            listed[reading] = term
            node = self._root
            for part in pattern:
                if part.endswith("*"):
                    self._stems[part[:-1]] = part
                elif part.startswith("*"):
                    self._endings[part[1:]] = part
                node = node.setdefault(part, {})
            node[None] = (term, value)
        self.listed = tuple(listed.values())
        self._parts = frozenset(part for reading in listed for part in reading.split())

    def find(self, text_words: Sequence[str]) -> list[Match[Value]]:
        """Terms in a text given as its ``words``, from left to right and without overlap; at each place the longest,
        and of equally long ones the one without a *."""
        readings = [self._known.get(word) or self._read(word) for word in text_words]
        found: list[Match[Value]] = []
        place, count = 0, len(readings)
        while place < count:
            longest = self._longest(text_words, readings, place) if readings[place] is not _UNKNOWN else None
            if longest is None:
                place += 1
            else:
                found.append(longest)
                place = longest.end
        return found

    def _longest(self, text: Sequence[str], readings: list[tuple[str, ...]], start: int) -> Match[Value] | None:
        best, nodes = None, [self._root]
        for place in range(start, len(readings)):
            if readings[place] is _UNKNOWN:
                break
            # The exact reading comes first, so the first ending found of a length is the one without a *.
            nodes = [node[part] for node in nodes for part in readings[place] if part in node]
            if not nodes:
                break
            for node in nodes:
                if None in node:
                    term, value = node[None]
                    best = Match(start, place + 1, " ".join(text[start : place + 1]), term, value)
                    break
        return best

    def _read(self, word: str) -> tuple[str, ...]:
        """The parts of terms a word can stand for: itself, then stems from the longest, then endings."""
        spelled = folded(word)
        parts = [spelled] if spelled in self._parts else []
        for forms in dict.fromkeys((spelled, _american(word))):
            cuts = range(len(forms), _LEAST_LETTERS - 1, -1)
            parts += [self._stems[forms[:cut]] for cut in cuts if forms[:cut] in self._stems]
            parts += [self._endings[forms[-cut:]] for cut in cuts if forms[-cut:] in self._endings]
        reading = tuple(dict.fromkeys(parts)) or _UNKNOWN
        # Bounded, since texts bring new words for ever: most are rare, and the common ones come back at once.
        if len(self._known) >= 200_000:
            self._known = {}
        self._known[word] = reading
        return reading


_UNKNOWN: tuple[str, ...] = ("",)


# What a term says: (area, worth) of each area that it speaks for.
Leanings = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class AreaRules:
    """``resources/rules/therapeutic_area*.yaml``, compiled; the files say what each figure means."""

    areas: tuple[str, ...]
    terms: TermIndex[Leanings]
    drugs: TermIndex[Leanings]
    headings: Mapping[str, Mapping[str, float]]
    fields: Mapping[str, float]
    falling: tuple[float, ...]
    confidence: Mapping[str, float]
    healthy: frozenset[str]
    boilerplate: frozenset[str]
    joiners: frozenset[tuple[str, ...]]
    suffixes: frozenset[tuple[str, ...]]
    denials: frozenset[tuple[str, ...]]
    weak_below: float
    conflict_from: float
    also_from: float
    setting: float
    later: float
    beside_tumour: float
    near_heading: float


@lru_cache(maxsize=1)
def area_rules() -> AreaRules:
    """The shipped rules, compiled once a process (some 0.1 s)."""
    return compiled(_resource("therapeutic_area.yaml"), _resource("therapeutic_area_terms.yaml"))


_PHRASES = ("joiners", "suffixes", "denials")
_FIGURES = ("weak_below", "conflict_from", "also_from", "setting", "later", "beside_tumour", "near_heading")


def compiled(settings: Mapping[str, Any], listed: Mapping[str, Mapping[str, Sequence[str]]]) -> AreaRules:
    """Rules from the two files' contents. Raises InvalidTerms naming the area and the entry that makes no sense."""
    areas = tuple(listed)
    levels = settings["levels"]
    lists = {area: _worths(area, by_level, levels) for area, by_level in listed.items()}
    drugs = {area: _worths(area, {"disease": names}, levels) for area, names in settings["interventions"].items()}
    for where, named in (("interventions", drugs), *settings["mesh_headings"].items()):
        if unknown := set(named) - set(areas):
            raise InvalidTerms(f"{where}: {', '.join(sorted(unknown))}: no such area")
    terms = TermIndex(_with_heirs(_by_term(lists), levels))
    return AreaRules(
        areas=areas,
        terms=terms,
        drugs=TermIndex(_by_term(drugs)),
        headings=settings["mesh_headings"],
        fields=settings["fields"],
        falling=tuple(settings["falling"]),
        confidence=settings["confidence"],
        healthy=_among(terms, settings["healthy_volunteers"], "healthy_volunteers"),
        boilerplate=_among(terms, settings["boilerplate"], "boilerplate"),
        **{name: frozenset(tuple(words(each)) for each in settings[name]) for name in _PHRASES},
        **{name: settings[name] for name in _FIGURES},
    )


def _worths(area: str, by_level: Mapping[str, Sequence[str]], levels: Mapping[str, float]) -> dict[str, float]:
    """The terms of one area with their worth."""
    worths: dict[str, float] = {}
    read: dict[str, str] = {}
    for level, terms in by_level.items():
        if level not in levels:
            raise InvalidTerms(f"{area}: {level!r} is none of {', '.join(levels)}")
        for term in terms:
            if not isinstance(term, str):
                raise InvalidTerms(f"{area}, {level}: {term!r} is no text; quote it")
            try:
                reading = canonical(term)
            except InvalidTerms as wrong:
                raise InvalidTerms(f"{area}, {level}: {wrong}") from None
            if reading in read:
                raise InvalidTerms(f"{area}: {term!r} and {read[reading]!r} read the same")
            read[reading], worths[term] = term, levels[level]
    return worths


def _by_term(lists: Mapping[str, Mapping[str, float]]) -> dict[str, Leanings]:
    """Lists by area as one list by term, under the first of the spellings that read the same."""
    spellings: dict[str, str] = {}
    leanings: dict[str, list[tuple[str, float]]] = {}
    for area, worths in lists.items():
        for term, worth in worths.items():
            leanings.setdefault(spellings.setdefault(canonical(term), term), []).append((area, worth))
    return {term: tuple(each) for term, each in leanings.items()}


def _among(terms: TermIndex[Leanings], named: Sequence[str], where: str) -> frozenset[str]:
    """Some terms as they are listed. Raises InvalidTerms for one that is not: it would never be met."""
    listed = {canonical(term): term for term in terms.listed}
    if unlisted := [term for term in named if canonical(term) not in listed]:
        raise InvalidTerms(f"{where}: {unlisted[0]!r} is none of the terms")
    return frozenset(listed[canonical(term)] for term in named)


def _with_heirs(leanings: Mapping[str, Leanings], levels: Mapping[str, float]) -> dict[str, Leanings]:
    """Terms that no area has as a disease inherit from the diseases within them: "uveal melanoma", listed as shared by
    the eye, would otherwise hide the melanoma. Raises InvalidTerms for a term that is a disease of two areas."""
    strongest, hint = max(levels.values()), min(levels.values())
    homes = {term: [area for area, worth in each if worth == strongest] for term, each in leanings.items()}
    for term, areas in homes.items():
        if len(areas) > 1:
            raise InvalidTerms(f"{term!r} is a disease of {' and '.join(areas)}: one is shared")
    diseases = TermIndex({term: each for term, each in leanings.items() if homes[term]})
    heirs: dict[str, Leanings] = {}
    for term, each in leanings.items():
        worths = dict(each)
        if not homes[term] and "*" not in term and max(worths.values()) > hint:
            for match in diseases.find(words(term)):
                for area, worth in match.value:
                    worths[area] = max(worth, worths.get(area, 0.0))
        heirs[term] = tuple(worths.items())
    return heirs


def _resource(name: str) -> Any:
    import yaml

    text = files("dataset_project.trials").joinpath("resources", "rules", name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
