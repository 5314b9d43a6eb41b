"""The one place that decides whether a record becomes a trial. Every record is counted and ends as trial or reject.

Of several records with one id the first in source order is kept, so that the outcome depends on the source alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from dataset_project.trials.records.rejects import Reject, reject
from dataset_project.trials.records.study import NotAStudy, id_of, trial_of
from dataset_project.trials.trial import Trial

# Of the texts a trial is made of: results and locations, which are not read, may make a study larger than that.
MOST_TEXT_BYTES = 5_000_000
_NCT_ID = re.compile(r"NCT[0-9]{8}")
_TELL_EVERY = 5_000
_FIELDS = tuple(each.name for each in fields(Trial))
_TEXTS = ("brief_title", "official_title", "why_stopped", "brief_summary", "eligibility_criteria")
_LISTS = ("conditions", "keywords", "mesh_terms", "mesh_ancestors")

OnProgress = Callable[[int, int | None], None]
"""Called with (records read, how many there are, None where that is not known)."""


@dataclass(frozen=True)
class RecordsRead:
    """What a source gave: trials by id, rejects by position. Together they are as many as the source has records."""

    trials: tuple[Trial, ...]
    rejects: tuple[Reject, ...]


class Intake:
    """Takes records one by one in source order. Holds the trials' texts in memory, not the records."""

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self.records = 0
        self._on_progress = on_progress
        self._kept: dict[str, tuple[int, Trial]] = {}
        self._rejects: list[Reject] = []

    def take_study(self, study: Any) -> None:
        """One record of the v2 schema, as parsed."""
        try:
            trial = trial_of(study)
        except NotAStudy as error:
            self.refuse("not_a_study", str(error), id_of(study))
        else:
            self.take(trial)

    def take(self, trial: Trial) -> None:
        """One record that could be read as a trial; its id must be stripped and in upper case."""
        nct_id = trial.nct_id
        if not nct_id:
            self.refuse("no_nct_id", f"no id; title: {trial.brief_title or trial.official_title or 'none either'}")
        elif _NCT_ID.fullmatch(nct_id) is None:
            self.refuse("malformed_nct_id", f"{nct_id[:64]!r} is not NCT and eight digits", nct_id)
        elif (size := _text_bytes(trial)) > MOST_TEXT_BYTES:
            self.refuse("too_large", f"{size:,} bytes of text; at most {MOST_TEXT_BYTES:,} are taken", nct_id)
        elif not trial.has_text:
            self.refuse("no_text", "no title, condition, summary or criteria", nct_id)
        elif nct_id in self._kept:
            first, kept = self._kept[nct_id]
            if kept == trial:
                self.refuse("duplicate_nct_id", f"the same as record {first}", nct_id)
            else:
                other = [name for name in _FIELDS if getattr(kept, name) != getattr(trial, name)]
                self.refuse("conflicting_nct_id", f"differs from record {first} in {', '.join(other)}", nct_id)
        else:
            self._kept[nct_id] = (self._count(), trial)

    def refuse(self, reason: str, detail: str, nct_id: str | None = None) -> None:
        """One record that is none, see REASONS."""
        self._rejects.append(reject(self._count(), nct_id, reason, detail))

    def result(self) -> RecordsRead:
        """All that was taken so far."""
        trials = tuple(trial for _, (_, trial) in sorted(self._kept.items()))
        return RecordsRead(trials, tuple(self._rejects))

    def _count(self) -> int:
        self.records += 1
        if self._on_progress is not None and self.records % _TELL_EVERY == 0:
            self._on_progress(self.records, None)
        return self.records


def _text_bytes(trial: Trial) -> int:
    """UTF-8 bytes of the trial's texts; only a bound when that is far below the limit."""
    texts = [getattr(trial, name) for name in _TEXTS]
    for name in _LISTS:
        texts += getattr(trial, name)
    for pair in trial.interventions:
        texts += pair
    bound = 4 * sum(map(len, texts))
    return bound if bound <= MOST_TEXT_BYTES else sum(len(text.encode("utf-8")) for text in texts)
