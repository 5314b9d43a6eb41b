"""CSV and Parquet files of trials: column names, forms of lists, and what is wrong with a table."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.trials.records.cells import code_of, interventions_of, phases_of, texts_of
from dataset_project.trials.records.columns import find_columns
from dataset_project.trials.records.errors import InvalidSource
from dataset_project.trials.records.study import trial_of
from dataset_project.trials.records.table import records_table
from dataset_project.trials.trial import Trial
from dataset_project_tests.trials.records.studies import ids, nct, read, reasons, study


def _csv(*rows: list[str], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


REGISTRY_CSV = _csv(
    *zip(
        ("NCT Number", nct(1)),
        ("Study Title", "Velotumab, in asthma"),
        ("Study URL", "https://example.org"),
        ("Study Status", "ACTIVE_NOT_RECRUITING"),
        ("Brief Summary", "Two\r\nlines"),
        ("Conditions", "Asthma|Wheeze"),
        ("Interventions", "DRUG: velotumab|DIETARY_SUPPLEMENT: Vitamin D: high dose|BEHAVIORAL: diary"),
        ("Sex", "ALL"),
        ("Phases", "PHASE2|PHASE3"),
        ("Study Type", "INTERVENTIONAL"),
        strict=True,
    )
)


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_registrys_own_csv_download(tmp_path, pack, mark):
    path = tmp_path / "ctg-studies"
    path.write_bytes(pack((mark + REGISTRY_CSV).encode()))
    assert read(path).trials == (
        Trial(
            nct_id=nct(1),
            brief_title="Velotumab, in asthma",
            overall_status="ACTIVE_NOT_RECRUITING",
            study_type="INTERVENTIONAL",
            phases=("PHASE2", "PHASE3"),
            conditions=("Asthma", "Wheeze"),
            interventions=(
                ("DRUG", "velotumab"),
                ("DIETARY_SUPPLEMENT", "Vitamin D: high dose"),
                ("BEHAVIORAL", "diary"),
            ),
            brief_summary="Two\nlines",
        ),
    )


def test_columns_as_research_data_sets_name_them(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(
        _csv(
            *zip(
                ("nctid", nct(1).lower()),
                ("status", "completed"),
                ("why_stop", ""),
                ("phase", "phase 1/phase 2"),
                ("diseases", "['asthma', \"crohn's disease\"]"),
                ("icdcodes", "[\"['J45']\"]"),
                ("drugs", "['velotumab']"),
                ("criteria", "\n  Inclusion Criteria:\n\n   -  Adults\n   "),
                strict=True,
            )
        )
    )
    assert read(path).trials == (
        Trial(
            nct_id=nct(1),
            overall_status="COMPLETED",
            phases=("PHASE1", "PHASE2"),
            conditions=("asthma", "crohn's disease"),
            interventions=(("DRUG", "velotumab"),),
            eligibility_criteria="Inclusion Criteria:\n\n   -  Adults",
        ),
    )


def test_a_mapping_comes_before_default_names(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(_csv(["Ref", "nct_id", "Title", "Long title"], [nct(1), nct(2), "short", "long"]))
    assert read(path).trials == (Trial(nct_id=nct(2), brief_title="short"),)
    mapped = read(path, nct_id="Ref", brief_title="long_title", official_title="Title")
    assert mapped.trials == (Trial(nct_id=nct(1), brief_title="long", official_title="short"),)


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_delimiters(tmp_path, delimiter):
    path = tmp_path / "trials.csv"
    path.write_text(_csv(["NCT Number", "Title, short"], [nct(1), "a,b"], delimiter=delimiter))
    assert read(path, brief_title="Title, short").trials == (Trial(nct_id=nct(1), brief_title="a,b"),)


def test_rows_that_do_not_fit_are_rejected_and_blank_lines_do_not_count(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(
        f'\nnct_id,title\n{nct(1)},"a\nb"\n\n{nct(2)}\n{nct(3)},a,b\n,c\n{nct(4)},\n{nct(1)},other\n{nct(5)},d\n'
    )
    found = read(path)
    assert ids(found) == [nct(1), nct(5)]
    assert reasons(found) == [
        (2, "not_a_study"),
        (3, "not_a_study"),
        (4, "no_nct_id"),
        (5, "no_text"),
        (6, "conflicting_nct_id"),
    ]
    assert (found.rejects[0].nct_id, found.rejects[0].detail) == (nct(2), "1 cells where the header has 2, line 6")


def test_a_cell_longer_than_the_csv_modules_limit(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(_csv(["nct_id", "criteria"], [nct(1), "x" * 200_000]))
    assert len(read(path).trials[0].eligibility_criteria) == 200_000


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("nct_id,title,title\n", {}, "has the column title more than once"),
        ("NCT_ID,nctid,title\nx,y,z\n", {}, "NCT_ID and nctid could both be nct_id; say which in columns"),
        ("id,title\nx,y\n", {}, r"has no column of ids such as nct_id; it has id, title; name it in columns"),
        ("nct_id,sponsor\nx,y\n", {}, r"has no column for any of brief_title, .*; it has nct_id, sponsor"),
        ("nct_id,title\nx,y\n", {"conditions": "ills"}, r"has no column ills \(conditions\); it has nct_id, title"),
        ("nct_id,title\nx,y\n", {"illness": "title"}, "illness is no field of a trial; the fields are nct_id"),
        ("nct_id,title\n", {}, "has no records"),
        ('nct_id,title\nNCT90000001,"open\nNCT90000002,b\n', {}, "not a readable table: .*in the row after line 1"),
        ("some text\nwithout any table\n", {}, "has no column of ids such as nct_id; it has some text"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, content, columns, message):
    path = tmp_path / "trials.csv"
    path.write_text(content)
    with pytest.raises(InvalidSource, match=message):
        read(path, **columns)


def test_a_table_that_is_not_utf8(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_bytes(f"nct_id,title\n{nct(1)},a\n{nct(2)},caf\xe9\n".encode("latin-1"))
    with pytest.raises(InvalidSource, match=r"trials\.csv is not UTF-8, somewhere after line \d; convert it"):
        read(path)


def test_what_was_published_reads_back_the_same(tmp_path):
    other = replace(trial_of(study(2)), conditions=("a|b", "[c]"), interventions=(("", "no type"),), phases=("X",))
    path = tmp_path / "records.json"
    path.write_text(json.dumps([study(1)]))
    table = records_table(replace(read(path), trials=(trial_of(study(1)), other)))
    pq.write_table(table, tmp_path / "records.parquet")
    assert read(tmp_path / "records.parquet").trials == (trial_of(study(1)), other)
    table.to_pandas().to_csv(tmp_path / "records.csv", index=False)
    assert read(tmp_path / "records.csv").trials[0] == replace(
        trial_of(study(1)), interventions=read(tmp_path / "records.csv").trials[0].interventions
    )


def test_parquet_with_other_text_types_and_nulls(tmp_path):
    path = tmp_path / "trials"
    table = pa.table(
        {
            "NCT Number": pa.array([nct(1), nct(2), None], pa.large_string()),
            "title": pa.array(["a", None, "c"]).dictionary_encode(),
            "conditions": pa.array([["x", None, " "], None, []], pa.list_(pa.string())),
            "drugs": pa.array(["p|q", None, None]),
            "phase": pa.nulls(3),
            "enrolment": pa.array([1, 2, 3]),
        }
    )
    pq.write_table(table, path)
    found = read(path)
    drugs = (("DRUG", "p"), ("DRUG", "q"))
    assert found.trials == (Trial(nct_id=nct(1), brief_title="a", conditions=("x",), interventions=drugs),)
    assert reasons(found) == [(2, "no_text"), (3, "no_nct_id")]
    with pytest.raises(InvalidSource, match=r"column enrolment \(conditions\) is int64; text or a list of text"):
        read(path, conditions="enrolment")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidSource, match="is not a readable Parquet file"):
        read(path)
    packed = tmp_path / "trials.gz"
    packed.write_bytes(gzip.compress(b"PAR1" + b"\0" * 20))
    with pytest.raises(InvalidSource, match="Parquet in an archive"):
        read(packed)


def test_the_first_default_name_wins_over_the_order_of_columns():
    header = ["title", "Study Title", "brief_title", "NCT Number", "nct_id"]
    assert find_columns(header, {}, "x") == {"nct_id": 4, "brief_title": 2}
    assert find_columns(header[:2] + header[3:4], {}, "x") == {"nct_id": 2, "brief_title": 1}


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        (None, ()),
        ("", ()),
        ("[]", ()),
        ("one, two", ("one, two",)),
        ("a | b||c|", ("a", "b", "c")),
        ('["a", "b \\u00e9 \\"c\\""]', ("a", 'b é "c"')),
        ("['a', \"it's\", 'b\\'s', 'c\\\\d']", ("a", "it's", "b's", "c\\d")),
        ("['a' 'b'\n 'c']", ("a", "b", "c")),
        ("['a',]", ("a",)),
        ("[18F]-FDG|[68Ga]", ("[18F]-FDG", "[68Ga]")),
        ("[1, 2]", ("[1, 2]",)),
        ("['a', 2]", ("['a', 2]",)),
        ("[" * 100_000 + "]", ("[" * 100_000 + "]",)),
        (["a", None, " b "], ("a", "b")),
    ],
)
def test_forms_of_a_list(cell, texts):
    assert texts_of(cell) == texts


@pytest.mark.parametrize(
    ("cell", "phases"),
    [
        ("Phase 1/Phase 2", ("PHASE1", "PHASE2")),
        ("phase II/III", ("PHASE2", "PHASE3")),
        ("PHASE2|PHASE3", ("PHASE2", "PHASE3")),
        ("Early Phase 1", ("EARLY_PHASE1",)),
        ("EARLY_PHASE1", ("EARLY_PHASE1",)),
        ("N/A", ("NA",)),
        ("Not Applicable", ("NA",)),
        ("4", ("PHASE4",)),
        ("Phase 2, Phase 2", ("PHASE2",)),
        ("pilot", ("pilot",)),
        (["PHASE1", "PHASE2"], ("PHASE1", "PHASE2")),
        ("", ()),
    ],
)
def test_phases(cell, phases):
    assert phases_of(cell) == phases


@pytest.mark.parametrize(
    ("cell", "pairs"),
    [
        ("Drug: x|Combination Product: y", (("DRUG", "x"), ("COMBINATION_PRODUCT", "y"))),
        ("Arm A: x", (("", "Arm A: x"),)),
        ('[{"type": "DRUG", "name": "x"}, {"name": "y"}, {}]', (("DRUG", "x"), ("", "y"))),
        ("[{'type': 'Drug', 'name': \"it's\"}]", (("DRUG", "it's"),)),
        ([{"type": "DEVICE", "name": "x"}], (("DEVICE", "x"),)),
        (["DEVICE: x", "y"], (("DEVICE", "x"), ("", "y"))),
        (None, ()),
    ],
)
def test_interventions(cell, pairs):
    assert interventions_of(cell, "") == pairs


def test_codes():
    assert code_of("Active, not recruiting") == "ACTIVE_NOT_RECRUITING"
    assert code_of("Unknown status") == "UNKNOWN"
    assert code_of("terminé") == "terminé"
