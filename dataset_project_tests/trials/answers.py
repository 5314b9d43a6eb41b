"""What the loopback server's model says of a trial: the offline rules' facts of the sample, now and then another area.

Loaded by the server's process. A trial is known by the id in the prompt; one that the sample does not have gets facts
drawn by its id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from dataset_project.trials.categorisers.therapeutic_rules import extract
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.records.source import read_source
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.trial import Trial

_ID = re.compile(r"NCT\d{8}")
# One in ten is told otherwise than by the rules, so that agreement between the two is no certainty.
_OTHERWISE = 10


def therapeutic_area(body: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the trial that the request's last user message is about."""
    users = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return facts_of(_ID.search(users[0]).group())


@cache
def facts_of(nct_id: str) -> dict[str, Any]:
    drawn = hashlib.sha256(nct_id.encode()).digest()
    trial = _sample().get(nct_id, Trial(nct_id))
    facts = {name: value for name, value in extract(trial).facts.items() if name not in ("confidence", "notes")}
    if drawn[0] % _OTHERWISE == 0 or nct_id not in _sample():
        areas = [category.id for category in load_scheme("therapeutic_area").categories]
        area = areas[drawn[1] % len(areas)]
        facts |= {
            "primary_condition": f"a condition of {area}",
            "is_neoplasm": area == "neoplasms",
            "is_infection": area == "infectious",
            "healthy_volunteers_only": False,
            "primary_area": area,
            "other_areas": [],
        }
    return {**facts, "notes": "", "confidence": 60 + drawn[2] % 40}


@cache
def _sample() -> dict[str, Trial]:
    settings = TrialSettings()
    read = read_source(None, columns={}, api_url=settings.api_url, page_size=1000, max_trials=None)
    return {trial.nct_id: trial for trial in read.trials}
