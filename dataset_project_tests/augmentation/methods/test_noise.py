"""Character and word noise: what it does, what it leaves alone, and that it is nlpaug's where it says so."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from dataset_project.augmentation.methods import nlpaug_models
from dataset_project.augmentation.methods.word import like
from dataset_project.augmentation.text.guards import broken, profile
from dataset_project.augmentation.text.tokens import Passage
from dataset_project_tests.augmentation.methods.support import changed, sample_texts, shipped

CHARACTER = ("keyboard", "ocr", "char_insert", "char_substitute", "char_swap", "char_delete", "elongation", "homoglyph")
NOISE = (
    *CHARACTER,
    "letter_case",
    "whitespace_merge",
    "spelling",
    "word_split",
    "word_swap",
    "word_delete",
    "word_crop",
)
AWKWARD = "Don’t @me at 3am, see https://example.org/quiet-room, the window–seat is Margaret's.\nQuiet evenings, mostly"


@pytest.mark.parametrize("name", NOISE)
def test_it_changes_most_sentences_and_no_guarded_word(name):
    spec, propose = shipped(name)
    texts = sample_texts()[::10]
    variants = [changed(propose, text, seed, spec.intensity) for seed, text in enumerate(texts)]
    assert sum(variant != text for variant, text in zip(variants, texts, strict=True)) > 0.9 * len(texts)
    for text, variant in zip(texts, variants, strict=True):
        # A noisy word may by chance become a guarded one, which the engine then refuses; none is ever lost.
        before, after = profile(text), profile(variant)
        for kept, found in (
            (before.negation, after.negation),
            (before.symptom, after.symptom),
            (before.fixed, after.fixed),
        ):
            assert not list(_lost(kept, found)), (text, variant)
        assert "  " not in variant.replace("  ", "", text.count("  ")) and variant == variant.strip()


def _lost(before, after):
    left = list(after)
    for word in before:
        if word in left:
            left.remove(word)
        else:
            yield word


@pytest.mark.parametrize("name", NOISE)
def test_links_mentions_contractions_numbers_and_line_breaks_survive(name):
    _, propose = shipped(name)
    for seed in range(60):
        variant = changed(propose, AWKWARD, seed, 0.6)
        for kept in ("Don’t", "@me", "3am", "https://example.org/quiet-room", "Margaret's", "\n"):
            assert kept in variant, (seed, variant)


@pytest.mark.parametrize("name", NOISE)
def test_parts_of_something_longer_survive(name):
    """Each was once torn apart: "everyone's w obsessed/ and", "You Mrs ring. Abbott", "a 50-tube foot"."""
    text = "Idk why they're glued w/ it, ask Mrs. Abbott at 3 pm, see example.org/quiet or a 50-foot tube w/out them"
    _, propose = shipped(name)
    for seed in range(60):
        variant = changed(propose, text, seed, 0.6)
        for kept in ("Idk", "w/ ", "Mrs. ", "3 pm", "example.org/quiet", "50-foot", "w/out"):
            assert kept in variant, (seed, variant)


@pytest.mark.parametrize("name", NOISE)
def test_the_same_draws_give_the_same_text(name):
    _, propose = shipped(name)
    _, again = shipped(name)
    text = sample_texts()[5]
    assert [changed(propose, text, seed) for seed in range(5)] == [changed(again, text, seed) for seed in range(5)]


@pytest.mark.parametrize("name", ["", "word", "a b", "I'm", "…", "https://example.org"])
def test_short_texts_are_no_problem(name):
    for method in NOISE:
        changed(shipped(method)[1], name, 1, 1.0)


def test_one_words_outcomes_are_nlpaugs():
    """Every form we make of a word is one that nlpaug makes of it, and nearly the other way round."""
    import nlpaug.augmenter.char as nac

    word = "window"
    theirs = {
        "keyboard": nac.KeyboardAug(include_special_char=False, include_numeric=False, include_upper_case=False,
                                    aug_char_max=1, aug_word_p=1.0),
        "char_delete": nac.RandomCharAug("delete", aug_char_max=1, aug_word_p=1.0),
        "char_swap": nac.RandomCharAug("swap", aug_char_max=1, aug_word_p=1.0),
        "char_insert": nac.RandomCharAug("insert", aug_char_max=1, aug_word_p=1.0, include_upper_case=False,
                                         include_numeric=False, spec_char=""),
    }  # fmt: skip
    state, legacy = random.getstate(), np.random.get_state()
    try:
        random.seed(1), np.random.seed(1)
        for name, augmenter in theirs.items():
            _, propose = shipped(name, share=0.01)
            ours = {changed(propose, word, seed, 1.0) for seed in range(3_000)}
            drawn = {augmenter.augment(word)[0] for _ in range(3_000)}
            assert ours - drawn == set(), f"{name}: ours only"
            # nlpaug may also insert before, and delete, the first letter, which makes another word of it.
            assert all(each == word[1:] or each[1:] == word for each in drawn - ours), name
    finally:
        random.setstate(state), np.random.set_state(legacy)


def test_misspellings_are_plain_words_and_sorted():
    known = nlpaug_models.misspellings()
    assert len(known) > 3_000
    assert all(list(found) == sorted(set(found)) for found in known.values())
    assert all(re.fullmatch(r"[a-z]{2,}", each) for found in known.values() for each in found)
    correct = {word.lower() for word in known}
    assert not any(each in correct for found in known.values() for each in found)


def test_words_after_a_negation_neither_move_nor_go():
    text = "She is not running the quiet kitchen or the old garden"
    for name in ("word_swap", "word_delete", "word_crop"):
        _, propose = shipped(name)
        for seed in range(80):
            assert "not running" in changed(propose, text, seed, 0.5)


def test_a_sentence_keeps_its_capital():
    _, swap = shipped("word_swap")
    assert changed(swap, "Quiet gardens", 1, 1.0) == "Gardens quiet"
    assert changed(swap, "A garden", 1, 1.0) == "Garden a"
    assert changed(swap, "QA flagged", 1, 1.0) == "Flagged QA"
    assert changed(swap, "Laia went", 1, 1.0) == "Laia went", "nobody can tell whether it is a name"
    _, delete = shipped("word_delete")
    found = {changed(delete, "Quiet gardens bloom there.", seed, 0.1) for seed in range(40)}
    assert found == {"Gardens bloom there.", "Quiet bloom there.", "Quiet gardens there.", "Quiet gardens bloom."}
    assert all(text[0].isupper() for text in found)


def test_no_mark_is_left_between_marks():
    _, delete = shipped("word_delete")
    for seed in range(60):
        variant = changed(delete, "Bread, cheese, olives, apples. Water!", seed, 0.6)
        assert not re.search(r"[,.!] ?[,.!]|^[,.!]|\s[,.!]", variant), variant


def test_case_follows_the_model():
    assert [like("grey", model) for model in ("Red", "RED", "red", "I")] == ["Grey", "GREY", "grey", "Grey"]


def test_noise_that_makes_a_negation_is_for_the_engine_to_refuse():
    assert broken("a knot here", "a not here") == "negation"
    assert Passage("a not here").tokens[1].guard == "negation"
