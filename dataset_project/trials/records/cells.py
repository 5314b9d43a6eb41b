"""What stands in one cell of a table: lists in the forms people write them, phases, codes and interventions.

Forms of a list: a list column of Parquet; JSON (``["a", "b"]``); a Python or NumPy list as printed (``['a', 'b']``,
``['a' 'b']``); values between pipes (``a|b``), as the registry's own CSV has them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

from dataset_project.trials.records.texts import clean

Cell = str | Sequence[Any] | None

INTERVENTION_TYPES = frozenset(
    {
        "BEHAVIORAL",
        "BIOLOGICAL",
        "COMBINATION_PRODUCT",
        "DEVICE",
        "DIAGNOSTIC_TEST",
        "DIETARY_SUPPLEMENT",
        "DRUG",
        "GENETIC",
        "OTHER",
        "PROCEDURE",
        "RADIATION",
    }
)
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_TYPED = re.compile(r"([A-Za-z][A-Za-z _]{2,30}):\s*(.+)", re.DOTALL)
_NOT_CODE = re.compile(r"[^A-Z0-9]+")
_PHASES = {
    "EARLYPHASE1": "EARLY_PHASE1",
    "PHASE0": "EARLY_PHASE1",
    "0": "EARLY_PHASE1",
    "NA": "NA",
    "NOTAPPLICABLE": "NA",
    **{
        f"{prefix}{number}": f"PHASE{place}"
        for prefix in ("PHASE", "")
        for place, roman in enumerate(("I", "II", "III", "IV"), 1)
        for number in (place, roman)
    },
}
_CODES = {"UNKNOWN_STATUS": "UNKNOWN"}


def text_of(cell: Cell) -> str:
    """A cell that holds one text; a list's texts between pipes."""
    return clean(cell) if isinstance(cell, str) else "|".join(texts_of(cell))


def texts_of(cell: Cell) -> tuple[str, ...]:
    """A cell that holds a list of texts, without empty ones."""
    if cell is None:
        return ()
    if isinstance(cell, str):
        found = _listed(cell)
        cell = cell.split("|") if found is None or not all(isinstance(each, str) for each in found) else found
    return tuple(text for each in cell if isinstance(each, str) and (text := clean(each)))


def code_of(cell: Cell) -> str:
    """A status or study type in the registry's form: ``Active, not recruiting`` → ``ACTIVE_NOT_RECRUITING``."""
    text = text_of(cell)
    if not text.isascii():
        return text
    code = _NOT_CODE.sub("_", text.upper()).strip("_")
    return _CODES.get(code, code)


def phases_of(cell: Cell) -> tuple[str, ...]:
    """Phases in the registry's form: ``Phase 1/Phase 2`` → ``PHASE1``, ``PHASE2``; what is no phase stays as it is."""
    found: dict[str, None] = {}
    for text in texts_of(cell):
        whole = _PHASES.get(_NOT_CODE.sub("", text.upper()))
        for part in [whole] if whole else re.split(r"[/,;]", text):
            if part := clean(part):
                found[_PHASES.get(_NOT_CODE.sub("", part.upper()), part)] = None
    return tuple(found)


def interventions_of(cell: Cell, default_type: str) -> tuple[tuple[str, str], ...]:
    """(type, name) pairs of ``DRUG: x|DEVICE: y``, of a list of such texts or of objects with ``type`` and ``name``.

    ``default_type``: the type of what names none. A text before a colon that is no type of the registry belongs to the
    name.
    """
    objects = _listed(cell) if isinstance(cell, str) else cell
    if objects and all(isinstance(each, dict) for each in objects):
        pairs = ((each.get("type"), each.get("name")) for each in objects)
        tidy = [tuple(clean(each) if isinstance(each, str) else "" for each in pair) for pair in pairs]
        return tuple((code_of(kind) or default_type, name) for kind, name in tidy if kind or name)
    found = []
    for text in texts_of(cell):
        typed = _TYPED.fullmatch(text)
        kind = code_of(typed[1]) if typed else ""
        found.append((kind, typed[2]) if typed and kind in INTERVENTION_TYPES else (default_type, text))
    return tuple(found)


def _listed(cell: str) -> list[Any] | None:
    """The values of a list that is written out, None when the cell is no such list."""
    cell = cell.strip()
    if cell[:1] != "[" or cell[-1:] != "]":
        return None
    try:
        value = json.loads(cell)
        return value if isinstance(value, list) else None
    except (ValueError, RecursionError):
        pass
    body = cell[1:-1]
    # Not by literal_eval alone: it would join 'a' 'b', as NumPy prints two values, into one.
    if not _LITERAL.sub("", body).strip(", \t\r\n"):
        literals = _LITERAL.findall(body)
        return [ast.literal_eval(each) if "\\" in each or "\n" in each else each[1:-1] for each in literals]
    if body.lstrip()[:1] != "{":
        return None
    try:
        value = ast.literal_eval(cell)
        return value if isinstance(value, list) else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
