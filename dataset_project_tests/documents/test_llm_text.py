"""Prose that a model writes: nothing but placeholders leaves, nothing but what was given comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.llm_masking import offered_in
from dataset_project.documents.llm_prompts import request_for
from dataset_project.documents.llm_rules import PLACEHOLDER
from dataset_project.documents.llm_text import requests_for, with_answers
from dataset_project.documents.model.blocks import Document, Paragraph, Section, Table
from dataset_project.documents.model.values import Value, plain
from dataset_project.documents.planning import PlannedDocument
from dataset_project.documents.readers.registry import reader_of
from dataset_project.llm.json_schema import AnswerSchema
from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.documents import llm_answers
from dataset_project_tests.documents.llm_corpus import COUNT, SETTINGS, corpus, everyone
from dataset_project_tests.documents.templates.conftest import values_in
from dataset_project_tests.llm.runs import unlimited
from dataset_project_tests.llm.server import LoopbackServer, loopback_server


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with loopback_server() as running:
        yield running


def value(text: str, kind: str = "patient_name") -> Value:
    return Value(text, "A", kind, "PATIENT", "patient", text)


NAME, DAY = value("Anna Quill"), value("03/04/2024", "visit_date")
STORY = (
    NAME,
    " was seen on ",
    DAY,
    " because of cough and fever for 3 days. The chest was clear and the Foley catheter was removed without trouble.",
)


def document(*paragraphs: Paragraph) -> Document:
    return Document((Section("Story", paragraphs or (Paragraph(STORY),)),))


def planned(**changes: object) -> PlannedDocument:
    return replace(corpus()[0][0], **changes)


def answered(request: ModelRequest, *texts: str, kind: str = "ok") -> dict[str, Answer]:
    content = json.dumps({"paragraphs": list(texts)})
    return {request.key: Answer(request.key, kind, content, "", "model-2026", 0.0, 1)}


# What is asked.


def test_a_request_has_placeholders_and_no_value():
    (request,) = requests_for(document(), planned(), SETTINGS)
    told = request.messages[-1][1]
    assert "[[P1]] was seen on [[P2]] because of cough and fever for 3 days." in told
    assert "Quill" not in told and "2024" not in told
    AnswerSchema(request.schema)  # strict: ValueError if not


def test_no_value_of_any_document_is_in_a_request():
    asked = 0
    for each, made in corpus():
        told = " ".join(text for request in requests_for(made, each, SETTINGS) for _, text in request.messages)
        own = PLACEHOLDER.sub(" ", told)
        asked += bool(told)
        for found in values_in(made):
            if len(found.text) > 3 and not found.text.isalpha():
                assert found.text not in own, (each.doc_id, found)
            if found.type.endswith("_name") and " " in found.text:
                assert found.text not in own, (each.doc_id, found)
    assert asked > COUNT / 3


def test_a_document_that_is_not_planned_for_a_model_asks_nothing():
    assert requests_for(document(), planned(llm=False), SETTINGS) == []


def test_only_prose_is_asked_about():
    labelled = Paragraph(("Patient: ", NAME, " and many further words that make this line quite long, truly so."))
    fields = Paragraph((NAME, "   Record   12   and many further words that make this line quite long, truly so."))
    heading = Paragraph(STORY, "heading")
    short = Paragraph((NAME, " was seen."))
    codes = Paragraph(("It was 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 and a few words were there, too.",))
    shaped = Paragraph(("Please ask for the record of the patient under MRN 12345678 at the desk in the front hall.",))
    odd = Paragraph(("The list is kept at https://lists.example and read by all of us once in a week, at least.",))
    table = Section("T", (Table(("A",), ((("x",),),)),))
    made = document(labelled, fields, heading, short, codes, shaped, odd, Paragraph(STORY))
    assert list(offered_in(replace(made, sections=(table, *made.sections)))) == [7]


def test_a_paragraph_that_names_a_value_in_plain_words_stays_at_home():
    told = Paragraph(("It was Anna Quill who asked for the results of the last visit to be sent to her by mail.",))
    assert list(offered_in(document(told, Paragraph(STORY)))) == [1]


def test_values_and_blanks_look_alike_to_the_model():
    line = " came on the day before and was told to rest, to drink enough and to come back when needed."
    texts = [
        next(iter(offered_in(document(Paragraph((*start, line)))).values())).text
        for start in (
            (NAME,),
            ("[PATIENT NAME]",),
            ("<<patient_name>>",),
            ("________________",),
            ("XXXXXXXXXX",),
            ("(XXX) XXX-XXXX",),
            (value("12 Elm St", "street"), ", ", value("Troy", "city"), ", ", value("NY", "state")),
        )
    ]
    assert set(texts) == {"[[P1]]" + line}


def test_equal_prompts_are_one_task_whatever_the_document():
    first, second = (requests_for(document(), planned(doc_id=f"d{n:07d}"), SETTINGS)[0] for n in (1, 1))
    assert first.key == second.key
    registers = {requests_for(document(), planned(doc_id=f"d{n:07d}"), SETTINGS)[0].key for n in range(40)}
    assert len(registers) == 4  # the register is drawn by the document


def test_a_request_needs_a_paragraph():
    with pytest.raises(ValueError, match="needs a paragraph"):
        request_for([], "model", "plain")


def test_long_documents_are_asked_about_in_several_requests():
    made = document(*(Paragraph(STORY) for _ in range(80)))
    requests = requests_for(made, planned(), SETTINGS)
    assert len(requests) > 1
    answers = {}
    for request in requests:
        body = {"messages": [{"role": role, "content": text} for role, text in request.messages]}
        answers |= answered(request, *llm_answers.good(body)["paragraphs"])
    _, outcome = with_answers(made, requests, answers, everyone())
    assert outcome.rewritten == outcome.offered == 80
    assert len(outcome.prompt_hash) == 32 and outcome.prompt_hash not in {each.prompt_hash for each in requests}


# What becomes of the document.


def test_values_are_put_back_as_runs():
    made = document()
    (request,) = requests_for(made, planned(), SETTINGS)
    text = "On [[P2]], [[P1]] came with cough and fever, for 3 days. The Foley catheter was removed without trouble."
    new, outcome = with_answers(made, [request], answered(request, text), everyone())
    (paragraph,) = new.sections[0].blocks
    assert paragraph.runs[:4] == ("On ", DAY, ", ", NAME)
    assert plain(paragraph.runs) == text.replace("[[P1]]", NAME.text).replace("[[P2]]", DAY.text)
    assert (outcome.offered, outcome.rewritten, outcome.kept) == (1, 1, {})
    assert outcome.model == "model-2026" and outcome.prompt_hash == request.prompt_hash


@pytest.mark.parametrize("kind", ["refused", "invalid", "truncated", "exhausted", "too_long", "bad_request"])
def test_a_failed_request_leaves_the_document_as_it_was(kind):
    made = document()
    (request,) = requests_for(made, planned(), SETTINGS)
    new, outcome = with_answers(made, [request], answered(request, kind=kind), everyone())
    assert new == made and outcome.kept == {kind: 1} and outcome.model is None and outcome.prompt_hash is None


def test_answers_that_are_missing_or_of_another_shape_leave_it_too():
    made = document()
    (request,) = requests_for(made, planned(), SETTINGS)
    for answers, reason in (
        ({}, "unanswered"),
        (answered(request), "invalid"),
        (answered(request, plain(STORY), plain(STORY)), "invalid"),
        ({request.key: Answer(request.key, "ok", "[]", "", "", 0.0, 1)}, "invalid"),
        ({request.key: Answer(request.key, "ok", "{", "", "", 0.0, 1)}, "invalid"),
        ({request.key: Answer(request.key, "ok", '{"paragraphs":[7]}', "", "", 0.0, 1)}, "invalid"),
    ):
        new, outcome = with_answers(made, [request], answers, everyone())
        assert new == made and outcome.kept == {reason: 1}


def test_requests_of_another_document_are_refused():
    (request,) = requests_for(document(), planned(), SETTINGS)
    other = document(Paragraph(("Please bring the card and a list of your drugs to the desk when you come in again.",)))
    with pytest.raises(ValueError, match="not the requests about this document"):
        with_answers(other, [request], {}, everyone())
    assert with_answers(other, [], {}, everyone())[0] is other


# With a server.


def asked(server: LoopbackServer, directory: Path, answers: str, count: int = COUNT):
    """Documents with the answers of a server's model: (planned, before, after, outcome) of those that ask."""
    server.control(answers=f"{llm_answers.__name__}:{answers}" if answers else "")
    chosen = [(each, made, requests_for(made, each, SETTINGS)) for each, made in corpus()[:count]]
    requests = [request for _, _, mine in chosen for request in mine]
    with open_runtime(unlimited(server.url), directory, "documents") as runtime:
        runtime.submit(requests, label="batch_0000")
        found = runtime.wait(requests)
    return [(each, made, *with_answers(made, mine, found, everyone())) for each, made, mine in chosen if mine]


def test_documents_with_a_models_prose_have_their_values_where_spans_say(server, tmp_path):
    results = asked(server, tmp_path, "good")
    offered, rewritten = (sum(getattr(each[3], name) for each in results) for name in ("offered", "rewritten"))
    assert offered > 40 and rewritten > 0.9 * offered
    formats = set()
    for each, before, after, outcome in results:
        if not outcome.rewritten:
            continue
        formats.add(each.format)
        assert after != before
        assert sorted(map(repr, values_in(after))) == sorted(map(repr, values_in(before)))
        written = format_named(each.format).write(after, each.doc_id)
        reader = reader_of(each.format)(written.content)
        assert len(written.spans) == len(format_named(each.format).write(before, each.doc_id).spans)
        for span in written.spans:
            assert written.text[span.start : span.end] == span.value.text
            assert span.value.text in reader.text_at(span.locator)
        if each.document_class == "negative":
            assert not everyone().scan(written.text)
    assert len(formats) >= 6


def test_nothing_but_placeholders_is_sent(server, tmp_path):
    server.reset()
    asked(server, tmp_path, "good", 30)
    sent = PLACEHOLDER.sub(" ", json.dumps(server.bodies(), ensure_ascii=False))
    assert "Paragraph 1:" in sent
    names = {
        found.text
        for _, made in corpus()[:30]
        for found in values_in(made)
        if found.code in "ADEFGH" and found.role == "patient" and len(found.text) > 5
    }
    assert len(names) > 20 and not [name for name in sorted(names) if name in sent]


def test_an_answer_is_paid_once_and_kept(server, tmp_path):
    first = asked(server, tmp_path, "good", 20)
    before = len(server.journal())
    again = asked(server, tmp_path, "telephone", 20)
    assert len(server.journal()) == before
    assert [each[2] for each in again] == [each[2] for each in first]


@pytest.mark.parametrize(
    ("answers", "reasons"),
    [
        ("doubled", {"placeholders"}),
        ("missing", {"placeholders"}),
        ("telephone", {"numbers"}),
        ("injection", {"names", "remarks", "length"}),
        ("cyrillic", {"characters"}),
    ],
)
def test_what_a_bad_model_writes_never_reaches_a_document(server, tmp_path, answers, reasons):
    results = asked(server, tmp_path, answers, 20)
    assert len(results) > 5
    for _, before, after, outcome in results:
        if answers in ("doubled", "missing"):
            # A paragraph without placeholders has none to lose.
            masked = offered_in(before).values()
            assert outcome.kept.get("placeholders", 0) == sum(bool(each.hidden) for each in masked)
            assert sorted(map(repr, values_in(after))) == sorted(map(repr, values_in(before)))
        else:
            assert after == before and set(outcome.kept) <= reasons and sum(outcome.kept.values()) == outcome.offered


def test_a_model_that_invents_a_name_now_and_then_loses_those_paragraphs_only(server, tmp_path):
    results = asked(server, tmp_path, "every_other", 20)
    kept = sum(each[3].kept.get("names", 0) for each in results)
    assert kept and kept + sum(each[3].rewritten for each in results) == sum(each[3].offered for each in results)
    for _, _, after, _ in results:
        assert "Kowalczyk" not in repr(after)


def test_plain_quotes_and_dashes_are_taken_for_typographic_ones(server, tmp_path):
    results = asked(server, tmp_path, "typographic", 10)
    assert sum(each[3].rewritten for each in results) > 0
    for _, _, after, outcome in results:
        assert not outcome.rewritten or "It's all - for now." in repr(after)


def test_answers_against_the_schema_leave_the_documents_as_they_were(server, tmp_path):
    server.control(faults=[{"kind": "invalid_schema", "count": None}])
    results = asked(server, tmp_path, "good", 5)
    server.control(faults=[])
    assert results and all(
        after == before and outcome.kept == {"invalid": outcome.offered} for _, before, after, outcome in results
    )
