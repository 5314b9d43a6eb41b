"""What the two shipped schemes decide, held against the tiers and chapters they stand for."""

from __future__ import annotations

from itertools import product

import pytest

from dataset_project.trials.schemes.loading import load_scheme

KRAS = load_scheme("kras_g12d_crc")
AREA = load_scheme("therapeutic_area")
REQUIREMENTS = ("g12d_only", "multi_kras", "kras_wild_type_only", "other_mutation_required", "none")
SCOPES = ("colorectal_only", "gastrointestinal", "solid_tumours", "other")


def _tier(accepted: bool, requirement: str, scope: str) -> str:
    """The tiers as they are defined, written again without the rule table."""
    if not accepted or requirement in ("kras_wild_type_only", "other_mutation_required"):
        return "4"
    if requirement == "none":
        return "3"
    if requirement == "g12d_only" and scope == "colorectal_only":
        return "1"
    return "1.5" if requirement == "g12d_only" and scope == "gastrointestinal" else "2"


def test_every_combination_of_facts_has_the_tier_of_the_definition():
    for accepted, mentioned, requirement, scope in product((True, False), (True, False), REQUIREMENTS, SCOPES):
        facts = {
            "evidence": "x",
            "colorectal_adenocarcinoma_accepted": accepted,
            "kras_in_eligibility": mentioned,
            "mutation_requirement": requirement,
            "cancer_scope": scope,
        }
        assert KRAS.decide(facts).category == _tier(accepted, requirement, scope), facts


def test_the_kras_scheme_has_the_tiers_and_values_of_its_specification():
    values = {fact.name: tuple(fact.values) for fact in KRAS.facts if fact.values}
    assert [category.id for category in KRAS.categories] == ["1", "1.5", "2", "3", "4"]
    assert values == {"mutation_requirement": REQUIREMENTS, "cancer_scope": SCOPES}
    assert KRAS.priority == ("1", "1.5", "2")


@pytest.mark.parametrize(
    ("accepted", "mentioned", "requirement", "scope", "fails"),
    [
        (True, True, "g12d_only", "colorectal_only", 0),
        (False, False, "none", "other", 0),
        (False, False, "none", "solid_tumours", 0),
        (False, False, "none", "colorectal_only", 1),
        (True, False, "none", "other", 1),
        (True, False, "multi_kras", "solid_tumours", 1),
        (True, False, "other_mutation_required", "solid_tumours", 0),
        (False, False, "g12d_only", "colorectal_only", 2),
    ],
)
def test_contradictions_of_the_kras_facts_are_found(accepted, mentioned, requirement, scope, fails):
    facts = {
        "evidence": "",
        "colorectal_adenocarcinoma_accepted": accepted,
        "kras_in_eligibility": mentioned,
        "mutation_requirement": requirement,
        "cancer_scope": scope,
    }
    assert len(KRAS.inconsistencies(facts)) == fails


AREAS = tuple(category.id for category in AREA.categories)


def _area(**change) -> dict:
    return {
        **{"primary_condition": "asthma", "is_neoplasm": False, "is_infection": False},
        **{"healthy_volunteers_only": False, "primary_area": "respiratory", "other_areas": []},
        **change,
    }


def test_there_are_sixteen_areas_and_each_is_reached_by_its_own_fact():
    assert len(AREAS) == 16
    for area in AREAS:
        facts = _area(primary_area=area, is_neoplasm=area == "neoplasms", is_infection=area == "infectious")
        assert AREA.decide(facts).category == area
        assert AREA.inconsistencies(facts) == []


@pytest.mark.parametrize(
    ("change", "area"),
    [
        ({"healthy_volunteers_only": True, "is_neoplasm": True, "is_infection": True}, "other"),
        ({"is_neoplasm": True, "is_infection": True}, "neoplasms"),
        ({"is_infection": True}, "infectious"),
        ({}, "respiratory"),
    ],
)
def test_the_areas_rules_go_in_their_order(change, area):
    assert AREA.decide(_area(**change)).category == area


@pytest.mark.parametrize(
    "change",
    [
        {"is_neoplasm": True},
        {"is_infection": True},
        {"healthy_volunteers_only": True},
        {"primary_area": "neoplasms"},
        {"primary_area": "infectious"},
        {"healthy_volunteers_only": True, "primary_area": "other", "is_infection": True},
    ],
)
def test_contradictions_of_the_area_facts_are_found(change):
    assert AREA.inconsistencies(_area(**change)) != []


def test_a_reason_names_the_condition():
    assert AREA.decide(_area()).reason == "the condition belongs to respiratory: asthma"


@pytest.mark.parametrize("scheme", [KRAS, AREA], ids=lambda scheme: scheme.id)
def test_every_deciding_fact_says_what_silence_means_or_is_optional(scheme):
    for fact in scheme.facts:
        if fact.kind in ("boolean", "enum"):
            assert "ilence" in fact.description, fact.name
