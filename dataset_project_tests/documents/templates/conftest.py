"""Small pools, cases and builds that all tests of templates share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.identities import pools
from dataset_project.documents.identities.case import Case, case_for
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.model.values import Value
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project.storage.seeding import stream

SEED = 7
REFERENCE = date(2025, 6, 1)
DIFFICULTIES = ("easy", "medium", "hard")


@pytest.fixture(scope="session")
def people() -> pools.Pools:
    return pools.generate(SEED, REFERENCE, patients=80, providers=30, facilities=6, employees=40)


@pytest.fixture(scope="session")
def case_of(people: pools.Pools) -> Callable[..., Case]:
    """The case of a document by its number; ``other`` > 0: of another patient who is in it."""
    ids = people.ids("patients")

    def make(number: int, other: int = 0) -> Case:
        return case_for(people, SEED, f"t{number}.{other}", ids[(number * 7 + other) % len(ids)], REFERENCE)

    return make


Builder = Callable[..., Document]


@pytest.fixture(scope="session")
def build(case_of: Callable[..., Case]) -> Builder:
    def make(
        template_id: str, number: int, document_class: str, form: str, layout: str = "", difficulty: str = ""
    ) -> Document:
        template = TEMPLATES[template_id]
        return template.build(
            case_of(number),
            lambda field: stream(SEED, "documents", f"t{number}", field),
            format_named(form).surfaces,
            document_class,
            layout or template.layouts[number % len(template.layouts)],
            difficulty or DIFFICULTIES[number % 3],
            tuple(case_of(number, other) for other in range(1, template.companions + 1)),
        )

    return make


def values_in(part: Any) -> Iterator[Value]:
    """Every value of a document, its attachments included."""
    if isinstance(part, Value):
        yield part
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from values_in(getattr(part, field.name))
    elif isinstance(part, (tuple, list)):
        for each in part:
            yield from values_in(each)


def texts_in(part: Any) -> Iterator[str]:
    """Every plain text of a document: all that is not a value."""
    if isinstance(part, str):
        yield part
    elif dataclasses.is_dataclass(part) and not isinstance(part, Value):
        for field in dataclasses.fields(part):
            yield from texts_in(getattr(part, field.name))
    elif isinstance(part, (tuple, list)):
        for each in part:
            yield from texts_in(each)
