"""Hard negatives: many, varied, repeatable, and never a value of anyone."""

from __future__ import annotations

import pytest

from dataset_project.documents.identities import fine_types, lookalikes, pools
from dataset_project.storage.seeding import stream
from dataset_project_tests.documents.identities.conftest import REFERENCE


@pytest.fixture(scope="module")
def crowd():
    return pools.generate(11, REFERENCE, patients=8000, providers=1500, employees=500)


@pytest.mark.parametrize("kind", lookalikes.KINDS)
def test_none_is_anyones(crowd, kind):
    draw = stream(0, "lookalikes", kind)
    drawn = [lookalikes.lookalike(draw, kind) for _ in range(250)]
    assert [each.text for each in drawn if lookalikes.collides(each.text, crowd)] == []
    assert all(each.kind == kind and each.text and "\n" not in each.text for each in drawn)
    assert len({each.text for each in drawn}) >= 4


def test_kinds_resemble_fine_types_and_all_are_drawn():
    draw = stream(0, "any")
    drawn = [lookalikes.lookalike(draw) for _ in range(800)]
    assert {each.kind for each in drawn} == set(lookalikes.KINDS)
    assert {each.resembles for each in drawn} <= set(fine_types.TYPES)


def test_the_generator_decides():
    assert lookalikes.lookalike(stream(0, "a", 1)) == lookalikes.lookalike(stream(0, "a", 1))


def test_values_do_collide(crowd):
    patient = crowd.patient("P0000003")
    assert lookalikes.collides(f"Lot {patient.mrn}", crowd)
    assert lookalikes.collides(f"{patient.given} {patient.family} disease", crowd)
    assert lookalikes.collides("call 212-555-0142", crowd), "a shape, whoever's"
    assert not lookalikes.collides("Foley catheter", crowd)


def test_authors_and_placeholders_are_nobody(crowd):
    for text in (*lookalikes.AUTHORS, *lookalikes.PLACEHOLDERS, *lookalikes.EPONYMS):
        assert not lookalikes.collides(text, crowd), text


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError, match="riddle"):
        lookalikes.lookalike(stream(0, "x"), "riddle")
