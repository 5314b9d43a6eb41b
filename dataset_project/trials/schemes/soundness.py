"""Whether a scheme's rule table is sound: every combination of facts has a category, every category and every rule is
needed. Judged by trying all combinations, not by reasoning about them.

Only facts that some condition or ``category_from`` names can make a difference, and of a list only whether it contains
the values that some condition names: these alone are enumerated, which loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product
from typing import Any

from dataset_project.trials.schemes.facts import Fact
from dataset_project.trials.schemes.scheme import Content

MOST_COMBINATIONS = 200_000


def faults(content: Content) -> Iterator[tuple[str, str, str]]:
    """(entry, problem, remedy) of everything unsound, for content whose names are known to exist."""
    domains = _domains(content)
    count = math.prod(len(domain) for domain in domains.values())
    if count > MOST_COMBINATIONS:
        names = ", ".join(domains)
        yield (
            "rules",
            f"{count:,} combinations of facts ({names}) are too many to check, at most {MOST_COMBINATIONS:,}",
            "let fewer facts decide",
        )
        return
    yield from _tried(content, domains)


def combinations_of(content: Content) -> Iterator[dict[str, Any]]:
    """Every combination of deciding facts that the rules can tell apart."""
    domains = _domains(content)
    for values in product(*domains.values()):
        yield dict(zip(domains, values, strict=True))


def _tried(content: Content, domains: Mapping[str, tuple]) -> Iterator[tuple[str, str, str]]:
    fired: set[int] = set()
    reached: set[str] = set()
    consistently: set[str] = set()
    broken: set[int] = set()
    kept: set[int] = set()
    for facts in combinations_of(content):
        number = next((n for n, rule in enumerate(content.rules) if rule.holds(facts)), None)
        if number is None:
            yield "rules", f"no rule gives a category to {_shown(facts)}", "add a rule, or a last one without `when`"
            return
        fired.add(number)
        category = content.rules[number].category_of(facts)
        reached.add(category)
        failing = {n for n, rule in enumerate(content.consistency) if rule.fails(facts)}
        broken |= failing
        kept |= {n for n, rule in enumerate(content.consistency) if n not in failing and rule.when.holds(facts)}
        if not failing:
            consistently.add(category)
    for number in range(len(content.rules)):
        if number not in fired:
            yield (
                f"rules[{number + 1}]",
                "can never fire: earlier rules take all its combinations, or its condition contradicts itself",
                "move it up, correct it or remove it",
            )
    for category in content.categories:
        if category.id not in reached:
            yield f"categories.{category.id}", "no combination of facts leads to it", "add a rule or remove it"
    for number in range(len(content.consistency)):
        entry = f"consistency[{number + 1}]"
        if number not in broken:
            yield entry, "can never fail", "correct it or remove it"
        elif number not in kept:
            yield entry, "can never be met when it applies", "correct `when` or `require`"
    for category in content.categories:
        if category.id not in consistently:
            yield (
                f"categories.{category.id}",
                "every combination of facts that leads to it breaks a consistency rule",
                "relax the consistency rules or correct the rule table",
            )


def _domains(content: Content) -> dict[str, tuple]:
    """Deciding fact -> its values as far as conditions can tell them apart, in the order of the scheme."""
    conditions = [rule.when for rule in content.rules if rule.when is not None]
    conditions += [part for rule in content.consistency for part in (rule.when, rule.require)]
    named: dict[str, set] = {rule.category_from: set() for rule in content.rules if rule.category_from is not None}
    for test in chain.from_iterable(condition.tests() for condition in conditions):
        named.setdefault(test.fact, set()).update(test.values)
    return {fact.name: _domain(fact, named[fact.name]) for fact in content.facts if fact.name in named}


def _domain(fact: Fact, named: set) -> tuple:
    if fact.kind == "boolean":
        return (False, True)
    if fact.kind == "enum":
        return tuple(fact.values)
    told_apart = [value for value in fact.values if value in named]
    if len(told_apart) > math.log2(MOST_COMBINATIONS):
        # More subsets than may be tried: enough of them to be refused for their number, without building all.
        return tuple(range(2**18))
    return tuple(chain.from_iterable(combinations(told_apart, size) for size in range(len(told_apart) + 1)))


def _shown(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in facts.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else value
