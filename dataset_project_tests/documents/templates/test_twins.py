from __future__ import annotations

import dataclasses
import re
from statistics import mean

import numpy as np

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.identities import resources
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.model.values import plain
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project_tests.documents.templates.conftest import texts_in, values_in

# Of values that are also ordinary words or small numbers: "Small", "67", "PA".
_ORDINARY = {"age", "age_90_plus", "state", "city", "county"}


def _words() -> frozenset[str]:
    names = [resources.given_names("F"), resources.given_names("M"), resources.family_names()]
    return frozenset(word for each in names for word in each.words)


def _shape(document: Document) -> tuple:
    """Blocks, zones and their sizes: all of a document but its words."""
    blocks = tuple(
        (type(block).__name__, len(getattr(block, "pairs", ())), len(getattr(block, "rows", ())))
        for section in document.sections
        for block in section.blocks
    )
    zones = tuple(bool(each) for each in (document.header, document.footer, *dataclasses.astuple(document.metadata)))
    counts = tuple(len(each) for each in (document.comments, document.footnotes, document.hidden))
    titles = tuple((section.title, bool(section.notes)) for section in document.sections)
    return blocks, zones, counts, titles, tuple((form, _shape(part)) for form, part in document.attachments)


def test_twins_have_one_shape_and_about_one_size(build) -> None:
    ratios: dict[str, list[float]] = {}
    number = 0
    for template in TEMPLATES.values():
        for form in template.formats:
            for _ in range(3):
                number += 1
                positive, negative = (build(template.id, number, each, form) for each in ("phi", "negative"))
                assert _shape(positive) == _shape(negative), (template.id, form, number)
                sizes = [len(format_named(form).write(each, "t").content) for each in (negative, positive)]
                ratios.setdefault(template.id, []).append(sizes[0] / sizes[1])
    for template_id, of_template in ratios.items():
        assert 0.85 < mean(of_template) < 1.15, (template_id, mean(of_template))
    assert 0.95 < mean(each for of_template in ratios.values() for each in of_template) < 1.05


def test_twins_share_every_sentence_without_slots(build) -> None:
    """The class decides what is written into slots and nothing else."""
    positive, negative = (set(texts_in(build("policy", 5, each, "docx"))) for each in ("phi", "negative"))
    assert len(positive & negative) > 0.6 * len(negative)


def test_the_case_is_nowhere_in_plain_text(build) -> None:
    words = _words()
    number = 0
    for template in TEMPLATES.values():
        for form in template.formats:
            for document_class in template.classes:
                number += 1
                document = build(template.id, number, document_class, form)
                text = "\n".join(texts_in(document))
                for value in set(values_in(document)):
                    # A name that is also a word may stand for the word: Small, Foley.
                    if value.type in _ORDINARY or set(re.findall(r"\w+", value.text)) & words:
                        continue
                    assert not re.search(rf"(?<!\w){re.escape(value.text)}(?!\w)", text), (template.id, value)


def _features(document: Document, content: bytes, text: str, template_id: str, form: str) -> list[float]:
    data = document.metadata
    entries = [plain(each) for each in (data.title, data.author, data.subject, data.keywords)]
    joined = "".join(entries) + "".join(plain(runs) for _, runs in data.custom)
    blocks = [block for section in document.sections for block in section.blocks]
    name = plain(document.file_name)
    return [
        *(np.log(len(content)), np.log(len(text) + 1), text.count("\n"), len(document.sections), len(blocks)),
        *(bool(document.header), bool(document.footer), len(document.comments), len(document.footnotes)),
        *(len(document.hidden), len(data.custom), len(document.attachments), len(name), sum(map(str.isdigit, name))),
        *(len(each) for each in entries),
        *(sum(map(str.isdigit, joined)), sum(map(str.isupper, joined)), joined.count(","), joined.count("-")),
        *(form == each for each in ("docx", "pdf", "xlsx", "pptx", "eml", "html", "csv", "txt", "rtf", "zip")),
        *(template_id == each for each in TEMPLATES),
    ]


def test_a_trivial_classifier_on_size_format_template_name_and_properties_is_near_chance(build) -> None:
    draw = np.random.default_rng(3)
    rows, classes = [], []
    ids = list(TEMPLATES)
    for number in range(1200):
        template = TEMPLATES[ids[draw.integers(len(ids))]]
        form = template.formats[draw.integers(len(template.formats))]
        positive = bool(draw.integers(2))
        document = build(template.id, number, "phi" if positive else "negative", form)
        written = format_named(form).write(document, f"t{number}")
        rows.append(_features(document, written.content, written.text, template.id, form))
        classes.append(positive)
    features, classes = np.array(rows, dtype=float), np.array(classes, dtype=float)
    features = (features - features.mean(0)) / (features.std(0) + 1e-9)
    features = np.column_stack([np.ones(len(features)), features])
    train = np.arange(len(features)) < 800
    weights = np.zeros(features.shape[1])
    for _ in range(400):
        errors = 1 / (1 + np.exp(-features[train] @ weights)) - classes[train]
        weights -= 0.3 * (features[train].T @ errors / train.sum() + 0.01 * weights)
    accuracy = ((features[~train] @ weights > 0) == classes[~train]).mean()
    # 400 documents: three standard errors are 0.075.
    assert accuracy < 0.625, accuracy
