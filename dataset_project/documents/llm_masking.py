"""Which paragraphs a model may rewrite, and what it sees of them: placeholders where values and blanks stand.

Asking and taking back belong to `llm_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataset_project.documents.identities.patterns import identifiers_in
from dataset_project.documents.llm_rules import PLACEHOLDER
from dataset_project.documents.model.blocks import Document, Paragraph
from dataset_project.documents.model.values import Runs, Value

FEWEST_WORDS, FEWEST_CHARACTERS = 12, 60
"""Words and characters of its own, values and blanks apart, from which on a paragraph is prose worth rewriting."""
MOST_CODES = 0.25
"""Share of words with digits up to which a paragraph is prose, and not a list of results."""

# Values with nothing but this between them are one: street, city, state and ZIP code of an address.
_BETWEEN = re.compile(r",? ")
# Blanks as `templates.blanks` and `identities.lookalikes` write them.
_BLANK = re.compile(
    r"\[[A-Z][A-Z ,/-]*\]|<<\w+>>|\{\{\w+\}\}|@[A-Z]+@|<[a-z ]+>|_{3,}|#{3,}"
    r"|\(X{3}\) X{3}-X{4}|X{3}-X{2}-X{4}|XX/XX/X{4}|X{4,}"
)
_ODD = re.compile(r"[\[\]<>{}@#_\\~^|`*\n\r]|://")
# A label before the text, or the number of a clause or of a quotation.
_LABELLED = re.compile(r"[^.!?]{0,40}: |[^A-Za-z(\"'\[]")


@dataclass(frozen=True)
class Masked:
    """A paragraph as it is sent. ``hidden``: placeholder → the runs behind it."""

    text: str
    hidden: Mapping[str, Runs]


def offered_in(document: Document) -> dict[int, Masked]:
    """Paragraphs to be asked about, masked, by their number among all paragraphs of the document and its parts.

    A paragraph is left out when its own words could be an identifier, or hold a value the document has elsewhere.
    """
    masked: dict[int, Masked] = {}
    first = 1
    for place, paragraph in enumerate(paragraphs_of(document)):
        each = _mask(paragraph.runs, first)
        if paragraph.style == "body" and _is_prose(each.text):
            masked[place] = each
            first += len(each.hidden)
    if not masked:
        return {}
    told = _any_value(document)
    return {
        place: each
        for place, each in masked.items()
        if not identifiers_in(_own(each.text)) and not (told and told.search(_own(each.text)))
    }


def _own(text: str) -> str:
    return PLACEHOLDER.sub(" ", text)


def paragraphs_of(document: Document) -> Iterator[Paragraph]:
    """All paragraphs of the body in order, then those of the parts."""
    for section in document.sections:
        yield from (block for block in section.blocks if isinstance(block, Paragraph))
    for _, part in document.attachments:
        yield from paragraphs_of(part)


def _is_prose(text: str) -> bool:
    own = _own(text)
    words = own.split()
    return (
        len(words) >= FEWEST_WORDS
        and len(own) >= FEWEST_CHARACTERS
        and text.rstrip("\"')").endswith((".", "!", "?"))
        and "   " not in text
        and not _ODD.search(own)
        and not _LABELLED.match(text)
        and sum(any(sign.isdigit() for sign in word) for word in words) <= MOST_CODES * len(words)
        and all(sign.isprintable() and ord(sign) < 256 for sign in own)
    )


def _mask(runs: Runs, first: int) -> Masked:
    """Runs with placeholders from ``first`` on for values and blanks."""
    text, hidden = "", {}
    for piece in _merged(_pieces(runs)):
        if isinstance(piece, str):
            text += piece
        else:
            name = f"[[P{first + len(hidden)}]]"
            hidden[name] = piece
            text += name
    return Masked(text, hidden)


def _pieces(runs: Runs) -> Iterator[Runs | str]:
    """Text to be shown, and runs to be hidden."""
    for run in runs:
        if isinstance(run, Value):
            yield (run,)
            continue
        at = 0
        for blank in _BLANK.finditer(run):
            if blank.start() > at:
                yield run[at : blank.start()]
            yield (blank[0],)
            at = blank.end()
        if at < len(run):
            yield run[at:]


def _merged(pieces: Iterator[Runs | str]) -> list[Runs | str]:
    """Pieces with what is hidden as one where only a space or comma parts it."""
    made: list[Runs | str] = []
    for piece in pieces:
        if isinstance(piece, tuple) and made:
            before = made[-1]
            if isinstance(before, tuple):
                made[-1] = (*before, *piece)
                continue
            if len(made) > 1 and isinstance(made[-2], tuple) and _BETWEEN.fullmatch(before):
                made[-2:] = [(*made[-2], before, *piece)]
                continue
        made.append(piece)
    return made


def _any_value(document: Document) -> re.Pattern[str] | None:
    """What finds any value of the document in a text, as it is written; None where it has none."""
    texts = sorted({value.text for value in _values(document) if len(value.text) > 1})
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, texts))})(?!\w)") if texts else None


def _values(part: object) -> Iterator[Value]:
    if isinstance(part, Value):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _values(each)
    elif hasattr(part, "__dataclass_fields__"):
        for each in vars(part).values():
            yield from _values(each)
