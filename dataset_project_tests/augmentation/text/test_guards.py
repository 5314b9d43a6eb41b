"""Guards: what a variant may not lose, add or change."""

from __future__ import annotations

import pytest

from dataset_project.augmentation.text.guards import broken, profile

ORIGINAL = "I can't sleep for 3 hours, ask @bob\nor see https://example.org/help"


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (ORIGINAL, ""),
        (ORIGINAL.replace("can't", "cannot"), ""),
        (ORIGINAL.replace("can't", "can’t"), ""),
        (ORIGINAL.replace("3", "three"), ""),
        (ORIGINAL.replace("ask", "aks"), ""),
        (ORIGINAL.replace("can't", "can"), "negation"),
        (ORIGINAL.replace("ask", "never ask"), "negation"),
        (ORIGINAL.replace("sleep", "rest"), "symptom"),
        (ORIGINAL.replace("ask", "tired"), "symptom"),
        (ORIGINAL.replace("3", "4"), "quantity"),
        (ORIGINAL.replace("hours", "days"), "quantity"),
        (ORIGINAL.replace("@bob", "@rob"), "fixed"),
        (ORIGINAL.replace("\n", " "), "fixed"),
        (ORIGINAL.replace("/help", "/hepl"), "fixed"),
        (ORIGINAL + " and so on and on" * 6, "quantity"),
        (ORIGINAL + " and then there" * 8, "length"),
    ],
)
def test_what_breaks_and_what_does_not(variant, reason):
    assert broken(ORIGINAL, variant) == reason


@pytest.mark.parametrize(
    ("original", "variant"),
    [
        ("idk how to say it", "how to say it"),
        ("here w/out a lawyer", "here w/ a lawyer"),
        ("we werent close", "we were close"),
        ("I'm failing at it", "I'm faring at it"),
    ],
)
def test_negations_in_short_or_in_a_verb_count(original, variant):
    assert broken(original, variant) == "negation"
    assert broken("here w/out a lawyer", "here without a lawyer") == ""


def test_methods_may_change_what_they_declare():
    assert broken("I am tired", "I am worn", ["symptom"]) == ""
    assert broken("at 3 pm", "at 4 pm", ["number"]) == ""
    assert broken("I slept", "I never slept", ["negation"]) == ""


@pytest.mark.parametrize(
    ("word", "digits"), [("twelve", "12"), ("twenty-five", "25"), ("ninety", "90"), ("zero", "zero")]
)
def test_numbers_are_compared_by_value(word, digits):
    # `zero` is a negation before it is a number.
    assert (profile(word).quantity or profile(word).negation) == (digits,)
