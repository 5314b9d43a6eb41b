"""The one door: the shipped sample, files, and what of a source is hashed."""

from __future__ import annotations

import gzip
import hashlib
import json
import os

import pytest

from dataset_project.trials.records import source
from dataset_project.trials.records.errors import InvalidSource
from dataset_project.trials.records.source import read_source, source_hash
from dataset_project_tests.trials.records.studies import ids, nct, study

API = "http://127.0.0.1:1"


@pytest.fixture
def resources(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "files", lambda package: tmp_path)
    folder = tmp_path / "resources"
    (folder / "sample").mkdir(parents=True)
    return folder


def _lines(*numbers: int) -> str:
    return "".join(json.dumps(study(number)) + "\n" for number in numbers)


def test_the_assembled_sample_comes_before_its_parts(resources):
    with pytest.raises(InvalidSource, match="the shipped sample is missing"):
        read_source(None, columns={}, api_url=API)
    (resources / "sample" / "b.jsonl").write_text(_lines(1, 2))
    (resources / "sample" / "a.jsonl").write_text(_lines(3, 2))
    (resources / "sample" / "a_gold.csv").write_text("nct_id\n")
    told = []
    found = read_source(None, columns={}, api_url=API, on_progress=lambda *figures: told.append(figures))
    assert ids(found) == [nct(1), nct(2), nct(3)]
    assert [(each.position, each.nct_id) for each in found.rejects] == [(4, nct(2))]
    assert told == [(4, 4)]
    of_parts = source_hash(None, api_url=API)
    (resources / "sample.jsonl.gz").write_bytes(gzip.compress(_lines(7).encode(), mtime=0))
    assert ids(read_source(None, columns={}, api_url=API)) == [nct(7)]
    whole = hashlib.sha256((resources / "sample.jsonl.gz").read_bytes()).hexdigest()
    assert source_hash(None, api_url=API) == whole != of_parts


def test_hash_of_a_file_follows_its_content(tmp_path):
    path = tmp_path / "studies.jsonl"
    assert source_hash(str(path), api_url=API) == hashlib.sha256(b"").hexdigest()
    for content in (_lines(1), _lines(2), _lines(3)):
        path.write_text(content)
        assert source_hash(str(path), api_url=API) == hashlib.sha256(content.encode()).hexdigest()


def test_hash_of_a_big_file_is_computed_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "BIG_BYTES", 10)
    path = tmp_path / "studies.jsonl"
    for number in (1, 2):
        path.write_text(_lines(number))
        os.utime(path, ns=(number, number))
        for _ in range(2):
            assert source_hash(str(path), api_url=API) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hash_of_the_registry_is_of_address_and_query():
    def of(query, url=API):
        return source_hash("clinicaltrials.gov", api_url=url, query=query)

    assert of("a") == of("a", API + "/")
    assert len({of("a"), of("b"), of(None), of("a", API + "/mirror")}) == 4


def test_unknown_fields_are_refused_for_every_source():
    for where in (None, "clinicaltrials.gov", "nothing.json"):
        with pytest.raises(InvalidSource, match="columns: colour is no field of a trial"):
            read_source(where, columns={"colour": "x"}, api_url=API)


def test_the_order_of_records_does_not_matter_for_distinct_ids(tmp_path):
    results = []
    for name, numbers in (("a", (1, 2, 3)), ("b", (3, 1, 2))):
        (tmp_path / name).write_text(_lines(*numbers))
        results.append(read_source(str(tmp_path / name), columns={}, api_url=API))
    assert results[0] == results[1]
