"""Controls: copies, opposites, and negations put in or taken out."""

from __future__ import annotations

import pytest

from dataset_project.augmentation.methods import negation
from dataset_project.augmentation.text.edits import apply, tidy
from dataset_project.augmentation.text.guards import broken, profile
from dataset_project_tests.augmentation.methods.support import changed, sample_texts
from dataset_project_tests.augmentation.methods.tables import with_tables


def test_copy_proposes_nothing():
    spec, propose = with_tables("copy")
    assert not spec.banded and changed(propose, "I am tired.") == "I am tired."


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("I was happy.", "I was unhappy."),
        ("He is sad again.", "He is sad again."),  # "again" is no end of what is said
        ("He is so sad.", "He is so glad."),
        ("It was an ugly house.", "It was a beautiful house."),
        ("They won.", "They lost."),
        ("Awful weather came.", "Good weather came."),  # indirect opposites only for want of direct ones
        ("She stayed calm.", "She stayed agitated."),
    ],
)
def test_antonyms_take_the_form_and_may_be_symptoms(text, variant):
    spec, propose = with_tables("antonym")
    assert {changed(propose, text, seed) for seed in range(20)} == {variant}
    assert not broken(text, variant, spec.may_change)


@pytest.mark.parametrize(
    ("plain", "negated"),
    [
        ("I am tired.", "I am not tired."),
        ("I'm tired.", "I'm not tired."),
        ("I can sleep.", "I can't sleep."),
        ("I eat.", "I don't eat."),
        ("She eats breakfast.", "She doesn't eat breakfast."),
        ("He ate breakfast.", "He didn't eat breakfast."),
        ("I cried.", "I didn't cry."),
        ("They have left.", "They haven't left."),
        ("“Yes,” he said. I’m here, and I cried.", "“Yes,” he said. I’m here, and I didn’t cry."),
    ],
)
def test_a_negation_goes_in_and_comes_out_again(plain, negated):
    assert negated in _variants(plain)
    assert plain in _variants(negated)


def test_negations_that_come_out():
    assert _variants("I do not sleep.") == {"I sleep."}
    assert _variants("My legs won't stop.") == {"My legs will stop."}
    assert _variants("I cannot swallow.") == {"I can swallow."}
    assert _variants("It isn't fair.") == {"It is fair."}


@pytest.mark.parametrize(
    "text",
    [
        "Don't tell me.",  # an imperative
        "Can't you sleep?",  # a question
        "I don't eat anything.",  # words that live off the negation
        "I can't sleep at all.",
        "I can't help it.",
        "I already cried.",
        "I used to sing.",
        "I cried and screamed.",  # the second verb would keep its form
        "I never cried.",
        "Nothing helps.",
        "Slept fine, ate fine.",
        "I signed up, paid and went.",  # verbs that the negation would not reach
        "I bought it, then cried.",
        "But, I mean, nobody came.",
        "",
    ],
)
def test_where_the_grammar_is_not_plain(text):
    assert _variants(text) == set()


def _variants(text: str) -> set[str]:
    return {apply(text, tidy(text, edits)) for edits in negation.sites(text)}


def test_in_the_sample_exactly_one_cue_changes():
    spec, propose = with_tables("negate")
    found = 0
    for seed, text in enumerate(sample_texts()[::3]):
        variant = changed(propose, text, seed)
        if variant != text:
            found += 1
            before, after = profile(text).negation, profile(variant).negation
            assert abs(len(before) - len(after)) == 1, (text, variant)
            assert not broken(text, variant, spec.may_change), (text, variant)
            assert variant == variant.strip() and variant.count("  ") == text.count("  ")
    assert found > 100
