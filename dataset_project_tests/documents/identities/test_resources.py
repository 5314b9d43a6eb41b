"""The frozen lists: size, distinctness, agreement with each other."""

from __future__ import annotations

import itertools

import pytest

from dataset_project.documents.identities import geography, identifiers, resources


def test_names_are_many_distinct_and_fit_into_addresses():
    for names in (resources.given_names("F"), resources.given_names("M"), resources.family_names()):
        assert len(names.plain) >= 290 and len(names.words) >= 60
        assert len(set(names.all)) == len(names.all)
        assert all(resources.slug(name).isalpha() and name[0].isupper() for name in names.all)
    assert {"Parkinson", "Foley", "May", "Young"} <= set(resources.family_names().words)
    assert {"Will", "Mark"} <= set(resources.given_names("M").words)
    with pytest.raises(ValueError, match="'X'"):
        resources.given_names("X")


def test_places_cover_all_states_and_restricted_areas_with_one_zip3_each():
    places = resources.places()
    assert {place.state for place in places} == {state.code for state in resources.states()}
    assert len(resources.states()) == 51
    for place in places:
        assert place.zip_first[:3] == place.zip_last[:3] and place.zip_first <= place.zip_last, place
        assert len(place.zip_first) == 5 and len(place.area_code) == 3 and place.area_code[0] not in "01"
    restricted = {place.zip_first[:3] for place in places} & geography.RESTRICTED_ZIP3
    assert len(restricted) >= 10
    # `tables` takes the places of a state as one stretch.
    states = [place.state for place in places]
    assert sum(a != b for a, b in itertools.pairwise(states)) == 50


def test_a_zip3_belongs_to_one_state():
    of = {}
    for place in resources.places():
        assert of.setdefault(place.zip_first[:3], place.state) == place.state


def test_styles_make_texts_that_pass_their_check():
    for state in resources.states():
        for pattern in (state.driver, state.medical, state.plate):
            sample = pattern.replace("#", "7").replace("a", "K")
            assert identifiers.of_pattern(pattern).fullmatch(sample), pattern
    for style in resources.facility_words()["mrn_styles"]:
        assert style["pattern"].count("#") == 8


def test_streets_are_two_part_names_at_most_and_titles_known():
    assert len(resources.lines("places_streets")) > 100
    assert all(len(name.split()) <= 2 for name in resources.lines("places_streets"))
    assert all(credentials for _, credentials in resources.specialties())
