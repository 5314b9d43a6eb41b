"""Prose that a model writes: the requests for a document, and the document with what is accepted of the answers.

Values never leave: paragraphs go out with placeholders for values and blanks alike, and come back to have these put in,
so spans stay exact. Nothing here sends anything: the caller runs the requests (`dataset_project.llm.runtime`) and hands
the answers back. Which paragraphs go out belongs to `llm_masking`, what a prompt says to `llm_prompts`, what is
accepted to `llm_rules`.

    requests = requests_for(document, planned, settings)
    answers = runtime.wait(requests)                      # submitted before, with those of other documents
    document, outcome = with_answers(document, requests, answers, scanner)
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.identities.scanner import Scanner
from dataset_project.documents.llm_masking import Masked, offered_in
from dataset_project.documents.llm_prompts import REGISTERS, request_for
from dataset_project.documents.llm_rules import PLACEHOLDER, problem_with, tidied
from dataset_project.documents.model.blocks import Block, Document, Paragraph
from dataset_project.documents.model.values import Run, Runs
from dataset_project.documents.planning import PlannedDocument
from dataset_project.documents.templates.wording import joined
from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.storage.seeding import seed_for

LONGEST_REQUEST = 4_000
"""Characters of paragraphs in one request; more are asked about in several."""


@dataclass(frozen=True)
class Prose:
    """What became of a document's prose. ``offered``: paragraphs that were asked about; ``rewritten`` of them.

    ``kept``: how many stayed as the template wrote them, by reason: one of `llm_rules.Reason`, a failure of the request
    (`llm.requests.OutcomeKind`), or ``unanswered``. ``model``, ``prompt_hash``: who answered, and the hash of all that
    it was asked (None where nothing was rewritten): columns of DOCUMENTS.
    """

    offered: int = 0
    rewritten: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)
    model: str | None = None
    prompt_hash: str | None = None


def requests_for(document: Document, planned: PlannedDocument, settings: DocumentSettings) -> list[ModelRequest]:
    """The requests that rewrite the prose of a document: none where the plan or the document has none to rewrite.

    Equal for equal documents, so that whoever asks twice is answered from the ledger. Attachments and members are asked
    about with their container.
    """
    if not planned.llm:
        return []
    register = REGISTERS[seed_for(settings.seed, "documents_prose", planned.doc_id) % len(REGISTERS)]
    return [
        request_for([each.text for each in together], settings.llm_model, register)
        for together in _together(list(offered_in(document).values()))
    ]


def with_answers(
    document: Document, requests: Sequence[ModelRequest], answers: Mapping[str, Answer], scanner: Scanner
) -> tuple[Document, Prose]:
    """The document with the answers that follow the rules in place of its own prose, and what became of each.

    ``requests``: what `requests_for` made of the same document, empty for one that is not rewritten. ``answers``: by
    request key; what is missing or bad leaves the template's prose. Raises ValueError for another document's requests.
    """
    if not requests:
        return document, Prose()
    offered = offered_in(document)
    groups = _together(list(offered.values()))
    if not _are_of(requests, groups):
        raise ValueError("these are not the requests about this document")
    new: dict[int, Runs] = {}
    kept: Counter[str] = Counter()
    models: dict[str, None] = {}
    places = iter(offered)
    for request, together in zip(requests, groups, strict=True):
        texts, reason = _texts(answers.get(request.key), len(together))
        for number, masked in enumerate(together):
            place = next(places)
            text = tidied(texts[number]) if texts else ""
            problem = reason or problem_with(text, masked.text, scanner)
            if problem:
                kept[problem] += 1
                continue
            new[place] = _filled(text, masked.hidden)
            models[answers[request.key].model or request.model] = None
    made = _rewritten(document, new, _Count()) if new else document
    return made, Prose(
        offered=len(offered),
        rewritten=len(new),
        kept=dict(sorted(kept.items())),
        model=", ".join(models) or None,
        prompt_hash=_hash_of(requests) if new else None,
    )


def _texts(answer: Answer | None, count: int) -> tuple[list[str], str]:
    """The paragraphs of an answer, or why there are none."""
    if answer is None:
        return [], "unanswered"
    if answer.kind != "ok":
        return [], answer.kind
    # The runtime has checked the schema; a ledger that something else wrote to may hold anything.
    try:
        value = answer.value
    except ValueError:
        return [], "invalid"
    texts = value.get("paragraphs") if isinstance(value, dict) else None
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(each, str) for each in texts):
        return [], "invalid"
    return texts, ""


def _hash_of(requests: Sequence[ModelRequest]) -> str:
    """The prompt's hash; of several the hash of theirs. 32 hexadecimal digits."""
    hashes = [each.prompt_hash for each in requests]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()[:32]


def _together(offered: Sequence[Masked]) -> list[list[Masked]]:
    """The paragraphs of each request: as many as fit, in their order."""
    groups: list[list[Masked]] = []
    size = 0
    for each in offered:
        if not groups or size + len(each.text) > LONGEST_REQUEST:
            groups.append([])
            size = 0
        groups[-1].append(each)
        size += len(each.text)
    return groups


def _are_of(requests: Sequence[ModelRequest], groups: Sequence[Sequence[Masked]]) -> bool:
    return len(requests) == len(groups) and all(
        each.text in request.messages[-1][1] for request, group in zip(requests, groups, strict=True) for each in group
    )


# What comes back.


def _filled(text: str, hidden: Mapping[str, Runs]) -> Runs:
    """A text with what is hidden behind its placeholders."""
    runs: list[Run] = []
    at = 0
    for found in PLACEHOLDER.finditer(text):
        runs += [text[at : found.start()], *hidden[found[0]]]
        at = found.end()
    return joined((*runs, text[at:]))


@dataclass
class _Count:
    """The number of the next paragraph."""

    value: int = 0


def _rewritten(document: Document, new: Mapping[int, Runs], at: _Count) -> Document:
    """The document with paragraphs replaced by their numbers, in the order of `paragraphs_of`."""
    sections = []
    for section in document.sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if isinstance(block, Paragraph):
                block = replace(block, runs=new.get(at.value, block.runs))
                at.value += 1
            blocks.append(block)
        sections.append(replace(section, blocks=tuple(blocks)))
    attachments = tuple((form, _rewritten(part, new, at)) for form, part in document.attachments)
    return replace(document, sections=tuple(sections), attachments=attachments)
