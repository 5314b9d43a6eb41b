"""Entity methods: names, places and dates become others of their kind, the same one everywhere in a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.dates import dates, shifted
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import guard_of, resource
from dataset_project.augmentation.text.phrase_table import PhraseTable
from dataset_project.augmentation.text.tokens import Passage

Mention = tuple[int, int, str, tuple[str, ...]]
"""Where an entity stands (code points), its name, and what it may become."""


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


@implements("place_swap")
def _place_swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    declared = resource("places.yaml")
    kinds = [*declared["cities"].values(), declared["states"], *declared["countries"].values()]
    table = PhraseTable({"same": kind} for kind in kinds)
    barred = frozenset(declared["not_after"])

    def find(passage: Passage) -> list[Mention]:
        tokens, found = passage.tokens, []
        for first, last, candidates in table.sites(passage):
            name = passage.text[tokens[first].start : tokens[last].end]
            # The table folds case; a place is written with its capitals.
            if (
                name.lower() in lower_names
                and name == lower_names[name.lower()]
                and not _is_part(passage, first, last, barred)
            ):
                found.append((tokens[first].start, tokens[last].end, name, candidates))
        # "Tulsa, Oklahoma" would no longer fit together.
        return [
            each
            for at, each in enumerate(found)
            if not any(passage.text[left[1] : right[0]] == ", " for left, right in _beside(found, at))
        ]

    lower_names = {name.lower(): name for kind in kinds for name in kind}
    return _consistent(find)


def _beside(found: Sequence[Mention], at: int) -> list[tuple[Mention, Mention]]:
    return list(zip(found[max(0, at - 1) : at + 1], found[max(1, at) : at + 2], strict=False))


def _is_part(passage: Passage, first: int, last: int, barred: frozenset[str]) -> bool:
    """Whether the tokens belong to a longer name ("Boston Marathon", "Lake Michigan"), or stand in capitals or after a title."""
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


def _consistent(find) -> Propose:
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
