"""Fictional studies in the registry's v2 schema, as the tests of reading write them to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataset_project.trials.records.intake import RecordsRead
from dataset_project.trials.records.source import read_source


def nct(number: int) -> str:
    return f"NCT{90_000_000 + number}"


def study(number: int, **identification: Any) -> dict[str, Any]:
    """A small but complete study; ``identification`` overrides fields of its identification module."""
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": nct(number),
                "briefTitle": f"Trial {number} of velotumab",
                "officialTitle": f"A randomised trial of velotumab, number {number}",
                "organization": {"fullName": "Not read"},
                **identification,
            },
            "statusModule": {"overallStatus": "TERMINATED", "whyStopped": "Slow accrual"},
            "descriptionModule": {"briefSummary": "Whether velotumab helps."},
            "conditionsModule": {"conditions": ["Asthma", "Wheezing"], "keywords": ["velotumab"]},
            "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE1", "PHASE2"]},
            "armsInterventionsModule": {
                "interventions": [
                    {"type": "DRUG", "name": "velotumab", "armGroupLabels": ["A"]},
                    {"type": "OTHER", "name": "placebo"},
                ]
            },
            "eligibilityModule": {"eligibilityCriteria": "Inclusion Criteria:\n\n* Age \\>= 18\n* FEV1 &lt; 80 %"},
        },
        "derivedSection": {
            "conditionBrowseModule": {
                "meshes": [{"id": "D001249", "term": "Asthma"}],
                "ancestors": [{"id": "D001982", "term": "Bronchial Diseases"}],
            }
        },
        "hasResults": False,
    }


def read(path: Path, **columns: str) -> RecordsRead:
    return read_source(str(path), columns=columns, api_url="http://127.0.0.1:1")


def ids(found: RecordsRead) -> list[str]:
    return [trial.nct_id for trial in found.trials]


def reasons(found: RecordsRead) -> list[tuple[int, str]]:
    return [(each.position, each.reason) for each in found.rejects]
