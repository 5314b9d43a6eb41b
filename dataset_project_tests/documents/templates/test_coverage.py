from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.templates import draft
from dataset_project.documents.templates.blanks import blank
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project.documents.templates.slots import SLOTS
from dataset_project.storage.seeding import stream
from dataset_project_tests.documents.templates.conftest import SEED


@pytest.fixture(scope="module")
def sample(build) -> list:
    """(format, written document) of a positive of every template in every format, twice."""
    made = []
    number = 0
    for _ in range(2):
        for template in TEMPLATES.values():
            for form in template.formats:
                number += 1
                made.append((form, format_named(form).write(build(template.id, number, "phi", form), f"t{number}")))
    return made


def test_all_eighteen_identifiers_roles_and_zones_occur(sample) -> None:
    spans = [span for _, written in sample for span in written.spans]
    codes = Counter(span.value.code for span in spans)
    assert sorted(codes) == list("ABCDEFGHIJKLMNOPQR")
    assert min(codes.values()) >= 5, codes
    assert {span.value.role for span in spans} == {"patient", "relative", "provider", "facility", "employee"}
    zones = {span.surface for span in spans}
    assert zones == {
        *("body", "table", "header", "footer", "comment", "footnote", "text_box", "form_field", "alt_text", "hidden"),
        *("notes", "metadata", "file_name", "mail_header", "html_only"),
    }


def test_every_zone_of_every_format_holds_values_somewhere(sample) -> None:
    seen: dict[str, set[str]] = {}
    for form, written in sample:
        seen.setdefault(form, set()).update(span.surface for span in written.spans)
    for form, zones in seen.items():
        if form not in ("nested_eml", "zip"):
            assert format_named(form).surfaces - {"text_box"} <= zones, (form, format_named(form).surfaces - zones)


def test_values_are_written_in_many_ways(sample) -> None:
    surfaces: dict[tuple[str, str], set[str]] = {}
    for _, written in sample:
        for span in written.spans:
            surfaces.setdefault((span.value.type, span.value.canonical), set()).add(span.value.text)
    most = Counter()
    for (kind, _), texts in surfaces.items():
        most[kind] = max(most[kind], len(texts))
    assert most["patient_name"] >= 8
    assert most["birth_date"] >= 6
    assert most["phone"] >= 4


def test_an_age_is_a_value_from_ninety_on_in_a_negative_it_is_a_group(case_of) -> None:
    old = next(case for case in map(case_of, range(200)) if case.age_of() >= 90)
    surfaces = format_named("docx").surfaces
    for document_class, expected in (("negative", "over-89-year-old"), ("phi", f"{old.age_of()}-year-old")):
        made = draft.Draft(old, lambda field: stream(1, field), surfaces, document_class, "classic", "easy")
        runs = made.fill("A {age} {man}.")
        assert expected in "".join(run if isinstance(run, str) else run.text for run in runs)
    assert runs[1].code == "C"
    assert runs[1].type == "age_90_plus"


def test_every_slot_has_a_value_and_blanks_of_about_its_length(case_of) -> None:
    made = draft.Draft(case_of(3), lambda field: stream(1, field), frozenset(), "phi", "x", "medium")
    for name, slot in SLOTS.items():
        text = "".join(run if isinstance(run, str) else run.text for run in slot(made.known, stream(1, name)))
        for manner in ("blank", "bracket", "markup", "masked", "safe"):
            assert blank(name, manner, 2024, 1970)
        assert 0.3 < len(blank(name, "blank", 2024, 1970)) / len(text) < 3, (name, text)


def test_streams_of_other_fields_do_not_move_a_document(build) -> None:
    assert build("claim", 4, "phi", "pdf") == build("claim", 4, "phi", "pdf")
    assert build("claim", 4, "phi", "pdf") != build("claim", 5, "phi", "pdf")


def test_companions_are_in_the_census_and_none_are_needed(case_of) -> None:
    template = TEMPLATES["ward_census"]
    surfaces = format_named("xlsx").surfaces

    def patients(others: tuple) -> set[str]:
        made = template.build(case_of(1), lambda field: stream(1, field), surfaces, "phi", "wide", "easy", others)
        spans = format_named("xlsx").write(made, "t").spans
        return {span.value.subject_id for span in spans if span.value.type == "mrn"}

    assert len(patients(())) == 1
    assert len(patients(tuple(case_of(1, number) for number in range(1, 6)))) == 6


def test_parts_keep_to_the_layouts_of_their_split(case_of) -> None:
    asked = []

    def first_only(template) -> tuple[str, ...]:
        asked.append(template.id)
        return template.layouts[:1]

    TEMPLATES["records_release"].build(
        case_of(2),
        lambda field: stream(SEED, field),
        format_named("zip").surfaces,
        "phi",
        "letter",
        "easy",
        part_layouts=first_only,
    )
    assert len(asked) >= 2


_HASHING = """
import hashlib
from datetime import date
from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.identities import pools
from dataset_project.documents.identities.case import case_for
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project.storage.seeding import stream

known = pools.generate(5, date(2025, 6, 1), patients=20, providers=8, facilities=3, employees=9)
total = hashlib.sha256()
for template in TEMPLATES.values():
    case = case_for(known, 5, template.id, known.ids("patients")[3], date(2025, 6, 1))
    form = format_named(template.formats[0])
    rng_for = lambda field: stream(5, template.id, field)
    made = template.build(case, rng_for, form.surfaces, "phi", template.layouts[0], "hard")
    total.update(form.write(made, "t").content)
print(total.hexdigest())
"""


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    root = Path(__file__).parents[3]
    digests = {
        subprocess.run(
            [sys.executable, "-c", _HASHING],
            env={"PYTHONPATH": str(root), "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "12345")
    }
    assert len(digests) == 1
