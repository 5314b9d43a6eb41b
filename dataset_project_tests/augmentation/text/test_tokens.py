"""Tokens: lossless, with guards where they belong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.augmentation.text.tokens import Passage

AWKWARD = (
    "I can't sleep @bob at 3am, see https://example.org/a.b?c=1. It’s been 6 weeks -- so-called “rest”!!! 😴\n"
    "u/joe lost 20.5 lbs (5%) on 12/3/2020, $40… half-asleep #sad wi11"
)


def _kinds(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for token in Passage(text).tokens:
        found.setdefault(token.kind, []).append(token.text)
    return found


def test_every_kind_is_told_apart():
    kinds = _kinds(AWKWARD)
    assert kinds["url"] == ["https://example.org/a.b?c=1"]  # the full stop after it ends the sentence
    assert kinds["mention"] == ["@bob", "u/joe", "#sad"]
    assert kinds["number"] == ["3am", "6", "20.5", "5%", "12/3/2020", "$40"]
    assert kinds["newline"] == ["\n"]
    assert kinds["emoji"] == ["😴"]
    assert {"can't", "It’s", "so-called", "half-asleep", "wi11"} <= set(kinds["word"])
    assert {"--", "!!!", "…", "“"} <= set(kinds["mark"])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_tokens_and_white_space_are_the_whole_text(text):
    passage, at = Passage(text), 0
    for token in passage.tokens:
        gap = text[at : token.start]
        assert gap.strip() == "" and "\n" not in gap, "only white space lies between tokens"
        assert text[token.start : token.end] == token.text != ""
        at = token.end
    assert text[at:].strip() == ""


@pytest.mark.parametrize(
    ("word", "guard"),
    [
        ("not", "negation"),
        ("can’t", "negation"),
        ("didn't", "negation"),
        ("hopeless", "symptom"),
        ("half-asleep", "quantity"),
        ("I've", "person"),
        ("my", "person"),
        ("used", "context"),
        ("three", "quantity"),
        ("window", None),
        ("no", "negation"),  # which YAML reads as false
    ],
)
def test_guards(word, guard):
    assert Passage(word).tokens[0].guard == guard


def test_open_words_are_plain_and_unguarded():
    passage = Passage("The quiet flat isn't mine, but-then again I'd leave 3 boxes.")
    assert [passage.tokens[place].text for place in passage.open_words] == ["The", "quiet", "flat", "leave", "boxes"]


def test_a_part_of_something_longer_is_not_open():
    passage = Passage("See Mr. Oz at 3 pm w/ a 50-foot rope, mine or/and the tables' end, e.g. now. Go.")
    opened = [passage.tokens[place].text for place in passage.open_words]
    assert opened == ["See", "Oz", "at", "a", "rope", "the", "Go"]


def test_without_in_short_is_one_negated_word():
    tokens = Passage("sad w/ you, w/out her, W/O them, w/oats").tokens
    assert [token.text for token in tokens if token.guard == "negation"] == ["w/out", "W/O"]


def test_sentence_starts():
    passage = Passage("One day. two more! \nThree… four: five")
    starts = [passage.tokens[place].text for place in sorted(passage.sentence_starts)]
    assert starts == ["One", "two", "Three", "four"]


def test_how_many_follows_the_share_of_words():
    passage = Passage("one two three four five six seven eight nine ten")
    assert passage.how_many(0.2, among=10) == 2
    assert passage.how_many(0.21, among=10) == 3
    assert passage.how_many(0.01, among=10) == 1
    assert passage.how_many(0.9, among=4) == 4
    assert passage.how_many(0.5, among=0) == 0


def test_tags_line_up_with_tokens():
    passage = Passage("My quiet dog, called Rex, slept.")
    tagged = dict(zip((token.text for token in passage.tokens), passage.tags, strict=True))
    assert (tagged["quiet"], tagged["dog"], tagged[","], tagged["slept"]) == ("JJ", "NN", ",", "VBD")
    assert Passage("").tags == ()
