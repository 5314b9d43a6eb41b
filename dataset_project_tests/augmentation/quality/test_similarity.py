"""Character scores: values worked out by hand, independence of order and batch, sane orderings."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest

from dataset_project.augmentation.quality import kernel
from dataset_project.augmentation.quality.similarity import CharNgramTfidf, _encoded, char_similarity

SENTENCES = (
    "I can't sleep, and when I do I wake up at three.",
    "Nothing I used to love feels worth getting up for.",
    "My sister says I've lost weight; I hadn't noticed.",
    "I slept fine last night and work was good.",
    "Naïve plans 😀😀 — I’m so tired\nof all of it.",
)


def _noisy(text: str, rng: random.Random, changes: int) -> str:
    chars = list(text)
    for _ in range(changes):
        chars[rng.randrange(len(chars))] = rng.choice("abcdefgh é😴")
    return "".join(chars)


def _many(n: int) -> tuple[list[str], list[str]]:
    rng = random.Random(5)
    originals = [rng.choice(SENTENCES) for _ in range(n)]
    return originals, [_noisy(text, rng, rng.randrange(1, 12)) for text in originals]


def test_a_cosine_worked_out_by_hand():
    # Two sources; "abc" is in both, "bcd" and "abcd" in one; "bcx" and "abcx" in none.
    both, one, none = 1.0, math.log(3 / 2) + 1, math.log(3) + 1
    left, right = math.sqrt(both**2 + 2 * one**2), math.sqrt(both**2 + 2 * none**2)
    model = CharNgramTfidf(["abcd", "abc"])
    assert model.cosines(["abcd"], ["abcx"])[0] == pytest.approx(both**2 / (left * right), abs=5e-7)


def test_counts_are_raw_and_enter_squared():
    # "aaaa": aaa twice and aaaa once; "aaa": aaa once. Every gram has df 0.
    assert CharNgramTfidf([]).cosines(["aaaa"], ["aaa"])[0] == pytest.approx(2 / math.sqrt(5), abs=5e-7)


def test_case_and_white_space_are_part_of_the_text():
    model = CharNgramTfidf(SENTENCES)
    scores = model.cosines(["so tired", "so tired", "so tired"], ["so tired", "SO TIRED", "so  tired"])
    assert scores[0] == 1.0 and scores[1] == 0.0 and 0.0 < scores[2] < 1.0


@pytest.mark.parametrize(
    ("original", "variant", "score"),
    [("", "", 1.0), ("", "a", 0.0), ("word", "", 0.0), ("a", "a", 1.0), ("a", "b", 0.0), ("ab", "abc", 0.0),
     ("😀", "😀", 1.0), ("\0\0\0", "\0\0", 0.0), ("\ud800xy", "\ud800xy", 1.0)],
)  # fmt: skip
def test_awkward_texts_have_a_score(original, variant, score):
    assert CharNgramTfidf(SENTENCES).cosines([original], [variant])[0] == score


def test_document_frequencies_count_texts_not_occurrences():
    texts = ["aaaaaa", "aaab", "😀aaa", "ab", "", "xyz xyz"]
    grams = [{text[at : at + n] for n in (3, 4, 5) for at in range(len(text) - n + 1)} for text in texts]
    grams[3] = {"ab"}
    expected = Counter(gram for each in grams for gram in each)
    keys, frequencies = np.zeros(256, np.uint64), np.zeros(256, np.int64)
    assert kernel.document_frequencies(*_encoded(texts), 8, keys, frequencies) == len(expected)
    assert sorted(frequencies[keys > 0]) == sorted(expected.values())
    crowded = np.zeros(16, np.uint64), np.zeros(16, np.int64)
    assert kernel.document_frequencies(*_encoded(texts), 4, *crowded) == -1


def test_no_two_grams_share_a_hash_in_a_large_corpus():
    rng = random.Random(1)
    texts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz '", k=300)) for _ in range(300)]
    distinct = {text[at : at + n] for text in texts for n in (3, 4, 5) for at in range(len(text) - n + 1)}
    bits = 20
    keys, frequencies = np.zeros(1 << bits, np.uint64), np.zeros(1 << bits, np.int64)
    assert kernel.document_frequencies(*_encoded(texts), bits, keys, frequencies) == len(distinct) > 150_000


def test_neither_the_order_of_pairs_nor_their_batch_matters():
    originals, variants = _many(300)
    model = CharNgramTfidf(SENTENCES)
    together = model.cosines(originals, variants)
    order = random.Random(2).sample(range(300), 300)
    shuffled = model.cosines([originals[i] for i in order], [variants[i] for i in order])
    np.testing.assert_array_equal(shuffled, together[order])
    alone = [CharNgramTfidf(SENTENCES).cosines([a], [b])[0] for a, b in zip(originals, variants, strict=True)]
    np.testing.assert_array_equal(alone, together)


def test_neither_the_order_of_sources_nor_repeats_matter():
    originals, variants = _many(50)
    expected = CharNgramTfidf(SENTENCES).cosines(originals, variants)
    again = CharNgramTfidf([*reversed(SENTENCES), SENTENCES[1]]).cosines(originals, variants)
    np.testing.assert_array_equal(again, expected)
    other = CharNgramTfidf(SENTENCES[:2]).cosines(originals, variants)
    assert (other != expected).any(), "the sources decide the weights"


def test_one_original_with_very_many_variants_of_any_length():
    # The small table of the original fills up and is made again on the way.
    rng = random.Random(3)
    variants = ["".join(rng.choices("abcdef ", k=rng.choice((0, 2, 40, 900)))) for _ in range(200)]
    original = SENTENCES[0]
    model = CharNgramTfidf([*SENTENCES, *variants[:20]])
    together = model.cosines([original] * 200, variants)
    alone = [model.cosines([original], [variant])[0] for variant in variants]
    np.testing.assert_array_equal(together, alone)


def test_scores_order_edits_by_size_and_have_six_decimals():
    rng = random.Random(4)
    text = " ".join(SENTENCES)
    few, more, most = (_noisy(text, rng, changes) for changes in (2, 20, 150))
    for score in (CharNgramTfidf(SENTENCES).cosines, char_similarity):
        values = score([text] * 4, [text, few, more, most])
        assert values[0] == 1.0 and (np.diff(values) < 0).all() and values[3] > 0
        np.testing.assert_array_equal(values, values.round(6))
        assert values.dtype == np.float64


def test_char_similarity_is_the_normalised_indel_similarity():
    # LCS of "kitten" and "sitting" is "ittn": 2 * 4 / 13.
    assert char_similarity(["kitten", "", "", "ab"], ["sitting", "", "x", "ba"]).tolist() == [0.615385, 1.0, 0.0, 0.5]


@pytest.mark.parametrize("score", [CharNgramTfidf(()).cosines, char_similarity], ids=["tfidf", "char"])
def test_pairs_go_by_position(score):
    assert score([], []).shape == (0,)
    with pytest.raises(ValueError, match="2 originals against 1 variants"):
        score(["a", "b"], ["a"])
