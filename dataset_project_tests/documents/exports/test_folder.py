"""Exports into files: what is in them, that they are whole or not there, and that they overwrite nothing."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dataset_project.documents import export
from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.exports.batches import Batches
from dataset_project_tests.documents.report.corpora import publish, rows_of


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """60 documents in two batches, with few of the larger formats."""
    return publish(tmp_path_factory.mktemp("exports"), 60, 30, DocumentSettings(seed=0, mixed=0.2))


def _files(published):
    return [row for row in rows_of(published, "documents") if row["parent_doc_id"] is None]


def _spans(published, doc_id):
    return [row for row in rows_of(published, "spans") if row["doc_id"] == doc_id]


def _found(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_one_file_of_json_lines_holds_every_document_once_and_its_values(published, tmp_path):
    written = export.write_annotations(tmp_path / "new" / "all.jsonl", "jsonl", published)
    lines = [json.loads(line) for line in (tmp_path / "new" / "all.jsonl").read_text("utf-8").splitlines()]
    files = _files(published)
    assert [line["id"] for line in lines] == [row["doc_id"] for row in files]
    assert written.documents == Counter(row["class"] for row in files)
    assert sum(len(line["spans"]) for line in lines) == written.spans == len(rows_of(published, "spans"))
    for line in lines:
        assert all(line["text"][span["start"] : span["end"]] == span["text"] for span in line["spans"])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["all.jsonl"]


def test_splits_and_classes_choose_the_documents(published, tmp_path):
    export.write_annotations(tmp_path / "some.jsonl", "jsonl", published, splits=("train",), classes=("phi", "mixed"))
    lines = [json.loads(line) for line in (tmp_path / "some.jsonl").read_text("utf-8").splitlines()]
    wanted = [row for row in _files(published) if row["split"] == "train" and row["class"] in ("phi", "mixed")]
    assert [line["id"] for line in lines] == [row["doc_id"] for row in wanted] and lines
    with pytest.raises(ValueError, match=r"'dev'.*train, val, test"):
        export.write_annotations(tmp_path / "x.jsonl", "jsonl", published, splits=("dev",))
    with pytest.raises(ValueError, match="no class at all"):
        export.write_annotations(tmp_path / "x.jsonl", "jsonl", published, classes=())


def test_a_file_for_each_document_stands_by_split_and_class(published, tmp_path):
    export.write_annotations(tmp_path / "i2b2", "i2b2", published, each_apart=True)
    assert _found(tmp_path / "i2b2") == sorted(
        f"{row['split']}/{row['class']}/doc_{row['doc_id']}.xml" for row in _files(published)
    )
    values = 0
    for path in (tmp_path / "i2b2").rglob("*.xml"):
        root = ElementTree.fromstring(path.read_text("utf-8"))
        text = root.findtext("TEXT")
        for tag in root.find("TAGS"):
            values += 1
            assert text[int(tag.get("start")) : int(tag.get("end"))] == tag.get("text")
            assert tag.get("TYPE") != "COUNTY", "the track has no counties"
    assert values == len(rows_of(published, "spans"))


def test_conll_holds_every_value_once(published, tmp_path):
    export.write_annotations(tmp_path / "all.conll", "conll", published)
    text = (tmp_path / "all.conll").read_text("utf-8")
    begun = Counter(line.rpartition("\tB-")[2] for line in text.split("\n") if "\tB-" in line)
    assert begun == Counter(row["type"] for row in rows_of(published, "spans"))


def test_wrong_forms_and_targets_are_refused_and_leave_nothing(published, tmp_path):
    with pytest.raises(ValueError, match=r"'brat'.*jsonl, conll, i2b2"):
        export.write_annotations(tmp_path / "x", "brat", published)
    with pytest.raises(ValueError, match="one file per document"):
        export.write_annotations(tmp_path / "x.xml", "i2b2", published)
    with pytest.raises(FileExistsError, match="is a directory"):
        export.write_annotations(tmp_path, "jsonl", published)
    only_negatives = Batches((), published.table, published.file)
    for apart in (False, True):
        with pytest.raises(ValueError, match="no published document"):
            export.write_annotations(tmp_path / "y", "jsonl", only_negatives, each_apart=apart)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_the_new_one_is_whole(published, tmp_path):
    target = tmp_path / "all.jsonl"
    target.write_text("before")

    def broken(key, name, columns):
        if key == published.keys[1]:
            raise OSError("the store is gone")
        return published.table(key, name, columns)

    with pytest.raises(OSError, match="the store is gone"):
        export.write_annotations(target, "jsonl", Batches(published.keys, broken, published.file))
    assert target.read_text() == "before" and [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]
    export.write_annotations(target, "jsonl", published)
    assert target.read_text("utf-8").startswith("{")


@pytest.mark.parametrize("ratio", [2.0, 2.5, 3.0])
def test_purview_folders_hold_published_files_in_the_ratio(published, tmp_path, ratio):
    target = tmp_path / "purview"
    written = export.write_purview(target, published, ratio=ratio)
    names = {folder: [path.name for path in (target / folder).iterdir()] for folder in ("positive", "negative")}
    assert len(names["positive"]) >= 1 and len(names["negative"]) == int(ratio * len(names["positive"]))
    assert sorted(path.name for path in target.iterdir()) == ["negative", "positive", "truth.csv"]
    by_path = {Path(row["path"]).name: row for row in _files(published)}
    for folder, files in names.items():
        for name in files:
            row = by_path[name]
            assert (row["class"] in ("phi", "mixed")) == (folder == "positive") and row["class"] != "pii_only"
            assert hashlib.sha256((target / folder / name).read_bytes()).hexdigest() == row["sha256"]
    assert sum(written.documents.values()) == sum(map(len, names.values()))


def test_the_truth_beside_the_folders_names_file_class_types_and_counts(published, tmp_path):
    written = export.write_purview(tmp_path / "purview", published)
    with (tmp_path / "purview" / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows) == [name for name in _found(tmp_path / "purview") if name != "truth.csv"]
    assert list(rows[0])[:4] == ["file", "class", "types", "counts"]
    for row in rows:
        spans = _spans(published, row["doc_id"])
        told = dict(zip(row["types"].split(";"), row["counts"].split(";"), strict=True)) if row["types"] else {}
        assert told == {kind: str(count) for kind, count in Counter(span["type"] for span in spans).items()}
        assert set(row["surfaces"].split(";")) - {""} == {span["surface"] for span in spans}
        assert (row["class"] == "negative") == row["file"].startswith("negative/") == (not told)
    assert written.spans == sum(len(_spans(published, row["doc_id"])) for row in rows)


def test_purview_is_the_same_again_and_smaller_where_asked(published, tmp_path):
    export.write_purview(tmp_path / "a", published)
    backwards = Batches(tuple(reversed(published.keys)), published.table, published.file)
    export.write_purview(tmp_path / "b", backwards)
    assert _found(tmp_path / "a") == _found(tmp_path / "b")
    export.write_purview(tmp_path / "c", published, most=7)
    small = _found(tmp_path / "c")
    assert len(small) == 1 + 2 + 4 and set(small) <= set(_found(tmp_path / "a"))
    export.write_purview(tmp_path / "d", published, splits=("train",))
    of_train = {row["doc_id"] for row in _files(published) if row["split"] == "train"}
    assert {name.partition("doc_")[2].split(".")[0] for name in _found(tmp_path / "d")[:-1]} <= of_train


def test_purview_refuses_what_cannot_be_and_touches_nothing(published, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds files already"):
        export.write_purview(full, published)
    with pytest.raises(FileExistsError, match="no directory"):
        export.write_purview(full / "mine.txt", published)
    for ratio in (1.9, 3.1, float("nan")):
        with pytest.raises(ValueError, match="a ratio from 2 to 3"):
            export.write_purview(tmp_path / "x", published, ratio=ratio)
    with pytest.raises(ValueError, match=r"too few documents.*at most 2 files"):
        export.write_purview(tmp_path / "x", published, most=2)

    def unreadable(key, path):
        if key == published.keys[1]:
            raise OSError("gone")
        return published.file(key, path)

    with pytest.raises(OSError, match="gone"):
        export.write_purview(tmp_path / "x", Batches(published.keys, published.table, unreadable))
    assert _found(tmp_path) == ["full/mine.txt"] and (full / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_an_empty_directory_may_be_the_target(published, tmp_path):
    (tmp_path / "empty").mkdir()
    export.write_purview(tmp_path / "empty", published)
    assert (tmp_path / "empty" / "truth.csv").exists() and [path.name for path in tmp_path.iterdir()] == ["empty"]
