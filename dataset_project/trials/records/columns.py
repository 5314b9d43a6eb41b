"""Which column of a table is which field of a trial, and a row → a trial.

Names are compared without case, spaces and punctuation, so ``NCT Number``, ``nct_number`` and ``nctNumber`` are one.
Where several columns could be a field, the one whose name stands first below is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields

from dataset_project.trials.records.cells import Cell, code_of, interventions_of, phases_of, text_of, texts_of
from dataset_project.trials.records.errors import InvalidSource
from dataset_project.trials.trial import Trial

# Our own names, then those of the registry's CSV download (the present and the former), of AACT, and ones people use.
DEFAULT_NAMES: Mapping[str, tuple[str, ...]] = {
    "nct_id": ("nct_id", "nct number", "nct no", "nct", "trial id", "study id"),
    "brief_title": ("brief_title", "study title", "title"),
    "official_title": ("official_title", "scientific title"),
    "overall_status": ("overall_status", "study status", "status", "recruitment status"),
    "why_stopped": ("why_stopped", "why stop", "why study stopped"),
    "study_type": ("study_type",),
    "phases": ("phases", "phase"),
    "conditions": ("conditions", "condition", "diseases", "disease", "indications", "indication"),
    "keywords": ("keywords", "keyword"),
    "mesh_terms": ("mesh_terms", "condition mesh terms", "condition mesh term"),
    "mesh_ancestors": ("mesh_ancestors", "condition ancestor terms", "condition ancestor term"),
    "interventions": ("interventions", "intervention", "drugs", "drug", "drug names"),
    "brief_summary": ("brief_summary", "summary", "description"),
    "eligibility_criteria": ("eligibility_criteria", "criteria", "eligibility", "inclusion exclusion criteria"),
}
_TEXT_FIELDS = ("brief_title", "official_title", "conditions", "brief_summary", "eligibility_criteria")
_MOST_NAMED = 40


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_DRUG_NAMES = frozenset(map(_plain, ("drugs", "drug", "drug names")))


def require_fields(columns: Mapping[str, str]) -> None:
    """Raises InvalidSource when a mapping (our field → column) names a field that trials do not have."""
    known = [each.name for each in fields(Trial)]
    if unknown := sorted(set(columns) - set(known)):
        raise InvalidSource(f"columns: {', '.join(unknown)} is no field of a trial; the fields are {', '.join(known)}")


def find_columns(header: Sequence[str], columns: Mapping[str, str], where: str) -> dict[str, int]:
    """Field → index of its column in ``header``, in the order of a trial's fields.

    ``columns`` (our field → column) comes first and must name columns that exist, exactly or but for case and
    punctuation; other fields are found by their default names. Raises InvalidSource, naming the columns there are, for
    columns that do not exist, occur twice or differ in case only, and for a table without an id or without any text.
    """
    require_fields(columns)
    twice = sorted({name for name in header if name.strip() and header.count(name) > 1})
    if twice:
        raise InvalidSource(f"{where} has the column {', '.join(twice)} more than once; rename or remove one")
    exact = {name: place for place, name in reversed(list(enumerate(header)))}
    alike = {_plain(name): place for place, name in reversed(list(enumerate(header)))}
    has = ", ".join(name or "(unnamed)" for name in header[:_MOST_NAMED]) + (", …" if len(header) > _MOST_NAMED else "")
    found: dict[str, int] = {}
    for field, names in DEFAULT_NAMES.items():
        if field in columns:
            name = columns[field]
            place = exact.get(name, alike.get(_plain(name)))
            if place is None:
                raise InvalidSource(f"{where} has no column {name} ({field}); it has {has}")
            found[field] = place
        else:
            plain = next((_plain(name) for name in names if _plain(name) in alike), None)
            if plain is None:
                continue
            same = [name for name in header if _plain(name) == plain]
            if len(same) > 1:
                raise InvalidSource(f"{where}: {' and '.join(same)} could both be {field}; say which in columns")
            found[field] = alike[plain]
    if "nct_id" not in found:
        raise InvalidSource(f"{where} has no column of ids such as nct_id; it has {has}; name it in columns: nct_id")
    if not any(field in found for field in _TEXT_FIELDS):
        raise InvalidSource(
            f"{where} has no column for any of {', '.join(_TEXT_FIELDS)}; it has {has}; name one in columns"
        )
    return found


def trial_of_row(cells: Mapping[str, Cell], intervention_type: str) -> Trial:
    """The trial of a row: field → cell. ``intervention_type`` is that of interventions which name none."""
    values: dict[str, object] = {}
    for field, cell in cells.items():
        if field == "phases":
            values[field] = phases_of(cell)
        elif field == "interventions":
            values[field] = interventions_of(cell, intervention_type)
        elif field in ("overall_status", "study_type"):
            values[field] = code_of(cell)
        elif field in ("conditions", "keywords", "mesh_terms", "mesh_ancestors"):
            values[field] = texts_of(cell)
        else:
            values[field] = text_of(cell)
    values["nct_id"] = str(values["nct_id"]).upper()
    return Trial(**values)  # type: ignore[arg-type]


def intervention_type(column: str) -> str:
    """The type of what a column of interventions lists: DRUG for a column of drugs, else not said."""
    return "DRUG" if _plain(column) in _DRUG_NAMES else ""
