"""Lexical methods: which words they replace, in which form, and which they leave alone."""

from __future__ import annotations

import pytest

from dataset_project.augmentation.text.guards import broken
from dataset_project.augmentation.text.morphology import article_for, certain_part_of_speech, inflected, lemma, plural
from dataset_project_tests.augmentation.methods.support import changed, sample_texts
from dataset_project_tests.augmentation.methods.tables import with_tables

METHODS = (
    *("wordnet_synonym", "synonym_insert", "hypernym", "embedding_substitute", "inflection", "homophone"),
    *("tfidf_substitute", "tfidf_insert"),
)


def _all(name: str, text: str, **parameters) -> set[str]:
    """Every variant that forty seeds find."""
    _, propose = with_tables(name, **parameters)
    return {changed(propose, text, seed, 1.0) for seed in range(40)}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("I slept on the couch.", "I slept on the sofa."),
        ("Both couches are gone.", "Both sofas are gone."),
        ("The trams started early.", "The trams began early."),
        ("He is starting tomorrow.", "He is beginning tomorrow."),
        ("She met a lawyer.", "She met an attorney."),
        ("A lawyer rang.", "An attorney rang."),
        ("I SLEPT ON THE COUCH.", "I SLEPT ON THE SOFA."),
        ("He is an honest man.", "He is a truthful man."),
        ("Recently it rained.", "Lately it rained."),
    ],
)
def test_synonyms_take_the_form_the_case_and_the_article(text, variant):
    assert _all("wordnet_synonym", text) == {variant}


@pytest.mark.parametrize(
    "text",
    [
        "I am tired.",  # a symptom
        "He went home.",  # a light verb
        "She quit high school.",  # a fixed expression
        "He shouted at me.",  # a verb with its preposition
        "They started over and shouted him down.",  # verbs with particles
        "Mr. Couch rang.",  # a name
        "The couch-bed broke.",  # part of a word
        "The couch's leg broke.",
        "I had a couch potato day.",  # a compound
        "See https://example.org/couch now.",
        "",
    ],
)
def test_what_synonyms_leave_alone(text):
    assert _all("wordnet_synonym", text) == {text}


def test_senses_and_neighbours_are_parameters():
    text = "She was calm."
    assert _all("wordnet_synonym", text, senses=1) == {"She was serene."}
    assert _all("wordnet_synonym", text, senses=3) == {"She was serene.", "She was unruffled."}
    text = "I sat in the kitchen."
    assert _all("embedding_substitute", text, neighbours=1) == {"I sat in the bathroom."}
    assert len(_all("embedding_substitute", text, neighbours=9, cosine=0.72)) == 3


def test_comparatives_that_do_not_exist_are_not_made():
    assert _all("wordnet_synonym", "He was quicker.") == {"He was speedier."}
    assert _all("wordnet_synonym", "He was calmer.") == {"He was calmer."}


def test_past_tense_and_participle_are_told_apart_or_left():
    assert _all("wordnet_synonym", "It had started.") == {"It had begun."}
    assert _all("wordnet_synonym", "It started.") == {"It began."}
    # Nothing tells whether this is past tense or participle, and "began" could only be one of them.
    assert _all("wordnet_synonym", "Started, stopped.") == {"Started, stopped."}
    assert _all("wordnet_synonym", "Shouted, stopped.", senses=1) == {"Yelled, stopped."}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("It was a calm room.", "It was a calm and serene room."),
        ("I slept on the couch.", "I slept on the couch/sofa."),
        ("I SLEPT ON THE COUCH.", "I SLEPT ON THE COUCH/SOFA."),
        ("They shouted.", "They shouted and yelled."),
        ("They never shouted.", "They never shouted."),
        ("It was calm and quiet.", "It was calm and quiet."),
        ("It starts today.", "It starts today."),
    ],
)
def test_synonyms_are_inserted_where_grammar_lets_them(text, variant):
    assert _all("synonym_insert", text, senses=1) == {variant}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("Someone else tunes it.", "Someone else tunes it."),  # a verb, whatever it looks like
        ("The second he files it.", "The second he files it."),
        ("I hummed tunes.", "I hummed melodies."),
        ("I haven't spoken.", "I haven't talked."),  # no "haven't spoke"
        ("I havent spoken.", "I havent talked."),
        ("My aunt's couch broke.", "My aunt's sofa broke."),
        ("It's couch.", "It's couch."),
        ("It was the guest couch.", "It was the guest sofa."),
        ("I sleep just fine.", "I sleep just fine."),
    ],
)
def test_verbs_that_look_like_nouns_genitives_compounds_and_auxiliaries(text, variant):
    assert _all("wordnet_synonym", text) == {variant}


@pytest.mark.parametrize(
    ("method", "text", "variants"),
    [
        ("hypernym", "I bought myself a steak.", {"I bought myself a steak."}),  # no "a meat"
        ("hypernym", "His steak was cold.", {"His meat was cold."}),
        ("hypernym", "I ironed two shirts.", {"I ironed two shirts."}),  # no "two clothing"
        ("hypernym", "I left without milk.", {"I left without cheese."}),  # no "without bottle"
        ("embedding_substitute", "I cried after lunch.", {"I cried after dinner."}),  # no "after kitchen"
        ("embedding_substitute", "I lay on the hallway floor.", {"I lay on the hallway carpet."}),
        ("embedding_substitute", "I don't reply in there.", {"I don't reply in there."}),
    ],
)
def test_nouns_stay_countable_or_not_and_do_not_repeat(method, text, variants):
    assert _all(method, text) == variants


def test_hypernyms_and_neighbours():
    assert _all("hypernym", "My dog barked in the house.") == {"My animal barked in the building."}
    assert _all("hypernym", "The dogs barked.") == {"The animals barked."}
    assert _all("embedding_substitute", "He spoke calmly.") == {"He spoke quietly."}  # manner only for manner
    assert _all("embedding_substitute", "I walked there.") == {"I strolled there."}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("I left it in the box.", "I left it in the boxes."),
        ("I wrote in my diaries.", "I wrote in my diary."),
        ("The counsellor on the ward smiled.", "The counsellor on the wards smiled."),
        ("I have started dreading Mondays.", "I have started to dread Mondays."),
        ("The kids began to sing.", "The kids began singing."),
        ("My boss says I work well.", "My boss said I work well."),
        ("She keeps asking me.", "She kept asking me."),
        # Agreement, quantity, one of its kind, a second verb, a time.
        ("The box is shut.", "The box is shut."),
        ("A box fell.", "A box fell."),
        ("One of my boxes broke.", "One of my boxes broke."),
        ("I'm her pupil.", "I'm her pupil."),
        ("They introduce me as our pupil.", "They introduce me as our pupil."),
        ("The box fell and wants mending.", "The box fell and wants mending."),
        ("I sat in the water.", "I sat in the water."),
        ("I reread the leaflet and it slides off.", "I reread the leaflet and it slides off."),
        ("I looked at the moon.", "I looked at the moon."),
        ("She said it and I laughed.", "She said it and I laughed."),
        ("He said so yesterday.", "He said so yesterday."),
        ("From start to finish.", "From start to finish."),
    ],
)
def test_inflection_only_where_grammar_leaves_the_choice(text, variant):
    assert _all("inflection", text) == {variant}


def test_homophones_keep_case_and_names():
    assert _all("homophone", "Whole days pass, and Rose waters the rose.") == {
        "Hole days pass, and Rose waters the rows."
    }


@pytest.mark.parametrize("name", METHODS)
def test_no_guard_is_broken_in_the_sample(name):
    spec, propose = with_tables(name)
    for seed, text in enumerate(sample_texts()[::12]):
        variant = changed(propose, text, seed, spec.intensity)
        assert not broken(text, variant, spec.may_change), (text, variant)
        assert variant.count("  ") == text.count("  ") and variant == variant.strip()


@pytest.mark.parametrize("name", METHODS)
def test_what_is_drawn_does_not_depend_on_what_ran_before(name):
    texts = sample_texts()[::9]
    _, first = with_tables(name)
    _, second = with_tables(name)
    forwards = [changed(first, text, seed, 0.4) for seed, text in enumerate(texts)]
    backwards = [changed(second, text, seed, 0.4) for seed, text in reversed(list(enumerate(texts)))]
    assert forwards == backwards[::-1] and forwards != list(texts)


def test_forms_of_words():
    assert [inflected("begin", tag) for tag in ("VBD", "VBN", "VBG", "VBZ", "VB")] == [
        *("began", "begun", "beginning", "begins", "begin")
    ]
    assert inflected("beautiful", "JJR") == "" and inflected("calm", "JJR") == "calmer"
    assert (lemma("boxes", "n"), lemma("went", "v"), lemma("qwxz", "n")) == ("box", "go", "qwxz")
    assert plural("box") == "boxes" and plural("furniture") == ""
    assert certain_part_of_speech("couch", "NN") == "n" and certain_part_of_speech("couch", "VB") == ""
    said = {"hour": "an", "unit": "a", "uninvited": "an", "apple": "an", "European": "a", "house": "a", "one": "a"}
    assert {word: article_for(word) for word in said} == said
