"""Finding planted values in text whose order, blanks and repetitions are not ours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dataset_project.documents.report.matching import places, tidy


def _spans(canonical, *values):
    """Rows of SPANS: (text, surface, which occurrence)."""
    found = []
    for text, surface, number in values:
        start = [match.start() for match in re.finditer(re.escape(text), canonical)][number]
        found.append({"start": start, "end": start + len(text), "surface": surface})
    return found


def test_tidying_leaves_one_blank_and_no_outer_ones():
    assert tidy("  a\u00a0\t b \r\nc\u2003d\n") == "a b\nc d"


def test_a_whole_line_decides_which_of_two_places_was_extracted():
    canonical = "Ana Lee\nPatient: Ana Lee, seen"
    spans = _spans(canonical, ("Ana Lee", "body", 0), ("Ana Lee", "footnote", 1))
    assert places("Patient: Ana Lee, seen", canonical, spans) == [None, (9, 16)]
    assert places("x\nAna Lee", canonical, spans) == [(2, 9), None]


def test_without_a_whole_line_the_body_comes_first_and_each_place_counts_once():
    canonical = "Ref 4711 in the margin\nMRN 4711 today"
    spans = _spans(canonical, ("4711", "comment", 0), ("4711", "body", 1))
    assert places("a row: MRN 4711 today, more", canonical, spans) == [None, (11, 15)]
    both = places("4711 and 4711", canonical, spans)
    assert sorted(both) == [(0, 4), (9, 13)]


def test_a_value_inside_a_longer_word_is_not_it():
    canonical = "Lee"
    assert places("Leeds, MrLee", canonical, _spans(canonical, ("Lee", "body", 0))) == [None]
    joined = "idLee7x"
    assert places("see idLee7x", joined, _spans(joined, ("Lee7", "body", 0))) == [(6, 10)]


def test_a_short_value_leaves_the_place_of_a_long_one_to_it():
    canonical = "4 Elm Road, Troy\nTroy"
    spans = _spans(canonical, ("Troy", "body", 1), ("4 Elm Road, Troy", "table", 0))
    assert places("home: 4 Elm Road, Troy", canonical, spans) == [None, (6, 22)]


def test_blanks_of_the_extractor_do_not_matter():
    canonical = "Name:\u00a0 Ana\u00a0Lee"
    spans = _spans(canonical, ("Ana\u00a0Lee", "body", 0))
    assert places(tidy("Name:   Ana Lee"), canonical, spans) == [(6, 13)]


_LINES = st.lists(st.lists(st.sampled_from(["Ana", "Lee", "4711", "47", ",", "of", "-"]), min_size=1), min_size=1)


@given(_LINES, st.data())
def test_in_the_canonical_text_itself_every_value_is_found_apart(lines, data):
    canonical = "\n".join(" ".join(words) for words in lines)
    words = [match.span() for match in re.finditer(r"[^ \n]+", canonical)]
    chosen = data.draw(st.lists(st.sampled_from(words), unique=True))
    spans = [{"start": start, "end": end, "surface": "body"} for start, end in sorted(chosen)]
    found = places(canonical, canonical, spans)
    assert None not in found and len(set(found)) == len(spans)
    for span, (start, end) in zip(spans, found, strict=True):
        assert canonical[start:end] == canonical[span["start"] : span["end"]]
