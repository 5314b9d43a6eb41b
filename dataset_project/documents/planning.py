"""The plan: what every document will be, drawn by its number alone, so that more documents change no earlier one.

Class, format, template, layout and difficulty are drawn independently of each other as far as templates allow, because
what can be told from a file's look must not tell its class. Patients and layouts belong to one split each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from dataset_project.documents.configuration import FORMATS, DocumentSettings
from dataset_project.documents.schemas import SPLITS
from dataset_project.storage.seeding import seed_for, stream

# Shares of the splits, of documents as of patients.
SPLIT_SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}
DIFFICULTIES = {"easy": 0.35, "medium": 0.40, "hard": 0.25}
CONTAINERS = ("nested_eml", "zip")
_MOST_COMPANIONS = 12


@dataclass(frozen=True)
class Kind:
    """What the plan must know of a template."""

    id: str
    version: str
    classes: tuple[str, ...]
    formats: tuple[str, ...]
    layouts: tuple[str, ...]
    companions: int = 0


class HasLayouts(Protocol):
    """A template, whole or as the plan knows it."""

    @property
    def id(self) -> str: ...

    @property
    def layouts(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class PlannedDocument:
    """One row of DOCUMENT_PLAN, without its batch."""

    number: int
    doc_id: str
    document_class: str
    format: str
    template_id: str
    template_version: str
    layout_id: str
    difficulty: str
    split: str
    patient_id: str
    companion_ids: tuple[str, ...]
    llm: bool


def doc_id_of(number: int) -> str:
    """``d0000042``: by the number alone; wider beyond ten million."""
    return f"d{number:07d}"


class DocumentPlanner:
    """Plans documents of given settings, kinds of document and patients.

    Raises ValueError for a weight of a template that there is not, and for too few patients to divide.
    """

    def __init__(self, settings: DocumentSettings, kinds: Sequence[Kind], patient_ids: Sequence[str]):
        self._settings, self._kinds = settings, sorted(kinds, key=lambda kind: kind.id)
        unknown = sorted(set(settings.templates) - {kind.id for kind in kinds})
        if unknown:
            known = ", ".join(kind.id for kind in self._kinds)
            raise ValueError(f"templates: there is no template {', '.join(unknown)}; there are {known}")
        self._patients: dict[str, list[str]] = {split: [] for split in SPLITS}
        for patient in patient_ids:
            self._patients[split_of(patient, settings.seed)].append(patient)
        for form, weight in settings.formats.items():
            if weight and not any(self._weights(form, name) for name in ("phi", "negative")):
                raise ValueError(f"formats: no template of a weight above 0 is written as {form}; take the format out")
        for split, patients in self._patients.items():
            if not patients:
                raise ValueError(f"patients: none of {len(patient_ids)} falls into the split {split}; ask for more")

    def plan(self, number: int) -> PlannedDocument:
        """Document ``number``, from 0."""
        settings = self._settings
        doc_id = doc_id_of(number)
        draw = stream(settings.seed, "document_plan", doc_id)
        split = _pick(draw, SPLIT_SHARES)
        form = _pick(draw, {name: settings.formats.get(name, 0.0) for name in FORMATS})
        document_class = self._class(draw, form)
        kind = self._kinds[_pick(draw, self._weights(form, document_class))]
        layouts = layouts_of(kind, split)
        layout = layouts[int(draw.random() * len(layouts))]
        difficulty = _pick(draw, DIFFICULTIES)
        patients = self._patients[split]
        patient = patients[int(draw.random() * len(patients))]
        return PlannedDocument(
            number=number,
            doc_id=doc_id,
            document_class=document_class,
            format=form,
            template_id=kind.id,
            template_version=kind.version,
            layout_id=layout,
            difficulty=difficulty,
            split=split,
            patient_id=patient,
            companion_ids=self._companions(draw, kind, patients, patient),
            llm=bool(draw.random() < settings.llm_share),
        )

    def _class(self, draw: np.random.Generator, form: str) -> str:
        """A class, in the shares of the settings among those that some template of the format can be.

        A file that is no container has no parts to differ: what would be mixed is positive or negative, evenly.
        """
        settings = self._settings
        mixed = settings.mixed if form in CONTAINERS else 0.0
        spread = (settings.mixed - mixed) / 2
        negatives = max(0.0, 1 - settings.positives - settings.pii_only - settings.mixed)
        shares = {"phi": settings.positives + spread, "negative": negatives + spread}
        shares |= {"pii_only": settings.pii_only, "mixed": mixed}
        return _pick(draw, {name: share if self._weights(form, name) else 0.0 for name, share in shares.items()})

    @cache  # noqa: B019 - planners are few, and live as long as a run
    def _weights(self, form: str, document_class: str) -> Mapping[int, float]:
        """Weights of the templates that suit a format and a class, by number; those of weight 0 are not among them."""
        weights = {
            number: self._settings.templates.get(kind.id, 1.0)
            for number, kind in enumerate(self._kinds)
            if form in kind.formats and document_class in kind.classes
        }
        return {number: weight for number, weight in weights.items() if weight > 0}

    @staticmethod
    def _companions(draw: np.random.Generator, kind: Kind, patients: Sequence[str], patient: str) -> tuple[str, ...]:
        count = min(kind.companions, _MOST_COMPANIONS, len(patients) - 1)
        if count <= 0:
            return ()
        chosen = [patients[int(each * len(patients))] for each in draw.random(3 * count)]
        return tuple(dict.fromkeys(each for each in chosen if each != patient))[:count]


def split_of(patient_id: str, seed: int) -> str:
    """A patient's split, by id alone: a larger pool moves nobody."""
    place = seed_for(seed, "document_split", patient_id) / 2**63
    for name, share in SPLIT_SHARES.items():
        if place < share:
            return name
        place -= share
    return SPLITS[-1]


def layouts_of(kind: HasLayouts, split: str) -> tuple[str, ...]:
    """The layouts of a template that belong to a split: one to val, one to test, the rest to train.

    Layouts are divided, and not templates, because some formats have but two: a model is tested on papers of a look it
    was not trained on. The seed has no say: a layout's split is a property of the corpus. Raises ValueError for a
    template with fewer layouts than splits.
    """
    if len(kind.layouts) < len(SPLITS):
        raise ValueError(f"template {kind.id} has {len(kind.layouts)} layouts: too few for {len(SPLITS)} splits")
    # Which one is held out differs from template to template, not always the last.
    turn = seed_for(0, "document_layouts", kind.id) % len(kind.layouts)
    order = (*kind.layouts[turn:], *kind.layouts[:turn])
    return {"val": order[:1], "test": order[1:2], "train": order[2:]}[split]


def _pick(draw: np.random.Generator, weights: Mapping):
    """A key by its weight; always one draw, so that weights of 0 change nothing after it."""
    place = draw.random() * sum(weights.values())
    for key, weight in weights.items():
        if place < weight:
            return key
        place -= weight
    return next(key for key, weight in reversed(list(weights.items())) if weight)
