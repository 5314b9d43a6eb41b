"""What must hold for what a corpus covers: formats, classes, templates, Safe-Harbor identifiers, zones.

Dataset-wide. Something is asked for only where a corpus of this size must have it: expected `EXPECTED` times by the
settings, or with as many positives as `ENOUGH_FOR_CODES` and `ENOUGH_FOR_SURFACES` say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dataset_project.documents.configuration import FORMATS, DocumentSettings
from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.identities.fine_types import TYPES
from dataset_project.documents.planning import CONTAINERS
from dataset_project.documents.schemas import CLASSES
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import schema_problem
from dataset_project.storage.published import Files, open_tables, validator
from dataset_project.storage.validation import Finding

CODES = "ABCDEFGHIJKLMNOPQR"
EXPECTED = 12.0
"""Documents expected of a kind from which one must be there: absent by chance once in 160,000 (e^-12)."""
ENOUGH_FOR_CODES = 300
"""Positives from which all 18 codes must occur: the rarest (biometric identifiers) stands in some 7 % of them."""
ENOUGH_FOR_SURFACES = 150
"""Positives of a format from which each zone it writes must hold a value: the rarest zone does in some 14 % of them."""


@validator
def coverage(files: Files, settings: DocumentSettings) -> Finding:
    """Every format in positives, negatives and PII-only documents; every template in both classes; 18 of 18 Safe-Harbor
    codes; a value in every zone of every format: as far as there are enough documents. Counts of what is not asked for.

    ``files``: documents and spans of all batches.
    """
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems = Problems()
    with open_tables(files, "documents", "spans") as connection:
        counts = Counter(
            {
                (form, kind, template): count
                for form, kind, template, count in connection.execute(
                    "SELECT format, class, template_id, count(*) FROM documents WHERE path IS NOT NULL GROUP BY ALL"
                ).fetchall()
            }
        )
        codes = dict(connection.execute("SELECT hipaa_code, count(*) FROM spans GROUP BY 1").fetchall())
        types = {name for (name,) in connection.execute("SELECT DISTINCT type FROM spans").fetchall()}
        zones = {
            (form, surface): count
            for form, surface, count in connection.execute(
                "SELECT format, surface, count(*) FROM spans JOIN documents USING (doc_id) GROUP BY ALL"
            ).fetchall()
        }
        cells = connection.execute(
            "SELECT count(*) FROM (SELECT DISTINCT format, surface, type FROM spans JOIN documents USING (doc_id))"
        ).fetchone()[0]
    total = counts.total()
    _check_kinds(problems, counts, settings)
    positives = sum(count for (_, kind, _), count in counts.items() if kind == "phi")
    absent = [code for code in CODES if code not in codes]
    if positives >= ENOUGH_FOR_CODES:
        for code in absent:
            problems.add("Safe-Harbor codes without a value", code)
    asked = _check_zones(problems, counts, zones)
    never = [name for name in TYPES if name not in types]
    figures = {
        "documents": total,
        "positives": positives,
        "hipaa_codes": len(CODES) - len(absent),
        "types": len(types),
        "types_without_a_value": ", ".join(never),
        "type_surface_format_cells": cells,
        "formats_whose_zones_were_asked_for": asked,
    }
    few = "" if positives >= ENOUGH_FOR_CODES else f" (asked for from {ENOUGH_FOR_CODES} positives on)"
    good = f"{total:,} documents: {len(CODES) - len(absent)} of 18 codes{few}, {len(types)} types, {cells:,} cells"
    return problems.finding(good, figures)


def _check_kinds(problems: Problems, counts: Counter[tuple[str, str, str]], settings: DocumentSettings) -> None:
    total = counts.total()
    expected: Counter[tuple[str, str]] = Counter()
    for form, kind, template, share in shares(settings):
        expected[f"{form} documents", kind] += share * total
        expected[f"template {template}", kind] += share * total
    found: Counter[tuple[str, str]] = Counter()
    for (form, kind, template), count in counts.items():
        found[f"{form} documents", kind] += count
        found[f"template {template}", kind] += count
    for (what, kind), number in sorted(expected.items()):
        if number >= EXPECTED and not found[what, kind]:
            problems.add("kinds of document that do not occur", f"{what} of class {kind}, {number:.0f} expected")
    for what, kind in sorted(set(found) - set(expected)):
        problems.add("kinds of document that the settings do not have", f"{what} of class {kind}", found[what, kind])


def shares(settings: DocumentSettings) -> Iterator[tuple[str, str, str, float]]:
    """(format, class, template, share of all documents) as the settings mean them; written apart from the plan.

    What is mixed stands in containers alone; in other formats its share goes to positives and negatives, half each. A
    class of which a format has no template leaves its share to the others.
    """
    from dataset_project.documents.templates.registry import TEMPLATES

    weights = {form: settings.formats.get(form, 0.0) for form in FORMATS}
    rest = max(0.0, 1 - settings.positives - settings.pii_only - settings.mixed)
    for form, weight in weights.items():
        half = 0.0 if form in CONTAINERS else settings.mixed / 2
        mixed = settings.mixed if form in CONTAINERS else 0.0
        wanted = dict(zip(CLASSES, (settings.positives + half, rest + half, settings.pii_only, mixed), strict=True))
        suited = {
            kind: {
                each.id: settings.templates.get(each.id, 1.0)
                for each in TEMPLATES.values()
                if form in each.formats and kind in each.classes and settings.templates.get(each.id, 1.0) > 0
            }
            for kind in CLASSES
        }
        possible = sum(wanted[kind] for kind in CLASSES if suited[kind])
        # A format without templates is refused by the plan, unless its weight is 0.
        for kind in CLASSES if possible else ():
            for template, each in suited[kind].items():
                share = weight / sum(weights.values()) * wanted[kind] / possible * each / sum(suited[kind].values())
                if share:
                    yield form, kind, template, share


def _check_zones(problems: Problems, counts: Counter[tuple[str, str, str]], zones: dict[tuple[str, str], int]) -> int:
    """Returns how many formats had enough positives to ask."""
    asked = 0
    for form in FORMATS:
        positives = sum(count for (name, kind, _), count in counts.items() if (name, kind) == (form, "phi"))
        if positives < ENOUGH_FOR_SURFACES:
            continue
        asked += 1
        for surface in sorted(format_named(form).surfaces):
            if not zones.get((form, surface)):
                problems.add("zones without a value", f"{surface} of {positives:,} positive {form}")
    return asked
