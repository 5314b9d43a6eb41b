"""The bytes of a small build: they change only with a raised code version, a method's parameters or the lock file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dataset_project.augmentation.combos import plan_combos
from dataset_project.augmentation.configuration import AugmentationSettings
from dataset_project.augmentation.engine import Limits, generate
from dataset_project.augmentation.methods.registry import load_registry, make
from dataset_project.augmentation.preparation.make import carriers_in, make_resource
from dataset_project.augmentation.preparation.tables import Prepared, TermTable
from dataset_project.augmentation.sentences.corpus import Corpus
from dataset_project.augmentation.sentences.reading import Columns
from dataset_project.augmentation.sentences.table import sentences_table

SENTENCES = 120
SAMPLE = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")
# Raise the code version of `augmented_sentences` (assets.py) in the commit that changes one of these.
GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(sentences_table(None, SAMPLE, 42).slice(0, SENTENCES))


@pytest.fixture(scope="module")
def prepared(corpus) -> Prepared:
    def table(name: str) -> TermTable:
        return TermTable(make_resource(name, carriers_in(None), corpus.texts))

    names = {name for spec in load_registry().methods.values() for name in spec.resources}
    return Prepared({name: (lambda name=name: table(name)) for name in names})


def _combos():
    singletons = plan_combos(load_registry(), "singletons", include_label_changing=True)
    return {combo.key: combo for combo in singletons}


@pytest.mark.parametrize("key", sorted(_combos()))
def test_variants_are_the_golden_ones(corpus, prepared, key):
    combo = _combos()[key]
    methods = [make(spec, prepared) for spec in combo.methods]
    settings = AugmentationSettings()
    limits = Limits(settings.variants_per_sample, settings.attempts, *settings.band)
    made = generate(corpus, combo, methods, corpus.tfidf.cosines, limits, settings.seed)
    told = json.dumps([(corpus.ids[each.place], each.variant, each.seed, each.text) for each in made.variants])
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == GOLDEN[key]


def test_nothing_golden_is_left_over():
    assert set(GOLDEN) == set(_combos())
