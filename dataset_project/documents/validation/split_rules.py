"""What must hold for splits, over all batches together: nobody, and no look of a template, is in two."""

from __future__ import annotations

from dataset_project.documents.schemas import SPLITS
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import schema_problem
from dataset_project.storage.published import Files, open_tables, validator
from dataset_project.storage.validation import Finding

# A patient is in a document as its subject, or by a value of theirs or of a relative (a census has several).
_PATIENTS = """
SELECT patient_id, string_agg(DISTINCT split, ', ' ORDER BY split) AS splits, min(doc_id), max(doc_id)
FROM (
    SELECT patient_id, split, doc_id FROM documents WHERE patient_id IS NOT NULL
    UNION ALL
    SELECT regexp_replace(spans.subject_id, '-R$', ''), documents.split, spans.doc_id
    FROM spans JOIN documents USING (doc_id)
    WHERE spans.role IN ('patient', 'relative') AND spans.subject_id <> ''
)
GROUP BY patient_id HAVING count(DISTINCT split) > 1 ORDER BY patient_id
"""
_LOOKS = """
SELECT template_id || ' ' || layout_id, string_agg(DISTINCT split, ', ' ORDER BY split), min(doc_id), max(doc_id)
FROM documents GROUP BY template_id, layout_id HAVING count(DISTINCT split) > 1 ORDER BY 1
"""
_PARTS = """
SELECT part.doc_id, part.split || ', ' || whole.split, part.doc_id, whole.doc_id
FROM documents AS part JOIN documents AS whole ON whole.doc_id = part.parent_doc_id
WHERE part.split <> whole.split ORDER BY 1
"""


@validator
def patients_and_templates_keep_to_their_split(files: Files) -> Finding:
    """Every patient (relatives count as theirs) and every layout of a template in one split only, parts in that of
    their container, and no split that is none. ``files``: documents and spans, those of all batches."""
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems = Problems()
    with open_tables(files, "documents", "spans") as connection:
        for what, query in (
            ("patients in several splits", _PATIENTS),
            ("layouts in several splits", _LOOKS),
            ("parts in another split than their container", _PARTS),
        ):
            for name, splits, first, last in connection.execute(query).fetchall():
                problems.add(what, f"{name} in {splits}: {first}, {last}")
        counts = dict(
            connection.execute("SELECT split, count(*) FROM documents WHERE path IS NOT NULL GROUP BY 1").fetchall()
        )
        patients = connection.execute("SELECT count(DISTINCT patient_id) FROM documents").fetchone()[0]
    for split in sorted(set(counts) - set(SPLITS)):
        problems.add("splits that are none", split, counts[split])
    figures = {"patients": patients, **{f"documents_{split}": counts.get(split, 0) for split in SPLITS}}
    told = ", ".join(f"{counts.get(split, 0):,} {split}" for split in SPLITS)
    return problems.finding(f"{patients:,} patients, each in one split; documents: {told}", figures)
