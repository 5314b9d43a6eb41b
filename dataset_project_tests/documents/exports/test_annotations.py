"""The annotation forms, read back by what reads them: JSON, BIO lines, XML."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_project.documents.exports.annotations import I2B2_ELEMENTS, conll, i2b2_xml, json_line

TEXT = "Patient: Ana O'Neil-García, MRN 00-4711.\nSeen 3 May 2025 & <discharged>"


def _span(text: str, start: int, kind: str, i2b2: str) -> dict:
    return {
        "start": start,
        "end": start + len(text),
        "text": text,
        "type": kind,
        "hipaa_code": "A",
        "i2b2_type": i2b2,
        "role": "patient",
        "surface": "body",
        "validity": "not_applicable",
        "visible": True,
        "canonical": text,
    }


DOCUMENT = {"doc_id": "d1", "canonical_text": TEXT, "class": "phi", "format": "txt", "split": "train"}
SPANS = [
    _span("Ana O'Neil-García", TEXT.index("Ana"), "patient_name", "PATIENT"),
    _span("4711", TEXT.index("4711"), "mrn", "MEDICALRECORD"),
    _span("3 May 2025", TEXT.index("3 May"), "date", "DATE"),
]


def test_a_json_line_is_one_line_whose_spans_are_in_its_text():
    line = json_line(DOCUMENT, SPANS)
    told = json.loads(line)
    assert "\n" not in line and told["text"] == TEXT and len(told["spans"]) == 3
    assert all(told["text"][span["start"] : span["end"]] == span["text"] for span in told["spans"])


def test_bio_tags_give_the_spans_back():
    rows = [line.split("\t") for line in conll(DOCUMENT, SPANS).splitlines() if line and not line.startswith("# id")]
    found: list[list[str]] = []
    for token, tag in rows:
        if tag.startswith("B-"):
            found.append([tag[2:], token])
        elif tag.startswith("I-"):
            assert found[-1][0] == tag[2:]
            found[-1].append(token)
    assert found == [
        ["patient_name", "Ana", "O", "'", "Neil", "-", "García"],
        ["mrn", "4711"],
        ["date", "3", "May", "2025"],
    ]
    said = "Patient : Ana O ' Neil - García , MRN 00 - 4711 . Seen 3 May 2025 & < discharged >"
    assert " ".join(token for token, _ in rows) == said


def test_a_value_inside_a_word_cuts_it():
    document = DOCUMENT | {"canonical_text": "idAB12x"}
    assert "id\tO\nAB12\tB-mrn\nx\tO" in conll(document, [_span("AB12", 2, "mrn", "MEDICALRECORD")])


def test_xml_is_well_formed_and_its_offsets_hold():
    root = ElementTree.fromstring(i2b2_xml(DOCUMENT, SPANS))
    text = root.find("TEXT").text
    tags = list(root.find("TAGS"))
    assert text == TEXT and [tag.tag for tag in tags] == ["NAME", "ID", "DATE"]
    assert all(text[int(tag.get("start")) : int(tag.get("end"))] == tag.get("text") for tag in tags)
    with pytest.raises(ValueError, match="CDATA"):
        i2b2_xml(DOCUMENT | {"canonical_text": "a ]]> b"}, [])


@given(st.lists(st.text("ab -.é\n", max_size=12), min_size=1, max_size=4))
def test_tokens_cover_every_sign_that_is_no_space(pieces):
    text, spans = "", []
    for piece in pieces:
        spans += [_span("V1", len(text), "mrn", "MEDICALRECORD")]
        text += "V1" + piece
    rows = conll(DOCUMENT | {"canonical_text": text}, spans).splitlines()[1:]
    assert "".join(line.split("\t")[0] for line in rows if line) == "".join(text.split())
    assert sum(line.endswith("\tB-mrn") for line in rows) == len(spans)


def test_every_type_of_the_track_has_its_element():
    assert set(I2B2_ELEMENTS.values()) == {"NAME", "PROFESSION", "LOCATION", "AGE", "DATE", "CONTACT", "ID"}


def test_every_type_that_is_planted_has_an_element_of_the_track():
    from dataset_project.documents.identities.fine_types import TYPES

    assert {kind.i2b2 for kind in TYPES.values()} - set(I2B2_ELEMENTS) == set()
    assert 'TYPE="LOCATION-OTHER"' in i2b2_xml(DOCUMENT, [_span("Seen", TEXT.index("Seen"), "county", "COUNTY")])
