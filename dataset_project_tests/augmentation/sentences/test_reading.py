"""Reading sentence tables: any names, CSV or Parquet, and one clear error for each fault."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.augmentation.sentences.reading import Columns, InvalidSource, read_sentences, source_hash

SAMPLE = Columns("sentence_id", "sentence_text", "DSM5_symptom", "status", "post_id")
OWN = Columns("id", "text", "criterion", "label", "group")
HEADER = "id,text,criterion,label,group\n"


def _file(tmp_path, content: str | bytes, name: str = "mine.csv") -> str:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_the_shipped_sample():
    rows = read_sentences(None, SAMPLE)
    assert len(rows) >= 2_000
    assert len({row["text"].casefold() for row in rows}) == len(rows), "every sentence is its own"
    assert {row["label"] for row in rows} == {"0", "1"}
    by_criterion = {row["criterion"] for row in rows if row["label"] == "0"}
    assert len(by_criterion) == 10 == len({row["criterion"] for row in rows})
    assert all(row["text"] == row["text"].strip() and row["context"] is None for row in rows)


def test_any_names_any_order_and_ids_stay_text(tmp_path):
    path = _file(tmp_path, HEADER + '007,"two\nlines, quoted",A,1,g1\n"002",plain,B,0,g2\n')
    rows = read_sentences(path, OWN)
    assert [row["id"] for row in rows] == ["002", "007"], "sorted by id, whatever the order of the file"
    assert rows[1]["text"] == "two\nlines, quoted"
    columns = {"group": ["g2", "g1"], "label": [0, 1], "criterion": ["B", "A"], "unused": [[1], [2]]}
    table = pa.table(columns | {"text": ["plain", "two\nlines, quoted"], "id": ["002", "007"]})
    pq.write_table(table, tmp_path / "mine.parquet")
    assert read_sentences(str(tmp_path / "mine.parquet"), OWN) == rows


def test_evidence_is_the_unit_and_its_text_the_context(tmp_path):
    path = _file(tmp_path, "id,text,evidence,criterion,label,group\na,I rose at 5. I wept.,I wept.,A,1,g\n")
    columns = Columns("id", "text", "criterion", "label", "group", evidence="evidence")
    row = read_sentences(path, columns)[0]
    assert (row["text"], row["context"]) == ("I wept.", "I rose at 5. I wept.")
    outside = _file(tmp_path, "id,text,evidence,criterion,label,group\na,I rose.,I wept.,A,1,g\n")
    with pytest.raises(InvalidSource, match="column evidence does not occur in text in row 1"):
        read_sentences(outside, columns)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (HEADER, "has no rows"),
        ("id,text,label,group\na,b,1,g\n", "no column criterion (criterion); it has id, text, label, group"),
        (HEADER + "a,,A,1,g\n", "column text is empty in row 1"),
        (HEADER + "a,x,A,1,g\nb, ,A,1,g\n", "column text is empty in row 2"),
        (HEADER + "a,x,A,1,g\na,y,A,1,g\n", "column id is a duplicate id in row 2 ('a')"),
        (HEADER + "a,x,A,1\n", "is not a readable table"),
        ("id,id,text\n1,2,3\n", "has the column id more than once"),
        (HEADER.encode() + "a,café,A,1,g\n".encode("latin-1"), "is not UTF-8: byte 35, line 2"),
    ],
)
def test_faults_are_named(tmp_path, content, said):
    path = _file(tmp_path, content)
    with pytest.raises(InvalidSource) as error:
        read_sentences(path, OWN)
    assert said in str(error.value) and path in str(error.value)


def test_faults_of_parquet(tmp_path):
    pq.write_table(pa.table({"id": ["a"], "text": [None], "criterion": ["A"], "label": ["1"], "group": ["g"]},
                            pa.schema([(n, pa.string()) for n in ("id", "text", "criterion", "label", "group")])),
                   tmp_path / "null.parquet")  # fmt: skip
    with pytest.raises(InvalidSource, match="column text is null in row 1"):
        read_sentences(str(tmp_path / "null.parquet"), OWN)
    with pytest.raises(InvalidSource, match="is not a readable table"):
        read_sentences(_file(tmp_path, b"PAR1 and nothing else", "broken.parquet"), OWN)
    with pytest.raises(InvalidSource, match="cannot be read: No such file"):
        read_sentences(str(tmp_path / "nowhere.csv"), OWN)


def test_a_split_column_is_checked(tmp_path):
    path = _file(tmp_path, "id,text,criterion,label,group,split\na,x,A,1,g,dev\n")
    with pytest.raises(InvalidSource, match=r"column split is not one of train, val, test in row 1 \('dev'\)"):
        read_sentences(path, Columns("id", "text", "criterion", "label", "group", split="split"))


def test_the_hash_is_the_files(tmp_path):
    one, two = _file(tmp_path, "a", "1.csv"), _file(tmp_path, "b", "2.csv")
    assert source_hash(one) != source_hash(two) != source_hash(None)
    assert source_hash(str(tmp_path / "nowhere.csv")) == source_hash(str(tmp_path / "elsewhere.csv"))
