"""What must hold for the variants of one combination, read back from the published file with DuckDB.

Nothing is shared with the code that made them but the schema: edits are replayed here, labels are joined here, negation
is counted by an expression of its own. Scores are recomputed in `score_rules`.
"""

from __future__ import annotations

import re

import pyarrow.parquet as pq

from dataset_project.augmentation.schemas import AUGMENTED_SENTENCES
from dataset_project.storage.published import Files, open_tables, paths_of, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding

VARIANTS, SENTENCES = "augmented_sentences", "source_sentences"
# Cues that flip a statement, whatever else they are attached to. Independent of the guards' own lists.
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|scarcely"
    r"|(?:ca|do|does|did|is|are|was|were|wo|would|could|should|have|has|had|ai|must|might|may|need|dare|ought|sha)n['’]?t)\b",
    re.IGNORECASE,
)


@validator
def variants_are_sound(files: Files, variants_per_sample: int, copies: bool) -> Finding:
    """Schema; ids unique; at most ``variants_per_sample`` per sentence, numbered from 0; no text blank, repeated or a
    source's.

    ``copies``: the control, whose texts are the sources'.
    """
    if wrong := schema_differences(files, VARIANTS, AUGMENTED_SENTENCES):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables(files, VARIANTS, SENTENCES) as connection:
        counts = connection.execute(f"""
            SELECT count(*), count(*) - count(DISTINCT aug_id), count(*) - count(DISTINCT (source_id, variant)),
                   count(*) FILTER (variant < 0 OR variant >= {int(variants_per_sample)}),
                   count(*) FILTER (trim(text) = ''), count(*) - count(DISTINCT text),
                   count(*) FILTER (text IN (SELECT text FROM {SENTENCES})),
                   count(*) FILTER (text <> original_text), count(*) FILTER (sha256(text) <> text_sha256)
            FROM {VARIANTS}
        """).fetchone()
    rows, ids, numbers, beyond, blank, repeated, sources, changed, hashes = counts
    problems = {"ids repeated": ids, "variants repeated": numbers, "variants beyond the number asked": beyond}
    problems |= {"blank texts": blank, "wrong text hashes": hashes}
    problems |= {"copies changed": changed} if copies else {"texts repeated": repeated, "texts of a source": sources}
    return verdict(problems, f"{rows:,} variants, all different" if not copies else f"{rows:,} copies", {"rows": rows})


@validator
def labels_are_the_sources(files: Files) -> Finding:
    """Every variant has a source, and its text, group, criterion, label and split: so no variant leaves its split."""
    same = " AND ".join(
        f"v.{mine} IS NOT DISTINCT FROM s.{theirs}"
        for mine, theirs in (
            ("original_text", "text"),
            ("post_id", "post_id"),
            ("criterion", "criterion"),
            ("label", "label"),
            ("split", "split"),
        )
    )
    with open_tables(files, VARIANTS, SENTENCES) as connection:
        orphans, differing, context = connection.execute(f"""
            SELECT count(*) FILTER (s.source_id IS NULL), count(*) FILTER (s.source_id IS NOT NULL AND NOT ({same})),
                   count(*) FILTER (v.context IS DISTINCT FROM
                       CASE WHEN s.context IS NULL THEN NULL ELSE
                           substr(s.context, 1, instr(s.context, s.text) - 1) || v.text
                           || substr(s.context, instr(s.context, s.text) + length(s.text)) END)
            FROM {VARIANTS} v LEFT JOIN {SENTENCES} s USING (source_id)
        """).fetchone()
    problems = {"variants without a source": orphans, "labels, texts or splits that differ": differing}
    return verdict(problems | {"contexts that differ": context}, "labels, groups and splits are the sources'", {})


@validator
def edits_replay(files: Files, methods: tuple[str, ...]) -> Finding:
    """Replaying the edits, step by step, gives the variant: text outside them is the source's, byte for byte."""
    wrong, edited, unapplied = 0, 0, 0
    for path in paths_of(files, VARIANTS):
        table = pq.read_table(path, columns=["original_text", "text", "edits", "n_edits"])
        for row in table.to_pylist():
            steps: dict[int, list[dict]] = {}
            for edit in row["edits"]:
                steps.setdefault(edit["step"], []).append(edit)
            text, sound = row["original_text"], len(row["edits"]) == row["n_edits"]
            for step in sorted(steps):
                text, faithful = _replayed(text, steps[step], methods)
                sound &= faithful
            wrong += text != row["text"] or not sound
            edited += row["n_edits"]
            unapplied += row["n_edits"] > 0 and len(steps) != len(methods)
    return verdict(
        {"variants that their edits do not give": wrong, "variants that lack a method's edits": unapplied},
        f"{edited:,} edits replayed",
        {"edits": edited},
    )


def _replayed(text: str, edits: list[dict], methods: tuple[str, ...]) -> tuple[str, bool]:
    sound = all(edit["method"] == methods[edit["step"]] for edit in edits)
    for edit in sorted(edits, key=lambda each: (-each["start"], -each["end"])):
        sound &= text[edit["start"] : edit["end"]] == edit["old"] != edit["new"]
        text = text[: edit["start"]] + edit["new"] + text[edit["end"] :]
    return text, sound


@validator
def negation_is_kept(files: Files, label_preserving: bool) -> Finding:
    """A label-preserving combination leaves as many negation cues as there were, and says so of each row."""
    flipped, flagged, rows = 0, 0, 0
    for path in paths_of(files, VARIANTS):
        table = pq.read_table(path, columns=["original_text", "text", "negation_preserved"])
        rows += table.num_rows
        for row in table.to_pylist():
            flipped += len(_NEGATION.findall(row["original_text"])) != len(_NEGATION.findall(row["text"]))
            flagged += not row["negation_preserved"]
    problems = {"negations lost or gained": flipped, "rows flagged as changed": flagged} if label_preserving else {}
    return verdict(
        problems, f"{rows - flipped:,} of {rows:,} variants keep their negations", {"negation_changed": flipped}
    )
