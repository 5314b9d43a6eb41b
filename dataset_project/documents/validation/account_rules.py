"""What must hold for a batch as work: every planned document is made or accounted for, and is the same made again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import date

from dataset_project.documents.planning import PlannedDocument, doc_id_of
from dataset_project.documents.schemas import DOCUMENT_PLAN
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import Row, documents_of, pools_of, schema_problem, table_at
from dataset_project.storage.published import Files, paths_of, schema_differences, validator
from dataset_project.storage.seeding import seed_for
from dataset_project.storage.validation import Finding

SAMPLE = 3
"""Documents of a batch that are made again: those of smallest hash of their ids."""
_AS_PLANNED = ("class", "format", "template_id", "template_version", "layout_id", "difficulty", "split")


def _plan(files: Files) -> list[Row]:
    return [row for path in paths_of(files, "plan") for row in table_at(path).to_pylist()]


def _schema_problem(files: Files) -> str:
    wrong = schema_differences(files, "plan", DOCUMENT_PLAN)
    return f"schema of the plan: {wrong[0]}" if wrong else schema_problem(files)


@validator
def planned_equals_generated(files: Files, failures: Mapping[str, str]) -> Finding:
    """Generated and failed are what was planned, per format and class, document by document; each as it was planned.

    ``files``: plan, documents, spans. ``failures``: why, by document, those that could not be made; a document that
    failed with a reason is accounted for, and counted.
    """
    if wrong := _schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems = Problems()
    planned = {row["doc_id"]: row for row in _plan(files)}
    generated = {row["doc_id"]: row for row in documents_of(files) if row["parent_doc_id"] is None}
    missing: Counter[tuple[str, str]] = Counter()
    for doc_id, plan in planned.items():
        group = f"{plan['format']} {plan['class']}"
        if doc_id in generated and doc_id in failures:
            problems.add("documents that failed and were generated", doc_id)
        if doc_id not in generated and doc_id not in failures:
            missing[plan["format"], plan["class"]] += 1
            problems.add("planned documents neither generated nor failed", f"{doc_id} {group}")
        if doc_id in failures and not failures[doc_id].strip():
            problems.add("failures without a reason", doc_id)
        if doc_id in generated:
            _check_as_planned(problems, plan, generated[doc_id])
    for what, ids in (("generated", generated), ("failed", failures)):
        for doc_id in sorted(set(ids) - set(planned)):
            problems.add(f"{what} documents that were not planned", doc_id)
    figures: dict[str, int | float | str | bool] = {
        "planned": len(planned),
        "generated": len(generated),
        "failed": len(failures),
    }
    for name in ("format", "class"):
        for value, count in sorted(Counter(row[name] for row in generated.values()).items()):
            figures[f"generated_{name}_{value}"] = count
    if missing:
        figures["missing_from"] = ", ".join(
            f"{form} {kind}: {count}" for (form, kind), count in sorted(missing.items())
        )
    good = f"{len(planned):,} planned = {len(generated):,} generated + {len(failures):,} failed, per format and class"
    return problems.finding(good, figures)


def _check_as_planned(problems: Problems, plan: Row, row: Row) -> None:
    other = [name for name in _AS_PLANNED if plan[name] != row[name]]
    if row["patient_id"] is not None and row["patient_id"] != plan["patient_id"]:
        other.append("patient_id")
    if row["llm"] and not plan["llm"]:
        other.append("llm")
    if other:
        told = ", ".join(f"{name} {row[name]}, planned {plan[name]}" for name in other)
        problems.add("documents that are not as planned", f"{row['doc_id']}: {told}")


@validator
def bytes_again(files: Files, seed: int, reference_date: date, sample: int = SAMPLE) -> Finding:
    """The documents of smallest hash, made again from plan and pools, have the published hash of bytes and text.

    ``files``: plan, documents, spans and the four tables of the pools. Documents with prose of a language model are
    left out: what it said is kept elsewhere.
    """
    from dataset_project.documents.generation import make

    if wrong := _schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems, pools = Problems(), pools_of(files)
    plans = {row["doc_id"]: row for row in _plan(files)}
    rows = [row for row in documents_of(files) if row["parent_doc_id"] is None and not row["llm"]]
    rows.sort(key=lambda row: (seed_for(0, "document_bytes", row["doc_id"]), row["doc_id"]))
    for row in rows[:sample]:
        doc_id = row["doc_id"]
        if doc_id not in plans:
            problems.add("generated documents that were not planned", doc_id)
            continue
        try:
            written = make(_planned(plans[doc_id]), pools, seed, reference_date).written
        except Exception as error:
            # Whatever a template or a writer raises: published once, it must be made again.
            problems.add("documents that cannot be made again", f"{doc_id} {type(error).__name__}: {error}")
            continue
        if hashlib.sha256(written.content).hexdigest() != row["sha256"]:
            problems.add("documents with other bytes when made again", f"{doc_id} {row['format']} {row['template_id']}")
        if written.text != row["canonical_text"]:
            problems.add(
                "documents with another text when made again", f"{doc_id} {row['format']} {row['template_id']}"
            )
    made = ", ".join(row["doc_id"] for row in rows[:sample])
    return problems.finding(f"made again byte for byte: {made or 'none'}", {"made_again": len(rows[:sample])})


def _planned(row: Row) -> PlannedDocument:
    return PlannedDocument(
        number=row["number"],
        doc_id=doc_id_of(row["number"]),
        document_class=row["class"],
        format=row["format"],
        template_id=row["template_id"],
        template_version=row["template_version"],
        layout_id=row["layout_id"],
        difficulty=row["difficulty"],
        split=row["split"],
        patient_id=row["patient_id"],
        companion_ids=tuple(row["companion_ids"]),
        llm=row["llm"],
    )
