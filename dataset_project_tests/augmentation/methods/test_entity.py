"""Names, places and dates: the same kind, the same everywhere, valid."""

from __future__ import annotations

import re
from datetime import date

import pytest

from dataset_project.augmentation.methods.entity import _first_names, _places
from dataset_project.augmentation.text.guards import broken, profile
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tagging import lexicon
from dataset_project_tests.augmentation.methods.support import changed, sample_texts, shipped

FINDS = {"name_swap": 0.02, "place_swap": 0.018, "date_swap": 0.1}
MONTHS, DAYS = ([name.capitalize() for name in resource("dates.yaml")[kind]] for kind in ("months", "weekdays"))


@pytest.mark.parametrize("name", FINDS)
def test_a_share_of_the_sentences_changes_and_no_guard_breaks(name):
    spec, propose = shipped(name)
    texts, moved = sample_texts(), 0
    for seed, text in enumerate(texts):
        variant = changed(propose, text, seed, spec.intensity)
        moved += variant != text
        assert broken(text, variant, spec.may_change) == "", variant
        assert text.count(" ") <= variant.count(" ") + 3 and "  " not in variant.replace(text, "")
    assert moved > FINDS[name] * len(texts)


def test_names_are_no_words_and_keep_their_gender():
    known = _first_names()
    assert len(known) > 500
    assert not {"Will", "Mark", "Grace", "Hope", "Joy", "May", "April", "June", "Dawn", "Rose", "Hunter"} & set(known)
    assert not profile(" ".join(known)).symptom and not profile(" ".join(known)).negation
    words = lexicon()
    doubtful = {name for name in known if name.lower() in words and words.get(name) != "NNP"}
    assert not doubtful
    assert "Robert" in known["Peter"] and "Sarah" not in known["Peter"] and "Amanda" in known["Sarah"]
    assert known["Kelly"] == known["Jamie"]


def test_a_name_changes_everywhere_and_keeps_its_possessive():
    _, propose = shipped("name_swap")
    for seed in range(20):
        variant = changed(propose, "Sarah’s mom and Sarah saw Robert.", seed, 1.0)
        first, second, third = re.fullmatch(r"(\w+)’s mom and (\w+) saw (\w+)\.", variant).groups()
        assert first == second != "Sarah" and third not in ("Robert", first)


@pytest.mark.parametrize(
    "text",
    ["Mark said will Rose come in May", "SARAH and sarah", "Sarah Miller left", "St. James", "James' dog", "@Sarah hi"],
)
def test_what_is_no_first_name_alone_stays(text):
    _, propose = shipped("name_swap")
    assert changed(propose, text, intensity=1.0) == text


def test_places_are_many_and_move_within_their_kind():
    known = _places()
    assert len(known) > 200
    assert len({name for name in known if "Ohio" not in known[name] and name != "Ohio"}) > 150
    assert all(name not in others for name, others in known.items())
    _, propose = shipped("place_swap")
    for seed in range(20):
        variant = changed(propose, "Boston is cold, Boston’s dark, in Ohio too.", seed, 1.0)
        city, again, state = re.fullmatch(r"(.+) is cold, (.+)’s dark, in (.+) too\.", variant).groups()
        assert city == again and city in known["Boston"] and state in known["Ohio"]


@pytest.mark.parametrize(
    "text",
    [
        "the Boston Marathon",
        "a London-based job",
        "Tulsa, Oklahoma",
        "Lake Michigan",
        "University of Texas",
        "the Edinburgh scale",
        "my Polish friend in boston",
        "https://example.org/Boston",
    ],
)
def test_what_is_no_place_alone_stays(text):
    _, propose = shipped("place_swap")
    assert changed(propose, text, intensity=1.0) == text


def test_an_article_fits_the_new_place():
    _, propose = shipped("place_swap")
    assert all(changed(propose, "I want an Ohio night.", seed, 1.0)[10] in "AIO" for seed in range(20))


def test_dates_move_together():
    _, propose = shipped("date_swap")
    for seed in range(30):
        variant = changed(propose, "On Tuesday and then Friday in May, then in August.", seed, 1.0)
        first, second = (DAYS.index(day) for day in re.findall("|".join(DAYS), variant))
        before, after = (MONTHS.index(month) for month in re.findall("|".join(MONTHS), variant))
        assert (second - first) % 7 == 3 and (after - before) % 12 == 3
        assert first != 1 and before != 4


def test_dates_stay_valid():
    _, propose = shipped("date_swap")
    text = "I left on 31 January 2020, on 25/12/2021, 2022-10-31 and March 5th, so long ago, and it hurts."
    for seed in range(60):
        variant = changed(propose, text, seed, 1.0)
        found = re.fullmatch(
            r"I left on (\d+) (\w+) (\d{4}), on (\d+)/(\d+)/(\d{4}), "
            r"(\d{4}-\d\d-\d\d) and (\w+) (\d+)(st|nd|rd|th), so .*",
            variant,
        ).groups()
        date(int(found[2]), MONTHS.index(found[1]) + 1, int(found[0]))
        date(int(found[5]), int(found[4]), int(found[3]))
        date.fromisoformat(found[6])
        day = int(found[8])
        assert found[9] == ("th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th"))
        assert int(found[2]) <= 2025 and 12 < int(found[3]) < 29


@pytest.mark.parametrize(
    "text",
    [
        "for 3 days at 3:15, 20 pounds, aged 45",
        "Monday to Friday",
        "Good Friday and Black Friday",
        "May I march? It may be.",
        "June called me.",
        "in 2016 dollars",
        "on the 5th floor",
        "Christmas in December",
        "the attic in August heat",
        "8/10 of us, 3/4 of it",
        "born in 1950",
    ],
)
def test_what_is_no_date_stays(text):
    _, propose = shipped("date_swap")
    assert {changed(propose, text, seed, 1.0) for seed in range(3)} == {text}
