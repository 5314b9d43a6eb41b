"""What the offline rules say of a few fixed trials, to the byte: it changes only with a raised code version of
`categorized_trials` (assets.py) or with what its fingerprint holds: the scheme, the rules' files."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataset_project.trials.records.intake import RecordsRead
from dataset_project.trials.records.table import records_table
from dataset_project.trials.schemes.loading import load_scheme, shipped_schemes
from dataset_project.trials.trial import BUCKET_KEYS, Trial, bucket_of
from dataset_project_tests.trials.report.made_up import ruled

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())
_AREAS = (
    ("Asthma|COPD", "Inhaled budesonide in adults"),
    ("Plaque psoriasis", "An antibody against interleukin 23"),
    ("Malaria, falciparum", "Artemether in children under five"),
    ("Type 2 diabetes|Obesity", "Weekly injections and body weight"),
    ("Major depressive disorder", "Cognitive therapy by telephone"),
    ("Parkinson disease", "Adaptive stimulation"),
    ("Glaucoma", "Drops once a day"),
    ("Heart failure", "A device that measures pressure"),
    ("Ulcerative colitis", "Induction of remission"),
    ("Rheumatoid arthritis", "Tapering of methotrexate"),
    ("Chronic kidney disease", "Potassium binders"),
    ("Pre-eclampsia", "Low-dose aspirin"),
    ("Hip fracture", "Early surgery"),
    ("Sickle cell disease", "Crizanlizumab in adolescents"),
    ("Healthy volunteers", "Pharmacokinetics of a tablet"),
    ("", "Something nobody has a word for"),
)
_TIERS = (
    ("Colorectal cancer", "Metastatic colorectal adenocarcinoma\n* KRAS G12D mutation", ""),
    ("Pancreatic cancer|Colorectal cancer", "Pancreatic or colorectal adenocarcinoma with KRAS G12D", ""),
    ("Solid tumours", "Advanced solid tumour with a KRAS G12D mutation", ""),
    ("Colorectal cancer", "Colorectal cancer with any KRAS mutation", "Untreated brain metastases"),
    ("Colorectal cancer", "Stage III colon cancer after resection", "Prior chemotherapy"),
    ("Colorectal cancer", "RAS wild-type metastatic colorectal cancer", ""),
    ("Colorectal cancer", "Metastatic colorectal cancer", "KRAS mutation"),
    ("Non-small cell lung cancer", "KRAS G12C-mutated lung cancer", ""),
    ("Asthma", "Adults with asthma", "Pneumonia"),
)


def _trials(scheme: str) -> list[Trial]:
    if scheme == "therapeutic_area":
        return [
            Trial(f"NCT92{number:06d}", brief_title=title, conditions=tuple(filter(None, conditions.split("|"))))
            for number, (conditions, title) in enumerate(_AREAS)
        ]
    return [
        Trial(
            f"NCT93{number:06d}",
            brief_title="A study",
            conditions=tuple(conditions.split("|")),
            eligibility_criteria=f"Inclusion Criteria:\n\n* {inclusion}\n\nExclusion Criteria:\n\n* {exclusion}",
        )
        for number, (conditions, inclusion, exclusion) in enumerate(_TIERS)
    ]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _bytes(table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def measured() -> dict[str, dict]:
    """All that is golden, as it is now: what golden.json must hold when a change is meant."""
    found = {}
    for name in shipped_schemes():
        scheme = load_scheme(name)
        trials = _trials(name)
        rows = ruled(trials, scheme)
        told = json.dumps(rows.to_pylist(), sort_keys=True)
        records = json.dumps(records_table(RecordsRead(tuple(trials), ())).to_pylist(), sort_keys=True)
        found[name] = {
            "categories": rows["category"].to_pylist(),
            "rows": _digest(told.encode()),
            "records": _digest(records.encode()),
            "prompt": _digest(json.dumps(scheme.messages(trials[0], trials[0].eligibility_criteria)).encode()),
            "schema": _digest(json.dumps(scheme.json_schema()).encode()),
        }
    return found


@pytest.mark.parametrize("scheme", shipped_schemes())
def test_rows_prompts_and_schemas_are_the_golden_ones(scheme):
    # A prompt or a schema that changes asks every trial of every user anew: that is a decision, not an accident.
    assert measured()[scheme] == GOLDEN[scheme]


def test_nothing_golden_is_left_over():
    assert set(GOLDEN) == set(shipped_schemes())


def test_bytes_are_the_same_every_time():
    for name in shipped_schemes():
        once, again = (_bytes(ruled(_trials(name), load_scheme(name))) for _ in range(2))
        assert once == again


def test_a_trial_stays_in_its_bucket_for_ever():
    # Moving trials between buckets would ask none anew, but rewrite every published file.
    ids = ("NCT00000102", "NCT01234567", "NCT04000000", "NCT06999999")
    assert [bucket_of(each) for each in ids] == ["bucket_10", "bucket_14", "bucket_13", "bucket_19"]
    drawn = {bucket_of(f"NCT{number:08d}") for number in range(400)}
    assert drawn == set(BUCKET_KEYS)
