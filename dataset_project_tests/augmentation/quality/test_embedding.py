"""Averaged word vectors: what a word is looked up as, what unknown words do, sane orderings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dataset_project.augmentation.preparation.tables import TermTable
from dataset_project.augmentation.quality import embedding as module
from dataset_project.augmentation.quality.embedding import GloveSimilarity, hashed_vector, parts


def table_of(vectors: dict[str, list[float]]) -> TermTable:
    """Word vectors as the resource holds them."""
    return TermTable(
        pa.table(
            {
                "term": list(vectors),
                "tag": [""] * len(vectors),
                "candidates": pa.array([[]] * len(vectors), pa.list_(pa.string())),
                "scores": pa.array(list(vectors.values()), pa.list_(pa.float32())),
            }
        )
    )


VECTORS = {
    "sleep": [1.0, 0.0, 0.0, 0.0],
    "rest": [0.9, 0.1, 0.0, 0.0],
    "money": [0.0, 1.0, 0.0, 0.0],
    "ca": [0.0, 0.0, 1.0, 0.0],
    "n't": [0.0, 0.0, 0.0, 2.0],
    "i": [0.5, 0.5, 0.5, 0.0],
    "'ve": [0.0, 0.2, 0.0, 0.4],
    "o'clock": [0.3, 0.3, 0.0, 0.0],
}


@pytest.fixture(scope="module")
def similarity() -> GloveSimilarity:
    return GloveSimilarity(table_of(VECTORS))


def _score(similarity: GloveSimilarity, one: str, other: str) -> float:
    return float(similarity.cosines([one], [other])[0])


def test_a_cosine_worked_out_by_hand(similarity):
    # (1, 1, 0, 0) against (0.9, 1.1, 0, 0).
    assert _score(similarity, "Sleep, money", "rest money!") == pytest.approx(2 / np.sqrt(2 * (0.81 + 1.21)), abs=5e-7)


@pytest.mark.parametrize(
    ("word", "pieces"),
    [("can't", ["ca", "n't"]), ("i've", ["i", "'ve"]), ("half-asleep", ["half", "asleep"]), ("n't", ["n't"]),
     ("should've", ["should", "'ve"]), ("mother-in-law's", ["mother", "in", "law", "'s"]), ("tired", ["tired"])],
)  # fmt: skip
def test_words_are_cut_as_the_vectors_training_text_was(word, pieces):
    assert parts(word) == pieces


def test_contractions_are_looked_up_whole_and_then_by_part(similarity):
    vector = similarity._direction("can’t")
    np.testing.assert_allclose(vector, np.array([0, 0, 1, 2]) / np.sqrt(5))
    np.testing.assert_allclose(similarity._direction("o'clock"), np.array([1, 1, 0, 0]) / np.sqrt(2), rtol=1e-6)


def test_an_unknown_word_moves_the_average_always_the_same_way(similarity):
    known, typo = _score(similarity, "sleep money", "sleep money"), _score(similarity, "sleep money", "slepe money")
    assert known == 1.0 and typo < 0.95
    assert typo == _score(GloveSimilarity(table_of(VECTORS)), "sleep money", "slepe money")
    assert typo != _score(similarity, "sleep money", "sleepp money")


def test_hashed_vectors_are_pinned_and_as_long_as_common_words():
    # Every stored score hangs on these bytes.
    assert hashed_vector("slepe", 3).round(6).tolist() == [-1.094724, -0.50637, -0.564241]
    many = np.stack([hashed_vector(f"word{i}", 50) for i in range(400)])
    assert np.sqrt((many**2).mean()) == pytest.approx(module.TYPICAL_COMPONENT, rel=0.02)
    assert np.abs(many.mean(axis=0)).max() < 0.2, "no direction is preferred"
    np.testing.assert_array_equal(many[0][:32], hashed_vector("word0", 32))


@pytest.mark.parametrize(
    ("one", "other", "score"), [("", "", 1.0), ("...", "😀 12", 1.0), ("", "sleep", 0.0), ("sleep", "!", 0.0)]
)
def test_texts_without_words_have_a_score(similarity, one, other, score):
    assert _score(similarity, one, other) == score


def test_near_words_score_above_far_ones(similarity):
    near, far = similarity.cosines(["sleep i"] * 2, ["rest i", "money i"])
    assert 1.0 > near > far


def test_neither_order_nor_batch_nor_forgetting_matters(monkeypatch):
    texts = ["sleep", "rest i've", "can't sleep money", "o'clock slepe", "money money", "half-asleep i", ""]
    pairs = [(one, other) for one in texts for other in texts]
    originals, variants = map(list, zip(*pairs, strict=True))
    expected = GloveSimilarity(table_of(VECTORS)).cosines(originals, variants)
    monkeypatch.setattr(module, "_MOST_WORDS", 2)
    monkeypatch.setattr(module, "_MOST_TEXTS", 1)
    forgetful = GloveSimilarity(table_of(VECTORS))
    alone = [_score(forgetful, one, other) for one, other in reversed(pairs)][::-1]
    np.testing.assert_array_equal(alone, expected)
    np.testing.assert_array_equal(expected, expected.round(6))
    assert len(forgetful._words) <= 2 and len(forgetful._texts) <= 1


def test_an_empty_table_is_refused_and_pairs_go_by_position(similarity):
    with pytest.raises(ValueError, match="empty"):
        GloveSimilarity(table_of({}))
    with pytest.raises(ValueError, match="1 originals against 0 variants"):
        similarity.cosines(["a"], [])
    assert similarity.cosines([], []).shape == (0,)
