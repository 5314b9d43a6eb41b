"""A workplace whose sentences are a small table of a user's own, and whose methods read no lexical resource."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

from dataset_project.augmentation.sentences.reading import Columns, read_sentences
from dataset_project_tests.end_to_end.workplace import Workplace

METHODS = ["aeda", "word_delete", "keyboard"]
KEYS = ("combo_1_aeda", "combo_1_word_delete", "combo_1_keyboard", "combo_1_copy")
SAMPLE = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")


def write_source(path: Path, shuffled: bool = False) -> None:
    """Every fifth shipped sentence, under a user's own column names."""
    rows = read_sentences(None, SAMPLE)[::5]
    if shuffled:
        random.Random(3).shuffle(rows)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sid", "body", "symptom", "present", "author"])
        writer.writerows([row["id"], row["text"], row["criterion"], row["label"], row["group"]] for row in rows)


def sentences_workplace(directory: Path, checkout: bool = False, **environment: str) -> Workplace:
    """``directory/mine.csv`` is its table."""
    settings = {
        "SOURCE": str(directory / "mine.csv"),
        "ID_COLUMN": "sid",
        "TEXT_COLUMN": "body",
        "CRITERION_COLUMN": "symptom",
        "LABEL_COLUMN": "present",
        "GROUP_COLUMN": "author",
        "METHODS": json.dumps(METHODS),
        "DOWNSTREAM_SIZES": "[60]",
        "DOWNSTREAM_REPEATS": "2",
    }
    named = {f"DATASET_AUGMENTATION__{name}": value for name, value in settings.items()}
    common = {"DATASET_FAMILIES": '["augmentation"]', "DATASET_EXECUTOR": "in_process"}
    return Workplace(directory, checkout, **(named | common | environment))
