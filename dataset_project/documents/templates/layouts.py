"""Blocks in several looks: who a document is about as fields, table, form or line; lists; and tables of results.

Every function asks the draft what the format can write, so a template need not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataset_project.documents.model.blocks import (
    Block,
    Fields,
    FormField,
    Paragraph,
    Picture,
    Section,
    Style,
    Table,
    TextBox,
)
from dataset_project.documents.model.values import Runs
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import Order, Result
from dataset_project.documents.templates.wording import joined

_SLOT = re.compile(r"[a-z]+2?\.[a-z_]+")
Rows = Sequence[tuple[str, str]]
"""(label, slot or sentence with slots)."""


def filled(d: Draft, text: str) -> Runs:
    """``text``: the name of a slot, or a sentence with slots, as the content of a field."""
    if "{" in text:
        return d.fill(text, sentence=False)
    return d.field(text) if _SLOT.fullmatch(text) else (text,)


def pairs(d: Draft, rows: Rows) -> tuple[tuple[str, Runs], ...]:
    """Labels with their contents."""
    return tuple((label, filled(d, text)) for label, text in rows)


def identity(d: Draft, rows: Rows, look: str, name: str = "Details") -> list[Block]:
    """Labelled contents as ``fields``, ``table`` (a row each), ``wide`` (a column each), ``form`` or ``line``.

    Raises ValueError for another look.
    """
    contents = pairs(d, rows)
    if look == "fields" or (look == "form" and not d.has("form_field")):
        return [Fields(contents)]
    if look == "table":
        return [Table(("Item", "Entry"), tuple(((label,), runs) for label, runs in contents), name)]
    if look == "wide":
        return [Table(tuple(label for label, _ in contents), (tuple(runs for _, runs in contents),), name)]
    if look == "form":
        return [FormField(machine_name(label, number), label, runs) for number, (label, runs) in enumerate(contents, 1)]
    if look == "line":
        half = (len(contents) + 1) // 2 if len(contents) > 4 else len(contents)
        lines = [contents[:half], contents[half:]]
        return [Paragraph(_line(line)) for line in lines if line]
    raise ValueError(f"no look {look!r}")


def _line(contents: Sequence[tuple[str, Runs]]) -> Runs:
    runs: list = []
    for number, (label, content) in enumerate(contents):
        runs += [f"{'   ' if number else ''}{label}: ", *content]
    return joined(runs)


def machine_name(label: str, number: int) -> str:
    """The name of a form field: lower-case words of the label and its number, so that names differ."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in label.lower()).split()) + f"_{number}"


def form_field(d: Draft, label: str, text: str, number: int) -> Block:
    """A field to fill in, or a labelled line where the format has none."""
    runs = filled(d, text)
    return FormField(machine_name(label, number), label, runs) if d.has("form_field") else Fields(((label, runs),))


def box(d: Draft, runs: Runs) -> Block:
    """A framed text, or a paragraph where there are no frames."""
    return TextBox(runs) if d.has("text_box") else Paragraph(runs)


def picture(d: Draft, alt: Runs, caption: Runs) -> list[Block]:
    """A picture; its caption alone where the format has none."""
    if d.has("alt_text"):
        return [Picture(alt, caption)]
    return [Paragraph(caption, "small")] if caption else []


def text(d: Draft, sentences: Sequence[str], style: Style = "body") -> Paragraph:
    """Sentences as one paragraph."""
    return Paragraph(d.paragraph(sentences), style)


def bullets(d: Draft, sentences: Sequence[str]) -> list[Block]:
    """A list, a paragraph each."""
    return [Paragraph(d.fill(each), "list") for each in sentences]


def cells(*texts: str) -> tuple[Runs, ...]:
    """A row of plain cells; an empty one stays empty."""
    return tuple((each,) if each else () for each in texts)


def results_table(results: Sequence[Result], codes: bool = True, name: str = "Results") -> Table:
    """Measured values with their intervals. ``codes``: with LOINC."""
    header = ("Test", *(("LOINC",) if codes else ()), "Result", "Flag", "Units", "Reference interval")
    rows = []
    for each in results:
        code = (each.analyte.loinc,) if codes else ()
        rows.append(cells(each.analyte.name, *code, each.text, each.flag, each.analyte.unit, each.interval))
    return Table(header, tuple(rows), name)


def orders_table(orders: Sequence[Order], name: str = "Medications") -> Table:
    """Drugs as ordered."""
    header = ("Medication", "Dose", "Directions", "For")
    return Table(
        header, tuple(cells(each.medication.name, each.dose, each.sig, each.medication.use) for each in orders), name
    )


def orders_lines(orders: Sequence[Order]) -> list[Block]:
    """Drugs as a list of lines."""
    return [Paragraph((f"{each.label}: {each.sig}",), "list") for each in orders]


def result_sentence(results: Sequence[Result], most: int = 6) -> str:
    """The results out of their interval, or the first few, in one sentence."""
    chosen = [each for each in results if each.flag][:most] or list(results)[:4]
    names = [each.analyte.name.split(",")[0] for each in chosen]
    names = [name if name[1:2].isupper() else name[:1].lower() + name[1:] for name in names]
    words = [f"{name} {each.text} {each.analyte.unit}" for name, each in zip(names, chosen, strict=True)]
    return "Laboratory: " + ", ".join(words) + "."


def section(title: str, *blocks: Block | Sequence[Block], notes: Runs = ()) -> Section:
    """A section of blocks, given alone or in lists."""
    flat: list[Block] = []
    for each in blocks:
        flat += each if isinstance(each, (list, tuple)) else [each]
    return Section(title, tuple(flat), notes)
