"""Documents that the tests of a model's prose are about: a small plan, made once."""

from __future__ import annotations

from datetime import date
from functools import cache

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.generation import make
from dataset_project.documents.identities.pools import Pools, generate
from dataset_project.documents.identities.scanner import Scanner, scanner_of
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.planning import DocumentPlanner, Kind, PlannedDocument
from dataset_project.documents.templates.registry import TEMPLATES

SETTINGS = DocumentSettings(llm_share=1.0, llm_model="model", seed=5, reference_date=date(2025, 6, 1))
COUNT = 60


@cache
def people() -> Pools:
    return generate(SETTINGS.seed, SETTINGS.reference_date, patients=80, providers=30, facilities=6, employees=40)


@cache
def corpus() -> tuple[tuple[PlannedDocument, Document], ...]:
    kinds = [Kind(t.id, t.version, t.classes, t.formats, t.layouts, t.companions) for t in TEMPLATES.values()]
    planner = DocumentPlanner(SETTINGS, kinds, people().ids("patients"))
    planned = [planner.plan(number) for number in range(COUNT)]
    return tuple((each, make(each, people(), SETTINGS.seed, SETTINGS.reference_date).document) for each in planned)


def everyone() -> Scanner:
    """The scanner of the people whom the documents are about."""
    return scanner_of(people())
