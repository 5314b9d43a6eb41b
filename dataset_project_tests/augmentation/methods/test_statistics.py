"""TF-IDF methods: chances as in UDA and nlpaug, and sentences that hold."""

from __future__ import annotations

from collections import Counter

import pytest

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import make
from dataset_project.augmentation.methods.statistics import CorpusWords
from dataset_project.augmentation.preparation.common_words import resource_table
from dataset_project.augmentation.preparation.tables import Prepared, TermTable
from dataset_project.augmentation.text.lexicons import guard_of
from dataset_project.augmentation.text.tagging import lexicon
from dataset_project.augmentation.text.tokens import Passage
from dataset_project_tests.augmentation.methods.support import changed
from dataset_project_tests.augmentation.methods.tables import resources, with_tables


def test_words_are_drawn_by_their_chances_within_their_form():
    rows = [("lamp", "", [], [2.0, 0.6]), ("table", "", [], [1.0, 0.2]), ("walked", "", [], [1.0, 0.2])]
    prepared = Prepared({"tfidf_words": lambda: TermTable(resource_table(rows))})
    words, draws = CorpusWords(prepared), Draws(5)
    drawn = Counter(words.draw(draws, "NN", "chair") for _ in range(4_000))
    assert set(drawn) == {"lamp", "table"} and abs(drawn["lamp"] / 4_000 - 0.75) < 0.03
    assert words.draw(draws, "VBD", "ran") == "walked" and words.draw(draws, "VBD", "walked") == ""
    assert words.draw(draws, "JJ", "calm") == "" and words.idf["lamp"] == 2.0


def test_words_of_low_tfidf_go_first_and_the_most_telling_stays():
    rows = [(word, "", [], [idf, 0.1]) for word, idf in (("lamp", 9.0), ("table", 8.9), ("door", 0.1), ("chair", 5.0))]
    spec, _ = with_tables("tfidf_substitute")
    propose = make(spec, Prepared({"tfidf_words": lambda: TermTable(resource_table(rows))}))
    text = "The lamp by the table by the door."
    gone = Counter()
    for seed in range(600):
        (edit,) = (each for each in propose(Passage(text), Draws(seed), 0.1))
        gone[text[edit.start : edit.end]] += 1
    assert gone["lamp"] == 0 and gone["door"] > 20 * gone["table"] > 0


def test_substitutes_have_the_form_of_what_they_replace():
    _, propose = with_tables("tfidf_substitute")
    text = "My neighbour cancelled the appointment yesterday, and I carried the boxes."
    tags, seen = lexicon(), set()
    for seed in range(60):
        for edit in propose(Passage(text), Draws(seed), 0.3):
            old, new = text[edit.start : edit.end], edit.new
            if old not in ("a", "an"):
                assert tags[old] == tags[new] and guard_of("word", new) is None
                seen.add(old)
    assert {"appointment", "boxes"} <= seen


def test_insertions_fit_before_nouns_and_verbs_and_mend_the_article():
    _, propose = with_tables("tfidf_insert")
    text = "An owl watched the yard."
    for seed in range(80):
        variant = changed(propose, text, seed, 1e-9)
        article, *words = variant.rstrip(".").split()
        inserted = [word for word in words if word not in ("owl", "watched", "the", "yard")]
        assert len(inserted) == 1
        place = words.index(inserted[0])
        assert (words[place + 1] in ("owl", "yard")) == (lexicon()[inserted[0]] == "JJ")
        assert words[place + 1] != "watched" or inserted[0].endswith("ly")
        assert article == ("An" if words[0][0] in "aeio" else "A") or words[0][0] in "uh"
    assert changed(propose, "Why? Never mind.", 1) == "Why? Never mind."


@pytest.mark.parametrize(
    "text",
    [
        "Then I died.",
        "Still my mood.",
        "I didn't miss it.",
        "Still the rest.",
    ],
)
def test_insertions_leave_symptoms_and_negations_alone(text):
    _, propose = with_tables("tfidf_insert")
    assert {changed(propose, text, seed, 1.0) for seed in range(20)} == {text}


def test_no_word_of_violence_or_of_despair_is_drawn():
    words = CorpusWords(resources())
    assert not {"gun", "rifle", "rope", "hung", "bridge", "train", "shot", "desperate", "murderer"} & set(words.idf)


def test_the_real_corpus_gives_words_of_every_form():
    words, draws = CorpusWords(resources()), Draws(1)
    assert all(words.draw(draws, pool, "") for pool in ("NN", "NNS", "VB", "VBD", "VBG", "VBN", "JJ", "RB", "manner"))
    assert not {"is", "did", "got", "never", "sleep"} & set(words.idf)
