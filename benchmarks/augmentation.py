"""Figures of the augmentation family: ``python -m benchmarks.augmentation [--quick] [--json PATH]``.

The whole run of 28 methods over 2,030 sentences; our dispatch, lossless tokenising and seeding against bare loops of
nlpaug and TextAttack that change as many words of the same texts; a shard's memory with every resource loaded.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import nlpaug_peer
from benchmarks.figures import Figure, arguments, cpu_seconds, finish, peak_bytes

if TYPE_CHECKING:
    from dataset_project.augmentation.text.tokens import Passage

ROWS, VARIANTS = 2_030, 2
# The 28 methods that need no resource besides those of the family, the predecessor's number.
SINGLETONS = (
    "wordnet_synonym",
    "synonym_insert",
    "hypernym",
    "embedding_substitute",
    "tfidf_substitute",
    "tfidf_insert",
    "inflection",
    "paraphrase_lexicon",
    "homophone",
    "expand_contractions",
    "abbreviations",
    "number_words",
    "aeda",
    "punctuation_strip",
    "filler",
    "emoji",
    "sentence_shuffle",
    "spelling",
    "word_split",
    "word_swap",
    "word_delete",
    "word_crop",
    "keyboard",
    "ocr",
    "char_insert",
    "char_substitute",
    "char_swap",
    "char_delete",
)
AT_LEAST_THREE = ("wordnet_synonym", "tfidf_substitute", "tfidf_insert", "embedding_substitute")
# Slower peers get fewer texts: nlpaug compares a word with the whole vocabulary each time.
FEW = {"embedding_substitute": 40, "tfidf_substitute": 300, "tfidf_insert": 300}
# A plain table of contractions on either side: TextAttack does no more there than we do.
UNTARGETED = ("contract",)
PROBE = "--memory-probe"
_GLOVE_WORDS = 30_000
SHARE = 0.2
_REPEATS = 5


def sample_texts() -> list[str]:
    """The first 2,030 of the shipped sentences."""
    from dataset_project.augmentation.sentences.reading import Columns, read_sentences

    columns = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")
    return [row["text"] for row in read_sentences(None, columns)][:ROWS]


def prepared_resources(names: Sequence[str], texts: list[str]):
    """The named resources, made as the family makes them, once."""
    from dataset_project.augmentation.preparation.tables import Prepared

    return Prepared({name: partial(_resource_table, name, tuple(texts)) for name in names})


@cache
def _resource_table(name: str, texts: tuple[str, ...]):
    from dataset_project.augmentation.preparation.make import carriers_in, make_resource
    from dataset_project.augmentation.preparation.tables import TermTable

    return TermTable(make_resource(name, carriers_in(None), texts))


def our_methods(names: Sequence[str], texts: list[str]) -> dict[str, Callable[[Passage, int, float], str]]:
    """Each method as ``(passage, number, intensity) → text``: seeding from names, proposing, splicing."""
    from dataset_project.augmentation.methods.draws import Draws
    from dataset_project.augmentation.methods.registry import load_registry, make
    from dataset_project.augmentation.text.edits import apply, tidy
    from dataset_project.storage.seeding import seed_for

    registry = load_registry()
    needed = sorted({resource for name in names for resource in registry[name].resources})
    resources = prepared_resources(needed, texts)

    def ready(name: str) -> Callable[[Passage, int, float], str]:
        propose = make(registry[name], resources)

        def once(passage: Passage, number: int, intensity: float) -> str:
            draws = Draws(seed_for(42, "augmented_sentences", name, 0, number, 0, 0))
            return apply(passage.text, tidy(passage.text, propose(passage, draws, intensity)))

        return once

    return {name: ready(name) for name in names}


def _intensity(text: str, words: int) -> float:
    """The intensity that comes to ``words`` words of ``text``."""
    from dataset_project.augmentation.text.tokens import Passage

    return (words - 0.5) / max(len(Passage(text).words), words)


def _our_pass(once: Callable[[Passage, int, float], str], asked: Sequence[tuple[str, float]]) -> None:
    """VARIANTS variants of each text, as the family makes them: tokenised anew, once a text."""
    from dataset_project.augmentation.text.tokens import Passage

    for text, intensity in asked:
        passage = Passage(text)
        for variant in range(VARIANTS):
            once(passage, variant, intensity)


def against_nlpaug(texts: list[str], quick: bool) -> list[Figure]:
    """CPU time of a bare nlpaug loop over ours, for the same texts, variants and number of words changed."""
    import numpy as np

    from dataset_project.augmentation.preparation.glove import vectors
    from dataset_project.augmentation.preparation.make import carriers_in
    from dataset_project.augmentation.text.tokens import Passage

    figures = []
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        unpack_wordnet(scratch)
        nlpaug_peer.write_glove(scratch / "glove.txt", *vectors(carriers_in(None), _GLOVE_WORDS))
        theirs = nlpaug_peer.augmenters(scratch, texts)
        ours = our_methods(list(theirs), texts)
        for name, augment in theirs.items():
            words, once = nlpaug_peer.WORDS[name], ours[name]
            asked = [(text, _intensity(text, words)) for text in texts]
            # Only texts in which we change as many words as were asked for, and nlpaug changes something.
            asked = [(text, share) for text, share in asked if _changed(text, once(Passage(text), 0, share)) >= words]
            asked = asked[: min(FEW.get(name, 400), 60 if quick else 400)]
            random.seed(1), np.random.seed(1)
            asked = [(text, share) for text, share in asked if augment(text) != [text]]

            def bare(augment=augment, asked=asked) -> None:
                for text, _ in asked:
                    for _ in range(VARIANTS):
                        augment(text)

            def mine(once=once, asked=asked) -> None:
                for _ in range(_REPEATS):
                    _our_pass(once, asked)

            ratio, their_rate = _ratio(mine, bare, len(asked) * VARIANTS, 1 if quick else 3)
            target = 3.0 if name in AT_LEAST_THREE else 1.0
            peer = f"nlpaug 1.1.11: {their_rate:,.0f} variants per CPU-s, {words} words in {len(asked)} texts"
            figures.append(Figure(f"ratio_nlpaug_{name}", ratio, "x", target, "at_least", peer, ratio))
    return figures


def _changed(before: str, after: str) -> int:
    """Words that differ, at least: by the longest common subsequence of words."""
    from rapidfuzz.distance import LCSseq

    one, other = before.split(), after.split()
    return max(len(one), len(other)) - LCSseq.similarity(one, other)


def _ratio(mine, theirs, variants: int, rounds: int) -> tuple[float, float]:
    """Median over rounds of their CPU seconds per variant over ours, and their variants per CPU-second."""
    mine(), theirs()
    pairs = [(cpu_seconds(theirs) / variants, cpu_seconds(mine) / (variants * _REPEATS)) for _ in range(rounds)]
    ratios = sorted(slow / fast for slow, fast in pairs)
    return ratios[len(ratios) // 2], 1 / sorted(slow for slow, _ in pairs)[len(pairs) // 2]


def unpack_wordnet(root: Path) -> None:
    """WordNet where NLTK looks for it under ``root``, for the peers."""
    import nltk

    from dataset_project.augmentation.preparation.make import carriers_in

    carriers = carriers_in(None)
    names = [name for name in carriers.members if name.startswith("wordnet/")]
    for name, content in carriers.read(*names).items():
        path = root / "corpora" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"\r\n", b"\n"))
    nltk.data.path.insert(0, str(root))


def against_textattack(texts: list[str], quick: bool) -> list[Figure]:
    """CPU time per variant of TextAttack's same transformation over ours, a fifth of the words of the same texts."""
    from benchmarks.textattack_peer import TRANSFORMATIONS

    if importlib.util.find_spec("textattack") is None:
        peer = "not measured: pip install --no-deps textattack==0.3.11"
        return [
            Figure(f"ratio_textattack_{name}", float("nan"), "x", None, "at_least", peer) for name in TRANSFORMATIONS
        ]
    ours = our_methods(list(TRANSFORMATIONS), texts)
    texts = texts[:: len(texts) // (20 if quick else 150)]
    with tempfile.TemporaryDirectory() as directory:
        unpack_wordnet(Path(directory))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.textattack_peer"],
            input=json.dumps({"texts": texts, "wordnet": directory, "share": SHARE}),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
    if done.returncode:
        raise RuntimeError(f"TextAttack could not be measured: {done.stderr[-2000:]}")
    theirs = json.loads(done.stdout.splitlines()[-1])
    figures = []
    for name, measured in theirs.items():
        asked = [(text, SHARE) for text in texts]

        def mine(once=ours[name], asked=asked) -> None:
            for _ in range(_REPEATS):
                _our_pass(once, asked)

        mine()
        ratio = measured["seconds_per_text"] / (cpu_seconds(mine) / (_REPEATS * VARIANTS * len(texts)))
        peer = f"TextAttack 0.3.11 {TRANSFORMATIONS[name]}: {1 / measured['seconds_per_text']:,.0f} texts per CPU-s"
        target = None if name in UNTARGETED else 50.0
        figures.append(Figure(f"ratio_textattack_{name}", ratio, "x", target, "at_least", peer, ratio))
    return figures


def whole_run(texts_path: Path, quick: bool) -> list[Figure]:
    """Wall seconds of the run of `augmented_sentences` on the default executor, checks included; and of a whole
    build."""
    import pyarrow.parquet as pq

    from dataset_project.augmentation.combos import plan_combos
    from dataset_project.augmentation.methods.registry import load_registry

    methods = SINGLETONS[-6:] if quick else SINGLETONS
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATASET_", "DAGSTER_"))}
        environment = inherited | {
            "DATASET_DATA_DIR": str(place / "data"),
            "DAGSTER_HOME": str(place / "home"),
            "DATASET_AUGMENTATION__SOURCE": str(texts_path),
            "DATASET_AUGMENTATION__METHODS": json.dumps(["copy"]),
            "DATASET_AUGMENTATION__VARIANTS_PER_SAMPLE": str(VARIANTS),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}",
        }

        def command(*words: str) -> float:
            start = time.monotonic()
            done = subprocess.run(
                words, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=600
            )
            if done.returncode:
                raise RuntimeError(f"{' '.join(words)} failed: {done.stdout[-3000:]}{done.stderr[-1000:]}")
            return time.monotonic() - start

        # Sentences, resources and the control first; then one ordinary run of all methods, timed from start to exit.
        command("dataset-project", "build", "augmentation")
        environment["DATASET_AUGMENTATION__METHODS"] = json.dumps(methods)
        keys = [combo.key for combo in plan_combos(load_registry(), "singletons", methods=methods)][: len(methods)]
        seconds = command(
            *("dagster", "asset", "materialize", "-m", "dataset_project.definitions"),
            *("--select", "augmented_sentences", "--partition-range", f"{keys[0]}...{keys[-1]}"),
        )
        rows = sum(
            pq.read_metadata(path).num_rows for path in (place / "data" / "augmented_sentences").rglob("data.parquet")
        )
    peer = f"{len(methods)} methods x {ROWS:,} rows x {VARIANTS} variants; the predecessor took 2-4 h on 7 shards"
    return [
        Figure("singletons_wall_s", seconds, "s", 60.0, "at_most", peer),
        Figure("rows_per_wall_s", rows / seconds, "rows/s"),
    ]


def peak_memory_mb() -> list[Figure]:
    """Peak memory of a fresh process that runs a shard over methods of every resource, with every score computed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.augmentation", PROBE],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    if done.returncode:
        raise RuntimeError(f"the memory probe failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    peer = "every resource, every score, validators included"
    return [Figure("peak_shard_mb", float(done.stdout.split()[-1]), "MB", 1000.0, "at_most", peer)]


def memory_probe() -> None:
    """Make all resources in other processes, run one shard in this one, and print its peak memory in MB."""
    from dataset_project.augmentation.assets import augmentation_datasets
    from dataset_project.augmentation.configuration import AugmentationSettings
    from dataset_project.orchestration.shards import ShardRun, run_shard
    from dataset_project.storage.store import DatasetStore

    methods = (
        "wordnet_synonym",
        "hypernym",
        "embedding_substitute",
        "tfidf_substitute",
        "homophone",
        "antonym",
        "keyboard",
    )
    settings = AugmentationSettings(methods=methods, extra_scores=("embedding", "minilm"), variants_per_sample=1)
    with tempfile.TemporaryDirectory() as directory:
        store = DatasetStore(directory)
        run = ShardRun("benchmark", "benchmark", "0")
        sentences, resources, augmented, *_ = augmentation_datasets(settings, "standard")
        for dataset in (sentences, resources):
            if os.fork() == 0:
                failed = [
                    record.reason for record in run_shard(dataset, dataset.keys, store, run) if not record.is_final
                ]
                os._exit(len(failed))
            if os.wait()[1]:
                raise SystemExit(f"{dataset.name} could not be made")
        failed = [record.reason for record in run_shard(augmented, augmented.keys, store, run) if not record.is_final]
    if failed:
        raise SystemExit("; ".join(failed))
    print(peak_bytes() / 1e6)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure everything, print it, and return 1 if a target was missed."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] == [PROBE]:
        memory_probe()
        return 0
    options = arguments("Figures of the augmentation family", argv)
    texts = sample_texts()
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "sentences.csv"
        write_source(source)
        figures = whole_run(source, options.quick)
    figures += peak_memory_mb()
    figures += against_nlpaug(texts, options.quick)
    figures += against_textattack(texts, options.quick)
    return finish("augmentation", figures, options.json)


def write_source(path: Path) -> None:
    """The first 2,030 shipped sentences as a CSV of the user's."""
    from dataset_project.augmentation.text.lexicons import resource_text

    rows = list(csv.reader(io.StringIO(resource_text("sentences.csv"))))[: ROWS + 1]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
