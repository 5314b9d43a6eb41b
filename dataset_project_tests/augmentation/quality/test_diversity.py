"""Diversity figures: by hand, against NLTK's BLEU and an all-pairs join, in any order."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.augmentation.quality.diversity import (
    _WORD_OR_MARK,
    _jaccard,
    _shingles,
    distinct_n,
    near_duplicate_rate,
    quantiles,
    self_bleu,
    words,
)

SENTENCES = (
    "I can't sleep, and when I do I wake up at three in the morning.",
    "I cannot sleep, and when I do I wake up at three in the morning.",
    "Nothing I used to love feels worth getting up for these days.",
    "Nothing, nothing, nothing I used to do feels worth it!",
    "My sister says I've lost weight; I hadn't noticed.",
    "tired",
    "so tired",
    "😀",
)


def _shuffled(texts, seed=1):
    return random.Random(seed).sample(list(texts), len(texts))


def test_words_are_folded():
    assert words("Can’t STOP—it's 3am 😀!") == ["can't", "stop", "it's", "3am"]


def test_distinct_n_by_hand():
    texts = ["so tired, so tired", "So sad"]
    assert distinct_n(texts, 1) == 0.5  # so tired sad of six
    assert distinct_n(texts, 2) == 0.75  # so-tired tired-so so-sad of four
    assert distinct_n(["tired"], 2) is None and distinct_n([], 1) is None
    assert distinct_n(_shuffled(SENTENCES), 2) == distinct_n(SENTENCES, 2)


def test_self_bleu_is_nltks_mean_sentence_bleu():
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    smoothing = bleu.SmoothingFunction().method1
    tokens = [_WORD_OR_MARK.findall(text.casefold()) for text in SENTENCES]
    expected = np.mean(
        [
            bleu.sentence_bleu(tokens[:i] + tokens[i + 1 :], tokens[i], smoothing_function=smoothing)
            for i in range(len(tokens))
        ]
    )
    assert self_bleu(SENTENCES) == pytest.approx(float(expected), abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join), min_size=2, max_size=7))
def test_self_bleu_agrees_with_nltk_on_repetitive_texts(texts):
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    smoothing = bleu.SmoothingFunction().method1
    tokens = [text.split() for text in texts]
    scores = [
        bleu.sentence_bleu(tokens[:i] + tokens[i + 1 :], tokens[i], smoothing_function=smoothing)
        for i in range(len(tokens))
    ]
    assert self_bleu(texts) == pytest.approx(float(np.mean(scores)), abs=1e-6)


def test_self_bleu_samples_the_same_texts_in_any_order():
    rng = random.Random(7)
    texts = [" ".join(rng.choices(("sad", "tired", "work", "sleep", "so", "I", "."), k=8)) for _ in range(90)]
    sampled = self_bleu(texts, sample=30)
    assert sampled == self_bleu(_shuffled(texts), sample=30) != self_bleu(texts, sample=60)
    assert self_bleu(["one two three four"] * 3) == 1.0
    assert self_bleu(["one text"]) is None and self_bleu([]) is None


def test_near_duplicates_count_only_across_sources():
    twin = "I wake up at three in the morning and then I lie there until it is time to go to work in town again"
    near = twin.replace("town", "bed")
    assert near_duplicate_rate([twin, twin], ["a", "a"]) == 0.0
    assert near_duplicate_rate([twin, twin], ["a", "b"]) == 1.0
    assert near_duplicate_rate([twin, twin.upper() + " !", "so tired"], ["a", "b", "c"]) == pytest.approx(
        2 / 3, abs=1e-6
    )
    # 24 words have 22 shingles; another word next to the last changes two of them: 20 of 24 are shared.
    assert near_duplicate_rate([twin, near], ["a", "b"], threshold=0.84) == 0.0
    assert near_duplicate_rate([twin, near], ["a", "b"], threshold=0.83) == 1.0
    assert near_duplicate_rate(["😀 !", "😀  !", "!"], ["a", "b", "c"]) == pytest.approx(2 / 3, abs=1e-6)
    assert near_duplicate_rate(["so tired", "So tired.", "tired so"], ["a", "b", "c"]) == pytest.approx(2 / 3, abs=1e-6)


def _by_all_pairs(texts, sources, threshold):
    shingles = [_shingles(text) for text in texts]
    hits = [
        any(sources[i] != sources[j] and _jaccard(shingles[i], shingles[j]) >= threshold for j in range(len(texts)))
        for i in range(len(texts))
    ]
    return round(sum(hits) / len(texts), 6)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from([0.2, 0.5, 0.7, 0.75, 0.9, 1.0]))
def test_the_near_duplicate_join_is_exact(data, threshold):
    base = data.draw(st.lists(st.sampled_from("abcdef"), min_size=3, max_size=14))
    texts, sources = [], []
    for _ in range(data.draw(st.integers(1, 12))):
        changed = list(base)
        for place in data.draw(st.lists(st.integers(0, len(base) - 1), max_size=3)):
            changed[place] = data.draw(st.sampled_from("abcdefgh"))
        texts.append(" ".join(changed[data.draw(st.integers(0, 2)) :]))
        sources.append(data.draw(st.sampled_from("xyz")))
    assert near_duplicate_rate(texts, sources, threshold) == _by_all_pairs(texts, sources, threshold)


def test_the_join_is_exact_on_long_texts_at_the_shipped_threshold():
    rng = random.Random(11)
    texts, sources = [], []
    for source in range(12):
        base = [f"w{rng.randrange(60)}" for _ in range(60)]
        for copy in range(8):
            changed = list(base)
            for _ in range(rng.randrange(3)):
                changed[rng.randrange(60)] = f"w{rng.randrange(60)}"
            texts.append(" ".join(changed))
            sources.append(f"{source}-{copy % 3}")
    rate = near_duplicate_rate(texts, sources)
    assert 0.3 < rate < 1.0 and rate == _by_all_pairs(texts, sources, 0.9)


def test_near_duplicate_arguments():
    assert near_duplicate_rate([], []) is None
    for texts, sources, threshold in ((["a"], [], 0.9), (["a"], ["x"], 0.0), (["a"], ["x"], 1.1)):
        with pytest.raises(ValueError, match="threshold"):
            near_duplicate_rate(texts, sources, threshold)


def test_quantiles():
    assert quantiles(range(101)) == {5: 5.0, 25: 25.0, 50: 50.0, 75: 75.0, 95: 95.0}
    assert quantiles([1 / 3]) == dict.fromkeys((5, 25, 50, 75, 95), 0.3333)
    assert quantiles(np.array([], np.float32)) == dict.fromkeys((5, 25, 50, 75, 95))
    assert all(type(value) is float for value in quantiles(np.float32([0.1, 0.9])).values())


def test_figures_are_the_same_under_any_hash_seed():
    code = (
        "import random; from dataset_project.augmentation.quality.diversity import *\n"
        "r = random.Random(3); v = [' '.join(r.choices('abcdefgh', k=12)) for _ in range(60)]\n"
        "s = [str(i % 7) for i in range(60)]\n"
        "print(distinct_n(v, 2), self_bleu(v, 40), near_duplicate_rate(v, s, 0.1))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1 and all(float(each) > 0 for each in outputs.pop().split())
