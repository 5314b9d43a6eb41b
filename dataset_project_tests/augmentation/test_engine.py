"""The engine: every variant accounted for, nothing depends on order or company, guards and band hold."""

from __future__ import annotations

import random
from collections import Counter

import pyarrow as pa
import pytest

from dataset_project.augmentation.combos import Combo
from dataset_project.augmentation.engine import Limits, MethodFailed, generate
from dataset_project.augmentation.methods.registry import MethodSpec, load_registry, make
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.quality.similarity import char_similarity
from dataset_project.augmentation.schemas import AUGMENTED_SENTENCES, SOURCE_SENTENCES
from dataset_project.augmentation.sentences.corpus import Corpus
from dataset_project.augmentation.sentences.reading import Columns
from dataset_project.augmentation.sentences.table import sentences_table
from dataset_project.augmentation.text import guards
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.variants import figures, unfilled_items, variants_table

SAMPLE = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")
LIMITS = Limits(variants=2, attempts=6, low=0.55, high=0.95)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return sentences_table(None, SAMPLE, 42).slice(0, 300)


def _run(table: pa.Table, *names: str, limits: Limits = LIMITS, seed: int = 42):
    registry, corpus = load_registry(), Corpus(table)
    combo = Combo(tuple(registry[name] for name in names))
    methods = [make(spec, Prepared({})) for spec in combo.methods]
    generated = generate(corpus, combo, methods, corpus.tfidf.cosines, limits, seed)
    scorers = {"char": char_similarity, "tfidf": corpus.tfidf.cosines}
    return corpus, generated, variants_table(corpus, combo, generated, scorers, "tfidf")


def _custom(propose, **fields):
    spec = MethodSpec(id="custom", family="character", description="for the test", **fields)
    return Combo((spec,)), [propose]


@pytest.mark.parametrize("names", [("keyboard",), ("aeda",), ("word_delete", "char_swap"), ("expand_contractions",)])
def test_every_variant_asked_for_is_accepted_or_given_up_for_a_reason(table, names):
    corpus, generated, made = _run(table, *names)
    planned = len(corpus.texts) * LIMITS.variants
    assert len(generated.variants) + sum(generated.unfilled.values()) == planned
    assert generated.candidates == len(generated.variants) + sum(generated.rejected.values())
    assert sum(unfilled_items(generated)) == sum(generated.unfilled.values())
    told = figures(corpus, generated, made, "tfidf", LIMITS.variants)
    assert (told["planned"], told["accepted"], told["rows_in"]) == (planned, made.num_rows, 300)
    assert told["candidates"] == told["accepted"] + sum(v for k, v in told.items() if k.startswith("rejected_"))
    assert made.num_rows > 50 and made.schema.equals(AUGMENTED_SENTENCES)


def test_accepted_variants_keep_band_guards_and_distinctness(table):
    corpus, _generated, made = _run(table, "keyboard")
    similarity = made["sim_tfidf"].to_numpy()
    assert similarity.min() >= 0.55 and similarity.max() <= 0.95
    assert len(set(made["text"].to_pylist())) == made.num_rows
    assert not set(made["text"].to_pylist()) & set(corpus.texts)
    assert Counter(made["source_id"].to_pylist()).most_common(1)[0][1] <= 2
    for original, text in zip(made["original_text"].to_pylist(), made["text"].to_pylist(), strict=True):
        assert guards.broken(original, text) == ""
    assert all(made["negation_preserved"].to_pylist())


def test_rows_may_come_in_any_order_and_company(table):
    """The predecessor's output hung on row order, shard and whatever ran before in the process."""
    *_, reference = _run(table, "word_delete", "keyboard")
    places = list(range(300))
    random.Random(5).shuffle(places)
    *_, shuffled = _run(table.take(places), "word_delete", "keyboard")
    assert shuffled.sort_by([("source_id", "ascending"), ("variant", "ascending")]).equals(
        reference.sort_by([("source_id", "ascending"), ("variant", "ascending")])
    )
    _run(table, "aeda")
    *_, again = _run(table, "word_delete", "keyboard")
    assert again.equals(reference)


def test_a_sentence_alone_gets_what_it_gets_among_others(table):
    def score(originals, variants):
        return char_similarity(originals, variants)

    registry = load_registry()
    combo, ids = Combo((registry["char_delete"],)), table["source_id"].to_pylist()
    methods = [make(registry["char_delete"], Prepared({}))]
    wide = Limits(2, 6, 0.3, 0.999)
    together = generate(Corpus(table), combo, methods, score, wide, 42)
    alone = generate(Corpus(table.slice(17, 1)), combo, methods, score, wide, 42)
    assert [each.text for each in alone.variants] == [each.text for each in together.variants if each.place == 17]
    assert alone.variants and ids[17] == table.slice(17, 1)["source_id"][0].as_py()


def test_another_seed_gives_other_variants(table):
    *_, one = _run(table, "keyboard")
    *_, other = _run(table, "keyboard", seed=43)
    same = set(one["text"].to_pylist()) & set(other["text"].to_pylist())
    assert len(same) < 0.2 * one.num_rows


def test_intensity_follows_the_band(table):
    *_, gentle = _run(table, "keyboard", limits=Limits(1, 8, 0.85, 0.95))
    *_, strong = _run(table, "keyboard", limits=Limits(1, 8, 0.40, 0.60))
    assert min(gentle.num_rows, strong.num_rows) > 100, "both bands are reached from the same declared intensity"

    def edits(made: pa.Table) -> float:
        return sum(made["n_edits"].to_pylist()) / made.num_rows

    assert edits(strong) > 1.5 * edits(gentle)


def test_a_combination_applies_each_of_its_methods(table):
    _, generated, made = _run(table, "word_delete", "keyboard")
    for edits in made["edits"].to_pylist():
        assert {(edit["step"], edit["method"]) for edit in edits} == {(0, "word_delete"), (1, "keyboard")}
    assert generated.rejected["no_edit"] >= 0


def test_copies_are_the_sources(table):
    _corpus, generated, made = _run(table, "copy")
    assert made.num_rows == 600 and made["text"].equals(made["original_text"])
    assert set(made["sim_tfidf"].to_pylist()) == {1.0} and not generated.unfilled


def test_a_method_with_nothing_to_change_is_asked_once(table):
    asked = Counter()

    def nothing(passage, draws, intensity):
        asked[passage.text] += 1
        return []

    combo, methods = _custom(nothing)
    generated = generate(Corpus(table), combo, methods, char_similarity, LIMITS, 42)
    assert generated.unfilled == {"no_edit": 600} and set(asked.values()) == {2}
    assert unfilled_items(generated) == (600, 0)


def test_a_method_with_one_outcome_fills_one_variant(table):
    def first_letter(passage, draws, intensity):
        return [Edit(0, 1, "x" * 9)]

    combo, methods = _custom(first_letter)
    generated = generate(Corpus(table), combo, methods, char_similarity, LIMITS, 42)
    variants = Counter(each.variant for each in generated.variants)
    assert variants[0] > 100 and variants[1] == 0
    assert generated.unfilled["duplicate"] == variants[0], "the second variant of each can only repeat the first"
    assert generated.rejected["duplicate"] < 4 * 300, "repeating itself is given up early"


def test_guards_refuse_what_a_method_should_not_have_done(table):
    def negate(passage, draws, intensity):
        return [Edit(0, 0, "Not so: ")]

    combo, methods = _custom(negate)
    generated = generate(Corpus(table), combo, methods, char_similarity, LIMITS, 42)
    assert not generated.variants and set(generated.unfilled) == {"negation"}
    allowed, methods = _custom(negate, may_change=("negation", "quantity"))
    assert generate(Corpus(table), allowed, methods, char_similarity, LIMITS, 42).variants


def test_a_method_that_raises_is_named_with_its_sentence(table):
    def broken(passage, draws, intensity):
        if "the" in passage.text:
            raise KeyError("lost")
        return []

    combo, methods = _custom(broken)
    with pytest.raises(MethodFailed, match=r"method custom on sentence s_\d+_\d+: KeyError: 'lost'"):
        generate(Corpus(table), combo, methods, char_similarity, LIMITS, 42)


def test_two_sentences_never_share_a_variant():
    rows = [
        {"source_id": name, "post_id": name, "text": text, "context": None, "criterion": "A", "label": "1",
         "split": "train", "text_sha256": ""}
        for name, text in (("a", "the red window"), ("b", "the tan window"))
    ]  # fmt: skip

    def blank(passage, draws, intensity):
        return [Edit(4, 7, "old")]

    combo, methods = _custom(blank)
    corpus = Corpus(pa.Table.from_pylist(rows, schema=SOURCE_SENTENCES))
    generated = generate(corpus, combo, methods, char_similarity, Limits(1, 3, 0.1, 0.99), 42)
    assert [(each.place, each.text) for each in generated.variants] == [(0, "the old window")]
    assert generated.unfilled == {"duplicate": 1}
