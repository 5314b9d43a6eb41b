"""Long criteria in parts: nothing lost, nothing over the limit, every part under its heading."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.trials.schemes.chunks import CONTINUED, parts
from dataset_project.trials.schemes.criteria import heading_of
from dataset_project.trials.trial import Trial

LONG = "Inclusion Criteria:\n\n" + "\n".join(
    f"* Inclusion number {n} with some words\n  * a detail of {n}\n  * another of {n}" for n in range(30)
)
LONG += "\n\nExclusion Criteria:\n\n" + "\n".join(f"{n}. Exclusion number {n}, at some length" for n in range(1, 41))


def _words(text: str) -> int:
    return len(text.split())


def _parts(criteria: str, limit: int, count=_words) -> list[str]:
    return parts(Trial("NCT90000001", eligibility_criteria=criteria), limit, count)


def test_criteria_that_fit_are_one_part_verbatim():
    text = "  Inclusion Criteria:\n\n\n* A   b\n"
    assert _parts(text, 5) == [text]
    assert _parts("", 1) == [""]


def test_every_part_has_its_heading_and_stays_under_the_limit():
    found = _parts(LONG, 60)
    assert len(found) > 5
    for part in found:
        assert _words(part) <= 60
        assert heading_of(part.split("\n")[0]) is not None
    assert found[0].startswith("Inclusion Criteria:\n")
    assert found[1].startswith(f"Inclusion Criteria{CONTINUED}:\n")
    assert found[-1].startswith(f"Exclusion Criteria{CONTINUED}:\n")


def test_no_exclusion_stands_under_an_inclusion_heading():
    for part in _parts(LONG, 45):
        side = ""
        for line in part.split("\n"):
            heading = heading_of(line)
            if heading:
                side = heading[0]
            elif "number" in line:
                assert side == ("inclusion" if "Inclusion number" in line else "exclusion")


def test_criteria_are_cut_between_criteria_with_their_details():
    for part in _parts(LONG, 60):
        lines = part.split("\n")
        assert not any(line.startswith("  *") for line in lines[1:2])
        for number, line in enumerate(lines):
            if line.startswith("* Inclusion number"):
                assert lines[number + 1].startswith("  * a detail") and lines[number + 2].startswith("  * another")


def test_numbers_set_one_column_left_do_not_make_others_details():
    text = "Inclusion Criteria:\n\n" + "\n".join(f"{n:>3}. criterion {n}\n     - goes on" for n in range(1, 21))
    for part in _parts(text, 18):
        lines = part.split("\n")[1:]
        assert re.match(r"\s*\d+\. criterion", lines[0])
        assert lines[-1].strip() == "- goes on"


def test_a_long_criterion_is_cut_at_sentences_then_words():
    text = "Exclusion Criteria:\n* " + " ".join(f"Sentence {n} goes here." for n in range(30))
    found = _parts(text, 15)
    assert all(part.endswith("here.") for part in found)
    found = _parts("Exclusion Criteria:\n* " + " ".join(["word"] * 100), 10)
    assert all(part.startswith("Exclusion Criteria") for part in found)
    assert sum(part.count("word") for part in found) == 100


def test_a_word_longer_than_a_part_is_cut_too_rather_than_lost():
    found = _parts("x" * 95, 10, len)
    assert "".join(found) == "x" * 95
    assert max(map(len, found)) <= 10


def test_a_limit_too_small_for_the_heading_is_an_error():
    with pytest.raises(ValueError, match=r"NCT90000001: 10 tokens leave no room .* raise max_tokens"):
        _parts("Exclusion Criteria:\n* pregnancy and more", 10, len)
    with pytest.raises(ValueError, match="max_tokens must be at least 1, not 0"):
        _parts("x", 0)


def test_headings_without_criteria_are_kept():
    text = "Inclusion Criteria:\n" + "* a b c\n" * 5 + "Exclusion Criteria:\n"
    assert _parts(text, 8)[-1].endswith("Exclusion Criteria:")


def test_real_tokens_are_counted_for_the_joined_text():
    import bpe_openai

    encoding = bpe_openai.get_encoding("o200k_base")
    found = _parts(LONG, 120, lambda text: len(encoding.encode(text)))
    assert len(found) > 3
    assert max(len(encoding.encode(part)) for part in found) <= 120
    assert _without_headings("\n".join(found)) == _without_headings(LONG)


def _without_headings(text: str) -> list[str]:
    lines = [line for line in text.split("\n") if heading_of(line.replace(CONTINUED, "")) is None]
    return " ".join(lines).split()


LINES = st.sampled_from(
    ["Inclusion Criteria:", "Exclusion Criteria:", "", "* one two three", "  * four five", "1. six; seven. Eight nine",
     "plain words without a bullet", "   wrapped line", "- ten " + "eleven " * 12, "Key Exclusion Criteria (Part B):"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=40).map("\n".join), st.integers(12, 60))
def test_no_word_is_lost_repeated_or_moved(criteria, limit):
    found = _parts(criteria, limit)
    assert all(_words(part) <= limit for part in found)
    assert _without_headings("\n".join(found)) == _without_headings(criteria)
    assert _parts(criteria, limit) == found


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.integers(60, 120))
def test_any_text_is_kept_letter_by_letter_but_for_blanks(text, limit):
    found = _parts(text, limit, len)
    assert all(len(part) <= limit for part in found)
    if not any(heading_of(line) for line in text.splitlines()):
        assert "".join("".join(found).split()) == "".join(text.split())
