"""Reading published batches: files without their parts, spans in the order of the text, only the columns asked for."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.documents.exports.batches import local_batches


@pytest.fixture
def batches(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name / "files").mkdir(parents=True)
        documents = [
            {"doc_id": f"{name}1", "parent_doc_id": None, "path": "files/x.txt", "class": "mixed"},
            {"doc_id": f"{name}1.1", "parent_doc_id": f"{name}1", "path": None, "class": "phi"},
        ]
        spans = [{"doc_id": f"{name}1", "start": start, "type": "mrn"} for start in (40, 7, 21)]
        pq.write_table(pa.Table.from_pylist(documents), tmp_path / name / "documents.parquet")
        pq.write_table(pa.Table.from_pylist(spans), tmp_path / name / "spans.parquet")
        (tmp_path / name / "files" / "x.txt").write_bytes(name.encode())
    return local_batches({name: tmp_path / name for name in ("b", "a")})


def test_batches_come_in_the_order_of_their_keys_and_parts_are_left_out(batches):
    assert list(batches) == ["a", "b"]
    assert [row["doc_id"] for key in batches for row in batches.documents(key)] == ["a1", "b1"]
    assert batches.documents("a", ("class",)) == [{"class": "mixed", "parent_doc_id": None}]
    assert batches.file("b", "files/x.txt") == b"b"


def test_spans_are_in_the_order_of_the_text_whatever_that_of_the_table(batches):
    assert [row["start"] for row in batches.spans("a")["a1"]] == [7, 21, 40]
    assert batches.spans("b", ("type",))["b1"][0] == {"type": "mrn", "doc_id": "b1", "start": 7}


def test_what_is_not_there_is_an_error(batches):
    with pytest.raises(KeyError):
        batches.documents("c")
    with pytest.raises(OSError):
        batches.file("a", "files/none.txt")
