"""What of a model's prose is accepted: `problem_with` names the first rule that a rewritten paragraph breaks.

The rules are a closed world, since an identifier that a model makes up would be in the corpus without a span: numbers,
codes and proper names are those of the paragraph it was given, words that begin sentences are known ones. A good
paragraph that breaks one costs nothing but its variety: the template's own prose stays.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

from dataset_project.documents.identities import resources
from dataset_project.documents.identities.patterns import identifiers_in
from dataset_project.documents.identities.scanner import Scanner

Reason = Literal[
    "characters",  # outside printable Latin-1, or markup
    "placeholders",  # one is missing, used twice, made up, or glued to a word
    "length",  # far shorter or longer than what was given
    "numbers",  # another number or code, or one is missing
    "names",  # a proper name, month or title that was not given, or one is missing
    "identifiers",  # a shape of an identifier, or somebody of the pools
    "remarks",  # about the task, or about something else
]

PLACEHOLDER = re.compile(r"\[\[P\d+\]\]")
_MARKUP = re.compile(r"[\[\]<>{}@#_*`|\\~^]|://|www\.", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['-][A-Za-zÀ-ÖØ-öø-ÿ]+)*")
_CODE = re.compile(r"[A-Za-z0-9]*\d[A-Za-z0-9]*(?:[.,:/-][A-Za-z0-9]*\d[A-Za-z0-9]*)*")
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_SPELLED = re.compile(rf"\b{_DIGIT}(?:[ ,-]+{_DIGIT}){{3,}}\b|\bninety\b|\bnineties\b|\bcentenarian\b", re.IGNORECASE)
_TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof|professor)\b", re.IGNORECASE)
# A month without a capital is one, too; march, may and august are words besides, so they count beside "in" or "of".
_MONTH = re.compile(
    r"\b(?:january|february|april|june|july|september|october|november|december)\b"
    r"|\b(?:in|of|since|until|by|early|late|mid|last|next|this)[ -](?:march|may|august)\b",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"[A-Za-z]\.[A-Za-z]{2,}")  # the end of a host name; a sentence's dot has a space after it
_TASK = re.compile(
    r"\b(?:placeholders?|instructions?|prompts?|rewrit\w*|rephras\w*|paragraphs?|language model|assistant|chatbot)\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"(?:^|[.!?:][\"')]* )[\"'(]*$")
SHORTEST, LONGEST, SPARE = 0.55, 1.7, 25
"""Bounds of a paragraph's length, of what was given, and so many characters more or less."""
_LEAST_SHARED = 0.25
_SHORTEST_CONTENT = 5

_PHRASES = "resources/clinical"
# Words that begin sentences, beside those of the templates' own phrases.
_STARTERS = frozenset(
    _WORD.findall(
        """
        a about above according accordingly additional additionally after afterwards again all along already also
        although among an and another any anyone apart are as aside at back based because been before being below
        beside besides both but by can compared considering could currently daily depending despite did do does due
        during each earlier early either even every everyone everything except finally first following for former
        from further furthermore general generally given had has have having he her here his how however i if in
        initially instead is it its just keep kindly last lately later latest like likewise long many meanwhile more
        moreover most much my near neither never new next no nobody none nor not nothing now of off often on once
        one only onward or other others otherwise our out over overall particular per please plus presently previous
        previously prior rather recent recently regarding regular same second several she short should similarly
        since so some somebody sometimes soon still subsequently such than thank that the their them then there
        therefore these they third this those though three through throughout thus to today together two under
        unless until up upon us usually very was we were what when whenever where whether which while who whoever
        whose why with within without would yet you your
        """
    )
)
_TYPOGRAPHY = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "…": "...", "\N{NO-BREAK SPACE}": " "}
)


def tidied(text: str) -> str:
    """An answer as it may be used: one line, typographic quotes and dashes as plain ones."""
    return " ".join(text.translate(_TYPOGRAPHY).split())


def problem_with(answer: str, given: str, scanner: Scanner) -> Reason | None:
    """The first rule that a `tidied` answer breaks, measured by the paragraph ``given``; None when it is good."""
    bare, bare_given = PLACEHOLDER.sub(" ", answer), PLACEHOLDER.sub(" ", given)
    if not all(sign.isprintable() and ord(sign) < 256 for sign in answer):
        return "characters"
    if not _placeholders_kept(answer, given):
        return "placeholders"
    if _MARKUP.search(bare) or set(_DOTTED.findall(bare)) - set(_DOTTED.findall(bare_given)):
        return "characters"
    if not SHORTEST * len(given) - SPARE <= len(answer) <= LONGEST * len(given) + SPARE:
        return "length"
    if Counter(_CODE.findall(bare)) != Counter(_CODE.findall(bare_given)) or _more(_SPELLED, bare, bare_given):
        return "numbers"
    if not _names_kept(answer, given):
        return "names"
    if _finds(bare, scanner) - _finds(bare_given, scanner):
        return "identifiers"
    if _more(_TASK, bare, bare_given) or not _same_subject(bare, bare_given):
        return "remarks"
    return None


def _placeholders_kept(answer: str, given: str) -> bool:
    """The same ones, each as often (once), no half ones, and none glued to a word where it was not."""
    found = PLACEHOLDER.findall(answer)
    if sorted(found) != sorted(PLACEHOLDER.findall(given)) or len(set(found)) != len(found):
        return False
    return all(_glue(answer, each) <= _glue(given, each) for each in found)


def _glue(text: str, placeholder: str) -> set[str]:
    """On which sides a letter, a digit or another placeholder touches this one."""
    before, _, after = text.partition(placeholder)
    touched = set()
    if before and (before[-1].isalnum() or before[-1] == "]"):
        touched.add("before")
    if after and (after[0].isalnum() or after[0] == "["):
        touched.add("after")
    return touched


def _more(pattern: re.Pattern[str], text: str, given: str) -> bool:
    """Whether a text has finds that the given one has not, or more of them."""
    found, known = (Counter(each.lower() for each in pattern.findall(some)) for some in (text, given))
    return bool(found - known)


def _names_kept(answer: str, given: str) -> bool:
    """No new proper name, no old one lost. Every word with a capital that begins no sentence counts as one."""
    if _more(_TITLE, answer, given) or _more(_MONTH, answer, given):
        return False
    known = {word.partition("'")[0].casefold() for _, word in _words(given)}
    capitals = {word.partition("'")[0] for _, word in _words(given) if word[0].isupper()}
    words = list(_words(answer))
    for begins, word in words:
        # It's and Parkinson's are it and Parkinson.
        stem = word.partition("'")[0]
        small = stem.casefold()
        if small in known and (stem in capitals or begins or word[0].islower()):
            continue
        if small in _plain_names() or word.casefold() in _plain_names():
            return False
        if word[0].isupper() and stem != "I" and not (begins and small in _vocabulary()):
            return False
        if any(sign.isupper() for sign in word[1:]):
            return False
    written = {word.partition("'")[0] for _, word in words}
    wanted = {word.partition("'")[0] for begins, word in _words(given) if not begins and word[0].isupper()}
    return wanted - {"I"} <= written


def _words(text: str) -> Iterator[tuple[bool, str]]:
    """(whether it begins a sentence, word) of every word outside of placeholders and codes."""
    hidden = PLACEHOLDER.sub(lambda found: "0" * len(found[0]), text)
    hidden = _CODE.sub(lambda found: "0" * len(found[0]), hidden)
    for found in _WORD.finditer(hidden):
        yield bool(_BEGINS.search(hidden[: found.start()])), found[0]


def _finds(text: str, scanner: Scanner) -> set[tuple[str, str]]:
    return {(hit.kind, hit.text) for hit in (*identifiers_in(text), *scanner.scan(text))}


def _same_subject(text: str, given: str) -> bool:
    """Whether enough of the longer words were kept for it to tell the same thing."""
    kept, wanted = ({word.lower()[:_SHORTEST_CONTENT] for word in _WORD.findall(some)} for some in (text, given))
    wanted = {stem for stem in wanted if len(stem) == _SHORTEST_CONTENT}
    return len(kept & wanted) >= _LEAST_SHARED * len(wanted)


@functools.cache
def _plain_names() -> frozenset[str]:
    """Names of the lists that are nothing but names."""
    lists = (resources.given_names("F"), resources.given_names("M"), resources.family_names())
    return frozenset(name.casefold() for names in lists for name in names.plain) - _STARTERS


@functools.cache
def _vocabulary() -> frozenset[str]:
    """Words that may begin a sentence: starters, and small words of the templates' phrases that are no names."""
    lists = (resources.given_names("F"), resources.given_names("M"), resources.family_names())
    names = {name.casefold() for each in lists for name in each.all}
    texts = (
        each.read_text(encoding="utf-8") for each in files("dataset_project.documents").joinpath(_PHRASES).iterdir()
    )
    words = {word for text in texts for word in _WORD.findall(text) if word.islower() and len(word) > 2}
    return _STARTERS | (words - names)
