"""A clinical trial as the family's modules see it, whatever it was read from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

BUCKETS = 20
BUCKET_KEYS = tuple(f"bucket_{number:02d}" for number in range(BUCKETS))


@dataclass(frozen=True)
class Trial:
    """One study. Texts are stripped; what the source does not say is an empty string or tuple.

    ``mesh_terms``: MeSH headings of the conditions; ``mesh_ancestors``: the headings above them in the tree.
    ``interventions``: (type, name) pairs, types as in the registry (DRUG, BIOLOGICAL, DEVICE …).
    """

    nct_id: str
    brief_title: str = ""
    official_title: str = ""
    overall_status: str = ""
    why_stopped: str = ""
    study_type: str = ""
    phases: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    mesh_terms: tuple[str, ...] = ()
    mesh_ancestors: tuple[str, ...] = ()
    interventions: tuple[tuple[str, str], ...] = ()
    brief_summary: str = ""
    eligibility_criteria: str = ""

    @cached_property
    def input_hash(self) -> str:
        """SHA-256 of the whole record: what a category was made from."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def bucket(self) -> str:
        """The partition it belongs to: by its id alone, so that a growing list moves no trial."""
        return bucket_of(self.nct_id)

    @property
    def has_text(self) -> bool:
        """Whether there is anything to categorise."""
        return bool(self.brief_title or self.official_title or self.conditions or self.brief_summary
                    or self.eligibility_criteria)  # fmt: skip


def bucket_of(nct_id: str) -> str:
    """The bucket of a trial: SHA-256 of its id, modulo 20."""
    return BUCKET_KEYS[int.from_bytes(hashlib.sha256(nct_id.encode()).digest()[:8], "big") % BUCKETS]


def trials_from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """Trials of rows of the TRIAL_RECORDS table, in order."""
    return [_from_row(row) for row in rows]


def _from_row(row: Mapping[str, Any]) -> Trial:
    plain = {
        name: tuple(row[name]) if isinstance(row[name], list) else row[name]
        for name in Trial.__dataclass_fields__
        if name != "interventions"
    }
    return Trial(**plain, interventions=tuple((each["type"], each["name"]) for each in row["interventions"]))
