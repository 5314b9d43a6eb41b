"""The second implementations against the first: awkward and random texts, subsets, and errors."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.augmentation.quality.embedding import GloveSimilarity
from dataset_project.augmentation.quality.similarity import CharNgramTfidf, char_similarity
from dataset_project.augmentation.validation.similarity_again import recompute
from dataset_project_tests.augmentation.quality.test_embedding import table_of

AWKWARD = (
    *("", " ", "a", "ab", "abc", "aaaaaaaaaa", "abababababab", "\n\n\n\n", "so   tired", "so tired", "SO TIRED"),
    *(
        "😀",
        "😀😀😀😀",
        "👩‍👩‍👧 and me",
        "naïve café",
        "e\u0301te\u0301",
        "\0\0\0\0",
        "Ａｂｃ",
        "x" * 700,
        "中文字符也可以",
    ),
    *("I can't, I've half-asleep o'clock", "don’t shouldn't've", "https://a.b/c?d=1 @me #tag r/x 3.5%", "𝒳𝒴𝒵𝒳𝒴"),
)
VECTORS = {
    word: [float(value) for value in np.random.default_rng(at).normal(size=50)]
    for at, word in enumerate(("i", "can't", "n't", "do", "'ve", "so", "tired", "me", "and", "half", "o'clock", "été"))
}
_texts = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="ab ", max_size=30),
    st.lists(st.sampled_from([*VECTORS, "can’t", "typpo", "isn't", "well-known", ".", "😀"]), max_size=9).map(" ".join),
)


@pytest.fixture(scope="module")
def table():
    return table_of(VECTORS)


def _first(metric, sources, originals, variants, table):
    if metric == "tfidf":
        return CharNgramTfidf(sources).cosines(originals, variants)
    return (
        char_similarity(originals, variants)
        if metric == "char"
        else GloveSimilarity(table).cosines(originals, variants)
    )


@pytest.mark.parametrize("metric", ["char", "tfidf", "embedding"])
def test_both_agree_on_awkward_texts(metric, table):
    originals = [one for one in AWKWARD for _ in AWKWARD]
    variants = list(AWKWARD) * len(AWKWARD)
    sources = AWKWARD[::2]
    again = recompute(metric, sources, originals, variants, table)
    np.testing.assert_allclose(again, _first(metric, sources, originals, variants, table), atol=1e-5, rtol=0)
    np.testing.assert_allclose(again[:: len(AWKWARD) + 1], 1.0, atol=1e-9)
    assert np.isfinite(again).all()


@pytest.mark.parametrize("metric", ["char", "tfidf", "embedding"])
def test_both_agree_on_random_texts(metric, table):
    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.lists(_texts, max_size=6), st.lists(st.tuples(_texts, _texts), min_size=1, max_size=12))
    def check(sources, pairs):
        originals, variants = map(list, zip(*pairs, strict=True))
        again = recompute(metric, sources, originals, variants, table)
        np.testing.assert_allclose(again, _first(metric, sources, originals, variants, table), atol=1e-5, rtol=0)

    check()


@pytest.mark.parametrize("metric", ["char", "tfidf", "embedding"])
def test_a_subset_gives_what_the_whole_gives(metric, table):
    rng = random.Random(2)
    sources = [" ".join(rng.choices([*VECTORS, "typo", "word"], k=12)) for _ in range(40)]
    variants = [text.replace("i", "ı", 2).replace("so", "sooo", 1) for text in sources]
    whole = recompute(metric, sources, sources, variants, table)
    chosen = [3, 17, 17, 30]
    part = recompute(metric, sources, [sources[i] for i in chosen], [variants[i] for i in chosen], table)
    np.testing.assert_allclose(part, whole[chosen], atol=1e-12)
    assert 0 < whole.min() < 1


def test_it_tells_a_wrong_score(table):
    # The white space that scikit-learn's own analyser would squeeze, and the sources that decide the weights.
    assert recompute("tfidf", [], ["so   tired"], ["so tired"])[0] < 1
    one, other = (recompute("tfidf", sources, ["so tired"], ["so sad"])[0] for sources in (["so", "so sad"], ["tired"]))
    assert abs(one - other) > 1e-3


def test_errors_and_nothing(table):
    for metric in ("char", "tfidf", "embedding"):
        assert recompute(metric, ["a"], [], [], table).shape == (0,)
        with pytest.raises(ValueError, match="1 originals, 0 variants"):
            recompute(metric, ["a"], ["a"], [], table)
    with pytest.raises(ValueError, match="'minilm'"):
        recompute("minilm", [], ["a"], ["a"])
    with pytest.raises(ValueError, match="table of word vectors"):
        recompute("embedding", [], ["a"], ["a"])
