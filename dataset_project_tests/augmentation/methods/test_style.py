"""Marks, numbers and emoji."""

from __future__ import annotations

import re

import pytest

from dataset_project.augmentation.text.guards import broken
from dataset_project.augmentation.text.tokens import passage
from dataset_project_tests.augmentation.methods.support import changed, sample_texts, shipped

METHODS = ("aeda", "punctuation_strip", "number_words", "emoji")
FINDS = {"aeda": 0.99, "punctuation_strip": 0.95, "number_words": 0.25, "emoji": 0.95}


@pytest.mark.parametrize("name", METHODS)
def test_a_share_of_the_sentences_changes_and_no_guard_breaks(name):
    spec, propose = shipped(name)
    texts, moved = sample_texts(), 0
    for seed, text in enumerate(texts):
        variant = changed(propose, text, seed, spec.intensity)
        moved += variant != text
        assert broken(text, variant, spec.may_change) == "", variant
        assert not re.search(r"  |^ | $| \n|\n ", variant) or re.search(r"  |^ | $| \n|\n ", text), variant
    assert moved > FINDS[name] * len(texts)


def test_aeda_marks_stand_between_spaces_and_never_beside_a_mark():
    _, propose = shipped("aeda")
    text = "I can't go, see https://example.org/a now, 3.5 hours (so far) 😔 alone"
    for seed in range(60):
        variant = changed(propose, text, seed, 1.0)
        assert re.sub(r" [.;?:!,](?= )", "", variant) == text
        assert "go , " not in variant and "( " not in variant and "😔 ." not in variant


def test_aeda_uses_all_six_marks():
    _, propose = shipped("aeda")
    drawn = "".join(changed(propose, "one two three four", seed, 1.0) for seed in range(40))
    assert set(drawn) - set("one two three four") == set(".;?:!,")


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('He said "no". Then—maybe... ok?', "He said no Then maybe ok"),
        ("Up at 3:15, see https://example.org/a.b, twice.", "Up at 3:15 see https://example.org/a.b twice"),
        ("it's 4 a.m., half-asleep, w/ $20.50 :)", "it's 4 a.m. half-asleep w/ $20.50 :)"),
        ("one more.\n- two of us,\nthree!", "one more\ntwo of us\nthree"),
        ("so sad. 😔 (really)", "so sad 😔 really"),
        ("see example.org/talk.", "see example.org/talk"),
        ("fun.Then", "fun.Then"),
        ("...", "..."),
    ],
)
def test_punctuation_strip(text, bare):
    _, propose = shipped("punctuation_strip")
    assert changed(propose, text, intensity=1.0) == bare


@pytest.mark.parametrize("text", ["I don't. Think of me", "homework, no. i get it", "if not, call"])
def test_no_negation_comes_to_govern_another_word(text):
    _, propose = shipped("punctuation_strip")
    for seed in range(20):
        variant = changed(propose, text, seed, 1.0)
        assert not re.search(r"(?i)(?:n't|no|not)\"? \w", variant), variant
    _, aeda = shipped("aeda")
    for seed in range(40):
        assert "not want" in changed(aeda, "I do not want to go there", seed, 1.0)


def test_brackets_and_quotation_marks_go_in_pairs():
    _, propose = shipped("punctuation_strip")
    for seed in range(60):
        variant = changed(propose, 'One, two: he (my boss) said "low", then left, ok', seed, 0.3)
        assert variant.count('"') in (0, 2) and variant.count("(") == variant.count(")") != (variant.count('"') == 0)


def test_numbers_written_alike_change_together():
    _, propose = shipped("number_words")
    assert changed(propose, "between 1 and 2 in the yard", intensity=0.01) == "between one and two in the yard"
    assert changed(propose, "Two hours of it, maybe three.", intensity=0.01) == "2 hours of it, maybe 3."


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("I slept 25 hours.", "I slept twenty-five hours."),
        ("20 pounds in 6 weeks. Ok", "Twenty pounds in six weeks. Ok"),
        ("Since 20 pounds and six weeks", "Since twenty pounds and 6 weeks"),
        ("Twenty-six kids, one hour", "26 kids, 1 hour"),
        ("I'm 16.", "I'm sixteen."),
    ],
)
def test_numbers_become_words_and_words_numbers(text, written):
    _, propose = shipped("number_words")
    assert changed(propose, text, intensity=1.0) == written


@pytest.mark.parametrize(
    "text",
    [
        "at 3 am and 7 o'clock",
        "100 mg of it",
        "on 5 May",
        "for $20",
        "Week 5, page 3",
        "call 911",
        "no one, one of them, one day",
        "two hundred days",
        "8/10, 4-5, 3.5 and 12:30",
        "zero hope, 0 hope",
        "half past two",
        "an eight-year-old",
        "twenty five",
        "iPhone 6",
        "3 hr 50",
    ],
)
def test_numbers_that_stay(text):
    _, propose = shipped("number_words")
    assert changed(propose, text, intensity=1.0) == text


def test_an_emoji_fits_the_topic_and_ends_its_sentence():
    _, propose = shipped("emoji")
    found = {changed(propose, "I can't sleep. I lie awake.", seed, 1.0) for seed in range(40)}
    assert (
        all(re.fullmatch(r"I can't sleep\. [😴🌙🛏️💤]+ I lie awake\. [😴🌙🛏️💤]+", text) for text in found)
        and len(found) > 3
    )
    assert changed(propose, "I cry. 😢\nhttps://example.org/a", intensity=1.0) == "I cry. 😢\nhttps://example.org/a"
    assert changed(propose, 'He said "I cry."', intensity=1.0).startswith('He said "I cry." ')


def test_an_emoji_is_one_token():
    """Guards and splitters must see what was added as an emoji, not as a stray mark."""
    _, propose = shipped("emoji")
    for seed, text in enumerate(sample_texts()[:300]):
        variant = changed(propose, text, seed, 0.01)
        added = [token.kind for token in passage(variant).tokens][len(passage(text).tokens) - 1 :]
        assert variant == text or "emoji" in added or "emoji" in [token.kind for token in passage(variant).tokens]
