"""Clauses and sentences that change places."""

from __future__ import annotations

from collections import Counter

import pytest

from dataset_project.augmentation.text.guards import broken
from dataset_project.augmentation.text.tokens import passage
from dataset_project_tests.augmentation.methods.support import changed, sample_texts, shipped

FINDS = {"clause_reorder": 0.015, "sentence_shuffle": 0.3}


def words(text: str) -> Counter:
    return Counter(token.lower for token in passage(text).tokens if token.kind != "mark")


@pytest.mark.parametrize("name", FINDS)
def test_every_word_stays_and_a_share_of_the_sentences_changes(name):
    spec, propose = shipped(name)
    texts, moved = sample_texts(), 0
    for seed, text in enumerate(texts):
        variant = changed(propose, text, seed, spec.intensity)
        moved += variant != text
        assert words(variant) == words(text)
        assert broken(text, variant, spec.may_change) == ""
        assert abs(len(variant) - len(text)) <= 2
    assert moved > FINDS[name] * len(texts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When I wake up, I cry.", "I cry when I wake up."),
        ("i cry when i wake up", "when i wake up, i cry"),
        ("If you call me, I will go.", "I will go if you call me."),
        ("Even though I slept, I am tired.", "I am tired even though I slept."),
        ("After lunch, I sleep.", "I sleep after lunch."),
        ("When I wake up, I cry, and then I sleep.", "I cry when I wake up, and then I sleep."),
        ("Because I was late, my boss left.", "My boss left because I was late."),
    ],
)
def test_clauses_go_both_ways(one, other):
    _, propose = shipped("clause_reorder")
    assert changed(propose, one) == other
    assert changed(propose, other) == one


@pytest.mark.parametrize(
    "text",
    [
        "When my mother saw me, she cried.",
        "I don't eat because I'm sad.",
        "I know when I'm beaten.",
        "I feel worse than when I left.",
        "I want to die when I wake up.",
        "Is it bad if I cry?",
        "I cry because I can't.",
        "Rose cries when I leave.",
        "The day when I left, I cried.",
        "I asked if I was sad.",
        "It's been years since I laughed.",
        'When he said "no", I left.',
        "I stopped eating when I moved.",
        "I'm not hungry, I eat because it's something to do.",
    ],
)
def test_unclear_clauses_stay(text):
    _, propose = shipped("clause_reorder")
    assert {changed(propose, text, seed, 1.0) for seed in range(4)} == {text}


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("I cry. I sleep.", "I sleep. I cry."),
        ("one\ntwo", "two\none"),
        ("I cry! Why?", "Why? I cry!"),
        ("i cry. no sleep", "no sleep. i cry"),
        ("@user_1 I cry. I sleep. ", "@user_1 I sleep. I cry. "),
        ("List:\n- a b\n- c d", "List:\n- c d\n- a b"),
        ("I saw Dr. Oz at 3.5 p.m. today. I cry 😢", "I cry 😢. I saw Dr. Oz at 3.5 p.m. today"),
    ],
)
def test_neighbouring_sentences_change_places(text, swapped):
    _, propose = shipped("sentence_shuffle")
    assert changed(propose, text) == swapped


@pytest.mark.parametrize(
    "text",
    [
        "Only one sentence here, at 3.5 hours.",
        "Well... ok then",
        "I cry. But I sleep.",
        'He said "No. Stop."',
        "see https://example.org/a.b now",
        "Is it bad? idk",
        "What mother needs that? Mine didn't. I looked at my boy.",
        "I saw the girl. She left.",
        "Told Ray of it. I wasn't kidding. He laughed.",
        "@tomi sent me home. I can't stay.",
        "@tomi sent me home. i can't stay.",
        "sold the Juno. Felt low.",
        "Gran slept. Details here: https://example.org/club",
        "You asked me. No, it leaked. I danced.",
        "I sing. You would too.",
    ],
)
def test_sentences_that_stay(text):
    _, propose = shipped("sentence_shuffle")
    assert changed(propose, text, intensity=1.0) == text
