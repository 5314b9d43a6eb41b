"""Arrow schemas of what was read: trials, and the records that became none."""

from __future__ import annotations

import pyarrow as pa


def _field(name: str, kind: pa.DataType, description: str, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


_texts = pa.list_(pa.string())
INTERVENTION = pa.struct([pa.field("type", pa.string(), nullable=False), pa.field("name", pa.string(), nullable=False)])

TRIAL_RECORDS = pa.schema(
    [
        _field("nct_id", pa.string(), "the registry's id: NCT and eight digits; rows are ordered by it"),
        _field("brief_title", pa.string(), "short title; like all texts NFC, lines ended by LF, empty where not given"),
        _field("official_title", pa.string(), "title of the protocol"),
        _field("overall_status", pa.string(), "recruitment status, in the registry's codes (COMPLETED, RECRUITING …)"),
        _field("why_stopped", pa.string(), "why it was stopped early"),
        _field("study_type", pa.string(), "INTERVENTIONAL, OBSERVATIONAL or EXPANDED_ACCESS"),
        _field("phases", _texts, "EARLY_PHASE1, PHASE1 … PHASE4, NA; two for a combined phase"),
        _field("conditions", _texts, "what is studied, in the sponsor's words"),
        _field("keywords", _texts, "the sponsor's keywords"),
        _field("mesh_terms", _texts, "MeSH headings of the conditions, by the registry"),
        _field("mesh_ancestors", _texts, "the headings above them in the MeSH tree"),
        _field(
            "interventions",
            pa.list_(INTERVENTION),
            "type in the registry's codes (DRUG …), empty if not given, and name",
        ),
        _field("brief_summary", pa.string(), "what the study is for"),
        _field("eligibility_criteria", pa.string(), "inclusion and exclusion criteria, whole, in the source's markup"),
        _field("bucket", pa.string(), "the partition it is categorised in: a function of the id"),
        _field("input_hash", pa.string(), "SHA-256 of the record: what a category is made from"),
    ]
)

TRIAL_REJECTS = pa.schema(
    [
        _field("position", pa.int64(), "which record of the source, from 1; rows are ordered by it"),
        _field("nct_id", pa.string(), "the id it has, as far as it has one", nullable=True),
        _field("reason", pa.string(), "code of what is wrong with it"),
        _field("detail", pa.string(), "the same in words, at most 200 characters"),
    ]
)
