"""The plan: what every document will be, drawn by its number alone, so that more documents change no earlier one.

Class, format, template, layout and difficulty are drawn independently of each other as far as templates allow, because
what can be told from a file's look must not tell its class. Patients and templates belong to one split each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

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
    """Plans documents of given settings, kinds of document and patients (id → usual facility does not matter here).

    Raises ValueError where a format that is asked for has no template in some split, naming both.
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
        for split, patients in self._patients.items():
            if not patients:
                raise ValueError(f"patients: none of {len(patient_ids)} falls into the split {split}; ask for more")

    @cached_property
    def template_splits(self) -> Mapping[str, str]:
        """Template → split. Dealt so that every format has templates in every split, rarest format first."""
        return deal_templates(self._kinds, [name for name in FORMATS if self._settings.formats.get(name, 0) > 0])

    def plan(self, number: int) -> PlannedDocument:
        """Document ``number``, from 0."""
        settings = self._settings
        doc_id = doc_id_of(number)
        draw = stream(settings.seed, "document_plan", doc_id)
        split = _pick(draw, SPLIT_SHARES)
        form = _pick(draw, {name: settings.formats.get(name, 0.0) for name in FORMATS})
        document_class = self._class(draw, form)
        kind = self._kind(draw, split, form, document_class)
        layout = kind.layouts[int(draw.random() * len(kind.layouts))]
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
        settings = self._settings
        shares = {"phi": settings.positives, "pii_only": settings.pii_only}
        shares["negative"] = max(0.0, 1 - sum(shares.values()) - settings.mixed)
        shares["mixed"] = settings.mixed
        drawn = _pick(draw, shares)
        # A file that is no container has no parts to differ: what would be mixed is positive or negative, evenly.
        if drawn == "mixed" and form not in CONTAINERS:
            return "phi" if draw.random() < 0.5 else "negative"
        return drawn

    def _kind(self, draw: np.random.Generator, split: str, form: str, document_class: str) -> Kind:
        weights = {
            number: self._settings.templates.get(kind.id, 1.0)
            for number, kind in enumerate(self._kinds)
            if self.template_splits[kind.id] == split and form in kind.formats and document_class in kind.classes
        }
        if not any(weights.values()):
            raise ValueError(
                f"no template of class {document_class} is left for {form} in the split {split}: give one a weight, or "
                "take the format out"
            )
        return self._kinds[_pick(draw, weights)]

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


def deal_templates(kinds: Sequence[Kind], formats: Sequence[str]) -> dict[str, str]:
    """Template → split, about in the splits' shares, each of ``formats`` with a template of every class in every split.

    Formats with few templates are dealt first; within one, templates go to the split that has fewest of the format for
    its share. The seed has no say: a template's split is a property of the corpus. Raises ValueError for a format with
    fewer templates than splits.
    """
    dealt: dict[str, str] = {}
    by_format = {form: [kind for kind in kinds if form in kind.formats] for form in formats}
    for form in sorted(by_format, key=lambda name: (len(by_format[name]), name)):
        templates = by_format[form]
        if len(templates) < len(SPLITS):
            raise ValueError(f"format {form} has {len(templates)} templates: too few for {len(SPLITS)} splits")
        have = {split: sum(dealt.get(kind.id) == split for kind in templates) for split in SPLITS}
        for kind in sorted(templates, key=lambda each: each.id):
            if kind.id in dealt:
                continue
            split = min(SPLITS, key=lambda name: (have[name] > 0, (have[name] + 1) / SPLIT_SHARES[name]))
            dealt[kind.id] = split
            have[split] += 1
    for kind in kinds:
        dealt.setdefault(kind.id, "train")
    return dealt


def _pick(draw: np.random.Generator, weights: Mapping):
    """A key by its weight; always one draw, so that weights of 0 change nothing after it."""
    place = draw.random() * sum(weights.values())
    for key, weight in weights.items():
        if place < weight:
            return key
        place -= weight
    return next(key for key, weight in reversed(list(weights.items())) if weight)
