"""Paraphrases, contractions, abbreviations and fillers: tables that keep a label, and English that stays English."""

from __future__ import annotations

import re

import pytest

from dataset_project.augmentation.text.edits import apply, tidy
from dataset_project.augmentation.text.guards import broken, profile
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.phrase_table import pairs
from dataset_project.augmentation.text.tokens import Passage, passage
from dataset_project_tests.augmentation.methods.support import Draws, changed, sample_texts, shipped

METHODS = ("paraphrase_lexicon", "abbreviations", "expand_contractions", "contract", "filler")
# Share of the shipped sentences in which a method finds something to change, rounded down.
FINDS = {
    "paraphrase_lexicon": 0.45,
    "abbreviations": 0.4,
    "expand_contractions": 0.55,
    "contract": 0.03,
    "filler": 0.85,
}


@pytest.mark.parametrize("name", METHODS)
def test_a_share_of_the_sentences_changes_and_no_guard_breaks(name):
    spec, propose = shipped(name)
    texts, moved = sample_texts(), 0
    for seed, text in enumerate(texts):
        variant = changed(propose, text, seed, spec.intensity)
        moved += variant != text
        assert broken(text, variant, spec.may_change) == "", variant
        if "  " not in text:
            assert "  " not in variant
        assert not re.search(r"\w ,|^\s|\s$", variant), variant
    assert moved > FINDS[name] * len(texts)


@pytest.mark.parametrize("name", METHODS)
def test_the_same_draws_give_the_same_text_and_intensity_decides_how_much(name):
    spec, propose = shipped(name)
    for text in sample_texts()[::40]:
        fresh = Passage(text)
        assert list(propose(fresh, Draws(5), spec.intensity)) == list(propose(passage(text), Draws(5), spec.intensity))
        few, many = (len(tidy(text, propose(passage(text), Draws(5), share))) for share in (0.01, 1.0))
        assert few <= 1 and few <= many


def test_paraphrases_keep_negation_and_person():
    """Each group's phrases hold the same negation cues and speak of the same people."""
    self_words = {"i", "me", "my", "mine", "myself"}
    groups = resource("paraphrases.yaml")["groups"]
    assert len(groups) >= 120

    def people(phrase: str) -> list[str]:
        found = (token.lower.split("'")[0] for token in passage(phrase).tokens if token.guard == "person")
        return sorted("i" if word in self_words else word for word in found)

    for group in groups:
        for phrase, others in pairs(group):
            assert phrase not in others
            for other in others:
                assert profile(phrase).negation == profile(other).negation, (phrase, other)
                assert people(phrase) == people(other), (phrase, other)


def test_abbreviations_keep_negation():
    for group in resource("abbreviations.yaml")["groups"]:
        for phrase, others in pairs(group):
            assert all(profile(phrase).negation == profile(other).negation for other in others), phrase


def flat(value):
    return [each for item in value for each in flat(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", ["paraphrases", "abbreviations"])
def test_tables_hold_words_only(name):
    """YAML reads a bare no, on or off as a truth value, and a table would silently never match it."""
    for group in resource(f"{name}.yaml")["groups"]:
        assert set(group) <= {"same", "from", "to", "after", "not_after", "before", "not_before", "before_tags"}
        assert all(isinstance(word, str) for value in group.values() for word in flat(value)), group


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("I can't sleep.", {"I can't get to sleep.", "I can't fall asleep."}),
        ("CAN'T SLEEP AGAIN", {"CAN'T GET TO SLEEP AGAIN", "CAN'T FALL ASLEEP AGAIN"}),
        ("Can’t sleep.", {"Can’t get to sleep.", "Can’t fall asleep."}),
        ("I am tired of it.", {"I am sick of it.", "I am fed up with it."}),
        ("if i was dead", {"if i were dead"}),
        ("If I was dead.", {"If I were dead."}),
        ("The sad man can't sleep with the light on.", {"The sad man can't sleep with the light on."}),
    ],
)
def test_paraphrases_in_their_slot(text, allowed):
    _, propose = shipped("paraphrase_lexicon")
    assert {changed(propose, text, seed, 1.0) for seed in range(20)} == allowed


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("it's been", "it has been"),
        ("It's late", "It is late"),
        ("I'd gone", "I had gone"),
        ("she'd go", "she would go"),
        ("I’d never been", "I had never been"),
        ("I'd rather stay", "I would rather stay"),
        ("you'd better go", "you had better go"),
        ("I can't. I won't.", "I cannot. I will not."),
        ("DON'T ASK. I'M DONE", "DO NOT ASK. I AM DONE"),
        ("i'm ok, they've left, we'll see", "i am ok, they have left, we will see"),
        ("he's got it", "he has got it"),
    ],
)
def test_contractions_written_out(short, long):
    _, propose = shipped("expand_contractions")
    assert changed(propose, short, intensity=1.0) == long


@pytest.mark.parametrize(
    "text",
    [
        "Mum's car",
        "the dog's bed",
        "isn't it?",
        "Why don't my legs work?",
        "Don't you think?",
        "ain't",
        "he's gone",
        "I'd put it there",
        "there's two of them",
        "What'd you do?",
        "https://example.org/it's",
    ],
)
def test_what_stays_contracted(text):
    _, propose = shipped("expand_contractions")
    assert changed(propose, text, intensity=1.0) == text


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("I am tired and it is late.", "I'm tired and it's late."),
        ("I do not know. You cannot help.", "I don't know. You can't help."),
        ("It is not fair.", "It's not fair."),
        ("My mother is not well.", "My mother isn't well."),
        ("I have been low, I had gone, I would go.", "I've been low, I'd gone, I'd go."),
        ("i’d say i am low", "i’d say i’m low"),
    ],
)
def test_words_contracted(long, short):
    _, propose = shipped("contract")
    assert changed(propose, long, intensity=1.0) == short


@pytest.mark.parametrize(
    "text",
    [
        "yes I am.",
        "Yes, I am",
        "How tired I am of it.",
        "the person I am now",
        "I have a dog.",
        "There it is again.",
        "Is it not fair?",
        "I do NOT want it.",
        "the rest of it is going to be long",
    ],
)
def test_what_is_not_contracted(text):
    _, propose = shipped("contract")
    assert changed(propose, text, intensity=1.0) == text


def test_contracting_undoes_writing_out():
    _, expand = shipped("expand_contractions")
    _, contract = shipped("contract")
    for text in ("I'm low and it's dark.", "I've been sad, she'd go, we don't know.", "You can't, they're gone."):
        assert changed(contract, changed(expand, text, intensity=1.0), intensity=1.0) == text


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("To be honest, I live with it.", {"Tbh, I live w/ it."}),
        ("TBH i'm done rn", {"To be honest i'm done right now"}),
        ("I'm an RN now", {"I'm an RN now"}),
        ("no sleep w/out pills, idk", {"no sleep w/out pills, idk"}),
        ("something to live with.", {"smth to live with."}),
        ("because of it", {"bc of it"}),
        ("up before 4 pm", {"up before 4 pm"}),
    ],
)
def test_abbreviations(text, allowed):
    _, propose = shipped("abbreviations")
    assert {changed(propose, text, seed, 1.0) for seed in range(12)} == allowed


def test_fillers_move_the_capital_but_not_a_name():
    _, propose = shipped("filler")
    starts = {changed(propose, "The dog left me.", seed, 0.1) for seed in range(40)}
    assert "Honestly, the dog left me." in starts and all(text.endswith(", the dog left me.") for text in starts)
    assert {changed(propose, "Rose came by again.", seed, 0.1) for seed in range(5)} == {"Rose came by again."}
    assert all(changed(propose, "Boston is cold now.", seed, 0.1).endswith("Boston is cold now.") for seed in range(5))
    small = {changed(propose, "i cant sleep at all", seed, 0.1) for seed in range(40)}
    assert "i mean, i cant sleep at all" in small and not any("I" in text for text in small)
    assert changed(propose, "- debt and more debt\n- cables and wires too", 3, 1.0).startswith("- debt")


def test_fillers_take_the_writers_apostrophes_and_an_article_loses_its_capital():
    _, propose = shipped("filler")
    curly = {changed(propose, "It’s cold in the yard", seed, 0.1) for seed in range(60)}
    assert "I’ll be honest, it’s cold in the yard" in curly and not any("'" in text for text in curly)
    assert "Honestly, a dog left me." in {changed(propose, "A dog left me.", seed, 0.1) for seed in range(40)}


def test_fillers_neither_negate_nor_count():
    lists = resource("fillers.yaml")
    for filler in {each for name in ("start", "question", "clause", "end") for each in lists[name]}:
        found = profile(filler)
        assert not (found.negation or found.quantity or found.symptom or found.fixed), filler


def test_edits_of_one_text_never_overlap():
    for name in METHODS:
        _, propose = shipped(name)
        for text in sample_texts()[::25]:
            edits = tidy(text, propose(passage(text), Draws(3), 1.0))
            assert apply(text, edits) != text or not edits
