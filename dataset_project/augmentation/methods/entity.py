"""Entity methods: names, places and dates become others of their kind, the same one everywhere in a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.dates import dates, shifted
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import guard_of, resource
from dataset_project.augmentation.text.tokens import Passage
from dataset_project.augmentation.text.tokens import passage as passage_of

Mention = tuple[int, int, str, tuple[str, ...]]
"""Where an entity stands (code points), its name, and what it may become."""

_LONGEST_PLACE = 3
_VOWELS = frozenset("AEIO")


@lru_cache(maxsize=1)
def _first_names() -> dict[str, tuple[str, ...]]:
    """First names of Faker's en_US lists → the others of their gender; words, months and places are no names.

    Names that both genders bear become one another only, and none is one that the guards take for a symptom ("Diego").
    """
    from faker.providers.person.en_US import Provider

    barred = frozenset(resource("names.yaml")["not_names"])
    male, female = (
        {name for name in names if name not in barred and name[1:].islower() and guard_of("word", name.lower()) is None}
        for names in (Provider.first_names_male, Provider.first_names_female)
    )
    groups = [tuple(sorted(group)) for group in (male - female, female - male, male & female)]
    return {name: group for group in groups for name in group}


@implements("name_swap")
def _name_swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    known, titles = _first_names(), frozenset(resource("names.yaml")["titles"])

    def find(passage: Passage) -> list[Mention]:
        tokens, found = passage.tokens, []
        for place in passage.words:
            token = tokens[place]
            name = token.text.replace("’", "'").removesuffix("'s")
            if name in known and token.guard is None and not _is_part(passage, place, place, titles):
                found.append((token.start, token.start + len(name), name, known[name]))
        return found

    return _consistent(find)


@lru_cache(maxsize=1)
def _places() -> dict[str, tuple[str, ...]]:
    """Places → the others of their kind; without any that holds a word the guards count ("San Diego")."""
    declared, known = resource("places.yaml"), {}
    for kind in (*declared["cities"].values(), declared["states"], *declared["countries"].values()):
        group = tuple(name for name in kind if all(token.is_open for token in passage_of(name).tokens))
        known |= {name: tuple(other for other in group if other != name) for name in group}
    return known


@implements("place_swap")
def _place_swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    known, barred = _places(), frozenset(resource("places.yaml")["not_after"])
    first_words = frozenset(name.split()[0] for name in known)

    def at(passage: Passage, first: int) -> tuple[int, str] | None:
        """The last token and the name of the longest place that begins at ``first``, possessive or not."""
        tokens = passage.tokens
        if tokens[first].text.replace("’", "'").removesuffix("'s") not in first_words:
            return None
        for last in range(min(first + _LONGEST_PLACE, len(tokens)) - 1, first - 1, -1):
            name = passage.text[tokens[first].start : tokens[last].end].replace("’", "'").removesuffix("'s")
            if name in known and not _is_part(passage, first, last, barred):
                return last, name
        return None

    def find(passage: Passage) -> list[Mention]:
        tokens, found, free = passage.tokens, [], 0
        for first in passage.words:
            match = at(passage, first) if first >= free else None
            if match:
                last, name = match
                free, start = last + 1, tokens[first].start
                vowel = name[0] in _VOWELS if first and tokens[first - 1].lower in ("a", "an") else None
                others = [other for other in known[name] if vowel is None or (other[0] in _VOWELS) == vowel]
                found.append((start, start + len(name), name, tuple(others)))
        # "Tulsa, Oklahoma" would no longer fit together.
        paired = {
            each
            for left, right in pairwise(found)
            if passage.text[left[1] : right[0]] == ", "
            for each in (left, right)
        }
        return [each for each in found if each not in paired]

    return _consistent(find)


def _is_part(passage: Passage, first: int, last: int, barred: frozenset[str]) -> bool:
    """Whether the tokens belong to a longer name ("Boston Marathon", "Lake Michigan"), or stand after a title."""
    tokens, text = passage.tokens, passage.text
    token = tokens[first]
    # A possessive ends the name; its letters may be followed by an apostrophe alone, which would need another ending.
    if text[tokens[last].end : tokens[last].end + 1] in ("'", "’", "-", "/") or text[token.start - 1 : token.start] in (
        "#",
        "@",
        "/",
        "-",
    ):
        return True
    if first and text[tokens[first - 1].end : token.start] in (" ", ". "):
        before = tokens[first - 1]
        before = tokens[first - 2] if before.text == "." and first > 1 else before
        if before.lower in barred or (before.lower == "of" and first > 1 and tokens[first - 2].text.istitle()):
            return True
    if last + 1 == len(tokens) or text[tokens[last].end : tokens[last + 1].start] != " ":
        return False
    after = tokens[last + 1]
    calendar = {*resource("dates.yaml")["weekdays"], *resource("dates.yaml")["months"]}
    named = after.kind == "word" and after.text[0].isupper() and after.lower.split("'")[0] not in ("i", *calendar)
    return named and not tokens[last].text.endswith(("'s", "’s"))


def _consistent(find: Callable[[Passage], list[Mention]]) -> Propose:
    """A method that gives each of a share of the entities one new name, everywhere in the text."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = find(passage)
        names = list(dict.fromkeys(name for _, _, name, _ in found))
        used, renamed = set(names), {}
        candidates = {name: others for _, _, name, others in found}
        for name in draws.sample(names, passage.how_many(intensity, len(names))):
            free = [each for each in candidates[name] if each not in used]
            if free:
                renamed[name] = draws.choice(free)
                used.add(renamed[name])
        return [Edit(start, end, renamed[name]) for start, end, name, _ in found if name in renamed]

    return propose


@implements("date_swap")
def _date_swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Months, weekdays, years and days of the month move, each kind together, so that the time between them stays."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = dates(passage)
        groups = list(dict.fromkeys(date.group for date in found))
        chosen = draws.sample(groups, passage.how_many(intensity, len(groups)))
        return shifted(passage, found, chosen, draws) if chosen else []

    return propose
