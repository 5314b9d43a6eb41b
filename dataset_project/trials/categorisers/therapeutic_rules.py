"""Facts of the scheme `therapeutic_area` read by rules: weighted terms over a trial's fields, no model, no network.

The terms, MeSH headings and weights stand in ``resources/rules/therapeutic_area*.yaml``; how terms are found in
`condition_terms`. An area follows the chapter of ICD-10 that codes the condition: ``is_infection`` is therefore true
for what A00-B99 and U07 code, and false for influenza, pneumonia or cystitis, which ICD-10 files under the organ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dataset_project.trials.categorisers.condition_terms import AreaRules, Leanings, Match, area_rules, words
from dataset_project.trials.categorisers.rule_facts import RuleFacts
from dataset_project.trials.trial import Trial

# Terms worth no more than this lean towards an area without naming a condition of it.
_HINT = 0.3
_HEALTHY = "healthy volunteers"
# In a title: what is studied in healthy people when no disease is.
_TOLERANCE = {"pharmacokinetics", "bioequivalence", "bioavailability", "drug interaction", "safety", "tolerability"}
# Inclusion criteria name the disease within their first lines; what follows is safety.
_CRITERIA_WORDS, _SUMMARY_WORDS = 250, 200
_MOST_ENTRIES = 25
_INCLUSION = re.compile(r"\binclusion\b(?:\s+criteria\b|\s*:)", re.IGNORECASE)
_EXCLUSION = re.compile(r"\bexclusion\b(?:\s+criteria\b|\s*:)", re.IGNORECASE)


@dataclass
class _Evidence:
    """Votes by area, what spoke for each most, and how much of the votes said "healthy"."""

    areas: tuple[str, ...]
    votes: dict[str, float] = field(default_factory=dict)
    said: dict[str, tuple[float, str, str]] = field(default_factory=dict)  # area → (vote, field, words)
    named: set[str] = field(default_factory=set)
    healthy: float = 0.0

    def add(self, area: str, vote: float, where: str, what: str, named: bool = False) -> None:
        """One vote; ``named``: by a term that names a condition of the area, and in a field that can be relied on."""
        if named:
            self.named.add(area)
        self.votes[area] = self.votes.get(area, 0.0) + vote
        if vote > self.said.get(area, (0.0,))[0]:
            self.said[area] = (vote, where, what)

    def ranked(self) -> list[tuple[str, float]]:
        """Areas by their votes, the best first. Mere hints do not count beside named conditions."""
        votes = [(area, vote) for area, vote in self.votes.items() if area in self.named or not self.named]
        return sorted(votes, key=lambda each: (-each[1], self.areas.index(each[0])))

    def best(self) -> float:
        return max(self.votes.values(), default=0.0)


@dataclass(frozen=True)
class _Said:
    """What a text says: each area's best words with their worth, and whether healthy people are spoken of."""

    areas: dict[str, tuple[float, str]]
    healthy: bool = False


def extract(trial: Trial) -> RuleFacts:
    """The facts of a trial, ``confidence`` and ``notes`` among them. They fit the scheme and contradict none of its
    consistency rules.

    A trial in which nothing is recognised is `other` with a confidence of 0.1 and a note that says so. ``conflict``:
    the two best areas are close. Raises InvalidTerms when the shipped rules make no sense.
    """
    rules = area_rules()
    evidence = _Evidence(rules.areas)
    _read_lists(trial, rules, evidence)
    _read_titles(trial, rules, evidence)
    if max(evidence.best(), evidence.healthy) < rules.weak_below:
        _read_weak_fields(trial, rules, evidence)
    return _facts(trial, rules, evidence)


def _read_lists(trial: Trial, rules: AreaRules, evidence: _Evidence) -> None:
    for name in ("conditions", "mesh_terms", "keywords"):
        entries: tuple[str, ...] = getattr(trial, name)
        for place, entry in enumerate(entries[:_MOST_ENTRIES]):
            weight = rules.fields[name] * _falling(rules, place)
            said = _listed(entry, rules)
            if said.healthy:
                evidence.healthy += weight
            for area, (worth, _) in said.areas.items():
                evidence.add(area, weight * worth, name, entry, worth > _HINT)
    _read_headings(trial.mesh_ancestors, rules, evidence)


def _read_headings(ancestors: Sequence[str], rules: AreaRules, evidence: _Evidence) -> None:
    """Headings above the MeSH terms: by the table, else, since then they are near the condition, like a condition."""
    votes: dict[str, tuple[float, str]] = {}
    for heading in ancestors[:_MOST_ENTRIES]:
        shares = rules.headings.get(heading.casefold())
        if shares is None:
            near = _listed(heading, rules).areas.items()
            shares = {area: rules.near_heading * worth for area, (worth, _) in near if worth > _HINT}
        for area, share in shares.items():
            votes[area] = max((share, heading), votes.get(area, (0.0, "")))
    if votes.get("neoplasms", (0.0,))[0] >= 1.0:
        # Every tumour also stands under the headings of its organ.
        votes = {"neoplasms": votes["neoplasms"]}
    total = sum(share for share, _ in votes.values())
    for area, (share, heading) in votes.items():
        evidence.add(area, rules.fields["mesh_ancestors"] * share / total, "mesh_ancestors", heading, share > _HINT)


def _falling(rules: AreaRules, place: int) -> float:
    """What the entry at a place of a list counts of the first."""
    return rules.falling[min(place, len(rules.falling) - 1)]


def _read_titles(trial: Trial, rules: AreaRules, evidence: _Evidence) -> None:
    for name, title in (("brief_title", trial.brief_title), ("official_title", trial.official_title)):
        found = rules.terms.find(words(title))
        if not found:
            continue
        said = _weighed(found, rules, [1.0] * len(found))
        weight = rules.fields[name]
        for area, (worth, term) in said.areas.items():
            evidence.add(area, weight * worth, name, term, worth > _HINT)
        terms = {match.term for match in found}
        if said.healthy and not any(term.startswith("vaccin") or term == "immunization" for term in terms):
            # "Pharmacokinetics of … in healthy volunteers": whatever the drug is for, no disease is studied here.
            sole = all(area == "other" or worth <= _HINT for area, (worth, _) in said.areas.items())
            evidence.healthy += weight * (3 if sole and terms & _TOLERANCE else 1)


def _read_weak_fields(trial: Trial, rules: AreaRules, evidence: _Evidence) -> None:
    _in_order(words(trial.brief_summary)[:_SUMMARY_WORDS], "brief_summary", rules, evidence)
    _in_order(_inclusion(trial.eligibility_criteria), "criteria", rules, evidence)
    named = [name for _, name in trial.interventions[:_MOST_ENTRIES]]
    for place, name in enumerate([*named, trial.brief_title]):
        weight = rules.fields["interventions"] * _falling(rules, place)
        for match in rules.drugs.find(words(name)):
            for area, worth in match.value:
                evidence.add(area, weight * worth, "interventions", name)


def _in_order(text: Sequence[str], name: str, rules: AreaRules, evidence: _Evidence) -> None:
    """Running text: the earlier and the more exact, the more it counts; the areas share the field's weight."""
    found = rules.terms.find(text)
    if name == "criteria" and found and found[0].term in rules.healthy:
        evidence.healthy += rules.fields[name]
    ignored = rules.boilerplate | rules.healthy
    telling = [each for each in found if each.term not in ignored and not _ends(text[: each.start], rules.denials)]
    votes: dict[str, tuple[float, str]] = {}
    for place, match in enumerate(telling[:8]):
        for area, worth in match.value:
            vote, first = votes.get(area, (0.0, match.text))
            votes[area] = (vote + worth / (1 + place), first)
    total = sum(vote for vote, _ in votes.values())
    for area, (vote, term) in votes.items():
        evidence.add(area, rules.fields[name] * min(1.0, vote) * vote / total, name, term)


def _inclusion(criteria: str) -> list[str]:
    """The first words of the inclusion criteria: all that stands before the exclusion criteria."""
    excluded, included = _EXCLUSION.search(criteria), _INCLUSION.search(criteria)
    if excluded and not criteria[: excluded.start()].strip():
        criteria = criteria[included.start() :] if included else ""
    elif excluded:
        criteria = criteria[: excluded.start()]
    return words(criteria)[:_CRITERIA_WORDS]


def _listed(entry: str, rules: AreaRules) -> _Said:
    """What a condition, a MeSH term or a keyword says. "Anemia, sickle cell" is read backwards too; the reading counts
    whose terms are longer."""
    text = words(entry)
    found = rules.terms.find(text)
    parts = [part for part in entry.split(",") if part.strip()]
    if 1 < len(parts) <= 4:
        inverted = words(" ".join(reversed(parts)))
        other = rules.terms.find(inverted)
        if _longest(other) > _longest(found):
            found, text = other, inverted
    return _weighed(found, rules, _standing(found, text, rules)) if found else _Said({})


def _longest(found: Iterable[Match[Leanings]]) -> int:
    return max((match.end - match.start for match in found), default=0)


def _standing(found: Sequence[Match[Leanings]], text: Sequence[str], rules: AreaRules) -> list[float]:
    """How much of its worth each term keeps by what stands around it: all, `setting` of it, or nothing."""
    standings = []
    subject = True
    for number, match in enumerate(found):
        before = found[number - 1].end if number else 0
        between = text[before : match.start]
        if number and any(_ends(between[: cut + 1], rules.joiners) for cut in range(len(between))):
            subject = False
        keeps = 1.0 if subject else rules.setting
        after = tuple(text[match.end : match.end + 2])
        if number + 1 < len(found) and any(after[: len(suffix)] == suffix for suffix in rules.suffixes):
            keeps *= rules.setting
        if _ends(text[: match.start], rules.denials):
            keeps = 0.0
        standings.append(keeps)
    return standings


def _ends(text: Sequence[str], phrases: Iterable[tuple[str, ...]]) -> bool:
    return any(tuple(text[-len(phrase) :]) == phrase for phrase in phrases)


def _weighed(found: Sequence[Match[Leanings]], rules: AreaRules, standings: Sequence[float]) -> _Said:
    """The best term of each area. Where a tumour is named, other conditions beside it step back; where any condition is
    named, mere hints at other areas do not count: the lung of "lung cancer", the kidney of "kidney stones"."""
    areas: dict[str, tuple[float, str]] = {}
    healthy, named = False, 0
    for match, standing in zip(found, standings, strict=True):
        if match.term in rules.healthy:
            healthy = True
            continue
        if not standing:
            continue
        named += 1
        for area, worth in match.value:
            counts = worth * standing * (1.0 if named == 1 else rules.later)
            if counts > areas.get(area, (0.0,))[0]:
                areas[area] = (counts, match.text)
    strongest = max((worth for worth, _ in areas.values()), default=0.0)
    tumour = areas.get("neoplasms", (0.0,))[0] >= 0.9
    kept = {}
    for area, (worth, term) in areas.items():
        if worth <= _HINT < strongest:
            continue
        kept[area] = (worth * rules.beside_tumour if tumour and area != "neoplasms" else worth, term)
    return _Said(kept, healthy)


def _facts(trial: Trial, rules: AreaRules, evidence: _Evidence) -> RuleFacts:
    ranked = evidence.ranked()
    healthy_only = evidence.healthy > max((vote for area, vote in ranked if area != "other"), default=0.0)
    if healthy_only:
        evidence.add("other", evidence.healthy, "healthy", _HEALTHY, True)
        ranked = evidence.ranked()
    if not ranked:
        return _nothing(trial)
    area, most = ranked[0]
    others = [(name, vote) for name, vote in ranked[1:] if vote >= rules.also_from * most]
    conflict = bool(ranked[1:]) and ranked[1][1] >= rules.conflict_from * most
    confidence = _confidence(rules, evidence, area, most, ranked[1][1] if ranked[1:] else 0.0)
    condition = _HEALTHY if healthy_only else evidence.said[area][2]
    notes = _notes(evidence, area, others, conflict, healthy_only)
    return _result(condition, area, [name for name, _ in others], healthy_only, confidence, conflict, notes)


def _confidence(rules: AreaRules, evidence: _Evidence, area: str, most: float, next_most: float) -> float:
    vote, where, _ = evidence.said[area]
    if where in ("conditions", "mesh_terms", "healthy") and vote >= 0.5 * rules.fields["mesh_terms"]:
        ceiling = rules.confidence["strong"]
    else:
        ceiling = rules.confidence["title" if area in evidence.named and most >= rules.weak_below else "weak"]
    return ceiling * (1 - rules.confidence["doubt"] * min(1.0, next_most / most) ** 4)


def _notes(
    evidence: _Evidence, area: str, others: Sequence[tuple[str, float]], conflict: bool, healthy_only: bool
) -> str:
    def source(name: str) -> str:
        _, where, what = evidence.said[name]
        return f"{name}: {what} ({where.replace('_', ' ')})"

    parts = [source(area)]
    if others:
        parts.append(("close: " if conflict else "also ") + ", ".join(source(name) for name, _ in others))
    if evidence.healthy and not healthy_only:
        parts.append("healthy participants are mentioned beside a condition")
    return "; ".join(parts)


def _nothing(trial: Trial) -> RuleFacts:
    condition = next((each for each in (*trial.conditions, trial.brief_title) if each), "")
    notes = "no known term in any field; `other` by default"
    return _result(condition, "other", [], False, area_rules().confidence["nothing"], False, notes)


def _result(
    condition: str, area: str, others: list[str], healthy_only: bool, confidence: float, conflict: bool, notes: str
) -> RuleFacts:
    percent = round(100 * confidence)
    facts = {
        "primary_condition": condition,
        "is_neoplasm": area == "neoplasms",
        "is_infection": area == "infectious",
        "healthy_volunteers_only": healthy_only,
        "primary_area": area,
        "other_areas": others,
        "confidence": percent,
        "notes": notes,
    }
    return RuleFacts(facts, percent / 100, conflict, notes)
